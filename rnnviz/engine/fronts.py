"""Fronts: what stands before a recurrent module: embeddings of symbols, or a small convolution of pictures."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d

POOLED = 2  # of so many by so many pixels the largest


class EmbeddingFront(nn.Module):
    """One-hot symbols (T, N, V) → rows of the table (T, N, E); where there is no symbol, zeros."""

    def __init__(self, symbols: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(symbols, size))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs @ self.weight


class ConvolutionFront(nn.Module):
    """Pictures (T, N, rows · columns) → the largest of each 2 × 2 of relu(kernel ∗ picture), (T, N, C · rows/2 ·
    columns/2); without a bias, so that zeros stay zeros."""

    def __init__(self, channels: int, picture: tuple[int, int], kernel: tuple[int, int]) -> None:
        super().__init__()
        self.picture = picture
        self.weight = nn.Parameter(torch.empty(channels, *kernel))

    def forward(self, inputs: Tensor) -> Tensor:
        return features(inputs, self.weight, self.picture[0])


def features(pictures: Tensor, kernel: Tensor, rows: int) -> Tensor:
    """(T, N, rows · columns), kernel (C, 3, 3) → (T, N, C · rows/2 · columns/2)."""
    flat = pictures.reshape(-1, 1, rows, pictures.shape[-1] // rows)
    padding = kernel.shape[1] // 2, kernel.shape[2] // 2
    found = max_pool2d(conv2d(flat, kernel[:, None], padding=padding).relu(), POOLED)
    return found.reshape(*pictures.shape[:2], -1)


Front = EmbeddingFront | ConvolutionFront

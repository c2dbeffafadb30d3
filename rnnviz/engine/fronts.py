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
        pictures = inputs.reshape(-1, 1, *self.picture)
        padding = self.weight.shape[1] // 2, self.weight.shape[2] // 2
        found = max_pool2d(conv2d(pictures, self.weight[:, None], padding=padding).relu(), POOLED)
        return found.reshape(*inputs.shape[:2], -1)


Front = EmbeddingFront | ConvolutionFront

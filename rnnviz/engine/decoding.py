"""Decoding: what lies between an encoder and a decoder: the bridge of their states, and attention in the head."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class BridgeModule(nn.Module):
    """The linear layer from the final states of both directions of an encoder to the first states of a decoder, as
    `core.capture.Bridge` defines it; "weight_h" (layers, units, 2·units), "bias_h", and so for each state."""

    def __init__(self, units: Sequence[tuple[str, int]], layers: int) -> None:
        super().__init__()
        self.states = [state for state, _ in units]
        for state, size in units:
            self.register_parameter(f"weight_{state}", nn.Parameter(torch.empty(layers, size, 2 * size)))
            self.register_parameter(f"bias_{state}", nn.Parameter(torch.empty(layers, size)))

    def weight(self, state: str) -> Tensor:
        """(layers, units, 2·units)"""
        return self.get_parameter(f"weight_{state}")

    def bias(self, state: str) -> Tensor:
        """(layers, units)"""
        return self.get_parameter(f"bias_{state}")

    def forward(self, final: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Final states (2·layers, N, ·) by state → first states (layers, N, ·)."""
        found = []
        for state, last in zip(self.states, final, strict=True):
            both = torch.cat([last[0::2], last[1::2]], dim=-1)  # (layers, N, 2·units)
            found.append(torch.baddbmm(self.bias(state)[:, None], both, self.weight(state).transpose(1, 2)))
        return tuple(found)


class AttentionModule(nn.Module):
    """General dot-product attention over an encoder's outputs, as `core.capture.Attention` defines it."""

    def __init__(self, own: int, other: int) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.empty(own, other))
        self.combine = nn.Parameter(torch.empty(own, other + own))

    def forward(self, states: Tensor, read: Tensor, lengths: Tensor | None) -> Tensor:
        """The decoder's outputs (U, N, P) and the encoder's (S, N, M) → (U, N, P) what the linear layer reads."""
        states, read = states.transpose(0, 1), read.transpose(0, 1)  # (N, ·, ·)
        scores = states @ self.score @ read.transpose(1, 2)  # (N, U, S)
        if lengths is not None:
            padding = torch.arange(read.shape[1]) >= lengths[:, None]
            scores = scores.masked_fill(padding[:, None], -math.inf)
        context = scores.softmax(dim=-1) @ read
        attended = torch.tanh(torch.cat([context, states], dim=-1) @ self.combine.T)
        return attended.transpose(0, 1)

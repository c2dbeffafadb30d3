"""Pooling over time in torch, as core defines it: of all time steps so far, or the last of these alone."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from rnnviz.core.sweeps.capture import Pooling
from rnnviz.core.sweeps.heads.pooling import holders


def _mean(output: Tensor) -> Tensor:
    count = torch.arange(1, len(output) + 1, dtype=output.dtype)[:, None, None]
    return output.cumsum(dim=0) / count


def _maximum(output: Tensor) -> Tensor:
    # torch's own cummax gives the gradient to the last of equal values, its max to the first.
    return output.gather(0, torch.from_numpy(holders(output.detach().numpy())))


_RUNNING: Mapping[Pooling, Callable[[Tensor], Tensor]] = {
    "last": lambda output: output,
    "mean": _mean,
    "max": _maximum,
}
_AT_END: Mapping[Pooling, Callable[[Tensor], Tensor]] = {
    "last": lambda output: output[-1],
    "mean": lambda output: output.mean(dim=0),
    "max": lambda output: output.max(dim=0).values,
}


def _last_of_each(output: Tensor, lengths: Tensor) -> Tensor:
    return output[lengths - 1, torch.arange(len(lengths))]


def _mean_of_each(output: Tensor, lengths: Tensor) -> Tensor:
    return output.sum(dim=0) / lengths[:, None].to(output.dtype)  # which is 0 in the padding


def _maximum_of_each(output: Tensor, lengths: Tensor) -> Tensor:
    padding = torch.arange(len(output))[:, None] >= lengths
    return output.masked_fill(padding[:, :, None], -math.inf).max(dim=0).values


_AT_OWN_END: Mapping[Pooling, Callable[[Tensor, Tensor], Tensor]] = {
    "last": _last_of_each,
    "mean": _mean_of_each,
    "max": _maximum_of_each,
}


def pooled(output: Tensor, pooling: Pooling) -> Tensor:
    """(T, N, P) what a head reads at every time step of the outputs up to it."""
    return _RUNNING[pooling](output)


def pooled_at_end(output: Tensor, pooling: Pooling, lengths: Tensor | None = None) -> Tensor:
    """(N, P) the same at the last time step alone, of sequences padded at the end at each one's own."""
    return _AT_END[pooling](output) if lengths is None else _AT_OWN_END[pooling](output, lengths)

"""Pooling over time in torch, as core defines it: of all time steps so far, or the last of these alone."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from rnnviz.core.sweeps.capture import Pooling
from rnnviz.core.sweeps.pooling import holders


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


def pooled(output: Tensor, pooling: Pooling) -> Tensor:
    """(T, N, P) what a head reads at every time step of the outputs up to it."""
    return _RUNNING[pooling](output)


def pooled_at_end(output: Tensor, pooling: Pooling) -> Tensor:
    """(N, P) the same at the last time step alone."""
    return _AT_END[pooling](output)

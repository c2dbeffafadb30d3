"""How far a rebuilt trace is from torch's own numbers."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.layer import Layer

LIMITS = {"float32": 1e-5, "float64": 1e-10}  # relative differences that rounding explains


def relative_difference(ours: Array, theirs: Array) -> float:
    """max |ours − theirs| / max |theirs|; 0 / 0 is 0. Where both are the same NaN or ∞ there is no difference."""
    if not theirs.size:
        return 0.0
    room = np.subtract(ours, theirs)
    difference, scale = _largest(room, room), _largest(theirs, room)
    if not (math.isfinite(difference) and math.isfinite(scale)):
        finite = np.isfinite(theirs) & np.isfinite(ours)
        if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
            return math.inf
        return relative_difference(ours[finite], theirs[finite])
    return difference / scale if scale else (0.0 if difference == 0 else math.inf)


def _largest(values: Array, room: Array) -> float:
    """max |values|; `room` of the same shape is written over."""
    return float(np.maximum.reduce(np.abs(values, out=room), axis=None))


@dataclass(frozen=True, eq=False)
class Check:
    """What is compared: the capture with torch's own numbers, and what was rebuilt from it."""

    capture: Capture
    output: Array  # (T, N, D·P)
    layers: tuple[Layer, ...]

    @cached_property
    @np.errstate(all="ignore")
    def difference(self) -> float:
        """The largest relative difference over torch's outputs and parameter gradients; NaN if there are neither."""
        return max(_differences(self.capture, self.output, self.layers), default=math.nan)


@np.errstate(all="ignore")
def cancellation(layer: Layer) -> float:
    """Σ_t ‖(∂L/∂W)|_t‖ / ‖∂L/∂W‖, the largest of the layer's parameters; 1 where no share cancels another."""
    found = 1.0
    for name, grad in layer.weight_grads.items():
        whole, parts = float(l2(grad.ravel())), float(layer.weight_grad_shares[name].sum())
        if 0 < whole < parts < math.inf:
            found = max(found, parts / whole)
    return found


def _differences(capture: Capture, output: Array, layers: tuple[Layer, ...]) -> Iterator[float]:
    if capture.output is not None:
        yield relative_difference(output, capture.output)
    if not capture.grads:
        return
    for layer in layers:
        for name, ours in layer.weight_grads.items():
            theirs = capture.grads.get(f"{name}_{layer.name}")
            if theirs is not None:
                yield relative_difference(ours, theirs)

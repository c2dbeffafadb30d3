"""How far a rebuilt trace is from torch's own numbers."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays
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
class Check(FrozenArrays):
    """What is compared: the capture with torch's own numbers, and what was rebuilt from it."""

    capture: Capture
    outputs: tuple[Array, ...]  # (T, N, D·P) of each call
    layers: tuple[Layer, ...]  # of all calls

    @cached_property
    @np.errstate(all="ignore")
    def difference(self) -> float:
        """The largest relative difference over torch's outputs and parameter gradients; NaN if there are neither."""
        return max(_differences(self.capture, self.outputs, self.layers), default=math.nan)


@np.errstate(all="ignore")
def cancellation(layer: Layer) -> float:
    """Σ_t Σ_n ‖(∂L/∂W)|_{t,n}‖ / ‖∂L/∂W‖, the largest of the layer's parameters; 1 where no share cancels another."""
    found = 1.0
    for name, grad in layer.weight_grads.items():
        delta, partner = layer.factors[name]
        shares = l2(delta) if partner is None else l2(delta) * l2(partner)  # (T, N)
        whole, parts = float(l2(grad.ravel())), float(shares.sum())
        if 0 < whole < parts < math.inf:
            found = max(found, parts / whole)
    return found


def _differences(capture: Capture, outputs: tuple[Array, ...], layers: tuple[Layer, ...]) -> Iterator[float]:
    for call, output in zip(capture.calls, outputs, strict=True):
        if call.output is not None:
            yield relative_difference(output, call.output)
    if not capture.grads:
        return
    for name, ours in weight_grads(capture, layers).items():
        if name in capture.grads:
            yield relative_difference(ours, capture.grads[name])


def weight_grads(capture: Capture, layers: tuple[Layer, ...]) -> dict[str, Array]:
    """The rebuilt gradient of each parameter of the capture, summed over the calls that share it."""
    found: dict[str, Array] = {}
    calls = {call.name: call for call in capture.calls}
    for layer in layers:
        call = calls[layer.id.call]
        for name, ours in layer.weight_grads.items():
            whole = call.parameter(name, layer.id)
            found[whole] = found[whole] + ours if whole in found else ours
    return found

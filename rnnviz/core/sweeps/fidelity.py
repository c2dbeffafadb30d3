"""How far a rebuilt trace is from torch's own numbers, and whether a capture can be rebuilt at all."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps.capture import Call, Capture
from rnnviz.core.sweeps.layer import Layer

LIMITS = {"float32": 1e-5, "float64": 1e-10}  # relative differences that rounding explains, and the dtypes known
_DTYPES = {np.dtype(name) for name in LIMITS}


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


def check_shapes(capture: Capture) -> None:
    """RnnvizError naming the first array of `capture` that is missing or has another shape or dtype than it must."""
    for number, call in enumerate(capture.calls):
        _check_call(capture, call)
        if call.follows is not None and not 0 <= call.follows < number:
            raise RnnvizError(f"capture.follows: wanted an earlier call, got number {call.follows} for {number}")


def _check_call(capture: Capture, call: Call) -> None:
    structure = call.structure
    if call.inputs.ndim != 3 or 0 in call.inputs.shape[:2]:
        raise RnnvizError(f"capture.inputs: wanted (T, N, I) with T and N at least 1, got {call.inputs.shape}")
    time_steps, sequences = call.inputs.shape[:2]
    layers = structure.num_layers * structure.directions
    output = (time_steps, sequences, structure.directions * structure.output_size)
    wanted: dict[str, tuple[Array | None, tuple[int, ...]]] = {
        "inputs": (call.inputs, (time_steps, sequences, structure.input_size)),
    }
    for state in structure.equations.states:
        states = layers, sequences, structure.units(state)
        wanted[f"{state}0"] = call.initial.get(state), states
        if state in call.grad_final:
            wanted[f"grad_final[{state}]"] = call.grad_final[state], states
    wanted["grad_output"] = call.grad_output, output
    if call.output is not None:
        wanted["output"] = call.output, output
    module = f"{call.module}." if call.module else ""
    for parameter, shape in structure.parameter_shapes().items():
        name = module + parameter
        wanted[f"weights[{name}]"] = capture.weights.get(name), shape
        if name in capture.grads:
            wanted[f"grads[{name}]"] = capture.grads[name], shape
    dtype = call.inputs.dtype
    if dtype not in _DTYPES:
        raise RnnvizError(f"capture.inputs: wanted float32 or float64, got {dtype.name}")
    for name, (array, shape) in wanted.items():
        if array is None or array.shape != shape or array.dtype != dtype:
            came = "nothing" if array is None else f"{array.dtype.name} {array.shape}"
            raise RnnvizError(f"capture.{name}: wanted {dtype.name} {shape}, got {came}")
    _check_lengths(call.lengths, time_steps, sequences)


def _check_lengths(lengths: Array | None, time_steps: int, sequences: int) -> None:
    if lengths is None:
        return
    if lengths.shape != (sequences,) or lengths.min() < 1 or lengths.max() > time_steps:
        raise RnnvizError(f"capture.lengths: wanted {sequences} numbers from 1 to {time_steps}, got {lengths.tolist()}")

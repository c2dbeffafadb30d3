"""Precision: a capture in float64, and captures and sweeps whose numbers are each one rounding off."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array, FrozenMapping, frozen
from rnnviz.core.sweeps.capture import Attention, Bridge, Call, Capture, Convolution, Head, RecordedCall
from rnnviz.core.sweeps.forward import LayerSweep
from rnnviz.core.sweeps.steps.nodes import node_value, over_time


def in_float64(capture: Capture) -> Capture:
    """What `capture` holds, in float64: the same weights, inputs and ∂L/∂output, and everything rebuilt from them."""
    calls = tuple(_call_in_float64(call) for call in capture.calls)
    return replace(capture, weights=_all_wide(capture.weights), calls=calls, grads={}, own=None)


def jittered(capture: Capture, seed: int, dtype: str) -> Capture:
    """A float64 capture whose weights, inputs and first states are each one rounding of `dtype` off, up or down: what
    follows from it says how far rounding is carried in this network."""
    draw = np.random.default_rng(seed)

    def off(array: Array) -> Array:
        return _one_rounding_off(array, draw, dtype)

    calls = tuple(
        replace(call, inputs=off(call.inputs), initial={state: off(array) for state, array in call.initial.items()})
        for call in capture.calls
    )
    return replace(capture, weights={name: off(weight) for name, weight in capture.weights.items()}, calls=calls)


@np.errstate(all="ignore")
def rounded(sweep: LayerSweep, seed: int) -> LayerSweep:
    """A float64 forward sweep whose nodes are each one rounding off, up or down, with what follows from them in their
    own time step: where h is nearly 1, of 1 − h² few digits are left, and of the gradients that are made of it."""
    cell, draw = sweep.cell, np.random.default_rng(seed)
    values = {"x": sweep.values["x"]}
    for node in cell.nodes:
        value = node_value(cell, node, values, sweep.before, sweep.weights, sweep.hidden)
        values[node.name] = _one_rounding_off(over_time(node, value, values["x"]), draw, "float64")
    return replace(sweep, values=values, generic=True)


def _one_rounding_off(array: Array, draw: np.random.Generator, dtype: str) -> Array:
    return frozen(np.asarray(array * (1 + float(np.finfo(dtype).eps) * draw.choice((-1.0, 1.0), array.shape))))


def _call_in_float64(call: Call) -> Call:
    return replace(
        call,
        inputs=_wide(call.inputs),
        initial=_all_wide(call.initial),
        grad_output=_wide(call.grad_output),
        grad_final=_all_wide(call.grad_final),
        output=None,
        head=None if call.head is None else _head_in_float64(call.head),
        masks=None if call.masks is None else _wide(call.masks),
        bridge=None if call.bridge is None else Bridge(_all_wide(call.bridge.weight), _all_wide(call.bridge.bias)),
        embedding=None if call.embedding is None else replace(call.embedding, table=_wide(call.embedding.table)),
        convolution=None if call.convolution is None else _convolution_in_float64(call.convolution),
        recorded=None if call.recorded is None else _recorded_in_float64(call.recorded),
    )


def _convolution_in_float64(convolution: Convolution) -> Convolution:
    return replace(convolution, pictures=_wide(convolution.pictures), kernel=_wide(convolution.kernel))


def _head_in_float64(head: Head) -> Head:
    return replace(
        head,
        weight=None if head.weight is None else _wide(head.weight),
        bias=None if head.bias is None else _wide(head.bias),
        targets=head.targets if head.loss == "cross entropy" else _wide(head.targets),
        loss_weight=_wide(head.loss_weight),
        attention=None
        if head.attention is None
        else Attention(head.attention.over, _wide(head.attention.score), _wide(head.attention.combine)),
    )


def _recorded_in_float64(told: RecordedCall) -> RecordedCall:
    """The same numbers, wider."""
    found: dict[str, Any] = {field.name: getattr(told, field.name) for field in fields(told)}
    for name, one in found.items():
        found[name] = _wide(one) if isinstance(one, np.ndarray) else _all_wide(one)
    return RecordedCall(**found)


def _wide(array: Array) -> Array:
    return frozen(array.astype(np.float64))


def _all_wide(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
    return FrozenMapping.holding({name: _wide(array) for name, array in arrays.items()})

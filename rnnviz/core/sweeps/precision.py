"""Precision: a capture with all its numbers in float64, as they are or as far off as float32 may take them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array, FrozenMapping, frozen
from rnnviz.core.sweeps.capture import Call, Capture, Head

_ROUNDING = float(np.finfo(np.float32).eps)


def in_float64(capture: Capture) -> Capture:
    """What `capture` holds, in float64: the same weights, inputs and ∂L/∂output, and everything rebuilt from them."""
    calls = tuple(_call_in_float64(call) for call in capture.calls)
    return replace(capture, weights=_all_wide(capture.weights), calls=calls, grads={}, own=None)


def jittered(capture: Capture, seed: int) -> Capture:
    """A float64 capture whose weights, inputs and first states are each one float32 rounding off, up or down: what
    follows from it says how far rounding is carried in this network."""
    draw = np.random.default_rng(seed)

    def off(array: Array) -> Array:
        return frozen(np.asarray(array * (1 + _ROUNDING * draw.choice((-1.0, 1.0), array.shape))))

    calls = tuple(
        replace(call, inputs=off(call.inputs), initial={state: off(array) for state, array in call.initial.items()})
        for call in capture.calls
    )
    return replace(capture, weights={name: off(weight) for name, weight in capture.weights.items()}, calls=calls)


def _call_in_float64(call: Call) -> Call:
    return replace(
        call,
        inputs=_wide(call.inputs),
        initial=_all_wide(call.initial),
        grad_output=_wide(call.grad_output),
        grad_final=_all_wide(call.grad_final),
        output=None,
        head=None if call.head is None else _head_in_float64(call.head),
    )


def _head_in_float64(head: Head) -> Head:
    return replace(
        head,
        weight=None if head.weight is None else _wide(head.weight),
        bias=None if head.bias is None else _wide(head.bias),
        targets=head.targets if head.loss == "cross entropy" else _wide(head.targets),
        loss_weight=_wide(head.loss_weight),
    )


def _wide(array: Array) -> Array:
    return frozen(array.astype(np.float64))


def _all_wide(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
    return FrozenMapping.holding({name: _wide(array) for name, array in arrays.items()})

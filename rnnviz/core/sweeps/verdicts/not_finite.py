"""The first value of a trace that is not finite, in the order in which both sweeps come to it."""

from collections.abc import Iterator, Mapping

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.core.sweeps.capture import Call, Capture
from rnnviz.core.sweeps.layer import Layer


def all_finite(arrays: Mapping[str, Array]) -> bool:
    return all(bool(np.isfinite(array).all()) for array in arrays.values())


@np.errstate(all="ignore")
def first_not_finite(capture: Capture, layers: tuple[Layer, ...]) -> str:
    """Where it is and what: "time step 3, hidden state h: NaN"; "" where every value is finite.

    Weights, input and first states come before the forward sweep, ∂L/∂output before the backward sweep.
    """
    return next(_found(capture, layers), "")


def _found(capture: Capture, layers: tuple[Layer, ...]) -> Iterator[str]:
    for name, weight in capture.weights.items():
        yield from _among(weight, name)
    for call in capture.calls:
        yield from _at_time(call, call.inputs, _called(call, "the input"))
        for state, first in call.initial.items():
            yield from _of_state(call, first, _called(call, f"the first {state}"))
        if call.bridge is not None:
            for state in call.bridge.weight:
                yield from _among(call.bridge.weight[state], f"bridge.weight_{state}")
                yield from _among(call.bridge.bias[state], f"bridge.bias_{state}")
    several = len(layers) > 1
    for layer in layers:
        forward = {_named(layer, node.name): layer.value(node.name) for node in layer.equations.nodes}
        yield from _earliest(layer, forward, layer.reverse, several)
    for call in capture.calls:
        if call.head is not None:
            for name, weight in call.head.parameters.items():
                yield from _among(weight, f"head.{name}")
            if (attention := call.head.attention) is not None:
                yield from _among(attention.score, "attention.score")
                yield from _among(attention.combine, "attention.combine")
        yield from _at_time(call, call.grad_output, _called(call, "∂L/∂output"))
        for state, gradient in call.grad_final.items():
            yield from _of_state(call, gradient, _called(call, f"∂L/∂ the last {state}"))
    for layer in reversed(layers):
        names = [node.name for node in reversed(layer.equations.nodes)]
        backward = {f"the gradient of {_named(layer, name)}": layer.grad(name) for name in names}
        yield from _earliest(layer, backward, not layer.reverse, several)
        for name, gradient in layer.weight_grads.items():
            yield from _among(gradient, f"∂L/∂{name}_{layer.name}")
    for call in capture.calls:
        if call.output is not None:
            yield from _at_time(call, call.output, _called(call, "torch's own output"))
    for name, gradient in capture.grads.items():
        yield from _among(gradient, f"torch's own ∂L/∂{name}")


def _among(array: Array, name: str) -> Iterator[str]:
    """In an array without time."""
    if not np.isfinite(array).all():
        yield f"{name}: {_what(array)}"


def _of_state(call: Call, array: Array, name: str) -> Iterator[str]:
    """In an array (layers·D, N, ·) of first or last states."""
    bad = _bad(array)
    if bad.any():
        layer, n = map(int, np.argwhere(bad)[0])
        where = [f"sequence {n + 1}"] if bad.shape[1] > 1 else []
        where += [call.layer_ids[layer].words] if len(bad) > 1 else []
        yield f"{', '.join([*where, name])}: {_what(array[layer, n])}"


def _at_time(call: Call, array: Array, name: str) -> Iterator[str]:
    """In an array (T, N, ·); what lies beyond a sequence's length is nobody's."""
    bad = _bad(array)
    if call.lengths is not None:
        bad &= np.arange(len(bad))[:, None] < call.lengths
    if bad.any():
        t, n = map(int, np.argwhere(bad)[0])
        yield f"{_time_words(call.start + t, n, bad.shape[1])}, {name}: {_what(array[t, n])}"


def _earliest(layer: Layer, arrays: Mapping[str, Array], backwards: bool, several: bool) -> Iterator[str]:
    """In the arrays (T, N, ·) of one sweep through one layer, of those at one time step the first."""
    bad = {name: _bad(array) for name, array in arrays.items()}
    at = np.logical_or.reduce([one.any(axis=1) for one in bad.values()])
    if not at.any():
        return
    t = int(np.flatnonzero(at)[-1 if backwards else 0])
    name = next(name for name, one in bad.items() if one[t].any())
    n = int(np.flatnonzero(bad[name][t])[0])
    where = f"{layer.id.words}, " if several else ""
    yield f"{_time_words(t, n, bad[name].shape[1])}, {where}{name}: {_what(arrays[name][t, n])}"


def _bad(array: Array) -> Array:
    """(T, N) True where a value of (T, N, ·) is not finite."""
    return np.asarray(~np.isfinite(array).all(axis=-1))


def _time_words(t: int, n: int, sequences: int) -> str:
    return f"time step {t + 1}" + (f" of sequence {n + 1}" if sequences > 1 else "")


def _named(layer: Layer, name: str) -> str:
    """ "hidden state h"; of a value within an equation its words, or its name where it has none."""
    node = layer.equations.node(name)
    return node.words or name if node.role == "inner" else f"{node.words} {name}"


def _called(call: Call, words: str) -> str:
    return f"{words} of {call.name}" if call.name else words


def _what(values: Array) -> str:
    """NaN, +∞ or −∞, whichever comes first."""
    return short(float(values[~np.isfinite(values)].flat[0]))

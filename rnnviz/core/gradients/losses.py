"""Losses of a gradient-flow matrix: which time steps a task asks at, and a loss of our own where it asks at few."""

from typing import cast

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import CallTrace, Trace

_SEED = 20130521  # of u, so that every picture of a run has the same one
_FEW = 4


def asked(trace: Trace, layer: Layer, sample: int = 0) -> Array:
    """(T,) bool where L_k is a loss of the call that a layer belongs to.

    With a head that is said by its weights of the losses, whatever their gradients are; without one it is where the
    given ∂L/∂output is not 0. Of a call that others go on from or attend to it is also where theirs are.
    """
    number = next((n for n, one in enumerate(trace.calls) if any(own is layer for own in one.layers)), None)
    if number is None:
        return _own_asked(None, layer, sample)
    found = _own_asked(trace.calls[number], layer, sample)
    for later in trace.calls[number + 1 :]:
        attention = None if later.head is None else later.head.attention
        if later.call.follows == number or (attention is not None and attention.over == number):
            found = found | asked(trace, later.layers[0], sample)
    return frozen(found)


def loss_times(layer: Layer, sample: int = 0) -> range:
    """The time steps, 0-based, between the first and the last at which there may be a loss that reaches a layer: its
    own, but of a call without any those of the later calls."""
    own = layer.times(sample)
    later = [loss_times(cast(Layer, one.layer), sample) for one in layer.beyond]
    tops = [layer]
    while tops[0].above:
        tops = list(tops[0].above)
    later += [one.times for one in tops[0].attended]
    if not later:
        return own
    found = [own] * _has_own(tops, sample) + later
    return range(min(one.start for one in found), max(one.stop for one in found))


def _has_own(tops: list[Layer], sample: int) -> bool:
    """Whether a call that others go on from has losses of its own."""
    if not tops[0].given:
        return True
    return not tops[0].attended and any(bool(one.direct_grad[:, sample].any()) for one in tops)


def _own_asked(call: CallTrace | None, layer: Layer, sample: int) -> Array:
    """(T,) the same of its call alone."""
    if call is not None and call.head is not None:
        found = np.asarray(call.head.loss_weight[:, sample] != 0)
    else:
        top = layer
        while top.above:
            top = top.above[0]
        directions = [one for one in (call.layers if call else (top,)) if not one.above]
        found = np.any([_sends(one, sample) for one in directions], axis=0) & (not top.attended)
    return frozen(np.asarray(found & layer.inside[:, sample]))


def _sends(top: Layer, sample: int) -> Array:
    """(T,) whether each L_k sends anything to the output."""
    grad = top.direct_grad if top.pooled is None else top.pooled.grad
    return np.asarray((grad[:, sample] != 0).any(axis=-1))


def few(asked: Array, length: int) -> bool:
    """Whether losses are too few for a picture of every k, so that a unit loss is looked at first: fewer than 4, or
    than a quarter of the sequence's time steps."""
    count = int(np.count_nonzero(asked))
    return count < length and (count < _FEW or 4 * count < length)


def unit_vector(layer: Layer) -> Array:
    """(D·P,) float64 u of the unit losses uᵀ output_k, ‖u‖ = 1: the same at every k and for every trace of this size.

    It goes over the outputs of all directions of the top layer.
    """
    return unit_vector_of(layer.structure)


def unit_vector_of(structure: Structure) -> Array:
    """The same u, of a module without any sequence."""
    drawn = np.random.default_rng(_SEED).standard_normal(structure.directions * structure.output_size)
    return frozen(drawn / np.linalg.norm(drawn))

"""Time steps of a layer: where a gradient comes from, and what is there. `t` is 0-based, `sample` which sequence."""

from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer


def at(array: Array, t: int, sample: int) -> Array:
    """(·,) one time step of one sequence of an array (T, N, ·)."""
    return np.asarray(array[t, sample])


def from_after(layer: "Layer", t: int, sample: int) -> int | None:
    """The time step whose gradient is carried to t; None at the end of the sequence and where the gradient is cut."""
    place = _after(layer, t, sample)
    return None if place is None or _is_cut(layer, t) else place


def cut_words(layer: "Layer", t: int, sample: int = 0) -> str:
    """What is said of a time step to which a gradient would be carried, were it not cut; "" of others."""
    place = _after(layer, t, sample)
    if place is None or not _is_cut(layer, t):
        return ""
    return f"cut here: no gradient is carried back from t = {place + 1:,} to t = {t + 1:,}"


def _after(layer: "Layer", t: int, sample: int) -> int | None:
    """The next time step of a sequence in the layer's own direction; None behind its last one."""
    own, place = layer.times(sample), t - 1 if layer.reverse else t + 1
    return place if t in own and place in own else None


def _is_cut(layer: "Layer", t: int) -> bool:
    return layer.cut is not None and bool(layer.cut[t])


def check_place(layer: "Layer", t: int, sample: int) -> None:
    """RnnvizError for a sequence or time step that is not there."""
    sequences = layer.output.shape[1]
    if not 0 <= sample < sequences:
        raise RnnvizError(f"layer {layer.name}: wanted a sequence from 0 to {sequences - 1}, got {sample}")
    own = layer.times(sample)
    if t not in own:
        raise RnnvizError(f"layer {layer.name}: wanted a time step from {own.start + 1} to {own.stop}, got {t + 1}")

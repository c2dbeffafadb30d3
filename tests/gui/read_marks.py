"""What is read off a drawing: where its axes say a value lies."""

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.gui.gradients.plots.marks import Curve, Dots
from rnnviz.gui.network.drawing import Drawing, Text


def curve(drawing: Drawing, key: str) -> Curve:
    """The curve of this key."""
    found = drawing.mark(key)
    assert isinstance(found, Curve)
    return found


def dots(drawing: Drawing, key: str) -> Dots:
    """The dots of this key."""
    found = drawing.mark(key)
    assert isinstance(found, Dots)
    return found


def by_ticks(drawing: Drawing, axis: str, values: Array) -> Array:
    """Pixels of values by the first and last tick of "x" or "y", as a person reads them."""
    ticks = {}
    for mark in drawing.marks:
        if isinstance(mark, Text) and mark.key[:1] == axis and mark.key[1:2] in set("-0123456789"):
            ticks[float(mark.key[1:])] = mark.x if axis == "x" else mark.baseline - 4
    low, high = min(ticks), max(ticks)
    return np.asarray(ticks[low] + (np.asarray(values) - low) / (high - low) * (ticks[high] - ticks[low]))

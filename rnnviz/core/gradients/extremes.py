"""Extremes of gradient magnitudes: zero, denormal, lost to float32, NaN and ∞, each marked as what it is."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.gradients.flow_of import Flow
from rnnviz.core.sweeps.verdicts.underflow import SURE, held


class Mark(IntEnum):
    """What a magnitude is."""

    ORDINARY = 0
    ZERO = 1  # exactly: the loss does not reach it
    DENORMAL = 2  # below the smallest normal number of its precision, with fewer digits the smaller it is
    UNDERFLOW = 3  # 0 in float32 and not in float64
    NAN = 4
    INFINITE = 5


class Seen(NamedTuple):
    """Magnitudes as they are drawn, and what each is."""

    values: Array  # (…) float64, those of float64 where float32 has lost them
    marks: Array  # (…) uint8 of `Mark`


@np.errstate(all="ignore")
def seen(values: Array, precision: str, exact: Array | None = None) -> Seen:
    """Magnitudes (…) of gradients in `precision`, with the same of the float64 rebuild where it is there."""
    shown = values if exact is None or precision != "float32" else held(values, exact)[0]
    marks = np.zeros(values.shape, np.uint8)
    marks[values == 0] = Mark.ZERO
    marks[(values > 0) & (values < float(np.finfo(precision).tiny))] = Mark.DENORMAL
    if exact is not None:
        marks[(values == 0) & (exact > 0)] = Mark.UNDERFLOW
    marks[np.isnan(values)] = Mark.NAN
    marks[np.isposinf(values)] = Mark.INFINITE
    return Seen(frozen(shown), frozen(marks))


def flow_seen(flow: Flow, exact: Flow | None = None) -> Seen:
    """(K, T) of a flow, with that of `Trace.exact` for the same rows."""
    return seen(flow.values, flow.precision, None if exact is None else exact.values)


def unsure(flow: Flow) -> bool:
    """Whether float32 may have lost magnitudes of a flow, so that the float64 rebuild would say more: where a loss is
    not 0 and on its way becomes 0, or too small for its digits."""
    if flow.precision != "float32":
        return False
    for row, k in enumerate(flow.rows):
        way = flow.values[row, flow.way(int(k))]
        reached = way[np.argmax(way > 0) :] if (way > 0).any() else way[:0]
        if (reached < SURE).any():
            return True
    return False

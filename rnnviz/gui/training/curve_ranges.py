"""Arithmetic of the training curves: smoothing with gaps, steady ranges, where numbers stop being finite."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import log10

DRAWN = 600  # points of a smoothed curve
_LADDER = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5)
_SMALLEST = 1e-30  # smaller numbers and spans are drawn as 0
_SHORTEST = 200  # training steps on the x axis at least, while an engine may add more


@dataclass(frozen=True)
class Ticks:
    """Where the y axis is labelled, and its ends; in log₁₀ where the axis is logarithmic."""

    low: float
    high: float
    places: tuple[float, ...]


def smooth(values: Array) -> tuple[Array, Array]:
    """(indices, means): a centred moving average over 1/80 of `values` (K,), thinned to at most 600 points.

    What is not finite is left out of the means; where nothing else is, the mean is NaN, so that a gap stays one.
    """
    count = len(values)
    half = count // 160
    finite = np.isfinite(values)
    whole = bool(finite.all())
    sums = np.concatenate([[0.0], np.cumsum(values if whole else np.where(finite, values, 0.0))])
    numbers = np.arange(count + 1) if whole else np.concatenate([[0], np.cumsum(finite)])
    at = np.unique(np.linspace(0, count - 1, min(count, DRAWN)).astype(np.int64)) if count else np.zeros(0, np.int64)
    left, right = np.maximum(at - half, 0), np.minimum(at + half + 1, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (sums[right] - sums[left]) / (numbers[right] - numbers[left])
    return at, means


def logarithm(values: Array) -> Array:
    """log₁₀; zero and negative numbers have none and become NaN."""
    return np.where(np.asarray(values) > 0, log10(values), np.nan)


def x_end(last: int, planned: int, growing: bool) -> int:
    """The right end of the x axis: exactly the data when nothing more comes, else the next round number above it."""
    if not growing:
        return max(1, last)
    power = 10.0 ** max(0, math.floor(math.log10(max(last, 1))))
    rounded = next(int(rung * power) for rung in (*_LADDER, 10.0) if rung * power >= last)
    end = max(_SHORTEST, rounded)
    return planned if last <= planned <= end else end


def y_ticks(curves: Sequence[Array], lines: Sequence[float], unit: bool, logarithmic: bool) -> Ticks:
    """Ends and labels of the y axis around the bulk of all `curves` and all horizontal `lines`.

    `unit`: the metric lies in 0…1 and always fills that. The ends are round numbers, so that they seldom move.
    """
    if unit and not logarithmic:
        return Ticks(-0.03, 1.05, (0.0, 0.5, 1.0))
    parts = [curve[:: max(1, len(curve) // 4000)] for curve in curves]
    together = np.concatenate([*parts, np.asarray(lines, np.float64)]) if parts or lines else np.zeros(0)
    together = together[np.isfinite(together)]
    together = np.where(np.abs(together) < _SMALLEST, 0.0, together)
    if not len(together):
        return Ticks(0.0, 1.0, (0.0, 1.0))
    low, high = (float(value) for value in np.percentile(together, (0.2, 99.8)))
    low, high = (
        min([low, *(v for v in lines if math.isfinite(v))]),
        max([high, *(v for v in lines if math.isfinite(v))]),
    )
    if logarithmic:
        first, last = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
        every = max(1, math.ceil((last - first) / 3))
        return Ticks(float(first), float(last) + 0.05, tuple(float(p) for p in range(first, last + 1, every)))
    if low == high:  # one line alone is shown above zero, or below it
        low, high = min(low, 0.0), max(high, 0.0)
    low = min(low, 0.0) if low < 0.4 * high else low
    span = high - low
    spacing = _nice(span / 3.2 if span > _SMALLEST else max(abs(high), 1.0))
    lowest = math.floor(low / spacing + 1e-9) * spacing
    places = (float(f"{lowest + number * spacing:.10g}") for number in range(6))
    pad = 0.05 * (high - lowest or 1.0)
    return Ticks(lowest - pad / 2, high + pad, tuple(place for place in places if place <= high + pad / 2))


def spread(places: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """`places` moved as little as needed so that what is so high around each lies apart within low…high, in order."""
    order = np.argsort(np.asarray(places), kind="stable")
    moved, half = [float(places[number]) for number in order], [heights[number] / 2 for number in order]
    for _ in range(40):
        crowded = False
        for n in range(len(moved) - 1):
            lack = half[n] + half[n + 1] - (moved[n + 1] - moved[n])
            if lack > 0.01:
                moved[n], moved[n + 1], crowded = moved[n] - lack / 2, moved[n + 1] + lack / 2, True
        if moved and moved[0] - half[0] < low:
            moved[0], crowded = low + half[0], crowded or len(moved) > 1
        if moved and moved[-1] + half[-1] > high:
            moved[-1], crowded = high - half[-1], crowded or len(moved) > 1
        if not crowded:
            break
    result = [0.0] * len(moved)
    for place, number in zip(moved, order, strict=True):
        result[int(number)] = place
    return result


def round_steps(low: float, high: float, pixels: float) -> range:
    """The training steps that are written below an axis so wide, one of them every hundred pixels or so."""
    wanted = (high - low) / max(1.0, pixels / 110.0)
    power = int(10 ** int(math.log10(max(wanted, 1.0))))
    spacing = next(rung * power for rung in (1, 2, 5, 10) if rung * power >= wanted)
    return range(math.ceil(low / spacing) * spacing, int(high) + 1, spacing)


def nearest(captured: Array, training_step: float) -> int:
    """The recorded training step nearest to `training_step`; `captured` (C,) ascending, C ≥ 1."""
    right = int(np.clip(np.searchsorted(captured, training_step), 1, max(1, len(captured) - 1)))
    if len(captured) == 1:
        return int(captured[0])
    before, after = int(captured[right - 1]), int(captured[right])
    return before if training_step - before <= after - training_step else after


def _nice(spacing: float) -> float:
    power = 10.0 ** math.floor(math.log10(spacing))
    return next(rung * power for rung in (1.0, 2.0, 5.0, 10.0) if rung * power >= spacing * 0.999)

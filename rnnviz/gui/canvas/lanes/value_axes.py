"""Vertical axes for curves: ranges that seldom change while data streams in, ticks and magnitudes a person can read."""

from collections.abc import Sequence

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import power, short, tick
from rnnviz.gui.canvas.items.curve_plot import ValueAxis

_MOST_TICKS = 7
_AROUND = 2.0  # times the range of the true values that a prediction may leave it by
_FAR = 100.0  # times the smallest of the curves' largest values


def logarithmic(curves: Sequence[Array], *, zone: float | None = None, words: str = "", decades: int = 10) -> ValueAxis:
    """An axis in powers of ten that holds all finite values of `curves` (already log₁₀), from 10⁰ downwards at least
    so many `decades`; ends lie on whole decades, so that the range moves seldom."""
    finite = [curve[np.isfinite(curve)] for curve in curves if curve.size]
    finite = [part for part in finite if part.size]
    high = max([float(part.max()) for part in finite], default=0.0)
    low = min([float(part.min()) for part in finite], default=-10.0)
    top = int(np.ceil(max(high + 0.2, 0.0)))
    lowest = min(low - 0.5, top - decades, top if zone is None else zone - 2)  # the zone can always be seen
    bottom = 2 * int(np.floor(lowest / 2))
    step = 5
    while top - bottom > _MOST_TICKS * step:
        step *= 2
    ticks = tuple((float(value), power(value)) for value in range(step * (top // step), bottom, -step))
    return ValueAxis(float(bottom), float(top), ticks, zone, words, logarithmic=True)


def linear(curves: Sequence[Array], *, include: float | None = None) -> ValueAxis:
    """An axis that holds all finite values of `curves` with a little room, and ticks at two or three round numbers."""
    finite = [curve[np.isfinite(curve)] for curve in curves if curve.size]
    finite = [part for part in finite if part.size]
    values = [float(part.min()) for part in finite] + [float(part.max()) for part in finite]
    if include is not None:
        values.append(include)
    low, high = min(values, default=0.0), max(values, default=1.0)
    if not high > low:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    for parts in (2.5, 5.0, 10.0):  # two ticks at least: one alone gives no scale
        step = _round_step((high - low) / parts)
        first = int(np.ceil(low / step - 1e-9))
        last = int(np.floor(high / step + 1e-9))
        if last > first:
            break
    ticks = tuple((n * step, tick(float(f"{n * step:.12g}"))) for n in range(first, last + 1))
    room = 0.06 * (high - low)
    return ValueAxis(low - room, high + room, ticks)


def flattened(curves: Sequence[Array]) -> bool:
    """Whether on a linear axis for all `curves` one of them would be a flat line: it exploded, the others did not."""
    sizes = [np.abs(curve[np.isfinite(curve)]) for curve in curves]
    largest = [float(size.max()) for size in sizes if size.size and size.max() > 0]
    return len(largest) > 1 and max(largest) > _FAR * min(largest)


def held_by_truth(true: Array, predicted: Sequence[Array]) -> tuple[list[Array], list[int]]:
    """What of the predictions an axis of values must hold, and the numbers of those that leave it.

    A prediction may lie beyond the true values by twice their range; one that exploded must not flatten all others.
    """
    finite = true[np.isfinite(true)]
    if not finite.size or not finite.max() > finite.min():
        return list(predicted), []
    room = _AROUND * float(finite.max() - finite.min())
    low, high = float(finite.min()) - room, float(finite.max()) + room
    with np.errstate(invalid="ignore"):
        within = [np.where((curve >= low) & (curve <= high), curve, np.nan) for curve in predicted]
        beyond = [n for n, curve in enumerate(predicted) if bool((np.isfinite(curve) & np.isnan(within[n])).any())]
    return within, beyond


def magnitude_words(log: float) -> str:
    """A magnitude from its log₁₀: 5.3·10⁻⁸, 0, NaN, +∞."""
    if np.isneginf(log):
        return "0"
    if not np.isfinite(log) or -300 < log < 300:
        return short(10.0**log)
    return power(round(log))


def _round_step(size: float) -> float:
    power_of_ten = 10.0 ** np.floor(np.log10(size))
    return float(next(n * power_of_ten for n in (1, 2, 5, 10) if n * power_of_ten >= size * (1 - 1e-9)))

"""Curves of several seeds: the mean of the last training steps of one, the median and 10–90 % band of many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array

MOST_POINTS = 600  # of a curve that is drawn
LOW, HIGH = 0.1, 0.9  # quantiles at the edges of the band


@dataclass(frozen=True)
class Curve:
    """One metric of one model in one run."""

    training_steps: Array  # (K,) int64, ascending
    values: Array  # (K,) float64

    @property
    def end(self) -> float | None:
        """The last value; None where nothing is recorded."""
        return float(self.values[-1]) if len(self.values) else None


NOTHING = Curve(np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True)
class Band:
    """Median and 10–90 % over seeds; where only one seed is there is no band: its edges are NaN."""

    training_steps: Array  # (P,) int64
    median: Array  # (P,)
    low: Array  # (P,)
    high: Array  # (P,)
    seeds: Array  # (P,) int64: over how many each of them is


def running_mean(curve: Curve, over: int) -> Curve:
    """At each training step the mean of what is recorded in the last `over` of them; NaN where one is not finite."""
    steps, values = curve.training_steps, curve.values
    if over <= 1 or not len(values):
        return curve
    last = np.arange(1, len(values) + 1)
    first = np.searchsorted(steps, steps - over, side="right")
    ends = np.stack([first, last], axis=1).ravel()
    with np.errstate(invalid="ignore", over="ignore"):
        sums = np.add.reduceat(np.append(values, 0.0), ends)[::2]  # no running sum, whose rounding would stay
        means = sums / (last - first)
    return Curve(steps, np.where(np.isfinite(means), means, np.nan))


def thinned(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """At most so many of its points, spread evenly, the last one among them."""
    if len(curve.values) <= most:
        return curve
    at = np.unique(np.linspace(0, len(curve.values) - 1, most).round().astype(np.int64))
    return Curve(curve.training_steps[at], curve.values[at])


def band_of(curves: Sequence[Curve], most: int = MOST_POINTS) -> Band:
    """The band of several seeds at at most so many training steps.

    A seed counts from its first to its last recorded training step, with the newest value it has there; one that is
    not finite is left out.
    """
    known = [curve.training_steps for curve in curves if len(curve.training_steps)]
    if not known:
        return Band(*(np.zeros(0, kind) for kind in (np.int64, float, float, float, np.int64)))
    steps = np.unique(np.concatenate(known))
    steps = thinned(Curve(steps, steps), most).training_steps
    ranked = np.sort(np.stack([_values_at(curve, steps) for curve in curves]), axis=0)  # (S, P), NaN last
    counts = np.isfinite(ranked).sum(axis=0)
    alone = counts < 2
    low, median, high = (_quantile(ranked, counts, share) for share in (LOW, 0.5, HIGH))
    return Band(steps, median, np.where(alone, np.nan, low), np.where(alone, np.nan, high), counts)


def quantiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    """(10 %, median, 90 %) of finite numbers; None without one."""
    finite = np.sort(np.asarray([value for value in values if np.isfinite(value)]))
    if not len(finite):
        return None
    low, median, high = (
        float(_quantile(finite[:, None], np.array([len(finite)]), share)[0]) for share in (LOW, 0.5, HIGH)
    )
    return low, median, high


def _values_at(curve: Curve, steps: Array) -> Array:
    """(P,): the newest value at each of `steps`; NaN before the first and after the last, and for ∞."""
    if not len(curve.values):
        return np.full(len(steps), np.nan)
    at = np.searchsorted(curve.training_steps, steps, side="right") - 1
    inside = (at >= 0) & (steps <= curve.training_steps[-1])
    values = curve.values[np.maximum(at, 0)]
    return np.where(inside & np.isfinite(values), values, np.nan)


def _quantile(ranked: Array, counts: Array, share: float) -> Array:
    """The quantile of each column of which the first `counts` rows are numbers, between two of them linearly."""
    place = share * np.maximum(counts - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    lower = np.take_along_axis(ranked, below[None], axis=0)[0]
    upper = np.take_along_axis(ranked, above[None], axis=0)[0]
    return np.asarray(lower + (place - below) * (upper - lower))

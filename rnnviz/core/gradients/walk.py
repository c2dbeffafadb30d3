"""One loss walking back through time: its gradient, the geometric rate fitted to it, and the bound it cannot exceed.

Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013, eq. 6 and 7.
"""

import math
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.gradients.flow_of import Flow

_POINTS = 3  # fewer are no fit: a line goes through any two


@dataclass(frozen=True)
class Fit:
    """A line through the logarithms: magnitude ≈ start · rate^(time steps back)."""

    rate: float  # the factor for each time step; NaN with fewer than 3 points
    start: float  # at no time step back
    quality: float  # R² of log₁₀, 0 to 1
    points: int  # finite and above 0


@dataclass(frozen=True, eq=False)
class Walk(FrozenArrays):
    """The gradient of one loss L_k on its way back."""

    k: int  # 0-based
    times: Array  # (n,) the time steps it comes to, k first
    values: Array  # (n,) float64 ‖∂L_k/∂h_t‖ there
    fit: Fit


def walk(flow: Flow, row: int) -> Walk:
    """The row of a flow in the order of its layer's backward sweep, with the rate fitted to all of it; where it goes on
    into an earlier call, to what lies before that."""
    k = int(flow.rows[row])
    times = flow.way(k)
    values = flow.values[row, times]
    first = next((one for one in flow.stretches[::-1] if len(times) and one.start <= times[0] < one.stop), None)
    own = len(times) if first is None else int(np.count_nonzero((times >= first.start) & (times < first.stop)))
    return Walk(k, frozen(times), frozen(values), fitted(values[:own]))


def fitted(values: Array) -> Fit:
    """Least squares of log₁₀ of magnitudes (n,) over the number of time steps back; those that are 0, ∞ or NaN are
    left out."""
    usable = np.isfinite(values) & (values > 0)
    points = int(usable.sum())
    if points < _POINTS:
        return Fit(math.nan, math.nan, math.nan, points)
    back, logs = np.flatnonzero(usable).astype(np.float64), np.log10(values[usable])
    away, off = back - back.mean(), logs - logs.mean()
    slope = float(away @ off / (away @ away))
    whole, left = float(off @ off), float(np.square(off - slope * away).sum())
    quality = 1 - left / whole if whole > 1e-20 * points else 1.0  # a level line is met as it is
    return Fit(10.0**slope, 10.0 ** float(logs.mean() - slope * back.mean()), quality, points)


@np.errstate(all="ignore")
def bound(one: Walk, norms: Array | float) -> Array:
    """(n,) float64 what ‖∂L_k/∂h_t‖ cannot exceed: that at k times the spectral norms of the step Jacobians between.

    `norms` (T,) are ‖∂s_t/∂s_{t−1}‖ of the states together, in a reverse layer by its own neighbour; or one number γ
    for all, as ‖W_hh‖ max φ′. It is a bound where L_k comes in at k alone: in the top layer and without a pooling.
    """
    if not one.values.size:
        return np.zeros(0)
    crossed = np.asarray(norms)[one.times[:-1]] if np.ndim(norms) else np.full(len(one.times) - 1, norms)
    return frozen(one.values[0] * np.concatenate([[1.0], np.cumprod(crossed, dtype=np.float64)]))

"""Memory horizon: how many time steps back a gradient still reaches, and the figures of Pascanu et al. for it."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.gradients.flow_of import Flow
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.scans.swept import cut_before

THRESHOLD = 1e-6  # of ‖∂L_k/∂h_k‖
_IN_THE_PAST = 1e-10  # ‖∂L/∂h_t‖² ≥ 10⁻²⁰


@dataclass(frozen=True, eq=False)
class Horizon(FrozenArrays):
    """Of each loss the time steps back until its gradient falls below a threshold."""

    rows: Array  # (K,) the k's
    steps: Array  # (K,) float64; NaN where L_k sends nothing, its gradient is NaN before it falls, or k lies elsewhere
    censored: Array  # (K,) bool: the sequence begins, or the gradient is cut, before it falls: it is at least so many
    cut: Array  # (K,) bool: where that is since it is cut
    median: float  # over k, as Kaplan & Meier 1958 have it with censored ones; NaN without any
    at_least: bool  # whether more than half have not fallen where the longest was followed to
    threshold: float
    relative: bool  # to ‖∂L_k/∂h_k‖

    @property
    def counted(self) -> int:
        """How many losses it is told of."""
        return int(np.isfinite(self.steps).sum())


@np.errstate(all="ignore")
def horizon(flow: Flow, threshold: float = THRESHOLD, relative: bool = True) -> Horizon:
    """Of a flow; `threshold` is a share of what L_k begins with, or with `relative` False a magnitude."""
    steps, censored = np.full(len(flow.rows), np.nan), np.zeros(len(flow.rows), bool)
    cut = np.zeros(len(flow.rows), bool)
    for row, k in enumerate(flow.rows):
        way = flow.way(int(k))
        values = flow.values[row, way]
        if way.size and way[0] != k:
            continue  # the loss comes in from elsewhere
        limit = threshold * values[0] if relative else threshold
        if not values.size or not values[0] > 0 or not math.isfinite(limit):
            continue
        below, lost = values < limit, np.isnan(values)
        end = int(np.argmax(below | lost)) if (below | lost).any() else len(values) - 1
        if lost[end]:
            continue
        steps[row], censored[row] = end, not below[end]
        cut[row] = censored[row] and flow.cut_way(int(k))
    median, at_least = _median(steps, censored)
    return Horizon(flow.rows, frozen(steps), frozen(censored), frozen(cut), median, at_least, threshold, relative)


def _median(steps: Array, censored: Array) -> tuple[float, bool]:
    """Where the estimated share of losses that still reach on falls to a half; else the longest, as at least that."""
    known = np.isfinite(steps)
    if not known.any():
        return math.nan, False
    left = 1.0
    for moment in np.unique(steps[known & ~censored]):
        at_risk = np.count_nonzero(known & (steps >= moment))
        left *= 1 - np.count_nonzero(known & ~censored & (steps == moment)) / at_risk
        if left <= 0.5 + 1e-12:
            return float(moment), False
    return float(np.max(steps[known])), True


class InThePast(NamedTuple):
    """At how many time steps ∂L/∂h_t has not vanished (Pascanu et al. 2013, "steps in the past")."""

    share: float  # of the sequence's time steps that losses can reach; NaN where the gradient is at one of them
    reached: int
    of: int


@np.errstate(all="ignore")
def in_the_past(layer: Layer, sample: int = 0) -> InThePast:
    """Time steps with ‖∂L/∂h_t‖² ≥ 10⁻²⁰, of all losses together. Those from which a cut keeps all losses do not count:
    nothing has vanished there."""
    own = layer.times(sample)
    norms = l2(layer.followed_grad[own.start : own.stop, sample])
    norms = norms[~kept_away(layer, sample)[own.start : own.stop]]
    length = len(norms)
    count = int(np.count_nonzero(norms >= _IN_THE_PAST))
    return InThePast(math.nan if np.isnan(norms).any() or not length else count / length, count, length)


def kept_away(layer: Layer, sample: int = 0) -> Array:
    """(T,) bool: the time steps between two cuts, or beyond one, at which no gradient comes in."""
    found, own = np.zeros(len(layer.output), bool), layer.times(sample)
    if layer.cut is None:
        return found
    way = np.asarray(own[::-1] if layer.reverse else own)  # in the layer's own order
    norms = layer.followed_grad[way, sample].any(axis=-1)
    ends = np.flatnonzero(layer.cut[way[:-1]]) + 1
    for start, stop in pairwise([0, *ends.tolist()]):  # what comes after the last cut is cut off from nothing
        found[way[start:stop]] = not norms[start:stop].any()
    return found


class Omega(NamedTuple):
    """Pascanu's regulariser: how far each time step is from passing the gradient on at its size."""

    value: float  # Σ_k Ω_k; NaN where there is no gradient
    terms: Array  # (T,) float64 Ω_k at the time step k that is gone to; NaN where nothing comes from the next


@np.errstate(all="ignore")
def omega(layer: Layer, sample: int = 0) -> Omega:
    """Ω = Σ_k (‖∂L/∂s_{k+1} ∂s_{k+1}/∂s_k‖ / ‖∂L/∂s_{k+1}‖ − 1)², s all states (Pascanu et al. 2013, eq. 9 and 10).

    ∂L/∂s_{k+1} is what comes to the states of time step k+1 from outside of it: of later time steps and of L_{k+1}.
    """
    cell, own = layer.equations, layer.times(sample)
    given = list[Array]()
    for state in cell.states:
        if state == cell.output:
            given.append(layer.direct_grad[:, sample] + layer.arriving[state][:, sample])
        elif cell.output in cell.states:
            given.append(layer.arriving[state][:, sample])
        else:
            given.append(layer.grad(state)[:, sample])
    terms = np.full(len(layer.output), np.nan)
    if not given or len(own) < 2:
        return Omega(math.nan, frozen(terms))
    came = np.concatenate([layer.arriving[state][:, sample] for state in cell.states], axis=-1)
    sent = l2(np.concatenate(given, axis=-1))
    times = np.asarray(own[1:] if layer.reverse else own[:-1])
    after = times - 1 if layer.reverse else times + 1
    open_ = np.array([not cut_before(layer, int(t)) for t in after], bool) & (sent[after] != 0)
    terms[times[open_]] = np.square(l2(came)[times[open_]] / sent[after[open_]] - 1)
    return Omega(float(terms[times[open_]].sum()) if open_.any() else math.nan, frozen(terms))

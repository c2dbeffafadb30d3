"""Products of step Jacobians: singular values of ∂h_T/∂h_t for every t, in logarithms, from an accumulated QR.

A plain product is noise below 1e-16 of its largest singular value, and 0 below 1e-308. Here its transpose is kept as
Q · D · X: Q with orthonormal columns, D a diagonal of which only logarithms are kept, X with rows of length 1 and well
conditioned. A further Jacobian goes into Q, whose QR hands the triangle on to D and X; so what D holds is added to
nothing of another size. A graded D · X has its small singular values to nearly full relative precision (Demmel &
Veselić 1992): after a few LQ (Stewart 1997) they come, window by window of D, from an ordinary SVD.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.gradients.jacobians import axis_length, jacobian_blocks, joint_units, state_rows, time_steps
from rnnviz.core.gradients.orthonormal import rounding, triangle
from rnnviz.core.sweeps.layer import Layer

_LQS = 3  # each makes what couples two singular values smaller by their ratio
_MARGIN = np.log(1e3)  # values of another size than this do not count for each other then: (1e-3)^(2 · 3)
_LN_10 = np.log(10)
_PARTS = 32  # in which the products of a sequence are handed over, if not more:
_OPERATIONS = 10_000_000  # n S³ of the n products of a part, so that one takes some tenths of a second
_WINDOW = np.log(1e8)  # of the largest in one SVD to the smallest that is taken from it: 1e-16 · 1e8 is its precision


class _Graded(NamedTuple):
    """Q · D · X of the transposed product ∂ outputs / ∂ joint state_t; of rank r, and all else is 0."""

    basis: Array  # (S, r) Q
    logs: Array  # (r,) ln D, falling
    rows: Array  # (r, outputs) X


@one_blas_thread
@np.errstate(all="ignore")
def _times(factor: Array, product: _Graded) -> _Graded:
    """One more factor (R, S) from the left. What it leaves of a direction is 0 where it is rounding alone."""
    columns, least = factor @ product.basis, rounding(factor, product.basis)
    lengths = np.sqrt(np.vecdot(columns.T, columns.T))
    logs = product.logs + np.log(lengths)
    order = np.argsort(-logs, kind="stable")  # a pivoting by lengths alone: D is graded already
    order = order[lengths[order] > least[order]]
    logs, columns, least = logs[order], columns[:, order] / lengths[order], least[order] / lengths[order]
    basis, pivots = _independent(columns, least)
    mixing = np.where(np.arange(len(order)) >= pivots[:, None], basis.T @ columns, 0)
    mixing *= np.exp(np.minimum(logs - logs[pivots][:, None], 0))
    rows = mixing @ product.rows[order]
    lengths = np.sqrt(np.vecdot(rows, rows))
    logs = logs[pivots] + np.log(lengths)
    falling = np.argsort(-logs, kind="stable")
    return _Graded(basis[:, falling], logs[falling], (rows / lengths[:, None])[falling])


def _independent(columns: Array, least: Array) -> tuple[Array, Array]:
    """An orthonormal basis (R, r) of columns of length 1, and which of them (r,) each of its own came from: those that
    lie in the span of the ones before, but for what rounding may be, are passed over."""
    chosen = np.arange(len(least))
    while True:
        leading = chosen[: len(columns)]
        basis, upper = triangle(columns[:, leading])
        small = np.flatnonzero(np.diagonal(upper) <= least[leading])
        if not len(small):
            return basis, leading
        outside = upper[small[0] :, small[0] :]
        lost = np.sqrt(np.vecdot(outside.T, outside.T)) <= least[leading[small[0] :]]
        chosen = np.delete(chosen, small[0] + np.flatnonzero(lost))


class SingularValues(NamedTuple):
    """Those of one product."""

    logs: Array  # (r,) natural logarithms, falling; −∞ of 0, NaN where a factor is not finite
    direction: Array  # (S,) of length 1, what the product stretches most; its largest entry above 0, and 0 where all is


def products(
    factors: Iterable[Array],
    outputs: Array,
    within: Array | None = None,
    wanted: Callable[[int], bool] = lambda number: True,
) -> Iterator[SingularValues]:
    """Singular values of J_T, J_T J_{T−1}, … from the factors (S, S), that of the last time step first.

    `outputs` (S, r) and `within` (S, P) have orthonormal columns: which of the last joint state are derived, and by
    which of the earlier one; without `within` by all. `wanted`: of the products of how many factors, by default of all.
    """
    product = _Graded(outputs, np.zeros(outputs.shape[1]), np.eye(outputs.shape[1]))
    units = outputs.shape[0] if within is None else within.shape[1]
    count, finite = min(units, outputs.shape[1]), True
    for number, factor in enumerate(factors, 1):
        exact = factor.astype(np.float64, copy=False)
        finite = finite and bool(np.isfinite(exact).all())
        if finite:
            product = _times(exact.T, product)
        if not wanted(number):
            continue
        if not finite:
            yield SingularValues(np.full(count, np.nan), np.full(units, np.nan))
            continue
        yield _singular_values(product if within is None else _times(within.T, product), count)


@one_blas_thread
@np.errstate(all="ignore")
def _singular_values(product: _Graded, count: int) -> SingularValues:
    logs, rows, found = product.logs, product.rows, np.full(count, -np.inf)
    direction = np.zeros(len(product.basis))
    if not len(logs):
        return SingularValues(found, direction)
    lower = _lower(rows)
    top = slice(0, int(np.searchsorted(-logs, _WINDOW - logs[0])))
    largest = np.linalg.svd(np.exp(logs[top] - logs[0])[:, None] * lower[top, top])
    direction = product.basis[:, top] @ largest[0][:, 0]
    for _ in range(_LQS - 1 if logs[0] - logs[-1] > _WINDOW else 0):
        upper = np.triu(lower.T * np.exp(np.minimum(logs - logs[:, None], 0)))  # the transposed, scaled by rows
        lengths = np.sqrt(np.vecdot(upper, upper))
        logs, lower = logs + np.log(lengths), _lower(upper / lengths[:, None])
    found[: len(logs)] = -np.sort(-_by_windows(logs, lower))
    return SingularValues(found, direction * np.sign(direction[np.argmax(np.abs(direction))]))


def _lower(rows: Array) -> Array:
    """(r, r) the lower triangle that is `rows` (r, ·) but for a rotation of their columns."""
    return np.asarray(np.linalg.qr(rows.T, mode="r")).T


def _by_windows(logs: Array, lower: Array) -> Array:
    """(r,) logarithms of the singular values of e^logs · lower, whose diagonal is nearly that of them."""
    found, start = np.empty(len(logs)), 0
    falling = -np.maximum.accumulate(logs[::-1])[::-1]  # rising, to be searched
    while start < len(logs):
        first = int(np.searchsorted(falling, falling[start] - _MARGIN))
        stop = max(int(np.searchsorted(falling, falling[first] + _WINDOW, "right")), start + 1)
        part = slice(first, int(np.searchsorted(falling, falling[stop - 1] + _MARGIN, "right")))
        block = np.exp(logs[part] + falling[first])[:, None] * lower[part, part]
        values = np.linalg.svd(block, compute_uv=False)
        found[start:stop] = np.log(values[start - first : stop - first]) - falling[first]
        start = stop
    return found


@dataclass(frozen=True, eq=False)
class Products(FrozenArrays):
    """Singular values of ∂h_T/∂h_t of one sequence by position t, as far back from the last one as known.

    S units of the joint state, or of the one state that is meant. In a reverse layer T is the first time step.
    """

    log10_values: Array  # (T, S) log₁₀, falling; −∞ of 0, NaN where a step Jacobian is not finite, and where not known
    directions: Array  # (T, S) of length 1: the change of h_t that changes h_T most; 0 where none does
    log10_initial: Array  # (S,) those of ∂h_T/∂h_0, by the state before the first time step
    time_steps: Array  # (n,) those that are known, 0-based and ascending; ∂h_T/∂h_T is from the start
    known: int  # how many time steps back from the end that reaches
    whole: bool  # whether all are, those of the initial state too

    @property
    def log10_largest(self) -> Array:
        """(T,) the spectral norm of ∂h_T/∂h_t."""
        return self.log10_values[:, 0] if self.log10_values.shape[1] else np.full(len(self.log10_values), -np.inf)


def product_spectra(layer: Layer, sample: int = 0, state: str = "", every: int = 1) -> Iterator[Products]:
    """Singular values of ∂h_T/∂h_t of one sequence, after each block of time steps as far as they are known; the last
    one is whole. Of the joint state, or of one `state` alone: with "c" those of ∂c_T/∂c_t, by whatever way. `every`: of
    so many time steps one gets its singular values, which take most of the time, and the farthest ones.

    In float64 whatever the trace is in; of a float32 trace take `Trace.exact` where Jacobians are below 1e-38.
    """
    length, units = time_steps(layer, sample), joint_units(layer.structure)
    chosen = np.eye(units)[:, state_rows(layer.structure)[state] if state else slice(None)]
    count = chosen.shape[1]
    own = layer.times(sample)
    order = own if layer.reverse else own[::-1]  # from the last one of its own direction on
    axis = axis_length(layer, sample)
    values, directions = np.full((axis, count), np.nan), np.full((axis, count), np.nan)
    values[order[:1]], directions[order[:1]] = 0, np.eye(1, count)
    factors = (
        block[t] for _, block in jacobian_blocks(layer, sample, not layer.reverse) for t in _own(block, layer.reverse)
    )
    initial, known, told = np.full(count, np.nan), min(length, 1), 0
    numbers = [number for number in range(1, length + 1) if number % every == 0 or number >= length - 1]
    there = list(order[:1])

    def part(whole: bool) -> Products:
        steps = frozen(np.array(sorted(there), np.int64))
        return Products(frozen(values.copy()), frozen(directions.copy()), frozen(initial), steps, known, whole)

    found = products(factors, chosen, chosen if state else None, set(numbers).__contains__)
    for number, one in zip(numbers, found, strict=True):
        if number == length:
            initial = one.logs / _LN_10
            continue
        values[order[number]], directions[order[number]] = one.logs / _LN_10, one.direction
        there.append(order[number])
        known = number + 1
        if known - told >= max(1, min(length // _PARTS, _OPERATIONS // max(units, 1) ** 3)):
            told = known
            yield part(False)
    yield part(True)


def _own(block: Array, reverse: bool) -> range:
    """The last of a block first, in the layer's own direction."""
    return range(len(block)) if reverse else range(len(block) - 1, -1, -1)

"""Shares of a weight gradient by gate block, and whether time steps agree: the sum gathered so far against the final.

∂L/∂W = Σ_t ∂L/∂W|_t. Each part is Σ_n δ_{t,n} v_{t,n}ᵀ, so that the inner product of two parts is a product of two
inner products, ⟨δ_s, δ_t⟩ ⟨v_s, v_t⟩, and norms and angles of all sums follow from those without building a part. What
is left of parts that cancel is known down to 10⁻⁸ of their size.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.sweeps import shares
from rnnviz.core.sweeps.layer import Layer

_COLUMNS = 4096  # (t, n) pairs above which their inner products would not fit


@dataclass(frozen=True, eq=False)
class Agreement(FrozenArrays):
    """How the gradient of one parameter, or of one gate's rows of it, is gathered over time; T by time step."""

    parameter: str  # "weight_hh"
    block: str  # "f"; "" for all rows
    parts: Array  # (T,) float64 ‖(∂L/∂W)|_t‖_F
    gathered: Array  # (T,) float64 norm of what the backward sweep has summed once it has done t
    cosine: Array  # (T,) of the angle between that sum and the final one; NaN where either is 0
    norm: float  # ‖∂L/∂W‖_F

    @property
    def relative(self) -> Array:
        """(T,) `gathered` as a share of the final norm; NaN where that is 0."""
        with np.errstate(all="ignore"):
            return np.asarray(self.gathered / (self.norm or math.nan))

    @property
    def angle(self) -> Array:
        """(T,) in degrees, 0 to 180."""
        return np.asarray(np.degrees(np.arccos(self.cosine)))

    @property
    def cancellation(self) -> float:
        """‖Σ_t parts‖ / Σ_t ‖parts‖: 1 where all time steps point the same way, near 0 where they cancel; NaN without
        any."""
        whole = float(self.parts.sum())
        return self.norm / whole if whole else math.nan


def agreements(layer: Layer, parameters: tuple[str, ...] | None = None) -> tuple[Agreement, ...]:
    """Of each parameter, or of those named, whole and by each gate block; over all sequences of the layer together.

    Each follows from inner products over T × T pairs of time steps; of batches with more than 4,096 pairs of time step
    and sequence the sums are added up instead.
    """
    cell, found, known = layer.equations, list[Agreement](), _Grams()
    for name, factors in layer.factors.items():
        if parameters is not None and name not in parameters:
            continue
        stacked = cell.parameter_named[name].rows == "rows" and len(cell.blocks) > 1
        turned = factors.turned() if layer.reverse else factors
        blocks = {block: cell.block_rows(block, layer.structure.hidden_size) for block in cell.blocks if stacked}
        by_block = _of_parameter(turned, blocks, known)
        found += [_in_time(layer, name, block, one) for block, one in by_block.items()]
    return tuple(found)


def _in_time(layer: Layer, parameter: str, block: str, found: "_Found") -> Agreement:
    """What was gathered in the order of a reverse layer's own sweep, by time step."""
    turn = slice(None, None, -1 if layer.reverse else 1)
    parts, gathered, cosine = (np.ascontiguousarray(one[turn]) for one in (found.parts, found.gathered, found.cosine))
    return Agreement(parameter, block, frozen(parts), frozen(gathered), frozen(cosine), found.norm)


class _Found(NamedTuple):
    """As in `Agreement`, in the order of the layer's own sweep."""

    parts: Array
    gathered: Array
    cosine: Array
    norm: float


class _Grams:
    """Inner products of factors that several parameters have in common, each computed once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], tuple[Array, Array, float]] = {}

    def of(self, values: Array, block: str, rows: slice) -> tuple[Array, float]:
        """(T·N, T·N) float64 of `values` (T, N, ·) scaled so that the largest is 1, and that scale."""
        key = values.__array_interface__["data"][0], block
        if key not in self._known or self._known[key][0].shape != values.shape:
            exact = values[..., rows].reshape(values.shape[0] * values.shape[1], -1).astype(np.float64)
            scale = _scale(exact)
            exact /= scale
            self._known[key] = values, np.dot(exact, exact.T), scale
        return self._known[key][1:]


def _scale(values: Array) -> float:
    largest = float(np.max(np.abs(values), initial=0))
    return largest if largest > 0 and math.isfinite(largest) else 1.0


@one_blas_thread
@np.errstate(all="ignore")
def _of_parameter(factors: shares.Factors, blocks: Mapping[str, slice], known: _Grams) -> dict[str, _Found]:
    """By block, "" for all rows."""
    rows = {"": slice(None), **blocks}
    if factors.delta.shape[0] * factors.delta.shape[1] > _COLUMNS:
        cut = {block: shares.Factors(factors.delta[..., where], factors.partner) for block, where in rows.items()}
        return {block: _added_up(one) for block, one in cut.items()}
    return {block: _by_pairs(factors, block, where, known) for block, where in rows.items()}


def _by_pairs(factors: shares.Factors, block: str, rows: slice, known: _Grams) -> _Found:
    time_steps, sequences = factors.delta.shape[:2]
    pairs, scale = known.of(factors.delta, block, rows)
    if factors.partner is not None:
        partner, partner_scale = known.of(factors.partner, "", slice(None))
        pairs, scale = pairs * partner, scale * partner_scale
    if sequences > 1:
        pairs = pairs.reshape(time_steps, sequences, time_steps, sequences).sum(axis=(1, 3))
    added = np.diagonal(pairs) + 2 * np.triu(pairs, 1).sum(axis=1)  # what ‖Σ_{s≥t}‖² grows by
    gathered = _root(_from_last(added))
    return _found(_root(np.diagonal(pairs)), gathered, _from_last(pairs.sum(axis=1)), scale)


def _added_up(factors: shares.Factors) -> _Found:
    exact = shares.Factors(
        factors.delta.astype(np.float64), None if factors.partner is None else factors.partner.astype(np.float64)
    )
    scale = _scale(exact.delta) * (1.0 if exact.partner is None else _scale(exact.partner))
    final = shares.totals({"": exact})[""] / scale
    if exact.partner is None:
        inner = (exact.delta @ final).sum(axis=1)
    else:
        inner = np.vecdot(exact.delta @ final, exact.partner).sum(axis=1)
    parts, gathered = shares.all_shares({"": exact})[""], shares.accumulated(exact)
    return _found(parts / scale, gathered / scale, _from_last(inner) / scale, scale)


def _found(parts: Array, gathered: Array, inner: Array, scale: float) -> _Found:
    """From the inner products of the gathered sums with the final one, all of them divided by `scale`."""
    norm = float(gathered[0]) if len(gathered) else 0.0
    sizes = gathered * norm
    cosine = np.clip(np.where(sizes > 0, inner / sizes, np.nan), -1, 1)
    return _Found(parts * scale, gathered * scale, cosine, norm * scale)


def _from_last(values: Array) -> Array:
    return np.asarray(np.cumsum(values[::-1])[::-1])


def _root(squares: Array) -> Array:
    return np.asarray(np.sqrt(np.maximum(squares, 0)))

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
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps import shares
from rnnviz.core.sweeps.layer import Layer

_COLUMNS = 4096  # (t, n) pairs above which their inner products take longer than adding up does
_STRIP = 262_144  # inner products that are there at once, of each factor


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
    cell, hidden, found = layer.equations, layer.structure.hidden_size, list[Agreement]()
    if cell.recorded:
        return _recorded(layer, parameters)
    wanted = dict[str, _Wanted]()
    for name, factors in layer.factors.items():
        if parameters is None or name in parameters:
            stacked = cell.parameter_named[name].rows == "rows" and len(cell.blocks) > 1
            blocks = {block: cell.block_rows(block, hidden) for block in cell.blocks if stacked}
            wanted[name] = _Wanted(factors.turned() if layer.reverse else factors, blocks)
    for name, by_block in _gathered(wanted).items():
        found += [_in_time(layer, name, block, one) for block, one in by_block.items()]
    return tuple(found)


def _recorded(layer: Layer, parameters: tuple[str, ...] | None) -> tuple[Agreement, ...]:
    """Of a user's own cell, of which norms are recorded and no cosines."""
    unknown = frozen(np.full(len(layer.output), np.nan))
    return tuple(
        Agreement(name, "", parts, layer.weight_grad_so_far[name], unknown, float(l2(layer.weight_grads[name].ravel())))
        for name, parts in layer.weight_grad_shares.items()
        if parameters is None or name in parameters
    )


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


class _Wanted(NamedTuple):
    """The factors of one parameter, and the rows of its gate blocks; {} where it has none."""

    factors: shares.Factors
    blocks: Mapping[str, slice]


@one_blas_thread
@np.errstate(all="ignore")
def _gathered(wanted: Mapping[str, _Wanted]) -> dict[str, dict[str, _Found]]:
    """By parameter and block, "" for all rows."""
    found = dict[str, dict[str, _Found]]()
    by_pairs = dict[str, _Wanted]()
    for name, (factors, blocks) in wanted.items():
        if factors.delta.shape[0] * factors.delta.shape[1] <= _COLUMNS:
            by_pairs[name] = wanted[name]
            continue
        cut = {block: factors._replace(delta=factors.delta[..., rows]) for block, rows in blocks.items()}
        found[name] = {block: _added_up(one) for block, one in {"": factors, **cut}.items()}
    rows = _Rows()
    for name, sums in _all_sums(by_pairs, rows).items():
        factors = wanted[name].factors
        scale = rows.scale(factors.delta) * (1.0 if factors.partner is None else rows.scale(factors.partner))
        whole = np.sum(list(sums.values()), axis=0)
        found[name] = {block: _by_sums(one, scale) for block, one in {"": whole, **sums}.items()}
    return {name: found[name] for name in wanted}


class _Rows:
    """Factors as rows (T·N, ·) float64, scaled so that the largest number is 1; several parameters share them."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[Array, Array, float]] = {}

    def of(self, values: Array) -> Array:
        return self._found(values)[1]

    def scale(self, values: Array) -> float:
        return self._found(values)[2]

    def _found(self, values: Array) -> tuple[Array, Array, float]:
        key = self.key(values)
        if key not in self._known:
            scale = _scale(values)
            exact = values.reshape(values.shape[0] * values.shape[1], -1).astype(np.float64) / scale
            self._known[key] = values, exact, scale
        return self._known[key]

    @staticmethod
    def key(values: Array) -> tuple[int, ...]:
        """Which numbers they are, whoever looks at them."""
        return (values.__array_interface__["data"][0], *values.shape, *values.strides)


def _scale(values: Array) -> float:
    largest = float(np.max(np.abs(values), initial=0))
    return largest if largest > 0 and math.isfinite(largest) else 1.0


def _all_sums(wanted: Mapping[str, _Wanted], rows: _Rows) -> dict[str, dict[str, Array]]:
    """By parameter and block (3, T) of each part the inner product with itself, with all later ones, with all earlier
    ones; those of the blocks add up. Pairs are gone through in strips of time steps."""
    found = {
        name: {block: np.zeros((3, len(one.factors.delta))) for block in (one.blocks or ("",))}
        for name, one in wanted.items()
    }
    if not wanted:
        return found
    time_steps, sequences = next(iter(wanted.values())).factors.delta.shape[:2]
    times = np.repeat(np.arange(time_steps), sequences)
    strip = max(_STRIP // max(time_steps * sequences, 1), 1)  # time steps
    for start in range(0, time_steps, strip):
        end = min(start + strip, time_steps)
        here, on = slice(start * sequences, end * sequences), slice(start * sequences, None)
        grams = dict[tuple[object, ...], Array]()
        distance = times[on] - times[here, None]
        for name, (factors, blocks) in wanted.items():
            partner = None if factors.partner is None else _strip(grams, rows, factors.partner, slice(None), here, on)
            for block, sums in found[name].items():
                pairs = _strip(grams, rows, factors.delta, blocks.get(block, slice(None)), here, on)
                pairs = pairs if partner is None else pairs * partner
                sums[0, start:end] += _by_time(np.where(distance == 0, pairs, 0).sum(axis=1), sequences)
                later = np.where(distance > 0, pairs, 0)
                sums[1, start:end] += _by_time(later.sum(axis=1), sequences)
                sums[2, start:] += _by_time(later.sum(axis=0), sequences)
    return found


def _strip(
    grams: dict[tuple[object, ...], Array], rows: _Rows, values: Array, columns: slice, here: slice, on: slice
) -> Array:
    """Inner products of the rows `here` with those `on` from there."""
    key = (*rows.key(values), columns.start, columns.stop)
    if key not in grams:
        exact = rows.of(values)[:, columns]
        grams[key] = np.dot(exact[here], exact[on].T)
    return grams[key]


def _by_time(values: Array, sequences: int) -> Array:
    return np.asarray(values.reshape(-1, sequences).sum(axis=1))


def _by_sums(sums: Array, scale: float) -> _Found:
    own, with_later, with_earlier = sums
    gathered = _root(_from_last(own + 2 * with_later))  # what ‖Σ_{s≥t}‖² grows by
    return _found(_root(own), gathered, _from_last(own + with_later + with_earlier), scale)


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

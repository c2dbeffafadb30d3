"""Provenance: what one gradient value is made of, by losses, by paths and by units; the parts sum to the value.

Every gradient of time step t that can be asked for is linear in ∂L/∂h_t and in what comes to c_t along the cell state:
value = w · ∂L/∂h_t + s · path_t. So its parts are those of ∂L/∂h_t and path_t, weighed with w and s.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.flow import loss_parts
from rnnviz.core.sweeps.interventions import NAMES
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import Trace


@dataclass(frozen=True)
class GradientPlace:
    """One gradient value: of "h", of "c", or of a pre-activation by its letter ("a", or its gate's)."""

    of: str
    layer: str
    time_step: int  # from 1
    unit: int  # from 1

    @property
    def words(self) -> str:
        """As in the expression language, with the layer."""
        name = self.of if self.of in ("h", "c", "a") else f"a_{self.of}"
        return f"∂L/∂{name}[{self.time_step}, {self.unit}] of {self.layer}"


@dataclass(frozen=True)
class Part:
    """One summand. `leads_to` is where its gradient came from, None for a loss; `time_step` (from 1) is where it is."""

    words: str
    value: float
    share: float  # |value| of all |values| in its list; 0 where all are 0, NaN where one is
    time_step: int
    leads_to: GradientPlace | None = None


@dataclass(frozen=True)
class Provenance:
    """A gradient value in three ways; each list is sorted by size and sums to `value` within rounding."""

    place: GradientPlace
    value: float
    losses: tuple[Part, ...]  # which L_k, without those that do not reach here
    paths: tuple[Part, ...]  # through which gate of the neighbouring time step, along z or c, or directly
    units: tuple[Part, ...]  # through which unit


@dataclass(frozen=True)
class _Weighing:
    """value = `hidden` · ∂L/∂h_t + `cell` · path_t[unit], float64."""

    hidden: Array  # (P,)
    cell: float


@np.errstate(all="ignore")
def provenance(trace: Trace, place: GradientPlace, sample: int = 0) -> Provenance:
    """What the value at `place` is made of; RnnvizError where the trace has no such place."""
    trace = trace.sample(sample)
    layer, t, u = _found(trace, place)
    weighing = _weighing(layer, place.of, t, u)
    return Provenance(
        place,
        float(_values(layer, place.of)[t, 0, u]),
        _parts(_losses(layer, weighing, t, u)),
        _parts(_paths(layer, weighing, t, u)),
        _parts(_units(layer, weighing, t, u)),
    )


def _found(trace: Trace, place: GradientPlace) -> tuple[Layer, int, int]:
    """The layer, and time step and unit from 0."""
    layer = trace.layer(place.layer)
    having = ("h", *(("c",) if layer.c is not None else ()), *layer.equations.blocks)
    if place.of not in having:
        raise RnnvizError(f"provenance: the {layer.cell} cell has a gradient of {', '.join(having)}, not {place.of!r}")
    time_steps, _, units = _values(layer, place.of).shape
    for number, size, word in ((place.time_step, time_steps, "time step"), (place.unit, units, "unit")):
        if not 1 <= number <= size:
            raise RnnvizError(f"provenance: the {word} must be from 1 to {size}, not {number}")
    return layer, place.time_step - 1, place.unit - 1


def _values(layer: Layer, of: str) -> Array:
    """(T, 1, units) the gradient that is asked for."""
    if of == "h":
        return layer.hidden_grad
    return layer.gate_grads[of] if of != "c" or layer.cell_grad is None else layer.cell_grad


def _weighing(layer: Layer, of: str, t: int, u: int) -> _Weighing:
    hidden = np.zeros(layer.h.shape[-1])
    if of == "h":
        hidden[u] = 1
        return _Weighing(hidden, 0.0)
    w_hr = layer.weights.weight_hr
    if w_hr is None:
        hidden[u] = 1
    else:
        hidden[:] = w_hr[:, u]
    if layer.held is not None:
        hidden[layer.held[t, 0]] = 0
    slope, through, cell = _slope(layer, of, t, u), 1.0, 0.0
    if layer.c is not None and of != "o":  # by way of c_t
        through, cell = float(layer.slopes["through"][t, 0, u]), 1.0
    return _Weighing(hidden * (slope * through), slope * cell)


def _slope(layer: Layer, of: str, t: int, u: int) -> float:
    """∂/∂ the pre-activation of what it acts on first: c_t, m_t or h_t; 1 for c itself."""
    if of == "c":
        return 1.0
    slopes = {name: slope[t, 0] for name, slope in layer.slopes.items()}
    if layer.cell == "vanilla":
        return float(slopes["slope"][u])
    block = layer.equations.blocks.index(of)
    if layer.cell == "lstm":
        return float(slopes["gates"].reshape(4, -1)[block, u])
    return float(slopes["input"][u] if of == "n" else slopes["recurrent"].reshape(3, -1)[block, u])


def _losses(layer: Layer, weighing: _Weighing, t: int, u: int) -> Iterator[Part]:
    hidden, cell = loss_parts(layer, t, 0)
    values = hidden.astype(np.float64) @ weighing.hidden
    if cell is not None and weighing.cell:
        values = values + weighing.cell * cell[:, u]
    for k in np.flatnonzero(values):
        yield Part(f"L at t = {k + 1}", float(values[k]), 0.0, int(k) + 1)


def _paths(layer: Layer, weighing: _Weighing, t: int, u: int) -> Iterator[Part]:
    """By gate of what the gradient came through, of all units together."""
    yield from _direct(layer, weighing, t, by_unit=False)
    after = _after(layer, t)
    if after is None:
        return
    for gate, deltas, columns in _blocks(layer, layer.recurrent_delta[after, 0], layer.weights.weight_hh):
        by_unit = deltas * (columns @ weighing.hidden)
        name = _gate_words(gate)
        yield Part(
            f"through {name} at t = {after + 1}", _sum(by_unit), 0.0, after + 1, _largest(by_unit, gate, layer, after)
        )
    if layer.cell == "gru":
        kept = weighing.hidden * _kept(layer, after)
        yield Part(f"along z ⊙ h to t = {after + 1}", _sum(kept), 0.0, after + 1, _largest(kept, "h", layer, after))
    yield from _cell_path(layer, weighing, t, u, after)


def _units(layer: Layer, weighing: _Weighing, t: int, u: int) -> Iterator[Part]:
    """By unit of what the gradient came through, all of its gates together."""
    yield from _direct(layer, weighing, t, by_unit=True)
    after = _after(layer, t)
    if after is None:
        return
    blocks = _blocks(layer, layer.recurrent_delta[after, 0], layer.weights.weight_hh)
    by_unit = sum((deltas * (columns @ weighing.hidden) for _, deltas, columns in blocks), np.zeros(1))
    if layer.cell == "gru":
        by_unit = by_unit + weighing.hidden * _kept(layer, after)
    state = "h" if layer.c is None else "c"  # a projected h has fewer units than there are gates
    for unit, value in enumerate(by_unit):
        place = GradientPlace(state, layer.name, after + 1, unit + 1)
        yield Part(f"unit {unit + 1} at t = {after + 1}", float(value), 0.0, after + 1, place)
    yield from _cell_path(layer, weighing, t, u, after)


def _direct(layer: Layer, weighing: _Weighing, t: int, by_unit: bool) -> Iterator[Part]:
    """From L_t at the top, else from the layers above at the same time step."""
    if not layer.above:
        value = _sum(layer.direct_grad[t, 0].astype(np.float64) * weighing.hidden)
        yield Part(f"directly from L at t = {t + 1}", value, 0.0, t + 1)
    width = layer.h.shape[-1]
    start = width if layer.reverse else 0
    for above in layer.above:
        blocks = _blocks(above, above.delta[t, 0], above.weights.weight_ih[:, start : start + width])
        found = [(gate, deltas * (columns @ weighing.hidden)) for gate, deltas, columns in blocks]
        if not by_unit:
            for gate, values in found:
                name = f"through {_gate_words(gate)} of {above.name}"
                yield Part(name, _sum(values), 0.0, t + 1, _largest(values, gate, above, t))
            continue
        state = "h" if above.c is None else "c"
        for unit, value in enumerate(sum((values for _, values in found), np.zeros(1))):
            place = GradientPlace(state, above.name, t + 1, unit + 1)
            yield Part(f"unit {unit + 1} of {above.name}", float(value), 0.0, t + 1, place)


def _cell_path(layer: Layer, weighing: _Weighing, t: int, u: int, after: int) -> Iterator[Part]:
    if layer.cell_path_grad is not None and weighing.cell:
        value = weighing.cell * float(layer.cell_path_grad[t, 0, u])
        place = GradientPlace("c", layer.name, after + 1, u + 1)
        yield Part(f"along the cell state, f ⊙ ∂L/∂c at t = {after + 1}", value, 0.0, after + 1, place)


def _after(layer: Layer, t: int) -> int | None:
    """The time step in which h_t was used, from 0; None at the end of the layer's way or where the gradient is cut."""
    after = t - 1 if layer.reverse else t + 1
    return None if not 0 <= after < len(layer.h) or (layer.cut is not None and layer.cut[t]) else after


def _kept(layer: Layer, after: int) -> Array:
    """(H,) z ⊙ ∂L/∂h of the GRU's next time step, which goes straight to the state before."""
    kept: Array = layer.passed_on(layer.hidden_grad)[after, 0] * layer.slopes["keep"][after, 0]
    return kept.astype(np.float64)


def _blocks(layer: Layer, delta: Array, weight: Array) -> list[tuple[str, Array, Array]]:
    """For each gate its δ (H,) and its rows (H, P) of a stacked weight, float64."""
    names = layer.equations.blocks
    deltas = np.split(delta.astype(np.float64), len(names))
    return list(zip(names, deltas, np.split(weight.astype(np.float64), len(names)), strict=True))


def _gate_words(gate: str) -> str:
    return "the pre-activation" if gate == "a" else f"the {NAMES[gate].words}"


def _largest(values: Array, of: str, layer: Layer, t: int) -> GradientPlace:
    """The unit that contributes most to a path."""
    return GradientPlace(of, layer.name, t + 1, int(np.argmax(np.abs(values))) + 1)


def _sum(values: Array) -> float:
    return float(values.sum())


def _parts(found: Iterator[Part]) -> tuple[Part, ...]:
    """Sorted by size, NaN first, with their shares."""
    parts = sorted(found, key=lambda part: -abs(part.value) if part.value == part.value else -np.inf)
    whole = sum(abs(part.value) for part in parts)
    return tuple(
        Part(part.words, part.value, abs(part.value) / whole if whole else 0.0, part.time_step, part.leads_to)
        for part in parts
    )

"""Provenance: what one gradient value is made of, by losses, by paths and by units; the parts sum to the value.

Every gradient of time step t that can be asked for is linear in what comes to the states of t from outside of it: from
L_t, from the layer above, and from the neighbouring time step. So its parts are parts of those, weighed.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import CELLS, Cell, Options, cell_made
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import Matrix, Node, Value
from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.heads.pooling import POOLINGS
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.scans.flow import loss_parts
from rnnviz.core.sweeps.steps.nodes import StepBack
from rnnviz.core.sweeps.trace import Trace


@dataclass(frozen=True)
class GradientPlace:
    """One gradient value: of hidden units ("h", "c"), or of a pre-activation by its name ("a", or its gate's)."""

    of: str
    layer: str
    time_step: int  # from 1
    unit: int  # from 1

    @property
    def words(self) -> str:
        """As in the expression language, with the layer."""
        name = f"a_{self.of}" if _is_gate(self.of) else self.of
        return f"∂L/∂{name}[{self.time_step}, {self.unit}] of {self.layer}"


class ValuePlace(Protocol):
    """Where a gradient value is."""

    @property
    def words(self) -> str: ...


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

    place: ValuePlace
    value: float
    losses: tuple[Part, ...]  # which L_k, without those that do not reach here
    paths: tuple[Part, ...]  # through which gate of the neighbouring time step, along z or c, or directly
    units: tuple[Part, ...]  # through which unit


def cancellation(parts: Sequence[Part]) -> float:
    """How many times the size of their sum the parts' sizes add up to: 1 where none cancels, ∞ where all of it does.

    NaN without parts, where all are 0 and where one is not finite.
    """
    sizes, whole = sum(abs(part.value) for part in parts), abs(sum(part.value for part in parts))
    if not sizes or not math.isfinite(sizes):
        return math.nan
    return sizes / whole if whole else math.inf


Weighing = Mapping[str, Array]  # by state: value = Σ weight · what comes to it from outside the time step, float64


@np.errstate(all="ignore")
def provenance(trace: Trace, place: GradientPlace, sample: int = 0) -> Provenance:
    """What the value at `place` is made of; RnnvizError where the trace has no such place."""
    trace = trace.sample(sample)
    layer, t, u = _found(trace, place)
    weighing = _weighing(layer, place.of, t, u)
    return Provenance(
        place,
        float(_values(layer, place.of)[t, 0, u]),
        sized(_losses(layer, weighing, t, u)),
        sized(_paths(layer, weighing, t, u)),
        sized(_units(layer, weighing, t, u)),
    )


def _is_gate(of: str) -> bool:
    return any(of == gate.name for name in CELLS for gate in cell_made(name, Options()).gates)


def _found(trace: Trace, place: GradientPlace) -> tuple[Layer, int, int]:
    """The layer, and time step and unit from 0."""
    layer = trace.layer(place.layer)
    having = (*layer.equations.hidden_nodes, *layer.equations.pre_activations)
    if place.of not in having:
        raise RnnvizError(f"provenance: the {layer.cell} cell has a gradient of {', '.join(having)}, not {place.of!r}")
    times, units = layer.times(0), _values(layer, place.of).shape[-1]
    for number, first, last, word in (
        (place.time_step, times.start + 1, times.stop, "time step"),
        (place.unit, 1, units, "unit"),
    ):
        if not first <= number <= last:
            whose = f" of {layer.id.words}" if first > 1 or layer.stop < trace.time_steps else ""
            raise RnnvizError(f"provenance: the {word}{whose} must be from {first} to {last}, not {number}")
    return layer, place.time_step - 1, place.unit - 1


def _values(layer: Layer, of: str) -> Array:
    """(T, 1, units) the gradient that is asked for."""
    return layer.grad(of) if of in layer.equations.hidden_nodes else layer.gate_grads[of]


def _weighing(layer: Layer, of: str, t: int, u: int) -> Weighing:
    """How much each unit of each state counts, found by sending a gradient of 1 into each of them."""
    cell = layer.equations
    value = Value(of) if of in cell.hidden_nodes else cell.pre_activations[of]
    place = cell.block_rows(value.block, layer.structure.hidden_size).start if value.block else 0
    closed = None if layer.closed is None or of in cell.hidden_nodes else layer.closed.get(value.name)
    by_hand = closed is not None and bool(closed[t, 0, place + u])  # a pre-activation that is set passes nothing on
    found = {}
    back = StepBack(layer.slopes, inputs=True)
    for state in cell.hidden_nodes:
        lanes = np.eye(layer.structure.units(state), dtype=layer.output.dtype)
        _, gradients = back((t, 0), {state: lanes}, layer.closed)
        gradient = gradients.get(value.name)
        zeros = np.zeros(len(lanes))
        found[state] = zeros if gradient is None or by_hand else gradient[:, place + u].astype(np.float64)
    return found


def _losses(layer: Layer, weighing: Weighing, t: int, u: int) -> Iterator[Part]:
    output = layer.equations.output
    hidden, arriving = loss_parts(layer, t, 0)
    values = hidden.astype(np.float64) @ weighing[output]
    for state, came in arriving.items():
        if state != output:
            values = values + came.astype(np.float64) @ weighing[state]
    for k in np.flatnonzero(values):
        yield Part(f"L at t = {k + 1}", float(values[k]), 0.0, int(k) + 1)


def _paths(layer: Layer, weighing: Weighing, t: int, u: int) -> Iterator[Part]:
    """By gate of what the gradient came through, of all units together."""
    yield from _direct(layer, weighing, t, by_unit=False)
    for one in _users(layer, weighing, t):
        for use in _before_uses(one.layer):
            weights = one.weighing[use.value.name]
            if isinstance(use.node.operation, Matrix):
                for gate, deltas, columns in _blocks(one.layer, use, one.t):
                    by_unit = deltas * (columns @ weights)
                    words = f"through {_gate_words(one.layer, gate)}{one.words}"
                    yield Part(words, _sum(by_unit), 0.0, one.t + 1, _largest(by_unit, gate, one.layer, one.t))
            elif use.value.name == one.layer.equations.output:
                yield _along(one, use)
        yield from _other_states(one)


def _units(layer: Layer, weighing: Weighing, t: int, u: int) -> Iterator[Part]:
    """By unit of what the gradient came through, all of its gates together."""
    yield from _direct(layer, weighing, t, by_unit=True)
    for one in _users(layer, weighing, t):
        by_unit = np.zeros(one.layer.structure.hidden_size)
        for use in _before_uses(one.layer):
            weights = one.weighing[use.value.name]
            if isinstance(use.node.operation, Matrix):
                blocks = _blocks(one.layer, use, one.t)
                by_unit = by_unit + sum(deltas * (columns @ weights) for _, deltas, columns in blocks)
            elif use.value.name == one.layer.equations.output:
                by_unit = by_unit + _passed(one.layer, use, one.t) * weights
        for unit, value in enumerate(by_unit):
            place = GradientPlace(_state_of_units(one.layer), one.layer.name, one.t + 1, unit + 1)
            yield Part(f"unit {unit + 1}{one.words}", float(value), 0.0, one.t + 1, place)
        yield from _other_states(one)


@dataclass(frozen=True)
class _User:
    """Who read the states of a time step as those before its own: the layer, or at its end one of a later call."""

    layer: Layer
    weighing: Weighing  # of its own states before
    t: int  # its time step, from 0
    words: str


def _users(layer: Layer, weighing: Weighing, t: int) -> Iterator[_User]:
    """None where the gradient is cut and where nothing is carried."""
    if not layer.equations.states or (layer.cut is not None and layer.cut[t]):
        return
    times, after = layer.times(0), t - 1 if layer.reverse else t + 1
    if after in times:
        yield _User(layer, weighing, after, f" at t = {after + 1}")
        return
    for beyond in layer.beyond if t in times else ():
        follower = beyond.layer
        assert isinstance(follower, Layer)  # in a trace they all are
        first = follower.times(0)[-1 if follower.reverse else 0]
        given = dict(weighing)
        if beyond.weights is not None:
            given |= {state: weight.astype(np.float64) @ weighing[state] for state, weight in beyond.weights.items()}
        yield _User(follower, given, first, f" at t = {first + 1}, handed over")


def _direct(layer: Layer, weighing: Weighing, t: int, by_unit: bool) -> Iterator[Part]:
    """From L_t at the top, or the ∂L/∂output that was given; else from the layers above at the same time step, also
    on the way around the next ones."""
    weights = weighing[layer.equations.output]
    if layer.mask is not None:
        masked = weights * layer.mask[t, 0]
        if weights.any() and not masked.any():
            yield Part(f"nothing from {_level_words(layer.above)}: dropped at t = {t + 1}", 0.0, 0.0, t + 1)
            return
        weights = masked
    top, around, level = layer, "", layer.above
    while level:
        yield from _through_level(layer, level, weights, t, by_unit, around)
        top = next(one for one in level if one.reverse == layer.reverse)
        if not top.residual:
            return
        around += f"{' and' if around else ', around'} {_level_words(level)}"
        level = top.above
    yield from _from_outside(top, weights, t, around)


def _level_words(level: Sequence[Layer]) -> str:
    """ "layer 1", both directions of it."""
    return replace(level[0].id, reverse=False).words


def _through_level(
    layer: Layer, level: Sequence[Layer], weights: Array, t: int, by_unit: bool, around: str
) -> Iterator[Part]:
    """Through the layers of one depth, which read what `layer` gives, `around` those between."""
    width = layer.output.shape[-1]
    start = width if layer.reverse else 0
    for above in level:
        whole = np.zeros(above.structure.hidden_size)
        for use in above.equations.uses["x"]:
            for gate, deltas, columns in _blocks(above, use, t):
                values = deltas * (columns[:, start : start + width] @ weights)
                whole = whole + values
                if not by_unit:
                    name = f"through {_gate_words(above, gate)} of {above.id.words}{around}"
                    yield Part(name, _sum(values), 0.0, t + 1, _largest(values, gate, above, t))
        for unit, value in enumerate(whole if by_unit else ()):
            place = GradientPlace(_state_of_units(above), above.name, t + 1, unit + 1)
            yield Part(f"unit {unit + 1} of {above.id.words}{around}", float(value), 0.0, t + 1, place)


def _from_outside(layer: Layer, weights: Array, t: int, around: str) -> Iterator[Part]:
    """Of a top layer: what L_t gives, or through a pooling each L_k, or what was given; and through attention each L_k
    of a later call."""
    if layer.pooled is not None:
        through = POOLINGS[layer.pooled.pooling].through
        values = layer.pooled.reaching(t, 0).astype(np.float64) @ weights
        for k in np.flatnonzero(values):
            yield Part(f"directly from L at t = {k + 1}, {through}{around}", float(values[k]), 0.0, int(k) + 1)
        return
    value = _sum(layer.direct_grad[t, 0].astype(np.float64) * weights)
    for part in _through_attention(layer, weights, t, around):
        value -= part.value
        yield part
    if layer.given and (layer.attended or layer.beyond):  # of a call that a later one reads, nothing else is asked
        return
    source = "the given ∂L/∂output" if layer.direct_from == "given" else "L"
    yield Part(f"directly from {source} at t = {t + 1}{around}", value, 0.0, t + 1)


def _through_attention(layer: Layer, weights: Array, t: int, around: str) -> Iterator[Part]:
    width = layer.output.shape[-1]
    own = slice(width, 2 * width) if layer.reverse else slice(width)
    for attention in layer.attended if t in layer.times(0) else ():
        rows = np.flatnonzero(attention.weights[:, 0].any(axis=-1))
        grads = attention.read_grads(rows)[:, t - attention.start, own]
        for k, value in zip(rows, grads.astype(np.float64) @ weights, strict=True):
            yield Part(f"through attention from L at t = {k + 1}{around}", float(value), 0.0, int(k) + 1)


def _other_states(user: _User) -> Iterator[Part]:
    """Along the states that are not the output, as the cell state: element by element."""
    for use in _before_uses(user.layer):
        name = use.value.name
        beside = name != user.layer.equations.output and not isinstance(use.node.operation, Matrix)
        if beside and user.weighing[name].any():
            yield _along(user, use)


def _along(user: _User, use: Use) -> Part:
    weights = user.weighing[use.value.name]
    parts = _passed(user.layer, use, user.t) * weights
    most = parts if parts.any() else weights
    words = use.node.path or f"along {use.node.words or use.node.name} at"
    place = _largest(most, use.value.name, user.layer, user.t)
    elsewhere = user.words.replace(f" at t = {user.t + 1}", "")
    return Part(f"{words} t = {user.t + 1}{elsewhere}", _sum(parts), 0.0, user.t + 1, place)


def _passed(layer: Layer, use: Use, t: int) -> Array:
    """(·,) what a node sends back to a value it reads, float64."""
    return np.asarray(layer.passed_back(use)[t, 0], np.float64)


def _before_uses(layer: Layer) -> Iterator[Use]:
    """Who reads the states of the time step before, in the order of the nodes."""
    for node in layer.equations.nodes:
        for place, value in enumerate(node.operation.values):
            if value.before:
                yield Use(node, place, value)


def _state_of_units(layer: Layer) -> str:
    """What has one value for each unit of the gates; a projected h has fewer."""
    cell = layer.equations
    whole = [name for name in cell.hidden_nodes if cell.node(name).units == "hidden"]
    return (whole or cell.hidden_nodes)[-1]


def _blocks(layer: Layer, use: Use, t: int) -> list[tuple[str, Array, Array]]:
    """For each gate its δ (H,) and its rows (H, P) of the matrix through which a value is read, float64.

    A matrix whose rows are not stacked is all of one gate.
    """
    cell = layer.equations
    delta = layer.passed_on(use.node.name)[t, 0].astype(np.float64)
    weight = layer.slopes.weight(use).astype(np.float64)
    (used,) = use.node.operation.weights
    if cell.parameter_named[used.name].rows != "rows":
        return [(_leads_to(cell, use.node), delta, weight)]
    names = cell.blocks
    return list(zip(names, np.split(delta, len(names)), np.split(weight, len(names)), strict=True))


def _leads_to(cell: Cell, node: Node) -> str:
    """The first gate or state after a node in its time step; without gates the pre-activation."""
    reached = [node]
    for found in reached:
        if found.name in cell.pre_activations or found.name in cell.hidden_nodes:
            return found.name
        reached += [use.node for use in cell.uses[found.name] if not use.value.before]
    raise ValueError(f"{cell.name}: {node.name} must lead to a gate or a state")


def _gate_words(layer: Layer, gate: str) -> str:
    node = layer.equations.by_name.get(gate)
    return f"the {node.words}" if node is not None and node.role in ("gate", "state") else "the pre-activation"


def _largest(values: Array, of: str, layer: Layer, t: int) -> GradientPlace:
    """The unit that contributes most to a path."""
    return GradientPlace(of, layer.name, t + 1, int(np.argmax(np.abs(values))) + 1)


def _sum(values: Array) -> float:
    return float(values.sum())


def sized(found: Iterable[Part]) -> tuple[Part, ...]:
    """Sorted by size, NaN first, with their shares."""
    parts = sorted(found, key=lambda part: -abs(part.value) if part.value == part.value else -np.inf)
    whole = sum(abs(part.value) for part in parts)
    return tuple(
        Part(part.words, part.value, abs(part.value) / whole if whole else 0.0, part.time_step, part.leads_to)
        for part in parts
    )

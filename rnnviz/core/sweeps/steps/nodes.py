"""The generic sweep: any cell forward and backward over time, node by node, with values set by hand and gradients cut.

What depends on x alone is computed for all time steps at once; the rest is scanned. In the backward sweep the
derivatives of all time steps are computed at once, and only what reaches a state of the time step before is scanned.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from types import EllipsisType
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.cells import Cell
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import ArrayNumbers, Matrix, Node, Sum, Value, Weight, times_each
from rnnviz.core.sweeps.steps.plan import Plan, plan_of

NUMBERS = ArrayNumbers()


@dataclass(frozen=True, eq=False)
class SetByHand:
    """What is set in one layer and direction of one sequence, in the layer's own order of its S time steps."""

    where: Mapping[str, Array] = field(default_factory=dict)  # (S, units) bool, by node name
    values: Mapping[str, Array] = field(default_factory=dict)  # (S, units) what is set there
    cut: Array | None = None  # (S,) True where nothing is carried to a state from the time step after it


def sweep_forward(
    cell: Cell,
    weights: Mapping[str, Array],
    x: Array,
    initial: Mapping[str, Array],
    hidden: int,
    by_hand: SetByHand | None = None,
) -> dict[str, Array]:
    """The values of nodes (S, *B, ·) from x (S, *B, I) and the first states (*B, ·): all but products that went into
    a sum, and what leads to no state. Weights may have a leading axis of weight sets, one for each of N sequences."""
    plan, hand = plan_of(cell), SetByHand() if by_hand is None else by_hand
    values = {"x": x}
    for node in plan.beforehand:
        values[node.name] = over_time(node, node_value(cell, node, values, {}, weights, hidden), x)
        if node.name in hand.where:
            values[node.name] = _with(values[node.name], hand, node.name, slice(None))
    found = _scan(_Bound(cell, plan, weights, hidden), values, initial, hand)
    return {name: array for name, array in values.items() if name in cell.by_name or name == "x"} | found


class _Bound:
    """A plan with the weights of one layer put in."""

    def __init__(self, cell: Cell, plan: Plan, weights: Mapping[str, Array], hidden: int) -> None:
        self.cell, self.plan, self.hidden = cell, plan, hidden
        self.sums = [(one, self._used(weights, one.weights)) for one in plan.sums]
        self.steps = [(step, self._used(weights, step.weights)) for step in plan.steps]

    def _used(self, weights: Mapping[str, Array], used: tuple[Weight, ...]) -> list[Array]:
        return [self.cell.used(one, weights, self.hidden) for one in used]


def _scan(
    bound: _Bound, values: Mapping[str, Array], initial: Mapping[str, Array], hand: SetByHand
) -> dict[str, Array]:
    """The values of the plan's steps (S, *B, ·), one time step after the other."""
    cell, plan, hidden = bound.cell, bound.plan, bound.hidden
    slots: list[Any] = [None] * plan.slots
    known = dict(values)
    for one, used in bound.sums:
        read = [read_value(cell, value, known, {}, hidden) for value in one.values]
        known[one.name] = one.sum.compute(NUMBERS, read, used)
    for slot, name in plan.constants:
        slots[slot] = known[name]
    rows = [(slot, read_value(cell, value, known, {}, hidden)) for slot, value in plan.rows]
    befores = [(slot, plan.at[value.name], _cut(cell, value.block, hidden)) for slot, value in plan.befores]
    cuts = [cell.block_rows(block, hidden) for block in cell.blocks]
    put = {name: np.asarray(where.any(axis=-1)) for name, where in hand.where.items()}
    lead, output = values["x"].shape[:-1], initial[cell.output].shape[-1] if cell.output in initial else hidden
    found = {
        step.name: np.empty((*lead, cell.units(cell.node(step.name), hidden, output)), values["x"].dtype)
        for step in plan.steps
    }
    steps = [
        (
            step.operation.compute,
            _reader(step.reads),
            used,
            step.slot,
            tuple(zip(step.blocks, cuts, strict=False)),
            found[step.name],
            step.name if step.name in put else "",
        )
        for step, used in bound.steps
    ]
    if not steps:  # nothing depends on the time step before
        return found
    for state, first in initial.items():
        slots[plan.at[state]] = first
    for t in range(lead[0]):
        for slot, at, part in befores:
            slots[slot] = slots[at] if part is None else slots[at][part]
        for slot, array in rows:
            slots[slot] = array[t]
        for compute, read_slots, used, slot, blocks, kept, name in steps:
            value = compute(_STEP, read_slots(slots), used)
            if name and put[name][t]:
                value = _with(value, hand, name, t)
            slots[slot] = value
            for each, block_rows in blocks:
                slots[each] = value[..., block_rows]
            kept[t] = value
    return found


def _reader(reads: tuple[int, ...]) -> Callable[[list[Any]], Sequence[Any]]:
    """What takes a node's values out of the slots."""
    if len(reads) > 1:
        return itemgetter(*reads)
    return lambda slots: (slots[reads[0]],)


def _cut(cell: Cell, block: str, hidden: int) -> tuple[EllipsisType, slice] | None:
    return (..., cell.block_rows(block, hidden)) if block else None


class _StepNumbers(ArrayNumbers):
    """`ArrayNumbers` for one time step."""

    def times(self, value: Array, weight: Array) -> Array:
        return np.asarray(np.dot(value, weight.T)) if weight.ndim == 2 else times_each(value, weight)


_STEP = _StepNumbers()


def _with(value: Array, by_hand: SetByHand, name: str, t: int | slice) -> Array:
    """A node's value (units) at one time step, or (S, units) at all, with what is set of it written over."""
    where: Array = by_hand.where[name][t]
    return np.where(where, by_hand.values[name][t], value).astype(value.dtype, copy=False)


def node_value(
    cell: Cell,
    node: Node,
    values: Mapping[str, Array],
    before: Mapping[str, Array],
    weights: Mapping[str, Array],
    hidden: int,
) -> Array:
    """What a node computes from the values of this time step and the states of the one before; any leading axes."""
    read = [read_value(cell, value, values, before, hidden) for value in node.operation.values]
    used = [cell.used(weight, weights, hidden) for weight in node.operation.weights]
    result: Array = node.operation.compute(NUMBERS, read, used)
    return result


def over_time(node: Node, value: Array, x: Array) -> Array:
    """(…, units) at every time step and of every sequence of x, also of a node that follows from weights alone."""
    return value if node.operation.values else np.broadcast_to(value, (*x.shape[:-1], value.shape[-1])).copy()


def read_value(
    cell: Cell, value: Value, values: Mapping[str, Array], before: Mapping[str, Array], hidden: int
) -> Array:
    """The array a node reads, one block of it where that is meant."""
    array = (before if value.before else values)[value.name]
    return array[..., cell.block_rows(value.block, hidden)] if value.block else array


def _zeroed(array: Array, outside: Array | None) -> Array:
    """(T, N, ·) with 0 outside, whatever stands there."""
    return array if outside is None else np.where(outside[:, :, None], array.dtype.type(0), array)


class NodeValues(Mapping[str, Array]):
    """The values of all nodes of a cell: those known already, the others computed when they are first asked for."""

    def __init__(
        self,
        cell: Cell,
        known: Mapping[str, Array],
        before: Mapping[str, Array],
        weights: Mapping[str, Array],
        hidden: int,
        outside: Array | None = None,
    ) -> None:
        """`outside` (T, N): True where a sequence has no time step, so that every value is 0."""
        self._cell, self._before, self._weights, self._hidden = cell, before, weights, hidden
        self._known, self._outside = dict(known), outside

    def __getitem__(self, name: str) -> Array:
        if name not in self._known:
            self._known[name] = frozen(self._computed(name))
        return self._known[name]

    @one_blas_thread
    @np.errstate(all="ignore")
    def _computed(self, name: str) -> Array:
        node = self._cell.node(name)
        value = node_value(self._cell, node, self, self._before, self._weights, self._hidden)
        return _zeroed(over_time(node, value, self._known["x"]), self._outside)

    @one_blas_thread
    @np.errstate(all="ignore")
    def at(self, name: str, t: int, sample: int) -> Array:
        """The value (units,) at one time step of one sequence, both 0-based; others are not computed for it."""
        if name in self._known:
            return np.asarray(self._known[name][t, sample])
        row = t, sample
        node = self._cell.node(name)
        values = {value.name: self.at(value.name, t, sample) for value in node.operation.values if not value.before}
        before = {value.name: self._before[value.name][row] for value in node.operation.values if value.before}
        value = node_value(self._cell, node, values, before, self._weights, self._hidden)
        return value if self._outside is None or not self._outside[row] else np.zeros_like(value)

    def __iter__(self) -> Iterator[str]:
        return iter(("x", *self._cell.by_name))

    def __len__(self) -> int:
        return 1 + len(self._cell.by_name)


class Slopes:
    """The derivatives of all nodes by what they read, of all time steps at once, each computed when first asked for."""

    def __init__(
        self,
        cell: Cell,
        weights: Mapping[str, Array],
        values: Mapping[str, Array],
        before: Mapping[str, Array],
        hidden: int,
        outside: Array | None = None,
    ) -> None:
        """`values` of all nodes and `before`, the states of the time step before, (…, units); `outside` (T, N): True
        where a sequence has no time step, so that every derivative is 0."""
        self._outside = outside
        self.cell, self.weights, self.hidden = cell, weights, hidden
        self._values, self._before = values, before
        self._known: dict[tuple[str, int], Array | None] = {}

    def weight(self, use: Use) -> Array:
        """The rows of the matrix through which a value is read."""
        return self.cell.used(use.node.operation.weights[0], self.weights, self.hidden)

    def of(self, use: Use) -> Array | None:
        """The derivative element by element; None where it is 1."""
        if isinstance(use.node.operation, Sum):
            return None  # without computing what it sums
        key = use.node.name, use.place
        if key not in self._known:
            self._known[key] = self._inside(
                use.node.operation.slope(
                    use.place, self._read(use.node), self._values[use.node.name], self._used(use.node)
                )
            )
        return self._known[key]

    def by_weight(self, node: Node, place: int) -> Array | None:
        """The derivative of a node by one of the weights it uses, element by element; None where it is 1."""
        if isinstance(node.operation, Sum):
            return None
        return self._inside(node.operation.weight_slope(place, self._read(node), self._used(node)))

    def _inside(self, slope: Array | None) -> Array | None:
        """With 0 outside, also where a value of 0 has no derivative."""
        return _zeroed(slope, self._outside) if slope is not None and slope.ndim == 3 else slope

    def _read(self, node: Node) -> list[Array]:
        return [read_value(self.cell, one, self._values, self._before, self.hidden) for one in node.operation.values]

    def _used(self, node: Node) -> list[Array]:
        return [self.cell.used(one, self.weights, self.hidden) for one in node.operation.weights]


def passed_back(use: Use, gradient: Array, slope: Array | None, weight: Array | None) -> Array:
    """What a node's gradient sends to a value it reads."""
    if weight is not None and weight.ndim > 2:
        return times_each(gradient, weight.swapaxes(1, 2))
    if weight is not None:
        rows = gradient.reshape(-1, gradient.shape[-1])
        return np.asarray(np.dot(rows, weight).reshape(*gradient.shape[:-1], weight.shape[1]))
    return gradient if slope is None else np.asarray(gradient * slope)


class StepBack:
    """One time step backward for any number of gradients at once: from those of the states to those before them."""

    def __init__(self, slopes: Slopes, inputs: bool = False) -> None:
        """`inputs`: whether the gradient of x is wanted, too; else only what leads to a state is computed."""
        cell = slopes.cell
        self._slopes, self._cell = slopes, cell
        wanted = {node.name for node in cell.nodes if inputs or node.name in cell.recurrent}
        self._nodes = [node for node in reversed(cell.nodes) if node.name in wanted]
        self._sizes = {node.name: len(cell.blocks) * slopes.hidden for node in cell.nodes if node.units == "rows"}
        self._reads: list[tuple[Node, list[tuple[Use, Array | None, Array | None]]]] = []
        for node in self._nodes:
            reads = []
            for place, value in enumerate(node.operation.values):
                if value.before or value.name in wanted or (inputs and value.name == "x"):
                    use = Use(node, place, value)
                    matrix = isinstance(node.operation, Matrix)
                    reads.append((use, None if matrix else slopes.of(use), slopes.weight(use) if matrix else None))
            self._reads.append((node, reads))

    def __call__(
        self,
        at: object,
        states: Mapping[str, Array],
        closed: Mapping[str, Array] | None = None,
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Gradients of the states of the time step before, and of all nodes (and "x") of this one.

        `at` picks the time step out of the slopes (their leading axes); `states` gives what reaches each state from
        outside this time step. Where `closed` is True a value was set by hand and its gradient goes no further.
        """
        cell, hidden = self._cell, self._slopes.hidden
        found: dict[str, Array] = dict(states)
        before: dict[str, Array] = {}
        stacked = set[str]()  # whose gradients are arrays of our own, block by block
        for node, reads in self._reads:
            gradient = found.get(node.name)
            if gradient is None:
                continue
            if closed is not None and node.name in closed:
                gradient = np.where(closed[node.name][at], gradient.dtype.type(0), gradient)  # type: ignore[call-overload]
            for use, slope, weight in reads:
                if slope is not None and slope.ndim > 1:
                    slope = slope[at]  # type: ignore[call-overload]
                part = passed_back(use, gradient, slope, weight)
                target, value = (before, use.value) if use.value.before else (found, use.value)
                known = target.get(value.name)
                if value.block:
                    if value.name not in stacked:
                        stacked.add(value.name)
                        whole = np.zeros((*part.shape[:-1], self._sizes[value.name]), part.dtype)
                        known = target[value.name] = whole if known is None else whole + known
                    assert known is not None
                    known[..., cell.block_rows(value.block, hidden)] += part
                else:
                    target[value.name] = part if known is None else known + part
        return before, found


@dataclass(frozen=True)
class Final:
    """What comes to the final states from outside: (*B, ·) by state, at the last time step of each sequence."""

    gradients: Mapping[str, Array]
    lasts: Array  # (*B) that time step, 0-based

    def at(self, t: int) -> dict[str, Array]:
        """Their gradients where `t` is the last time step, else 0; empty where it is that of no sequence."""
        here = np.asarray(self.lasts == t)
        if not here.any():
            return {}
        return {
            state: np.where(here[..., None], array, 0).astype(array.dtype) for state, array in self.gradients.items()
        }

"""Plan of a forward sweep: what of a cell is known for all time steps at once, and what is left for each of them.

Arrays and tensors follow the same plan. Every value that is read within a time step has a slot in a list. What of a sum
is known beforehand is added up once, with its biases; a matrix product that is all the rest of it becomes one operation
with it; and a value that is read block by block is cut once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Matrix, Node, Numbers, Operation, Sum, Value, Weight


@dataclass(frozen=True)
class Affine:
    """u + W v: a product added to what is known."""

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return values[0] + numbers.times(values[1], weights[0])


@dataclass(frozen=True)
class Known:
    """What of a sum is known beforehand: of all time steps, or without values the same at each."""

    name: str
    values: tuple[Value, ...]
    weights: tuple[Weight, ...]

    @property
    def sum(self) -> Sum:
        return Sum((*self.values, *self.weights))


@dataclass(frozen=True)
class Step:
    """One node of a time step: the slots it reads, and those of its value and of the blocks of it."""

    name: str
    operation: Operation | Affine
    reads: tuple[int, ...]
    weights: tuple[Weight, ...]
    slot: int
    blocks: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """How the nodes of a cell are computed over time."""

    beforehand: tuple[Node, ...]  # from x alone, for all time steps at once
    sums: tuple[Known, ...]  # then these
    steps: tuple[Step, ...]  # one time step after the other
    slots: int  # how many
    rows: tuple[tuple[int, Value], ...]  # of each time step, in its slot
    constants: tuple[tuple[int, str], ...]  # sums of biases alone, in their slot
    befores: tuple[tuple[int, Value], ...]  # of the states before
    at: Mapping[str, int]  # the slots of the states and of the output


@lru_cache(maxsize=128)
def plan_of(cell: Cell) -> Plan:
    """The plan that gives the states, the output and what can be set by hand, each at its time step."""
    settable = [node.name for node in cell.settable if node.name in cell.recurrent]
    return _Planner(cell, (*cell.states, *settable, cell.output)).plan()


class _Planner:
    """Gathers the slots while it goes through the nodes."""

    def __init__(self, cell: Cell, wanted: tuple[str, ...]) -> None:
        self._cell, self._wanted = cell, wanted
        self._slots: dict[Value, int] = {}
        self._beforehand = {node.name for node in cell.nodes if node.name not in cell.recurrent}
        self._sums: list[Known] = []
        self._steps: list[Step] = []

    def plan(self) -> Plan:
        cell = self._cell
        needed = self._needed()
        for node in cell.nodes:
            if node.name in needed:
                self._steps.append(self._step(node))
        for name in self._wanted:
            self._slot(Value(name))
        steps = tuple(replace(step, blocks=self._blocks(step.name)) for step in self._steps)
        known = {one.name for one in self._sums if one.values}
        return Plan(
            beforehand=tuple(node for node in cell.nodes if node.name in self._beforehand),
            sums=tuple(self._sums),
            steps=steps,
            rows=tuple(
                (slot, value)
                for value, slot in self._slots.items()
                if not value.before and (value.name in known or value.name in self._beforehand or value.name == "x")
            ),
            constants=tuple((self._slots[Value(one.name)], one.name) for one in self._sums if not one.values),
            befores=tuple((slot, value) for value, slot in self._slots.items() if value.before),
            slots=len(self._slots),
            at={name: self._slots[Value(name)] for name in self._wanted},
        )

    def _needed(self) -> set[str]:
        """The recurrent nodes that lead to a wanted one of the same time step."""
        needed = {name for name in self._wanted if name in self._cell.recurrent}
        for node in reversed(self._cell.nodes):
            if node.name in needed:
                needed |= {
                    value.name
                    for value in node.operation.values
                    if not value.before and value.name in self._cell.recurrent
                }
        return needed

    def _slot(self, value: Value) -> int:
        return self._slots.setdefault(value, len(self._slots))

    def _blocks(self, name: str) -> tuple[int, ...]:
        """The slots of all blocks of a node where one is read."""
        blocks = [Value(name, block=block) for block in self._cell.blocks]
        return tuple(map(self._slot, blocks)) if any(value in self._slots for value in blocks) else ()

    def _step(self, node: Node) -> Step:
        operation, values = node.operation, node.operation.values
        if isinstance(operation, Sum):
            known = tuple(value for value in values if not value.before and value.name not in self._cell.recurrent)
            if known or operation.weights:
                rest = tuple(value for value in values if value not in known)
                self._sums.append(Known(f"known of {node.name}", known, operation.weights))
                first = Value(self._sums[-1].name)
                product = self._only_product(rest)
                if product is not None:
                    self._steps.remove(product)
                    reads = (self._slot(first), *product.reads)
                    return Step(node.name, Affine(), reads, product.weights, self._slot(Value(node.name)))
                operation, values = Sum((first, *rest)), (first, *rest)
        return Step(
            node.name, operation, tuple(map(self._slot, values)), operation.weights, self._slot(Value(node.name))
        )

    def _only_product(self, rest: tuple[Value, ...]) -> Step | None:
        """The matrix product that is all the rest of a sum and that nobody else wants."""
        if len(rest) != 1 or rest[0].block or rest[0].before or len(self._cell.uses[rest[0].name]) > 1:
            return None
        if rest[0].name in self._wanted or not isinstance(self._cell.node(rest[0].name).operation, Matrix):
            return None
        return next(step for step in self._steps if step.name == rest[0].name)

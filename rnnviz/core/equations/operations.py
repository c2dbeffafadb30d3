"""The named operations of each cell, in order: what a person steps through inside one time step, with its equations."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Matrix, Node
from rnnviz.core.equations.equation import Equation, passed
from rnnviz.core.equations.places import at, check_place
from rnnviz.core.equations.writing import Writing
from rnnviz.core.structure import Structure

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer


@dataclass(frozen=True)
class Operation:
    """One operation of a cell: one or a few of its nodes. The backward sweep goes through them in reverse."""

    key: str  # "W x", "f", "h", …
    symbol: str  # of what it computes, as markup: "f_t"
    words: str
    nodes: tuple[Node, ...]  # those that are shown, which have symbols
    forward: tuple[Equation, ...]  # one for each kind of block where they differ
    backward: tuple[Equation, ...]  # the chain rule; together the gradient that `backward_value` gives
    added: tuple[Equation, ...] = ()  # what each of its parameters' gradients gets at this time step

    @property
    def backward_symbol(self) -> str:
        """Of its gradient: "∂L/∂f_t"."""
        return self.backward[0].result.symbol if len(self.backward) == 1 else f"∂L/∂{self.symbol}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters it uses, torch's names without the layer: "weight_hh"."""
        return tuple(equation.result.of for equation in self.added)

    @property
    def passes_on(self) -> bool:
        """Whether its gradient is that of a later sum, so that what it passes on is told instead."""
        return _passes_on(self.nodes[-1])

    @property
    def sums_up(self) -> bool:
        """Whether it makes a state, or what a state is made of, and not a gate or a pre-activation."""
        return any(node.role == "state" for node in self.nodes) or all(
            node.role == "inner" and not isinstance(node.operation, Matrix) for node in self.nodes
        )

    @property
    def gate(self) -> Node | None:
        """The gate or candidate it computes."""
        return self.nodes[-1] if self.nodes[-1].role == "gate" else None

    @np.errstate(all="ignore")
    def forward_value(self, layer: "Layer", t: int, sample: int = 0) -> Array:
        """What it computed at time step `t` (0-based): (H,), (P,) for h, or (G,) for all pre-activations at once."""
        check_place(layer, t, sample)
        return _whole([layer.value_at(node.name, t, sample) for node in self.nodes])

    @np.errstate(all="ignore")
    def backward_value(self, layer: "Layer", t: int, sample: int = 0) -> Array:
        """Its gradient at time step `t` (0-based): ∂L/∂ what it computed.

        For "W x" and "U h", whose results have the gradient ∂L/∂a_t of "bias", what they pass on instead: ∂L/∂x_t (I,)
        and W_hhᵀ ∂L/∂a_t (P,), which is carried to h_{t−1}.
        """
        check_place(layer, t, sample)
        if self.passes_on:
            return passed(layer, self.nodes[-1].name, t, sample)
        return _whole([at(layer.grad(node.name), t, sample) for node in self.nodes])


def _whole(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def operations(structure: Structure) -> tuple[Operation, ...]:
    """The operations of every time step of this structure, in the order of the forward sweep."""
    return operations_of_cell(structure.equations)


def operations_of(layer: "Layer") -> tuple[Operation, ...]:
    """The operations of this layer's cell."""
    return operations_of_cell(layer.equations)


def operation_keys(structure: Structure) -> tuple[str, ...]:
    """The keys of `operations`, which name them in a cursor."""
    return tuple(operation.key for operation in operations(structure))


@lru_cache(maxsize=64)
def operations_of_cell(cell: Cell) -> tuple[Operation, ...]:
    """The operations of a cell, in the order of the forward sweep."""
    writing = Writing(cell)
    return tuple(_operation(writing, key, nodes) for key, nodes in cell.steps)


def _operation(writing: Writing, key: str, nodes: tuple[Node, ...]) -> Operation:
    cell = writing.cell
    shown = tuple(node for node in nodes if node.symbol)
    last = shown[-1]
    group = cell.groups.get(key)
    words = f"{last.words}: {last.explained}" if last.explained else last.words
    if _passes_on(last):
        backward: tuple[Equation, ...] = (writing.passes(last),)
    else:
        backward = tuple(equation for node in shown for equation in writing.gradients(node))
    first_used = [p.name for p in cell.parameters if cell.weight_uses(p.name)[0][0] in nodes]
    return Operation(
        key,
        group.symbol if group else last.symbol,
        group.words if group else words,
        shown,
        tuple(writing.computes(node) for node in shown),
        backward,
        tuple(writing.added(parameter) for parameter in first_used),
    )


def _passes_on(node: Node) -> bool:
    operation = node.operation
    return isinstance(operation, Matrix) and (operation.value.before or operation.value.name == "x")

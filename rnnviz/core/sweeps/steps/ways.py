"""Ways of a gradient within one time step: the derivatives between two matrices, multiplied together beforehand.

Between two matrices everything is element by element, so that what leads from one junction to another is one product
for each block, of all time steps at once.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import Matrix, Node

Factor = Array | None  # the product of derivatives along all ways from one node to another; None: 1
Spread = dict[str, Factor]  # by block of the node that is reached, "" for it as a whole


class Neighbours(NamedTuple):
    """A run of neighbouring blocks that is reached by one product."""

    first: int
    factors: tuple[Factor, ...]


def junctions_of(cell: Cell, nodes: Collection[Node]) -> set[str]:
    """The names at which ways begin and end: states, the output, matrix products, and what such products read."""
    products = [node for node in nodes if isinstance(node.operation, Matrix)]
    read = (value.name for node in products for value in node.operation.values)
    return {*cell.states, cell.output, *(node.name for node in products), *read}


class Ways:
    """What leads from each junction of a cell to the others, bound to the derivatives of one layer."""

    def __init__(
        self,
        cell: Cell,
        hidden: int,
        nodes: list[Node],
        junctions: Collection[str],
        slope: Callable[[Use], Array | None],
        closed: Mapping[str, Array],
        dtype: Any,
    ) -> None:
        """`nodes` last first, those that are gone through; `slope` (S, …) by use, and `closed` (S, …) by node: True
        where it was set by hand and its gradient goes no further."""
        self._cell, self._hidden, self._nodes, self._junctions = cell, hidden, nodes, junctions
        self._slope, self._closed, self._dtype = slope, closed, np.dtype(dtype)
        self._wanted = {node.name for node in nodes} | ({"x"} & set(junctions))

    def from_junction(self, start: str) -> tuple[dict[str, Spread], dict[str, Spread]]:
        """The ways from one to other junctions of this time step, and to the states of the one before."""
        found: dict[str, Spread] = {start: {"": None}}
        before: dict[str, Spread] = {}
        for node in self._nodes:
            spread = found.get(node.name)
            if spread is None or (node.name in self._junctions and node.name != start):
                continue
            spread = self._open(node, spread)
            for place, value in enumerate(node.operation.values):
                if not (value.before or value.name in self._wanted):
                    continue
                slope = self._slope(Use(node, place, value))
                part = {value.block or block: self._times(factor, slope, block) for block, factor in spread.items()}
                target = before if value.before else found
                target[value.name] = self._sum(target[value.name], part) if value.name in target else part
        reached = {name: spread for name, spread in found.items() if name in self._junctions and name != start}
        return reached, before

    def neighbours(self, spread: Spread) -> Iterator[Neighbours]:
        """The blocks of a spread as runs of neighbours."""
        numbers = sorted(self._cell.blocks.index(block) for block in spread)
        while numbers:
            count = next((i for i in range(1, len(numbers)) if numbers[i] != numbers[0] + i), len(numbers))
            first, numbers = numbers[0], numbers[count:]
            yield Neighbours(first, tuple(spread[name] for name in self._cell.blocks[first : first + count]))

    def _rows(self, block: str) -> slice:
        return self._cell.block_rows(block, self._hidden)

    def _open(self, node: Node, spread: Spread) -> Spread:
        """Nothing where the node was set by hand."""
        closed = self._closed.get(node.name)
        if closed is None:
            return spread
        found: Spread = {}
        for block, factor in spread.items():
            here = closed[:, self._rows(block)] if block else closed
            found[block] = np.where(here, self._dtype.type(0), self._dtype.type(1) if factor is None else factor)
        return found

    def _times(self, factor: Factor, slope: Array | None, block: str) -> Factor:
        if slope is None:
            return factor
        part = slope[..., self._rows(block)] if block and slope.ndim else slope
        return part if factor is None else np.asarray(factor * part)

    def _sum(self, one: Spread, other: Spread) -> Spread:
        if one.keys() != other.keys() and ("" in one or "" in other):
            one, other = self._by_block(one), self._by_block(other)
        found = dict(one)
        for block, factor in other.items():
            found[block] = _plus(found[block], factor, self._dtype) if block in found else factor
        return found

    def _by_block(self, spread: Spread) -> Spread:
        if "" not in spread:
            return spread
        whole = spread[""]
        return {block: None if whole is None else self._times(None, whole, block) for block in self._cell.blocks}


def _plus(one: Factor, other: Factor, dtype: Any) -> Factor:
    ones = np.ones((), dtype)
    return np.asarray((ones if one is None else one) + (ones if other is None else other))

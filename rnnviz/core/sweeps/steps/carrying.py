"""Carried gradients: what each time step sends to the states of the one before, for any cell, by one reverse scan.

The derivatives between two matrices are multiplied together beforehand, for all time steps at once (`Ways`). What is
left for the scan are the matrices and, between them, one product for each way. All other
gradients follow from what came to the states, again for all time steps at once (`Layer.grad`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Gradients
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import Matrix, Node, times_each
from rnnviz.core.sweeps.steps.nodes import Final, SetByHand, Slopes
from rnnviz.core.sweeps.steps.ways import Factor, Spread, Ways, junctions_of


def sweep_backward(
    slopes: Slopes,
    direct: Array,
    by_hand: SetByHand | None = None,
    final: Final | None = None,
    cut: Array | None = None,
) -> Gradients:
    """The reverse scan: from direct ∂L_t/∂ output (S, *B, P) to what comes to each state from the one after.

    `cut` (S,), or (S, N), is True where nothing comes from it."""
    return Gradients({}, _Scan(slopes, direct, SetByHand() if by_hand is None else by_hand, final, cut).arriving())


@dataclass(eq=False)
class _Junction:
    """A node whose gradient the scan gathers: a state, the output, a matrix product, or what such a product reads."""

    node: Node
    gradient: Array  # (*B, ·) of the time step the scan is at
    parts: "list[_Part]" = field(default_factory=list)  # whose sum it is
    closed: Array | None = None  # (S, ·) of a product: True where it was set by hand

    def add(self, part: "_Part") -> None:
        self.parts.append(part)

    def steps(self) -> list[Callable[[int], None]]:
        """What writes the gradient of a time step, part by part; what no part writes stays 0."""
        self.gradient[...] = 0
        written = np.zeros(self.gradient.shape[-1], bool)
        found: list[Callable[[int], None]] = []
        for part in self.parts:
            here = written[part.columns]
            if here.any() and not here.all():  # begun in places only
                found.insert(0, self._clear)
                written[...] = here = np.ones_like(written)
            found.append(part.add if here.all() else part.write)
            written[part.columns] = True
        return found

    def _clear(self, t: int) -> None:
        self.gradient[...] = 0


class _Part(Protocol):
    """One part of a junction's gradient."""

    @property
    def columns(self) -> slice:
        """Which of its units it is a part of."""

    def write(self, t: int) -> None:
        """Writes it at one time step."""

    def add(self, t: int) -> None:
        """Adds it to what is there."""


@dataclass(frozen=True, eq=False)
class _Given:
    """What comes from outside the scan's time step."""

    values: Array  # (S, *B, ·)
    into: Array
    columns: slice

    def write(self, t: int) -> None:
        self.into[...] = self.values[t]

    def add(self, t: int) -> None:
        np.add(self.into, self.values[t], self.into)


@dataclass(frozen=True, eq=False)
class _Way:
    """What another junction sends element by element."""

    gradient: Array
    factor: Factor  # (S, …)
    into: Array
    columns: slice

    def write(self, t: int) -> None:
        if self.factor is None:
            self.into[...] = self.gradient
        else:
            np.multiply(self.gradient, self.factor[t], self.into)

    def add(self, t: int) -> None:
        part = self.gradient if self.factor is None else self.gradient * self.factor[t]
        np.add(self.into, part, self.into)


@dataclass(frozen=True, eq=False)
class _Product:
    """What a matrix product sends to what it reads."""

    gradient: Array
    weight: Array
    into: Array
    columns: slice

    def write(self, t: int) -> None:
        self.into[...] = self._sent()

    def add(self, t: int) -> None:
        np.add(self.into, self._sent(), self.into)

    def _sent(self) -> Array:
        if self.weight.ndim > 2:
            return times_each(self.gradient, self.weight.swapaxes(1, 2))
        return np.asarray(np.dot(self.gradient, self.weight))


class _Scan:
    """The junctions of one layer, last one first, bound to its derivatives."""

    def __init__(
        self, slopes: Slopes, direct: Array, by_hand: SetByHand, final: Final | None, cut: Array | None
    ) -> None:
        self._slopes, self._cell, self._direct = slopes, slopes.cell, direct
        self._hand, self._final, self._cut = by_hand, final, cut
        cell = self._cell
        self._nodes = [node for node in reversed(cell.nodes) if node.name in cell.recurrent]
        names = junctions_of(cell, self._nodes)
        self._ways = Ways(cell, slopes.hidden, self._nodes, names, slopes.of, self._hand.where, direct.dtype)
        self._arriving = {
            state: np.zeros((*direct.shape[:-1], self._units(cell.node(state))), direct.dtype) for state in cell.states
        }
        self._before = {
            state: _Junction(cell.node(state), np.empty_like(self._arriving[state][0])) for state in cell.states
        }
        self._junctions = {
            node.name: _Junction(node, np.empty((*direct.shape[1:-1], self._units(node)), direct.dtype))
            for node in self._nodes
            if node.name in names
        }
        for junction in self._junctions.values():
            name = junction.node.name
            if isinstance(junction.node.operation, Matrix):
                self._product(junction, junction.node.operation)
            else:
                self._ways_from(junction)
            if name == cell.output:
                junction.add(_Given(direct, junction.gradient, slice(None)))
            if name in cell.states:
                junction.add(_Given(self._arriving[name], junction.gradient, slice(None)))

    def arriving(self) -> dict[str, Array]:
        """(S, *B, ·) by state what the time step after sent to it."""
        last = len(self._direct) - 1
        befores = [(self._arriving[state], one.gradient, one.steps()) for state, one in self._before.items()]
        moves: list[Callable[[int], None]] = []
        for junction in self._junctions.values():
            moves += junction.steps()
            if junction.closed is not None:
                moves.append(partial(_close, junction.gradient, junction.closed))
        if self._final is not None:
            self._add_final(last)
        for t in range(last, 0, -1):
            for move in moves:
                move(t)
            cut = None if self._cut is None else self._cut[t - 1]
            if cut is None or not cut.all():
                for arriving, gradient, steps in befores:
                    for step in steps:
                        step(t)
                    arriving[t - 1] = gradient
                    if cut is not None and cut.any():  # of some sequences
                        arriving[t - 1, cut] = 0
            if self._final is not None:
                self._add_final(t - 1)
        return self._arriving

    def _add_final(self, t: int) -> None:
        assert self._final is not None  # the caller looked
        for state, gradient in self._final.at(t).items():
            self._arriving[state][t] += gradient

    def _units(self, node: Node) -> int:
        return self._cell.units(node, self._slopes.hidden, self._direct.shape[-1])

    def _rows(self, block: str) -> slice:
        return self._cell.block_rows(block, self._slopes.hidden)

    def _product(self, junction: _Junction, operation: Matrix) -> None:
        value = operation.value
        target = self._before[value.name] if value.before else self._junctions.get(value.name)
        if target is not None:
            columns = self._rows(value.block)
            weight = self._slopes.weight(Use(junction.node, 0, value))
            target.add(_Product(junction.gradient, weight, target.gradient[..., columns], columns))
        if junction.node.name in self._hand.where:
            junction.closed = self._hand.where[junction.node.name]

    def _ways_from(self, start: _Junction) -> None:
        """Adds to each junction that gradients of `start` lead to, and to the states before, the way to it."""
        found, before = self._ways.from_junction(start.node.name)
        for name, spread in found.items():
            self._join(start.gradient, self._junctions[name], spread)
        for name, spread in before.items():
            self._join(start.gradient, self._before[name], spread)

    def _join(self, source: Array, target: _Junction, spread: Spread) -> None:
        """Adds the ways from one junction to another; neighbouring blocks are one way."""
        lead, size = self._direct.shape[:-1], self._slopes.hidden
        if "" in spread:
            factor = spread[""]
            whole = None if factor is None else np.broadcast_to(factor, (*lead, target.gradient.shape[-1]))
            target.add(_Way(source, whole, target.gradient, slice(None)))
            return
        stacked = target.gradient.reshape(*target.gradient.shape[:-1], len(self._cell.blocks), size)
        for first, factors in self._ways.neighbours(spread):
            count = len(factors)
            if all(factor is None for factor in factors):
                factor = None
            else:
                ones = np.ones((), self._direct.dtype)
                parts = [np.broadcast_to(ones if one is None else one, (*lead, size)) for one in factors]
                factor = np.stack(parts, axis=-2)
            into, columns = stacked[..., first : first + count, :], slice(first * size, (first + count) * size)
            target.add(_Way(source[..., None, :], factor, into, columns))


def _close(gradient: Array, closed: Array, t: int) -> None:
    """Nothing where it was set by hand at this time step."""
    gradient[..., closed[t]] = 0

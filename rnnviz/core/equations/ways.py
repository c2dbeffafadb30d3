"""Ways back: how a state's gradient comes from the neighbouring time step, each way apart.

∂L/∂c_t of an LSTM comes along the cell state, f_{t+1} ⊙ ∂L/∂c_{t+1}, its ∂L/∂h_t through the weights,
W_hhᵀ ∂L/∂a_{t+1}; ∂L/∂h_t of a GRU comes both ways. What comes by all of them is `Layer.arriving`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import Diagonal, Matrix
from rnnviz.core.equations.places import from_after
from rnnviz.core.equations.writing import Writing
from rnnviz.core.sweeps.layer import Layer

WayKind = Literal["along", "weights", "peepholes"]  # element by element; through a matrix; through diagonals


@dataclass(frozen=True)
class Way:
    """One way from a state's readers of the next time step back to the state; at the end of a layer's own way from the
    readers in the layers of later calls that begin there."""

    state: str
    kind: WayKind
    uses: tuple[Use, ...]
    symbol: str  # of what comes: "f_{t+1} ⊙ ∂L/∂c_{t+1}"

    @property
    def parameter(self) -> str:
        """The matrix it goes through, torch's name without the layer; "" where it goes through none."""
        weights = [weight.name for use in self.uses for weight in use.node.operation.weights]
        return weights[0] if self.kind == "weights" else ""

    @np.errstate(all="ignore")
    def came(self, layer: Layer, steps: range, sample: int = 0) -> Array:
        """(S, units) what comes this way to the state at each of these time steps (0-based), zeros where none does."""
        if layer.equations.recorded:
            return np.asarray(layer.arriving[self.state][steps.start : steps.stop, sample])
        found = np.zeros((len(steps), layer.structure.units(self.state)), layer.output.dtype)
        from_ = [from_after(layer, t, sample) for t in steps]
        there = [place for place in from_ if place is not None]
        if there:
            readers = range(min(there), max(there) + 1)
            sent = self._sent(layer, readers, sample)
            for row, place in enumerate(from_):
                if place is not None:
                    found[row] = sent[place - readers.start]
        own = layer.times(sample)
        last = own[0 if layer.reverse else -1] if own else -1
        if last in steps and layer.arriving[self.state][last, sample].any():  # or nothing is handed back, or it is cut
            found[last - steps.start] += self._handed_back(layer, sample)
        return found

    def _sent(self, layer: Layer, readers: range, sample: int) -> Array:
        """(S, units) what these time steps of a layer send back to the states before their own."""
        where = slice(readers.start, readers.stop), slice(sample, sample + 1)
        parts = [layer.passed_back(use, where)[:, 0] for use in self.uses]
        return np.asarray(sum(parts[1:], parts[0]))

    def _handed_back(self, layer: Layer, sample: int) -> Array:
        """(units,) what comes from the first time steps of later calls, which have the same cell."""
        found = np.zeros(layer.structure.units(self.state), layer.output.dtype)
        for beyond in layer.beyond:
            follower = beyond.layer
            assert isinstance(follower, Layer)  # in a trace they all are
            if follower.equations.recorded:
                continue
            own = follower.times(sample)
            first = own[-1 if follower.reverse else 0]
            sent = self._sent(follower, range(first, first + 1), sample)[0]
            found += sent if beyond.weights is None else sent @ beyond.weights[self.state]
        return found


@lru_cache(maxsize=64)
def ways_back(cell: Cell) -> tuple[Way, ...]:
    """All ways, in the order of the states; of each state first along it. Of a user's own cell one way for each state:
    what it goes through is not known."""
    if cell.recorded:
        symbols = {state: cell.node(state).symbol.removesuffix("_t") for state in cell.states}
        return tuple(Way(state, "along", (), f"∂L_{{>t}}/∂{symbol}_t") for state, symbol in symbols.items())
    writing, found = Writing(cell), list[Way]()
    for state in cell.states:
        by_kind: dict[WayKind, list[Use]] = {"along": [], "weights": [], "peepholes": []}
        for use in cell.uses[state]:
            if use.value.before:
                by_kind[_kind(use)].append(use)
        for kind, uses in by_kind.items():
            if uses:
                pieces = [writing.sent_back(use) for use in uses]
                texts = [piece.template.format(*(term.symbol for term in piece.terms)) for piece in pieces]
                found.append(Way(state, kind, tuple(uses), " + ".join(texts)))
    return tuple(found)


def _kind(use: Use) -> WayKind:
    if isinstance(use.node.operation, Matrix):
        return "weights"
    return "peepholes" if isinstance(use.node.operation, Diagonal) else "along"

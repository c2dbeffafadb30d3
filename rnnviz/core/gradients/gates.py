"""Gates: how often each unit's gate is shut or open, and for how long a unit keeps what it holds.

Saturation as in Karpathy, Johnson & Fei-Fei 2015 (below 0.1, above 0.9).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Mix, Node, Product, RealPart, Sum, Value
from rnnviz.core.magnitude import SATURATED_ABOVE, SATURATED_BELOW
from rnnviz.core.sweeps.layer import Layer


@dataclass(frozen=True, eq=False)
class GateUnits(FrozenArrays):
    """One gate's values over the time steps of one sequence or of all, by unit."""

    name: str  # of its node: "f"
    symbol: str  # "f"
    words: str  # "forget gate"
    family: str  # of its colour
    below: Array  # (H,) float64 share of values below 0.1; NaN where a value is
    above: Array  # (H,) float64 share of values above 0.9; likewise
    smallest: Array  # (H,)
    mean: Array  # (H,)
    largest: Array  # (H,)


@dataclass(frozen=True, eq=False)
class Kept(FrozenArrays):
    """What of a carried state each unit keeps at a time step, straight along it, element by element."""

    state: str  # "c"
    node: str  # whose value says it: "f"; "" where all is kept
    symbol: str  # how it is written: "f", "1 − z", "|Λ|", "1"
    mean: Array  # (H,) float64 geometric mean over time steps
    smallest: Array  # (H,)
    largest: Array  # (H,)

    @property
    def half_life(self) -> Array:
        """(H,) time steps until a half is left, ln ½ / mean ln f; ∞ where all is kept, 0 where nothing is, once."""
        with np.errstate(all="ignore"):
            logs = np.log(self.mean)
            return np.asarray(np.where(logs == 0, np.inf, math.log(0.5) / logs))


def gate_units(layer: Layer, sample: int | None = None) -> tuple[GateUnits, ...]:
    """Of every gate that runs from 0 to 1, in the cell's order; of all sequences without `sample`."""
    where = _within(layer, sample)
    found = []
    for node in layer.equations.gates:
        if node.limits != (0.0, 1.0):
            continue
        values = layer.value(node.name)[where].astype(np.float64)
        told = np.where(np.isnan(values).any(axis=0), np.nan, 1.0)
        found.append(
            GateUnits(
                node.name,
                node.symbol.removesuffix("_t"),
                node.words,
                node.family,
                frozen(told * np.mean(values < SATURATED_BELOW, axis=0)),
                frozen(told * np.mean(values > SATURATED_ABOVE, axis=0)),
                frozen(values.min(axis=0)),
                frozen(values.mean(axis=0)),
                frozen(values.max(axis=0)),
            )
        )
    return tuple(found)


@np.errstate(all="ignore")
def kept(layer: Layer, sample: int | None = None) -> tuple[Kept, ...]:
    """For each carried state what a gate keeps of it: f of an LSTM, z or 1 − z of the GRUs, |Λ| of an LRU.

    Empty where a state goes on through matrices alone, as h of a vanilla network.
    """
    where, found = _within(layer, sample), []
    for rule in _rules(layer.equations):
        values = rule.values(lambda name: layer.value(name)[where].astype(np.float64), layer.value(rule.state)[where])
        found.append(
            Kept(
                rule.state,
                rule.node,
                rule.symbol,
                frozen(np.exp(np.mean(np.log(values), axis=0))),
                frozen(values.min(axis=0)),
                frozen(values.max(axis=0)),
            )
        )
    return tuple(found)


def keeps(cell: Cell) -> bool:
    """Whether `kept` of its layers is anything."""
    return bool(_rules(cell))


def _within(layer: Layer, sample: int | None) -> Array:
    """(T, N) bool: the time steps of the sequences that are meant, without those beyond their ends."""
    inside = layer.inside
    return inside if sample is None else inside & (np.arange(inside.shape[1]) == sample)


@dataclass(frozen=True)
class _Rule:
    """How what is kept of a state follows from the values of nodes, (…, H) each."""

    state: str
    node: str
    symbol: str
    values: Callable[[Callable[[str], Array], Array], Array]  # of the nodes' values by name, and of the state's


def _rules(cell: Cell) -> tuple[_Rule, ...]:
    """Where a state of the time step before is read and leads to a state of this one, element by element."""
    found = list[_Rule]()
    for node in cell.nodes:
        carried = [value.name for value in node.operation.values if value.before and value.name in cell.states]
        if carried and any(cell.goes_into(node, state) for state in carried):
            rule = _rule(cell, node, carried[0])
            if rule is not None:
                found.append(rule)
    return tuple(found)


def _rule(cell: Cell, node: Node, state: str) -> _Rule | None:
    match node.operation:
        case Product(left=gate, right=Value(before=True)) | Product(left=Value(before=True), right=gate):
            return _Rule(state, gate.name, _symbol(cell, gate), lambda of, _: of(gate.name))
        case Mix(gate=gate, other=Value(before=True)):
            return _Rule(state, gate.name, _symbol(cell, gate), lambda of, _: of(gate.name))
        case Mix(gate=gate, one=Value(before=True)):
            return _Rule(state, gate.name, f"1 − {_symbol(cell, gate)}", lambda of, _: 1 - of(gate.name))
        case RealPart(values=(re, _, im, _)):
            return _Rule(state, re.name, "|Λ|", lambda of, _: np.hypot(of(re.name), of(im.name)))
        case Sum():
            return _Rule(state, "", "1", lambda _, values: np.ones(values.shape))
    return None


def _symbol(cell: Cell, value: Value) -> str:
    return cell.node(value.name).symbol.removesuffix("_t")

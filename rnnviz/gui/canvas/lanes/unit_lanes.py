"""The lanes with one row a unit, made from the nodes of a cell: states, gates, and the gradients of the states."""

from collections.abc import Sequence

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Node
from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.lane import LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import Offer, each_node
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown

_MEMORY = "forget"  # gates of this family are on by default: they say how much is kept
_ALWAYS = "hidden"  # the state that never folds away
_MOST_DECADES = 20.0  # below the largest gradient; what is smaller has the colour of the smallest
_LEAST_DECADES = 4.0  # below the largest of the model with the smallest: one that explodes leaves it its colours


def state_lane(state: Node) -> str:
    """The key of the lane that shows a state: "hidden", "cell"."""
    return state.short_words


def gate_lane(gate: Node) -> str:
    """The key of the lane that shows a gate or candidate."""
    return f"gates: {gate.name}"


def gradient_lane(state: Node) -> str:
    """The key of the lane that shows the gradient of each unit of a state."""
    return f"gradients: {state.name}"


class _NodeLane(HeatLane):
    """A state or a gate of a model; a picture names its rows."""

    node: Node

    def name_axes(self, shown: Shown) -> None:
        name, units = self.node.name, self.shown_model(shown).structure.units(self.node.name)
        if self.label.subtitle == name:
            self.label.set_text(self.label.title, f"{name}, {units} units", self.label.note)


class StateLane(_NodeLane):
    """A state after each time step, ±1 while tanh or σ hold it; else its level grows with the largest of all models.

    Hidden units and output say how many they are.
    """

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        self.node = slot.shown_node(shown)
        super().__init__(shown, slot, self.node.words, self.node.name, shown.theme.signed_map())

    def show(self, shown: Shown) -> None:
        model = self.shown_model(shown)
        name = self.node.name
        held = self.node.limits is not None and shown.held(name)
        level, knee = (1.0, 0.0) if held else (shown.state_level(name), shown.state_knee(name))
        structure = model.structure
        said = name in (structure.equations.hidden, structure.equations.output)
        words = f"{name}, {structure.units(name)} units" if said else name
        self.set_units(model, model.state(name), -level, level, words, knee)


class GateLane(_NodeLane):
    """A gate between 0 and 1 in its own hue; a candidate in the colours of the states."""

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        self.node = node = slot.shown_node(shown)
        gate = node.limits == (0.0, 1.0)
        table = shown.theme.gate_map(node.family) if gate else shown.theme.signed_map()
        super().__init__(shown, slot, node.words, node.name, table)

    def show(self, shown: Shown) -> None:
        model, name = self.shown_model(shown), self.node.name
        level = shown.gate_level(name)
        low, high = self.node.limits or (-level, level)
        self.set_units(model, model.gate(name), low, high, name, 0.0 if self.node.limits else shown.gate_knee(name))


class GradientUnitsLane(HeatLane):
    """log₁₀ |∂L/∂ state|, one row a unit: where in the layer a gradient lives on, not only how large it is in all.

    A gradient of exactly zero, whose logarithm is −∞, is counted in the label.
    """

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        self.node = node = slot.shown_node(shown)
        super().__init__(shown, slot, _gradient_words(node), f"∂L/∂{node.name}", shown.theme.magnitude_map())

    def show(self, shown: Shown) -> None:
        model, name = self.shown_model(shown), self.node.name
        plain = [each.gradient(name) for each in shown.models if each.base is None]  # a difference has its own
        finite = [values[np.isfinite(values)] for values in plain]
        high = np.ceil(max((float(values.max()) for values in finite if values.size), default=0.0))
        low = np.floor(min((float(values.min()) for values in finite if values.size), default=-1.0))
        weakest = min((float(values.max()) for values in finite if values.size), default=high)
        floor = min(high - _MOST_DECADES, np.floor(weakest) - _LEAST_DECADES)
        low = max(min(low, high - 1.0), floor)
        self.set_units(model, model.gradient(name), low, high, f"log₁₀ |∂L/∂{name}|")

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*super().rests(shown), *shown.kept_away)

    def odd(self, values: Array) -> dict[str, Array]:
        zero = np.isneginf(values)
        return {"are 0": zero, "not finite": ~(np.isfinite(values) | zero)}


def _gradient_words(state: Node) -> str:
    """ "hidden gradient", "cell gradient"."""
    return f"{state_lane(state)} gradient"


def _states(cell: Cell) -> tuple[Node, ...]:
    return tuple(cell.node(name) for name in cell.hidden_nodes)


def _gates(cell: Cell) -> tuple[Node, ...]:
    return cell.gates


def _state(state: Node) -> Offer:
    folds = 0 if state_lane(state) == _ALWAYS else 2
    return Offer(state_lane(state), state.words.capitalize(), True, StateLane, node=state.name, folds=folds)


def _gate(gate: Node) -> Offer:
    words = gate.words.capitalize()
    return Offer(gate_lane(gate), words, gate.family == _MEMORY, GateLane, node=gate.name, folds=1)


def _gradient(state: Node) -> Offer:
    words = f"{_gradient_words(state).capitalize()} of each unit"
    return Offer(gradient_lane(state), words, False, GradientUnitsLane, node=state.name)


STATES = each_node(_states, _state)
GATES = each_node(_gates, _gate)
STATE_GRADIENTS = each_node(_states, _gradient)

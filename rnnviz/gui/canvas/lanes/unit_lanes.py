"""The lanes with one row a unit, made from the nodes of a cell: states, gates, and the gradients of the states."""

import numpy as np

from rnnviz.core.cells.node import Node
from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.selection import gradient_words, state_lane
from rnnviz.gui.canvas.lanes.shown import Shown

_MOST_DECADES = 20.0  # below the largest gradient; what is smaller has the colour of the smallest


class StateLane(HeatLane):
    """A state after each time step; one that nothing holds by ±1 has a level that grows with the largest of all models.

    The output says how many units it has.
    """

    def __init__(self, shown: Shown, model: int, node: Node) -> None:
        key = state_lane(node)
        super().__init__(shown, key, node.words, node.name, model, shown.theme.signed_map())
        self.node = node

    def show(self, shown: Shown) -> None:
        model = self.shown_model(shown)
        level, name = shown.state_level(self.node.name), self.node.name
        output = name == model.structure.equations.output
        words = f"{name}, {model.structure.output_size} units" if output else name
        self.set_units(model, model.state(name), -level, level, words)


class GateLane(HeatLane):
    """A gate between 0 and 1 in its own hue; a candidate in the colours of the states."""

    def __init__(self, shown: Shown, model: int, node: Node) -> None:
        gate = node.limits == (0.0, 1.0)
        table = shown.theme.gate_map(node.family) if gate else shown.theme.signed_map()
        super().__init__(shown, f"gates: {node.name}", node.words, node.name, model, table)
        self.node = node

    def show(self, shown: Shown) -> None:
        model, name = self.shown_model(shown), self.node.name
        level = shown.gate_level(name)
        low, high = self.node.limits or (-level, level)
        self.set_units(model, model.gate(name), low, high, name)


class GradientUnitsLane(HeatLane):
    """log₁₀ |∂L/∂ state|, one row a unit: where in the layer a gradient lives on, not only how large it is in all.

    A gradient of exactly zero is −∞, counted in the label.
    """

    def __init__(self, shown: Shown, model: int, node: Node) -> None:
        key = f"gradients: {node.name}"
        super().__init__(shown, key, gradient_words(node), f"∂L/∂{node.name}", model, shown.theme.magnitude_map())
        self.node = node

    def show(self, shown: Shown) -> None:
        model, name = self.shown_model(shown), self.node.name
        plain = [each.gradient(name) for each in shown.models if each.base is None]  # a difference has its own
        finite = [values[np.isfinite(values)] for values in plain]
        high = np.ceil(max((float(values.max()) for values in finite if values.size), default=0.0))
        low = np.floor(min((float(values.min()) for values in finite if values.size), default=-1.0))
        low = max(min(low, high - 1.0), high - _MOST_DECADES)
        self.set_units(model, model.gradient(name), low, high, f"log₁₀ |∂L/∂{name}|")

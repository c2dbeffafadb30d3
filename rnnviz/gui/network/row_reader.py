"""What one model's row of cells says: states, what keeps them, and what comes back between two time steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.core.cells.node import Node
from rnnviz.core.equations.ways import Way
from rnnviz.core.sweeps.layer import Layer
from rnnviz.gui.canvas.lanes.row import along, row_of
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.network.drawing import Target
from rnnviz.gui.network.reading import Found, Look, Strips, at, keeping, magnitudes, norms, written
from rnnviz.gui.network.steps import Steps

_AT_ONCE = 32  # time steps that are read together
_VANISHED = 0.04  # of the range of magnitudes: its colour is that of the ground


@dataclass(frozen=True)
class ShownState:
    """A state in one cell, ready to be drawn."""

    strips: Strips
    row: int
    symbol: str
    kept: str
    words: str
    target: Target


@dataclass(frozen=True)
class Flow:
    """What comes back between two time steps, ready to be drawn."""

    text: str
    color: QColor
    width: float
    words: str
    target: Target


class RowReader:
    """The layer looked at, of an encoder–decoder those of its depth one after the other, at the time steps seen."""

    def __init__(self, look: Look, number: int, model: ShownModel, steps: Steps) -> None:
        assert model.sequence is not None
        assert model.layer is not None
        self.look, self.number, self.model, self.steps = look, number, model, steps
        self.trace, self.layer, self.sweep = model.sequence, model.layer, look.shown.sweep
        self.states = [self.layer.equations.node(name) for name in reversed(self.layer.equations.hidden_nodes)]

    def layer_at(self, t: int) -> Layer | None:
        """The layer of the row that exists at a time step, of those seen and the ones beside them."""
        return self._layers.get(t)

    @cached_property
    def _layers(self) -> dict[int, Layer]:
        found, numbers = dict[int, Layer](), self.steps.numbers
        for layer in self.model.row:
            for t in range(max(numbers.start - 1, layer.start + 1), min(numbers.stop, layer.stop) + 1):
                found[t] = layer
        return found

    @cached_property
    def there(self) -> list[int]:
        """The time steps seen that have a cell."""
        return [t for t in self.steps.numbers if self.layer_at(t) is not None]

    def reached(self, t: int) -> bool:
        """Whether the sweep has come to a time step."""
        return t in self.sweep.done or t == self.sweep.time_step

    def state(self, node: Node, t: int) -> ShownState:
        """A state in the cell of a time step."""
        return self._read(node.name, partial(self._states, node), t)

    def size(self, node: Node, t: int) -> str:
        """‖h_t‖ in the forward sweep, ‖∂L/∂h_t‖ in the backward sweep."""
        return self._read(f"{node.name} {self.look.backward}", partial(self._sizes, node), t)

    def flow(self, way: Way, receiver: int) -> Flow:
        """What comes back along a way to a time step."""
        return self._read(f"{way.state} {way.kind}", partial(self._flows, way), receiver)

    def handed_over(self, state: str, before: Layer, after: Layer) -> Flow:
        """What comes back through the hand-over to the last state of the layer before it."""

        def make() -> Flow:
            sizes, lost = norms(self.trace, after.name, lambda layer: layer.initial_grads[state])
            symbol = after.equations.node(state).symbol
            first = at(symbol, after.start)
            target = Target(model=self.number, layer=before.name, time_step=before.stop, node=state)
            return self._flow(float(sizes[0]), bool(lost[0]), f"the hand-over of {symbol[0]}: ‖∂L/∂{first}‖", target)

        return self.look.once((self.number, after.name, "handed over", state), make)

    def shares(self) -> tuple[Array | None, Array]:
        """(T,) ‖(∂L/∂W)|_t‖ of the lit weight, and where float32 has lost it."""
        name, none = self.look.lit, np.zeros(self.model.time_steps, bool)
        if not name:
            return None, none
        if name == "head.weight":
            head = self.trace.head
            return (None if head is None else head.weight_grad_shares.get("weight")), none
        if name not in self.layer.equations.parameter_named:
            return None, none
        if len(self.model.row) == 1:
            return magnitudes(self.trace, self.layer.name, lambda layer: layer.weight_grad_shares[name])
        row = row_of(self.trace, self.layer.name)
        return along(row, lambda layer: layer.weight_grad_shares[name]), none

    @cached_property
    def keeping_color(self) -> QColor:
        """Of the gate that keeps a state."""
        gates = [gate for gate in self.layer.equations.gates if gate.family == "forget"]
        return self.look.theme.gate_color("forget" if gates else "input")

    def _read(self, what: str, make: Callable[[Layer, range], Sequence[Found]], t: int) -> Found:
        """What is read of this model's row at a time step: of many neighbouring ones at once, and remembered."""
        layer = self.layer_at(t) or self.layer
        block = t - (t - 1) % _AT_ONCE
        first, stop = max(block, layer.start + 1), min(block + _AT_ONCE, layer.stop + 1)
        steps = range(first, stop)
        return self.look.once((self.number, layer.name, what, first), lambda: make(layer, steps))[t - first]

    def _states(self, node: Node, layer: Layer, steps: range) -> list[ShownState]:
        values = layer.value(node.name)[steps.start - 1 : steps.stop - 1, 0]
        strips, kept = self.look.state_strips(node, values), keeping(layer, node.name)
        found = []
        for row, t in enumerate(steps):
            mean = f"{kept.symbol} {written(kept.mean(layer, t - 1))}" if kept is not None else ""
            words = f"{node.words} at t = {t}: press to go there; right button: what if, and where it comes from"
            target = Target(model=self.number, layer=layer.name, time_step=t, node=node.name)
            found.append(ShownState(strips, row, at(node.symbol, t), mean, words, target))
        return found

    def _sizes(self, node: Node, layer: Layer, steps: range) -> list[str]:
        rows = slice(steps.start - 1, steps.stop - 1)
        if not self.look.backward:
            values, _ = norms(self.trace, layer.name, lambda layer: layer.value(node.name)[rows, 0])
            return [f"‖{node.name}‖ {written(value)}" for value in values]
        values, lost = norms(self.trace, layer.name, lambda layer: layer.grad(node.name)[rows, 0])
        cuts = self.trace.cuts(0)
        return [
            "∂ cut" if value == 0 and cuts.words(t) else f"∂ {written(value, bool(gone))}"
            for t, value, gone in zip(steps, values, lost, strict=True)
        ]

    def _flows(self, way: Way, layer: Layer, receivers: range) -> list[Flow]:
        places = range(receivers.start - 1, receivers.stop - 1)
        sizes, lost = norms(self.trace, layer.name, partial(way.came, steps=places))
        found = []
        for t, size, gone in zip(receivers, sizes.tolist(), lost.tolist(), strict=True):
            target = Target(model=self.number, layer=layer.name, time_step=t, parameter=way.parameter, node=way.state)
            found.append(self._flow(size, gone, f"‖{at(way.symbol, t, layer.reverse)}‖", target))
        return found

    def _flow(self, size: float, lost: bool, words: str, target: Target) -> Flow:
        text = written(size, lost)
        color, width = self.look.gradient_color(size), 1.6 + 3.4 * self.look.size_of(size)
        if self.look.size_of(size) < _VANISHED:  # as good as nothing, but its line is seen
            color, width = self.look.color("border"), 1.2
        return Flow(text, color, width, f"{words} = {text}", target)

"""Shares: what each time step adds to a weight gradient, of all rows and of each gate's."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.agreement import Agreement, agreements
from rnnviz.core.magnitude import log10
from rnnviz.core.numbers import whole
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.canvas.lanes.value_axes import logarithmic, magnitude_words
from rnnviz.gui.gradients.card import Found, Partial, Sight, Spot, Table, resting
from rnnviz.gui.gradients.over_time import OverTime
from rnnviz.gui.gradients.parameter_choice import ParameterChoice, chosen, parameter_symbol
from rnnviz.gui.gradients.plots.plot import Plot, draw_names, time_axis
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.network.drawing import Drawing
from rnnviz.gui.state.laboratory import Laboratory
from rnnviz.gui.state.store import Store

_SMALLEST = float(np.finfo(np.float32).tiny)
_NAMES = 58.0  # pixels beside the plot


class SharesCard(OverTime):
    """One curve for all rows of a parameter, one for each gate's."""

    key = "shares"
    each_model = True

    def lacks(self, model: ShownModel) -> str:
        return "" if model.structure.equations.parameters else f"{model.name} has no weights in this layer."

    def hangs_on(self, laboratory: Laboratory, options: Mapping[str, Any]) -> Hashable:
        return str(options.get("parameter", ""))

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        yield Partial(found_agreements(model, options))

    def aside(self, sight: Sight) -> str:
        names = {parameter_symbol(found.model, found.value[0].parameter) for found in sight.known}
        return f"‖∂L/∂{names.pop()} at t‖" if len(names) == 1 else ""

    def short_aside(self, sight: Sight) -> str:
        names = {parameter_symbol(found.model, found.value[0].parameter) for found in sight.known}
        return f"∂L/∂{names.pop()}" if len(names) == 1 else ""

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, plot = Drawing(), self.plot(sight, area)
        plot.draw_frame(drawing, sight.theme, "time step t", "share, log₁₀")
        names, odd = list[tuple[str, QColor]](), sight.theme.color("not_finite")
        for found in sight.known:
            for one in found.value:
                color = _color(found, one, sight.theme)
                lost = (one.parts > 0) & (one.parts < _SMALLEST)
                times = np.arange(1, len(one.parts) + 1)
                away = (times <= sight.shown.cuts.beyond) | resting(found.model, times, alone=True)
                plot.draw_magnitudes(drawing, _key(found, one), times, log10(one.parts), color, (), lost, odd, cut=away)
                names.append((_words(found, one), color))
        box = QRectF(plot.frame.right() + 6, plot.frame.top() - 4, _NAMES, plot.frame.height())
        draw_names(drawing, box, names)
        return drawing

    def told(self, sight: Sight, time_step: int) -> Spot | None:
        t = time_step
        lines = [f"t = {whole(t)}"]
        for found in sight.known:
            for one in found.value:
                if t <= len(one.parts):
                    lines.append(
                        f"{found.model.name}, {_words(found, one)}: {magnitude_words(float(log10(one.parts)[t - 1]))}"
                    )
        return Spot("\n".join(lines), t)

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            columns |= {f"{found.model.name} {one.parameter} {one.block}".rstrip(): one.parts for one in found.value}
        return Table(columns)

    def controls(self, store: Store, change: Callable[[Mapping[str, Any]], None]) -> QWidget | None:
        return ParameterChoice(store, change)

    def plot(self, sight: Sight, area: QRectF) -> Plot:
        parts = [log10(one.parts) for value in sight.values for one in value]
        return Plot.within(area, time_axis(sight.shown.time_steps), logarithmic(parts), right=_NAMES + 6)


def found_agreements(model: ShownModel, options: Mapping[str, Any]) -> tuple[Agreement, ...]:
    """How the gradient of the chosen parameter is gathered, of float64 numbers where float32 has lost some."""
    assert model.sequence is not None  # its callers have a trace
    trace = model.sequence.wider or model.sequence
    layer = trace.layer(model.layer_name)
    return agreements(layer, (chosen(layer.equations, options.get("parameter", "")),))


def _key(found: Found, one: Agreement) -> str:
    return f"{found.model.number} {one.parameter} {one.block}".rstrip()


def _words(found: Found, one: Agreement) -> str:
    gate = next((gate for gate in found.model.structure.equations.gates if gate.name == one.block), None)
    return "all rows" if not one.block else (gate.words if gate is not None else one.block)


def _color(found: Found, one: Agreement, look: Theme) -> QColor:
    gate = next((gate for gate in found.model.structure.equations.gates if gate.name == one.block), None)
    if not one.block:
        return found.model.color
    return look.gate_color(gate.family) if gate is not None else look.color("muted")

"""Do time steps agree: the angle of what the backward sweep has gathered of a weight gradient to the final one."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.agreement import Agreement
from rnnviz.core.numbers import short, whole
from rnnviz.gui.canvas.items.curve_plot import ValueAxis
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Partial, Sight, Spot, Table
from rnnviz.gui.gradients.cards.shares_card import found_agreements
from rnnviz.gui.gradients.over_time import OverTime
from rnnviz.gui.gradients.parameter_choice import ParameterChoice, parameter_symbol
from rnnviz.gui.gradients.plots.marks import Curve
from rnnviz.gui.gradients.plots.plot import Plot, draw_names, time_axis
from rnnviz.gui.network.drawing import Drawing
from rnnviz.gui.state.laboratory import Laboratory
from rnnviz.gui.state.store import Store

_ANGLES = ValueAxis(0.0, 180.0, ((0.0, "0°"), (90.0, "90°"), (180.0, "180°")))
_LINE = 16.0  # pixels of a line of words
_X = "time step t, from T back"


class AgreementCard(OverTime):
    """One curve a model: 0° where nothing is added any more that turns the sum, 90° and more where it is undone."""

    key = "agreement"
    of_operations = True

    def lacks(self, model: ShownModel) -> str:
        return "" if model.structure.equations.parameters else f"{model.name} has no weights in this layer."

    def hangs_on(self, laboratory: Laboratory, options: Mapping[str, Any]) -> Hashable:
        return str(options.get("parameter", ""))

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        yield Partial(found_agreements(model, options)[0])

    def aside(self, sight: Sight) -> str:
        names = {parameter_symbol(found.model, found.value.parameter) for found in sight.known}
        return f"∂L/∂{names.pop()}" if len(names) == 1 else ""

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, plot = Drawing(), self.plot(sight, area)
        plot.draw_frame(drawing, sight.theme, _X, "angle to the sum")
        for found in sight.known:
            one: Agreement = found.value
            times = np.arange(1, len(one.angle) + 1)
            key = str(found.model.number)
            drawing.add(
                Curve(key, plot.xs(times), plot.ys(one.angle), found.model.color, 1.6, found.model.dash, one.angle)
            )
        lines = [(f"{found.model.name}: {_words(found.value)}", found.model.color) for found in sight.known]
        top = area.bottom() - len(lines) * _LINE + 2
        below = QRectF(area.left() + 2, top, area.width() - 2, len(lines) * _LINE)
        draw_names(drawing, below, lines)
        return drawing

    def told(self, sight: Sight, time_step: int) -> Spot | None:
        t = time_step
        lines = [f"gathered from the last time step to t = {whole(t)}"]
        for found in sight.known:
            one: Agreement = found.value
            if t <= len(one.angle):
                angle, size = float(one.angle[t - 1]), float(one.relative[t - 1])
                lines.append(f"{found.model.name}: {short(angle)}° off, {short(size)} of the final norm")
        return Spot("\n".join(lines), t)

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            one: Agreement = found.value
            columns |= {f"{found.model.name} angle": one.angle, f"{found.model.name} norm": one.gathered}
        return Table(columns)

    def controls(self, store: Store, change: Callable[[Mapping[str, Any]], None]) -> QWidget | None:
        return ParameterChoice(store, change)

    def plot(self, sight: Sight, area: QRectF) -> Plot:
        lines = len(sight.known) * _LINE
        return Plot.within(area.adjusted(0, 0, 0, -lines), time_axis(sight.shown.time_steps), _ANGLES, x_words=_X)


def _words(one: Agreement) -> str:
    """How much of the parts is left in their sum."""
    if not np.isfinite(one.cancellation):
        return "no gradient" if one.norm == 0 else "not finite"
    return f"{short(100 * one.cancellation)} % of the parts is left"

"""Gate saturation: of each unit's gates the share of time steps at which they are shut, against that at which open."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.gates import GateUnits, gate_units
from rnnviz.core.magnitude import SATURATED_ABOVE, SATURATED_BELOW
from rnnviz.core.numbers import short, whole
from rnnviz.gui.canvas.items.curve_plot import ValueAxis
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Card, Partial, Sight, Spot, Table, at_once
from rnnviz.gui.gradients.plots.marks import Dots, Ring
from rnnviz.gui.gradients.plots.plot import Plot
from rnnviz.gui.look import fonts
from rnnviz.gui.network.drawing import Circle, Drawing, Line, Text
from rnnviz.gui.state.laboratory import Laboratory

_AXIS = ValueAxis(-0.03, 1.03, ((0.0, "0"), (0.5, "0.5"), (1.0, "1")))
_NEAR = 10.0  # pixels between the pointer and a dot it is told of


class GatesCard(Card):
    """One scatter a model."""

    key = "gates"
    of_operations = True
    each_model = True
    by_model = False

    def lacks(self, model: ShownModel) -> str:
        cell = model.structure.equations
        if any(gate.limits == (0.0, 1.0) for gate in cell.gates):
            return ""
        return f"The {cell.words} cell has no gate that opens and shuts."

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        assert model.layer is not None  # it has a trace
        return at_once(gate_units(model.layer))

    def aside(self, sight: Sight) -> str:
        for found in sight.known:
            count = len(found.value[0].below)
            return "1 unit" if count == 1 else f"{whole(count)} units"
        return ""

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, look = Drawing(), sight.theme
        for found in sight.known:
            plot = _plot(area)
            x_words, y_words = f"share below {SATURATED_BELOW:g}", f"share above {SATURATED_ABOVE:g}"
            plot.draw_frame(drawing, look, x_words, y_words, grid=False)
            ends = [QPointF(*plot.place(x, 1.0 - x)) for x in (0.0, 1.0)]
            drawing.add(Line("whole", (ends[0], ends[1]), look.color("line"), 1.0))
            gates: tuple[GateUnits, ...] = found.value
            small = 2.8 if len(gates[0].below) <= 100 else 1.8
            for gate in gates:
                color = look.gate_color(gate.family)
                color.setAlphaF(0.75)
                values = np.column_stack([gate.below, gate.above])
                drawing.add(Dots(gate.name, plot.xs(gate.below), plot.ys(gate.above), color, small, values))
            _draw_legend(drawing, plot, gates, sight)
            odd = int(np.any([np.isnan(gate.below) for gate in gates], axis=0).sum())
            if odd:
                words = f"NaN: {whole(odd)} of {whole(len(gates[0].below))} units"
                x, y = plot.frame.center().x(), plot.frame.center().y()
                drawing.add(Text("nan", x, y, words, fonts.SMALL, look.text_color("not_finite"), 0.5))
        return drawing

    def mark(self, sight: Sight, area: QRectF) -> Drawing:
        """Rings around the dots of the unit that is looked at."""
        drawing = Drawing()
        for found in sight.known:
            unit = sight.unit_of(found)
            for gate in found.value if unit is not None and unit < len(found.value[0].below) else ():
                if np.isnan(gate.below[unit]):
                    continue
                x, y = _plot(area).place(gate.below[unit], gate.above[unit])
                drawing.add(Ring(f"unit {gate.name}", QRectF(x - 5, y - 5, 10, 10), sight.theme.color("cursor")))
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        plot = _plot(area)
        for found in sight.known:
            nearest = [_distances(plot, gate, point) for gate in found.value]
            number = int(np.argmin([distances.min() for distances in nearest]))
            unit, gate = int(nearest[number].argmin()), found.value[number]
            if nearest[number][unit] > _NEAR:
                return None
            same = int((nearest[number] == nearest[number][unit]).sum()) - 1
            words = f"{found.model.name}, {gate.words} of unit {whole(unit + 1)}: {_numbers(gate, unit)}"
            words += f"; so are {whole(same)} other units" if same else ""
            return Spot(words, model=found.model.number, unit=unit)
        return None

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            columns["unit"] = np.arange(1, len(found.value[0].below) + 1)
            for gate in found.value:
                columns[f"{gate.words} below {SATURATED_BELOW:g}"] = gate.below
                columns[f"{gate.words} above {SATURATED_ABOVE:g}"] = gate.above
                columns[f"{gate.words} largest"] = gate.largest
        return Table(columns)


def _plot(area: QRectF) -> Plot:
    return Plot.within(area, _AXIS, _AXIS)


def _distances(plot: Plot, gate: GateUnits, point: QPointF) -> Array:
    """Pixels to each unit's dot; ∞ where it has none."""
    found = np.hypot(plot.xs(gate.below) - point.x(), plot.ys(gate.above) - point.y())
    return np.asarray(np.where(np.isnan(found), np.inf, found))


def _numbers(gate: GateUnits, unit: int) -> str:
    below, above = 100 * gate.below[unit], 100 * gate.above[unit]
    shut = f"below {SATURATED_BELOW:g} at {below:.0f} % of the time steps, above {SATURATED_ABOVE:g} at {above:.0f} %"
    return f"{shut}, {short(gate.smallest[unit])} to {short(gate.largest[unit])}"


def _draw_legend(drawing: Drawing, plot: Plot, gates: tuple[GateUnits, ...], sight: Sight) -> None:
    """The gates' names in their colours, at the top right, where no dots can be."""
    look = sight.theme
    for place, gate in enumerate(gates):
        y = plot.frame.top() + 8 + 15 * place
        words = gate.words.removesuffix(" gate")
        text = Text(f"gate {gate.name}", plot.frame.right() - 8, y + 4, words, fonts.SMALL, look.color("text"), 1.0)
        centre = QPointF(text.rect.left() - 9, y)
        drawing.add(Circle(f"legend {gate.name}", centre, 3.5, None, fill=look.gate_color(gate.family)), text)

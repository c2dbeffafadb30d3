"""Gradient flow: ‖∂L_k/∂h_t‖ of every loss k and every time step t, as a heat map."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short, whole
from rnnviz.gui.canvas.items.curve_plot import ValueAxis
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Card, Found, Partial, Sight, Spot, Table
from rnnviz.gui.gradients.log_colors import BAR_ROOM, NOTHING, LogColors, draw_bar, odd_places, raster
from rnnviz.gui.gradients.plot import Plot, time_axis
from rnnviz.gui.network.drawing import Box, Drawing
from rnnviz.gui.state.laboratory import Laboratory


@dataclass(frozen=True, eq=False)
class FlowNumbers:
    """F[k, t] of one model, with what the heat map leaves empty."""

    values: Array  # (K, T) float64
    rows: Array  # (K,) time steps k, from 1

    @cached_property
    def reached(self) -> Array:
        """(K, T) bool: where loss k can reach h_t at all."""
        return np.arange(1, self.values.shape[1] + 1) <= self.rows[:, None]


class FlowCard(Card):
    """One heat map a model."""

    key = "flow"
    symbol = "‖∂L_{k}/∂h_{t}‖"
    each_model = True

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        assert model.layer is not None  # it has a trace
        values = model.layer.gradient_flow(0)
        yield Partial(FlowNumbers(values, np.arange(1, len(values) + 1)))

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing = Drawing()
        colors = LogColors.of([numbers.values[numbers.reached] for numbers in sight.values])
        all_places = []
        for found in sight.known:
            numbers: FlowNumbers = found.value
            plot = self._plot(found, area)
            places = np.where(numbers.reached, colors.places(numbers.values), NOTHING)
            all_places.append(places)
            drawing.add(raster("flow", plot.frame, numbers.values, places[::-1], sight.theme))
            plot.draw_frame(drawing, sight.theme, "time step t of the state", "time step k of the loss", grid=False)
        bar = QRectF(area.right() - BAR_ROOM, area.top() + 6, BAR_ROOM, area.height() - 40)
        draw_bar(drawing, bar, colors, sight.theme, odd_places(all_places))
        return drawing

    def mark(self, sight: Sight, area: QRectF) -> Drawing:
        drawing = Drawing()
        for found in sight.known:
            plot = self._plot(found, area)
            plot.draw_cursor(drawing, sight.theme, sight.shown.cursor.time_step)
            row = self._row(found.value, sight.loss)
            count = len(found.value.rows)
            high = plot.frame.height() / count
            box = QRectF(plot.frame.left(), plot.frame.bottom() - (row + 1) * high, plot.frame.width(), high)
            more = max(3.0 - high, 0.0) / 2
            drawing.add(Box("loss", box.adjusted(0, -more, 0, more), sight.theme.color("cursor"), 1.3, radius=0.0))
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        for found in sight.known:
            plot, numbers = self._plot(found, area), found.value
            if not plot.frame.contains(point):
                continue
            count = len(numbers.rows)
            row = min(max(int((plot.frame.bottom() - point.y()) / plot.frame.height() * count), 0), count - 1)
            t, k = plot.time_step_at(point.x()), int(numbers.rows[row])
            value = float(numbers.values[row, t - 1])
            words = f"{found.model.name}, loss at k = {whole(k)}, state at t = {whole(t)}: {short(value)}"
            if not numbers.reached[row, t - 1]:
                words += ", the loss comes before the state"
            return Spot(words, t, k, found.model.number)
        return None

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            numbers: FlowNumbers = found.value
            columns[f"{found.model.name} k"] = numbers.rows
            for t in range(numbers.values.shape[1]):
                columns[f"{found.model.name} t={t + 1}"] = numbers.values[:, t]
        return Table(columns)

    @staticmethod
    def _row(numbers: FlowNumbers, loss: int) -> int:
        """The row nearest to the loss that is looked at."""
        return int(np.abs(numbers.rows - loss).argmin())

    @staticmethod
    def _plot(found: Found, area: QRectF) -> Plot:
        numbers: FlowNumbers = found.value
        first, last = whole(int(numbers.rows[0])), whole(int(numbers.rows[-1]))
        count = len(numbers.rows)
        y = ValueAxis(-0.5, count - 0.5, ((0.0, first), (count - 1.0, last)) if count > 1 else ((0.0, first),))
        return Plot.within(area, time_axis(numbers.values.shape[1]), y, right=BAR_ROOM + 4)

"""Gradient flow: ‖∂L_k/∂h_t‖ of every loss k and every time step t, as a heat map."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import bound, short, whole
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Found, Partial, Sight, Spot, Table, rest_words
from rnnviz.gui.gradients.flows import FlowBased, FlowNumbers, whole_flow
from rnnviz.gui.gradients.plots.log_colors import BAR_ROOM, WORDS, LogColors, draw_bar, most, raster
from rnnviz.gui.gradients.plots.marks import Curve
from rnnviz.gui.gradients.plots.plot import Plot, time_axis
from rnnviz.gui.network.drawing import Box, Drawing
from rnnviz.gui.state.laboratory import Laboratory

_X = "time step t of the state"
_MOST_CUT = 200  # rectangles; more would be stripes that nobody can tell apart
_SHARPNESS = 2.0  # rows of the picture for each pixel, where losses lie between those that were carried


class FlowCard(FlowBased):
    """One heat map a model; a line lies where gradients fall below the threshold."""

    key = "flow"
    each_model = True
    has_loss = True

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        return whole_flow(model, laboratory)

    def aside(self, sight: Sight) -> str:
        sampled = [found.value.sampled_words for found in sight.known]
        unit = "unit loss " if any(found.value.unit for found in sight.known) else ""
        return ", ".join(filter(None, (f"{unit}{self.short_aside(sight)}", *sampled)))

    def short_aside(self, sight: Sight) -> str:
        if not sight.known:
            return ""
        numbers: FlowNumbers = sight.known[0].value
        return "uᵀh_{k}" if numbers.unit else f"‖∂L_{{k}}/∂{numbers.flow.symbol}_{{t}}‖"

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing = Drawing()
        colors = LogColors.between([numbers.ends for numbers in sight.values if numbers.ends is not None])
        laboratory = sight.laboratory
        for found in sight.known:
            numbers: FlowNumbers = found.value
            plot = self._plot(found, area)
            drawn = most(numbers.standing[_rows_drawn(numbers, plot.frame.height())][::-1], plot.frame)
            places = colors.places_of(drawn)
            drawing.add(raster("flow", plot.frame, numbers.flow.values, places, sight.theme))
            self._draw_cut(drawing, plot, numbers, sight)
            self._draw_fall(drawing, plot, numbers, sight)
            words = numbers.sampled_words.removesuffix(" losses")
            words = f"time step k, {words}" if words else "time step k of the loss"
            plot.draw_frame(drawing, sight.theme, _X, words, grid=False)
        frame = self._plot(sight.known[0], area).frame
        bar = QRectF(area.right() - BAR_ROOM, frame.top(), BAR_ROOM, frame.height())
        odd = sorted({place for found in sight.known for place in found.value.odd})
        threshold = None if laboratory.relative else float(np.log10(laboratory.threshold))
        draw_bar(drawing, bar, colors, sight.theme, odd, threshold)
        return drawing

    def _draw_cut(self, drawing: Drawing, plot: Plot, numbers: FlowNumbers, sight: Sight) -> None:
        """Shade over the states from which a cut keeps one loss, where it keeps not all of them away."""
        beyond, edges, shade = self.cuts(sight).beyond, _edges(numbers), sight.theme.color("muted", 0.16)
        cells = [cell for cell in numbers.cut_cells if cell[3] > beyond]
        for row, last_row, first, last in cells if len(cells) <= _MOST_CUT else ():
            left, top = plot.place(max(first, beyond + 1) - 0.5, edges[last_row + 1])
            right, below = plot.place(last + 0.5, edges[row])
            box = QRectF(QPointF(left, top), QPointF(right, below))
            drawing.add(Box(f"cut {row} {first}", box, None, fill=shade, radius=0.0))

    @staticmethod
    def _draw_fall(drawing: Drawing, plot: Plot, numbers: FlowNumbers, sight: Sight) -> None:
        """A line between the states that a loss still reaches and those where it has fallen below the threshold."""
        steps, censored = numbers.steps(sight.laboratory)
        rows = numbers.flow.rows + 1
        fallen = rows + (steps - 0.5) if numbers.flow.reverse else rows - (steps - 0.5)
        edges = _edges(numbers)
        ts = np.repeat(np.where(censored | (steps < 1), np.nan, fallen), 2)
        ks = np.column_stack([edges[:-1], edges[1:]]).ravel()
        xs, ys = plot.xs(ts), plot.ys(ks)
        drawing.add(Curve("fall ground", xs, ys, sight.theme.color("panel", 0.75), 3.0))
        drawing.add(Curve("fall", xs, ys, sight.theme.color("text"), 1.2, values=ts))

    def mark(self, sight: Sight, area: QRectF) -> Drawing:
        drawing = Drawing()
        for found in sight.known:
            plot = self._plot(found, area)
            plot.draw_cuts(drawing, sight.theme, self.cuts(sight), middle=True)
            plot.draw_hand_over(drawing, sight.theme, [layer.start for layer in found.model.row[1:]])
            plot.draw_cursor(drawing, sight.theme, sight.shown.cursor.time_step)
            loss = int(found.value.flow.rows[found.value.row_near(sight.loss)]) + 1
            top, below = plot.ys(np.array([loss + 0.5, loss - 0.5]))
            box = QRectF(plot.frame.left(), top, plot.frame.width(), below - top)
            more = max(3.0 - box.height(), 0.0) / 2
            drawing.add(Box("loss", box.adjusted(0, -more, 0, more), sight.theme.color("cursor"), 1.3, radius=0.0))
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        for found in sight.known:
            plot, numbers = self._plot(found, area), found.value
            if not plot.frame.contains(point):
                continue
            t = plot.time_step_at(point.x())
            row = numbers.row_near(min(max(round(plot.y_at(point.y())), 1), numbers.flow.last))
            k = int(numbers.flow.rows[row]) + 1
            words = rest_words(found.model, t) or self._words(numbers, row, t, sight.laboratory)
            loss = "unit loss" if numbers.unit else "loss"
            head = f"{found.model.name}, {loss} at k = {whole(k)}, state at t = {whole(t)}"
            return Spot(f"{head}: {words}", t, k, found.model.number)
        return None

    @staticmethod
    def _words(numbers: FlowNumbers, row: int, t: int, laboratory: Laboratory) -> str:
        """What is told of one number, and of its row."""
        value, mark = float(numbers.flow.values[row, t - 1]), int(numbers.marks[row, t - 1])
        words = short(value)
        if cut := numbers.cut_words(row, t):
            words = cut
        elif not numbers.reached[row, t - 1]:
            words += ", the loss does not reach it"
        elif mark and words not in WORDS[mark] and value != 0:
            words += f" ({WORDS[mark]})"
        if (part := numbers.flow.attention) is not None and part[row, t - 1] > 0:
            words += f", of which directly through attention {short(float(part[row, t - 1]))}"
        found = numbers.horizon(laboratory)
        if np.isfinite(found.steps[row]):
            of = " of what it begins with" if laboratory.relative else ""
            least, limit = f"{whole(int(found.steps[row]))} time steps back", f"{bound(laboratory.threshold)}{of}"
            words += f"\nbelow {limit} {least}" if not found.censored[row] else f"\nnot below {limit} for {least}"
            words += ", where it is cut" if found.cut[row] else ""
        return words

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            numbers: FlowNumbers = found.value
            columns[f"{found.model.name} k"] = numbers.flow.rows + 1
            for t in range(numbers.flow.time_steps):
                columns[f"{found.model.name} t={t + 1}"] = numbers.flow.values[:, t]
        return Table(columns)

    @staticmethod
    def _plot(found: Found, area: QRectF) -> Plot:
        flow = found.value.flow
        losses = time_axis(flow.time_steps) if flow.losses is None else time_axis(flow.last, flow.losses.start + 1)
        return Plot.within(area, time_axis(flow.time_steps), losses, right=BAR_ROOM + 4, x_words=_X)


def _losses(numbers: FlowNumbers) -> tuple[int, int]:
    """The first and the last time step, from 1, of the losses that are drawn."""
    flow = numbers.flow
    return (1, flow.time_steps) if flow.losses is None else (flow.losses.start + 1, flow.losses.stop)


def _edges(numbers: FlowNumbers) -> Array:
    """(K + 1,) time steps k between which each row is drawn."""
    rows = numbers.flow.rows + 1
    first, last = _losses(numbers)
    return np.concatenate([[first - 0.5], (rows[:-1] + rows[1:]) / 2, [last + 0.5]])


def _rows_drawn(numbers: FlowNumbers, height: float) -> Array | slice:
    """(R,) which row of the flow each row of the picture shows, from below: the nearest one of those carried."""
    flow = numbers.flow
    first, last = _losses(numbers)
    every = last - first + 1
    if len(flow.rows) == every:
        return slice(None)
    count = min(every, max(int(_SHARPNESS * height), 1))
    middles = (np.arange(count) + 0.5) * (every / count) + first - 0.5
    return np.minimum(np.searchsorted(_edges(numbers)[1:], middles), len(flow.rows) - 1)

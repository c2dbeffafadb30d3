"""How long units remember: half-life of what each unit's gate keeps, in time steps, and at its most open."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.gates import Kept, keeps, kept
from rnnviz.core.magnitude import log10
from rnnviz.core.numbers import short, whole
from rnnviz.gui.canvas.items.curve_plot import ValueAxis
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Card, Found, Partial, Sight, Spot, Table, at_once
from rnnviz.gui.gradients.plots.marks import Dots, Ring, Stems
from rnnviz.gui.gradients.plots.plot import Plot, above_legend, magnitude_axis
from rnnviz.gui.network.drawing import Drawing, Line
from rnnviz.gui.state.laboratory import Laboratory


@dataclass(frozen=True, eq=False)
class HalfLives:
    """Of the units of one model, in time steps; ∞ where all is kept, 0 where nothing is, once."""

    state: str  # what is kept: "c"
    node: str  # the gate that keeps it; "" where all is kept
    symbol: str  # how that is written: "f"
    usual: Array  # (H,) by the geometric mean over the time steps
    longest: Array  # (H,) by the largest value of any time step
    of_mean: float  # by the mean of all units

    @property
    def order(self) -> Array:
        """(H,) units, the one with the longest half-life first."""
        return np.argsort(-np.nan_to_num(self.usual, nan=-1.0, posinf=np.inf), kind="stable")

    @property
    def best(self) -> int:
        """The unit that remembers longest."""
        return int(self.order[0])


class HalflifeCard(Card):
    """One plot a model."""

    key = "halflife"
    of_operations = True
    each_model = True
    by_model = False

    def lacks(self, model: ShownModel) -> str:
        cell = model.structure.equations
        if keeps(cell):
            return ""
        way = "weights carry it" if cell.states else "it carries none"
        return f"The {cell.words} cell has no gate that keeps the state of a unit: {way}."

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        assert model.layer is not None  # it has a trace
        return at_once(half_lives(kept(model.layer)[0]))

    def aside(self, sight: Sight) -> str:
        for found in sight.known:
            numbers: HalfLives = found.value
            keeper = next(
                (gate.words for gate in found.model.structure.equations.gates if gate.name == numbers.node), ""
            )
            return keeper or self.short_aside(sight)
        return ""

    def short_aside(self, sight: Sight) -> str:
        for found in sight.known:
            return f"{found.value.symbol} of {found.value.state}"
        return ""

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, look = Drawing(), sight.theme
        for found in sight.known:
            numbers, color = found.value, found.model.color
            plot, said = _plot(sight, found, area)
            drawing.add(*said.marks)
            plot.draw_frame(drawing, look, "units, longest first", "half-life, time steps")
            ranks, order = np.arange(1, len(numbers.usual) + 1), numbers.order
            xs, usual, longest = plot.xs(ranks), log10(numbers.usual[order]), log10(numbers.longest[order])
            stems = Stems("most", xs, _pixels(plot, usual), _pixels(plot, longest), look.mixed(color, 0.45))
            stems.width = min(2.0, max(0.5 * plot.frame.width() / len(xs), 0.6))
            drawing.add(stems)
            _draw_mean(drawing, plot, numbers, sight)
            _draw_dots(drawing, plot, usual, found, sight)
        return drawing

    def mark(self, sight: Sight, area: QRectF) -> Drawing:
        """A ring around the unit that is looked at."""
        drawing = Drawing()
        for found in sight.known:
            numbers, unit = found.value, sight.unit_of(found)
            if unit is not None and unit < len(numbers.usual):
                plot, _ = _plot(sight, found, area)
                rank = int(np.flatnonzero(numbers.order == unit)[0]) + 1
                x = float(plot.xs(np.asarray(rank)))
                y = float(_pixels(plot, log10(numbers.usual[unit : unit + 1]))[0])
                drawing.add(Ring("unit", QRectF(x - 5, y - 5, 10, 10), sight.theme.color("cursor")))
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        for found in sight.known:
            (plot, _), numbers = _plot(sight, found, area), found.value
            if plot.frame.contains(point):
                rank = min(max(round(plot.x_at(point.x())), 1), len(numbers.usual))
                unit = int(numbers.order[rank - 1])
                words = f"{found.model.name}, unit {whole(unit + 1)}: half of {numbers.state} is left after "
                words += f"{_steps(numbers.usual[unit])}, at its most open after {_steps(numbers.longest[unit])}"
                return Spot(words, model=found.model.number, unit=unit)
        return None

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            numbers: HalfLives = found.value
            columns["unit"] = np.arange(1, len(numbers.usual) + 1)
            columns["half-life"], columns["half-life at its most open"] = numbers.usual, numbers.longest
        return Table(columns)


def half_lives(one: Kept) -> HalfLives:
    """Those of one state."""
    of_mean = replace(one, mean=np.atleast_1d(one.mean.mean())).half_life
    return HalfLives(
        one.state, one.node, one.symbol, one.half_life, replace(one, mean=one.largest).half_life, float(of_mean[0])
    )


def _plot(sight: Sight, found: Found, area: QRectF) -> tuple[Plot, Drawing]:
    return sight.once((found.model.number, area.getRect()), lambda: _laid_out(sight, found, area))


def _laid_out(sight: Sight, found: Found, area: QRectF) -> tuple[Plot, Drawing]:
    """The plot, and what is said below it."""
    numbers: HalfLives = found.value
    unit = f"unit {whole(numbers.best + 1)}: {_steps(numbers.usual[numbers.best])}"
    mean = f"mean of all units: {short(numbers.of_mean)}"
    lines = [(unit, found.model.color), (mean, sight.theme.color("muted"))]
    sizes = [part for one in sight.values for part in (one.usual, one.longest, np.array([one.of_mean]))]
    count = len(numbers.usual)
    ends = ((1.0, "1"), (float(count), whole(count))) if count > 1 else ((1.0, "1"),)
    return above_legend(area, lines, ValueAxis(0.5, count + 0.5, ends), _with_ends(list(map(log10, sizes))))


def _with_ends(logs: list[Array]) -> ValueAxis:
    """The axis with room for ∞ and 0 where they occur."""
    axis, every = magnitude_axis(logs), np.concatenate(logs)
    room = 0.1 * (axis.high - axis.low)
    if np.isposinf(every).any():
        axis = replace(axis, high=axis.high + room, ticks=((axis.high + room, "∞"), *axis.ticks))
    if np.isneginf(every).any():
        axis = replace(axis, low=axis.low - room, ticks=((axis.low - room, "0"), *axis.ticks))
    return axis


def _pixels(plot: Plot, logs: Array) -> Array:
    """∞ and 0 at the ends of the axis; NaN in the middle."""
    ends = np.where(logs > 0, plot.frame.top() + 3, plot.frame.bottom() - 3)
    ys = np.where(np.isfinite(logs), plot.held(plot.ys(np.where(np.isfinite(logs), logs, 0))), ends)
    return np.where(np.isnan(logs), plot.frame.center().y(), ys)


def _draw_dots(drawing: Drawing, plot: Plot, usual: Array, found: Found, sight: Sight) -> None:
    xs, ys = plot.xs(np.arange(1, len(usual) + 1)), _pixels(plot, usual)
    radius = min(2.8, max(1.2, 0.35 * plot.frame.width() / len(usual)))
    for sign, where in (("", np.isfinite(usual)), ("up", np.isposinf(usual)), ("down", np.isneginf(usual))):
        if where.any():
            size = radius if not sign else max(radius, 2.4)
            values = 10.0 ** usual[where]
            drawing.add(Dots(f"units {sign}".strip(), xs[where], ys[where], found.model.color, size, values, sign))
    odd = np.isnan(usual)
    if odd.any():
        drawing.add(Dots("units nan", xs[odd], ys[odd], sight.theme.color("not_finite"), radius))
    numbers: HalfLives = found.value
    drawing.add(Dots("longest", xs[:1], ys[:1], found.model.color, radius + 1.6, numbers.usual[numbers.order[:1]]))


def _draw_mean(drawing: Drawing, plot: Plot, numbers: HalfLives, sight: Sight) -> None:
    """What the mean of all units' gates would say."""
    if np.isfinite(numbers.of_mean) and numbers.of_mean > 0:
        y, muted = plot.y_pixel(float(np.log10(numbers.of_mean))), sight.theme.color("muted")
        ends = QPointF(plot.frame.left(), y), QPointF(plot.frame.right(), y)
        drawing.add(Line("mean", ends, muted, 1.2, dashed=True))


def _steps(count: float) -> str:
    if np.isposinf(count):
        return "∞ time steps"
    return f"{short(count)} time steps"

"""Memory horizon: how many time steps back a gradient reaches, over training (Pascanu et al. 2013)."""

import math
from collections.abc import Callable, Generator, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.horizon import horizon, in_the_past, omega
from rnnviz.core.magnitude import log10
from rnnviz.core.numbers import bound, short, whole
from rnnviz.gui.canvas.items.curve_plot import ValueAxis
from rnnviz.gui.canvas.lanes.value_axes import logarithmic
from rnnviz.gui.gradients.card import Found, Sight, Spot, Table
from rnnviz.gui.gradients.flows import found_flow, takes_unit_losses
from rnnviz.gui.gradients.over_training import OverSteps, OverTraining, training_axis
from rnnviz.gui.gradients.plots.marks import Curve, Dots
from rnnviz.gui.gradients.plots.plot import Plot, draw_names
from rnnviz.gui.network.drawing import Drawing
from rnnviz.gui.state.laboratory import Laboratory
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.fields import Choice

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer
    from rnnviz.core.sweeps.trace import Trace

_LINE = 16.0
_WAYS = (("steps", "memory horizon"), ("share", "time steps in the past"), ("omega", "Ω"))


@dataclass(frozen=True)
class Reach:
    """How far back gradients reach at one training step."""

    steps: float  # the median over losses, time steps; NaN where no loss sends anything
    at_least: bool  # whether the sequence begins before half of the losses have faded
    share: float  # of time steps with ‖∂L/∂h_t‖² ≥ 10⁻²⁰, in percent
    omega: float
    unit: bool  # whether the losses are unit losses
    finite: bool = True  # whether no gradient is NaN or ∞
    cut: bool = False  # whether most of those that reach on do so up to a cut
    elsewhere: bool = False  # whether all losses lie in a later stage


class HorizonCard(OverTraining):
    """One curve a model over the training steps; the training step shown is marked."""

    key = "horizon"
    of_operations = True

    def hangs_on(self, laboratory: Laboratory, options: Mapping[str, Any]) -> Hashable:
        return laboratory.threshold, laboratory.relative, laboratory.losses

    def of_layer(self, trace: "Trace", layer: "Layer", laboratory: Laboratory) -> Generator[float, None, Reach]:
        unit = takes_unit_losses(trace, layer, laboratory)
        numbers = yield from found_flow(trace, layer, unit)
        found = horizon(numbers.flow, laboratory.threshold, laboratory.relative)
        past, finite = 100 * in_the_past(layer).share, bool(np.isfinite(numbers.flow.values).all())
        cut = found.at_least and 2 * int(found.cut.sum()) > int(found.censored.sum())
        apart = numbers.flow.crosses and not any(numbers.flow.inside[k] for k in numbers.flow.rows)
        return Reach(found.median, found.at_least, past, omega(layer).value, unit, finite, cut, apart)

    def aside(self, sight: Sight) -> str:
        laboratory = sight.laboratory
        if self._way(sight) != "steps":
            return _of_probe(sight).removesuffix(", ")
        unit = any(one.unit for value in sight.values for one in value.numbers)
        least = (
            f"{bound(laboratory.threshold)} of ‖∂L/∂h_{{k}}‖" if laboratory.relative else bound(laboratory.threshold)
        )
        return f"{_of_probe(sight)}{'unit losses, ' if unit else ''}until below {least}"

    def short_aside(self, sight: Sight) -> str:
        unit = any(one.unit for value in sight.values for one in value.numbers)
        said = "unit losses" if unit and self._way(sight) == "steps" else ""
        return f"{_of_probe(sight)}{said}".removesuffix(", ")

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, plot, way = Drawing(), self._plot(sight, area), self._way(sight)
        words = {"steps": "time steps back", "share": "% of time steps", "omega": "Ω, log₁₀"}[way]
        plot.draw_frame(drawing, sight.theme, "training step", words)
        for found in sight.known:
            numbers, color, dash = found.value, found.model.color, found.model.dash
            values, key = self._values(numbers, way), str(found.model.number)
            if way == "omega":
                odd = sight.theme.color("not_finite")
                plot.draw_magnitudes(drawing, key, numbers.training_steps, values, color, dash, odd=odd)
            else:
                xs = plot.xs(numbers.training_steps)
                drawing.add(Curve(key, xs, plot.ys(values), color, 1.6, dash, values))
                odd = np.isnan(values) & (numbers.column("finite") == 0)
                if odd.any():
                    ys = np.full(int(odd.sum()), plot.frame.center().y())
                    drawing.add(Dots(f"{key} nan", xs[odd], ys, sight.theme.color("not_finite"), 3.0))
        here = sight.shown.cursor.training_step
        lines = [(f"{found.model.name}: {self._words(found, here, way)}", found.model.color) for found in sight.known]
        top = area.bottom() - len(lines) * _LINE + 2
        draw_names(drawing, QRectF(area.left() + 2, top, area.width() - 2, _LINE), lines)
        return drawing

    def mark(self, sight: Sight, area: QRectF) -> Drawing:
        drawing = Drawing()
        self._plot(sight, area).draw_cursor(drawing, sight.theme, sight.shown.cursor.training_step)
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        plot = self._plot(sight, area)
        if not plot.frame.contains(point) or not sight.known:
            return None
        steps = sight.known[0].value.training_steps
        if not len(steps):
            return None
        step = int(steps[np.abs(steps - plot.x_at(point.x())).argmin()])
        lines = [f"training step {whole(step)}"]
        lines += [f"{found.model.name}: {self._words(found, step)}" for found in sight.known]
        return Spot("\n".join(lines), training_step=step)

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            numbers: OverSteps = found.value
            columns[f"{found.model.name} training step"] = numbers.training_steps
            for name in ("steps", "share", "omega"):
                columns[f"{found.model.name} {name}"] = numbers.column(name)
        return Table(columns)

    def controls(self, store: Store, change: Callable[[Mapping[str, Any]], None]) -> QWidget | None:
        choice = Choice(_WAYS, flat=True)
        choice.setAccessibleName("What is drawn")
        choice.setToolTip(
            "memory horizon: time steps back until the gradient falls below the threshold, the median over losses; "
            "time steps in the past: share of time steps with ‖∂L/∂h‖² ≥ 10⁻²⁰; Ω: how far the gradient is from "
            "keeping its size from one time step to the next (both Pascanu 2013)"
        )
        choice.set_value("steps")
        choice.chosen.connect(lambda value: change({"way": value}))
        return choice

    @staticmethod
    def _way(sight: Sight) -> str:
        return str(sight.options.get("way", "steps"))

    @staticmethod
    def _values(numbers: OverSteps, way: str) -> Array:
        values = numbers.column(way)
        return log10(values) if way == "omega" else values

    def _words(self, found: Found, training_step: int, way: str = "") -> str:
        """What holds at the nearest training step: what is drawn `way`, or all of it."""
        one: Reach | None = found.value.at(training_step)
        if one is None:
            return "…"
        if math.isnan(one.steps):
            horizon = "no gradient" if one.finite else "its gradient is NaN or ∞"
            horizon = "its losses lie in a later stage" if one.elsewhere else horizon
        else:
            horizon = f"{'≥ ' if one.at_least else ''}{f'{one.steps:.1f}'.removesuffix('.0')} time steps back"
            horizon += ", where it is cut" if one.cut else ""
        words = {
            "steps": horizon,
            "share": f"{'NaN' if math.isnan(one.share) else f'{one.share:.0f}'} % of the time steps in the past",
            "omega": f"Ω {short(one.omega)}",
        }
        return words.get(way) or " · ".join(words.values())

    def _plot(self, sight: Sight, area: QRectF) -> Plot:
        way = self._way(sight)
        curves = [self._values(value, way) for value in sight.values]
        last = max((int(value.training_steps[-1]) for value in sight.values if len(value.training_steps)), default=1)
        match way:
            case "steps":
                high = float(max(sight.shown.time_steps - 1, 1))
                y = ValueAxis(0.0, high, ((0.0, "0"), (high, whole(int(high)))))
            case "share":
                y = ValueAxis(0.0, 100.0, ((0.0, "0"), (50.0, "50"), (100.0, "100")))
            case _:
                y = logarithmic(curves, decades=4)
        box = area.adjusted(0, 0, 0, -len(sight.known) * _LINE)
        return Plot.within(box, training_axis(last), y, x_words="training step")


def _of_probe(sight: Sight) -> str:
    """Said where the lanes show other sequences: over training the same ones are compared."""
    return "probe, " if sight.shown.kind == "batch" else ""

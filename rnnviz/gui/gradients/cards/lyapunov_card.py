"""Lyapunov spectrum: how fast small changes of the state grow or fade while a sequence drives a network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.lyapunov import layer_lyapunov
from rnnviz.core.numbers import short, whole
from rnnviz.gui.canvas.items.curve_plot import ValueAxis
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.canvas.lanes.value_axes import linear
from rnnviz.gui.gradients.card import Card, Found, Partial, Sight, Spot, Table, carries_nothing, seldom
from rnnviz.gui.gradients.plots.marks import Dots
from rnnviz.gui.gradients.plots.plot import Plot, above_legend
from rnnviz.gui.network.drawing import Drawing, Line
from rnnviz.gui.state.laboratory import Laboratory

LEAST = 10  # time steps
_SHARES = ValueAxis(0.0, 1.0, ((0.0, "0"), (0.5, "0.5"), (1.0, "1")))


@dataclass(frozen=True, eq=False)
class LyapunovNumbers:
    """Of the time steps that are counted by now."""

    exponents: Array  # (S,) falling, per time step; −∞, NaN
    counted: int
    left_out: int

    @property
    def shares(self) -> Array:
        """(S,) i/N."""
        return np.arange(1, len(self.exponents) + 1) / max(len(self.exponents), 1)

    @property
    def verdict(self) -> str:
        """The largest one in words: near 0 is what a sequence as long as this one cannot tell from 0."""
        largest = float(self.exponents[0])
        if np.isnan(largest):
            return "a step Jacobian is not finite"
        if np.isneginf(largest):
            return "forgets at once"
        near = abs(largest) * self.counted < 1
        return "near 0" if near else "chaotic" if largest > 0 else "contracting"


class LyapunovCard(Card):
    """The sorted exponents of all models in one plot."""

    key = "lyapunov"
    of_jacobians = True

    def lacks(self, model: ShownModel) -> str:
        time_steps = model.time_steps if model.layer is None else len(model.layer.times())
        if time_steps < LEAST and model.carries:
            where = "this sequence" if time_steps == model.time_steps else "this layer"
            return f"A Lyapunov spectrum is a mean over time steps: it needs {LEAST}, {where} has fewer."
        return carries_nothing(model)

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        return seldom(_parts(model))

    def aside(self, sight: Sight) -> str:
        left = max([numbers.left_out for numbers in sight.values], default=0)
        return f"after the first {whole(left)} time steps" if left > 1 else self.short_aside(sight)

    def short_aside(self, sight: Sight) -> str:
        left = max([numbers.left_out for numbers in sight.values], default=0)
        return f"t > {whole(left)}"

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, look = Drawing(), sight.theme
        plot, said = self._plot(sight, area)
        drawing.add(*said.marks)
        plot.draw_frame(drawing, look, "exponents i/N, largest first", "λ_{i} per time step")
        ends = QPointF(plot.frame.left(), plot.y_pixel(0)), QPointF(plot.frame.right(), plot.y_pixel(0))
        drawing.add(Line("zero", ends, look.color("muted"), 1.2, dashed=True))
        for place, found in enumerate(sight.known):
            numbers, color = found.value, found.model.color
            shares, odd = numbers.shares, look.color("not_finite")
            plot.draw_magnitudes(drawing, f"curve {place}", shares, numbers.exponents, color, found.model.dash, odd=odd)
            if len(shares) <= 0.3 * plot.frame.width():
                xs, ys = plot.xs(shares), plot.ys(np.where(np.isfinite(numbers.exponents), numbers.exponents, np.nan))
                drawing.add(Dots(f"dots {place}", xs, ys, color, 2.2, numbers.exponents))
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        plot, _ = self._plot(sight, area)
        if not plot.frame.contains(point):
            return None
        words = []
        for found in sight.known:
            count = len(found.value.exponents)
            place = min(max(round(plot.x_at(point.x()) * count) - 1, 0), count - 1)
            words.append(f"{found.model.name}: λ{place + 1} of {count} is {short(found.value.exponents[place])}")
        return Spot("\n".join(words))

    def table(self, sight: Sight) -> Table:
        return Table({found.model.name: found.value.exponents for found in sight.known})

    @staticmethod
    def _plot(sight: Sight, area: QRectF) -> tuple[Plot, Drawing]:
        def make() -> tuple[Plot, Drawing]:
            lines = [(_words(found), found.model.color) for found in sight.known]
            axis = linear([numbers.exponents for numbers in sight.values], include=0.0)
            return above_legend(area, lines, _SHARES, axis)

        return sight.once(area.getRect(), make)


def _parts(model: ShownModel) -> Iterator[Partial]:
    assert model.sequence is not None  # it has a trace
    layer = (model.sequence.wider or model.sequence).layer(model.layer_name)
    before, length = None, int(layer.sequence_lengths[0])
    for found in layer_lyapunov(layer):
        if before is not None:
            share = min((before.counted + before.left_out) / length, 0.99)
            numbers = LyapunovNumbers(before.exponents, before.counted, before.left_out) if before.counted else None
            yield Partial(numbers, share)
        before = found
    if before is not None:
        yield Partial(LyapunovNumbers(before.exponents, before.counted, before.left_out))


def _words(found: Found) -> str:
    numbers: LyapunovNumbers = found.value
    return f"{found.model.name} λ_1 {short(numbers.exponents[0])}: {numbers.verdict}"

"""Singular values of ∂h_T/∂h_t: what is left at the end of the sequence of a change at each time step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.products import product_spectra
from rnnviz.core.numbers import whole
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.canvas.lanes.value_axes import magnitude_words
from rnnviz.gui.gradients.card import Found, Partial, Sight, Spot, Table, carries_nothing, rest_words, seldom
from rnnviz.gui.gradients.over_time import OverTime
from rnnviz.gui.gradients.plots.marks import Area, Curve
from rnnviz.gui.gradients.plots.plot import Plot, above_legend, magnitude_axis, time_axis
from rnnviz.gui.look import fonts
from rnnviz.gui.network.drawing import Drawing, Line, Text
from rnnviz.gui.state.laboratory import Laboratory

CURVES = 10  # of the largest; the others are a band
_MOST = 300  # time steps, about, whose singular values are found: a card has no more pixels
_FLOAT32 = float(np.log10(2.0**-149))  # the smallest number


@dataclass(frozen=True, eq=False)
class ProductNumbers:
    """As far back as known."""

    logs: Array  # (n, S) log₁₀, falling; −∞ of 0, NaN where a step Jacobian is not finite
    steps: Array  # (n,) their time steps, from 1 and ascending

    @property
    def largest(self) -> Array:
        """(n, ·) those that get a curve."""
        return self.logs[:, :CURVES]

    @cached_property
    def smallest(self) -> Array:
        """(n,) of those that are not 0; NaN where none is."""
        known = np.where(np.isfinite(self.logs), self.logs, np.inf).min(axis=1, initial=np.inf)
        return np.where(np.isfinite(known), known, np.nan)

    @property
    def farthest(self) -> int:
        """The row that is farthest from the end of the sequence."""
        first = self.logs[0] if len(self.logs) else np.zeros(0)
        return len(self.logs) - 1 if np.array_equal(first, np.zeros(len(first))) else 0


class ProductsCard(OverTime):
    """One plot a model."""

    key = "products"
    of_jacobians = True
    title = "Singular values of ∂h_{T}/∂h_{t}"
    each_model = True
    by_model = False

    def lacks(self, model: ShownModel) -> str:
        return carries_nothing(model)

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        return seldom(_parts(model))

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, look = Drawing(), sight.theme
        for found in sight.known:
            numbers: ProductNumbers = found.value
            plot, legend = self._plot(sight, area)
            drawing.add(*legend.marks)
            plot.draw_frame(drawing, look, "time step t", "singular value")
            _draw_band(drawing, plot, found, sight)
            for number in reversed(range(1, numbers.largest.shape[1])):
                logs = numbers.largest[:, number]
                ys = np.where(np.isfinite(logs), plot.ys(np.where(np.isfinite(logs), logs, 0)), np.nan)
                color = look.mixed(found.model.color, 0.75)
                drawing.add(Curve(f"value {number}", plot.xs(numbers.steps), ys, color, 0.9, values=logs))
            color, odd = found.model.color, look.color("not_finite")
            away = numbers.steps <= self.cuts(sight).beyond
            if numbers.logs.shape[1]:
                plot.draw_magnitudes(drawing, "value 0", numbers.steps, numbers.logs[:, 0], color, odd=odd, cut=away)
            _draw_end(drawing, plot, numbers, sight)
        return drawing

    def cuts(self, sight: Sight) -> Cuts:
        """Nothing of a state before the last edge is left at the end."""
        found = sight.shown.cuts
        return replace(found, beyond=max(found.edges, default=0))

    def told(self, sight: Sight, time_step: int) -> Spot | None:
        found = sight.known[0]
        return Spot(f"{found.model.name}, ∂h_T/∂h_t {_told(found, time_step)}", time_step)

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            numbers: ProductNumbers = found.value
            columns["t"] = numbers.steps
            for number in range(numbers.logs.shape[1]):
                columns[f"{found.model.name} log10 σ{number + 1}"] = numbers.logs[:, number]
        return Table(columns)

    def plot(self, sight: Sight, area: QRectF) -> Plot:
        return self._plot(sight, area)[0]

    def _plot(self, sight: Sight, area: QRectF) -> tuple[Plot, Drawing]:
        def make() -> tuple[Plot, Drawing]:
            lines = [(_words(found, self.cuts(sight)), sight.theme.color("muted")) for found in sight.known]
            axis = magnitude_axis([numbers.largest for numbers in sight.values], include=0.0)
            return above_legend(area, lines, time_axis(sight.shown.time_steps), axis)

        return sight.once(area.getRect(), make)


def _parts(model: ShownModel) -> Iterator[Partial]:
    assert model.sequence is not None  # it has a trace
    layer = (model.sequence.wider or model.sequence).layer(model.layer_name)
    for found in product_spectra(layer, every=max(1, model.time_steps // _MOST)):
        length = len(found.log10_values)
        numbers = ProductNumbers(found.log10_values[found.time_steps], found.time_steps + 1)
        yield Partial(numbers, 1.0 if found.whole else found.known / (length + 1))


def _draw_end(drawing: Drawing, plot: Plot, numbers: ProductNumbers, sight: Sight) -> None:
    """Where float32 ends; said where the curves are farther from it."""
    y = plot.y_pixel(_FLOAT32)
    if plot.frame.top() < y < plot.frame.bottom():
        muted, ends = sight.theme.color("muted"), (QPointF(plot.frame.left(), y), QPointF(plot.frame.right(), y))
        drawing.add(Line("float32", ends, muted, 1.0, dashed=True))
        fallen = numbers.logs[numbers.farthest, 0] < _FLOAT32
        x, baseline = (plot.frame.left() + 4, y - 4) if fallen else (plot.frame.right() - 4, y + 12)
        drawing.add(Text("float32", x, baseline, "0 in float32", fonts.SMALL, muted, 0.0 if fallen else 1.0))


def _draw_band(drawing: Drawing, plot: Plot, found: Found, sight: Sight) -> None:
    """All other values, as far as the axis goes: it is that of the largest."""
    numbers: ProductNumbers = found.value
    if numbers.logs.shape[1] <= CURVES:
        return
    upper, lower = numbers.logs[:, CURVES - 1], numbers.smallest
    within = np.isfinite(upper) & np.isfinite(lower)
    cuts = np.flatnonzero(np.diff(within.astype(int))) + 1
    for number, part in enumerate(np.split(np.arange(len(within)), cuts)):
        if within[part].all() and len(part) > 1:
            xs, low, high = plot.xs(numbers.steps[part]), plot.ys(lower[part]), plot.ys(upper[part])
            color = sight.theme.mixed(found.model.color, 0.22)
            drawing.add(Area(f"band {number}", xs, plot.held(low), plot.held(high), color))


def _told(found: Found, t: int) -> str:
    numbers: ProductNumbers = found.value
    row = int(np.abs(numbers.steps - t).argmin())
    nearest = int(numbers.steps[row])
    if rest := rest_words(found.model, t, alone=True):
        return f"at t = {whole(t)}: {rest}"
    if abs(nearest - t) > max(1, int(np.diff(numbers.steps).max(initial=1))):
        return f"at t = {whole(t)}: not known yet"
    return f"at t = {whole(nearest)}: {_sizes(numbers, row)}"


def _words(found: Found, cuts: Cuts) -> str:
    numbers: ProductNumbers = found.value
    if not numbers.logs.size:
        return ""
    row = numbers.farthest
    if numbers.steps[row] <= cuts.beyond:
        return cuts.words(int(numbers.steps[row])).partition(":")[0]
    return f"t = {whole(int(numbers.steps[row]))}: {_sizes(numbers, row)}"


def _sizes(numbers: ProductNumbers, row: int) -> str:
    logs = numbers.logs[row]
    if np.isnan(logs).any():
        return "NaN"
    zeros = int(np.isneginf(logs).sum())
    words = f"largest {magnitude_words(float(logs[0]))}"
    if np.isfinite(numbers.smallest[row]):
        words += f", smallest {magnitude_words(float(numbers.smallest[row]))}"
    return words + (f", {whole(zeros)} exactly 0" if zeros else "")

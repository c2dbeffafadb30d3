"""Gradient flow by distance: how much gradient comes to each time step, and from how far away."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import log10
from rnnviz.core.numbers import short, whole
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Found, Partial, Sight, Spot, Table, resting
from rnnviz.gui.gradients.flows import FlowBased, FlowNumbers, flow_numbers
from rnnviz.gui.gradients.over_time import OverTime
from rnnviz.gui.gradients.plots.legend import Entry, draw_legend, legend_height
from rnnviz.gui.gradients.plots.log_colors import LOST, WORDS
from rnnviz.gui.gradients.plots.marks import Area
from rnnviz.gui.gradients.plots.plot import Plot, magnitude_axis, time_axis
from rnnviz.gui.network.drawing import Drawing
from rnnviz.gui.state.laboratory import Laboratory

_FROM = (0, 1, 4, 16, 64)  # time steps between loss and state, from which each band begins
_FROM_FAR = (0, 1, 64, 256, 1024)  # the same where not every loss was carried
_X = "time step t of the state"
_MANY = 250  # bars whose line of tops is drawn thin
_AWAY = "k − t"
_LEAST_DECADES = 3  # below the highest bar
_FAINTEST = 0.22  # of the nearest band's colour


@dataclass(frozen=True)
class Band:
    """Losses so many time steps away."""

    first: int
    last: int | None  # None: all beyond

    @property
    def words(self) -> str:
        if self.last is None:
            return f"{whole(self.first)}+"
        return whole(self.first) if self.first == self.last else f"{whole(self.first)}–{whole(self.last)}"


@dataclass(frozen=True, eq=False)
class BarNumbers:
    """Sums of norms at the time steps that are drawn; P of them."""

    times: Array  # (P,) from 1
    sums: Array  # (B, P) Σ_k ‖∂L_k/∂h_t‖ of the losses of each band
    lost: Array  # (P,) bool: float32 has lost all of it
    bands: tuple[Band, ...]
    unit: bool
    sampled: str  # in words, if not every loss was carried
    symbol: str
    length: int

    @property
    def totals(self) -> Array:
        """(P,) of all losses."""
        return np.asarray(self.sums.sum(axis=0))

    @cached_property
    def ends(self) -> Array:
        """(2,) log₁₀ of the lowest and the highest bar; (0,) without any."""
        logs = log10(self.totals)
        known = logs[np.isfinite(logs)]
        return np.array([known.min(), known.max()]) if known.size else known

    @property
    def shares(self) -> Array:
        """(B, P) of the sum; NaN where that is 0 or not finite."""
        with np.errstate(all="ignore"):
            totals = self.totals
            return np.asarray(self.sums / np.where(np.isfinite(totals) & (totals > 0), totals, np.nan))


class BarsCard(FlowBased, OverTime):
    """Bars over the time steps of one model, stacked by how far away the losses are."""

    key = "bars"
    of_row = True
    each_model = True

    def hangs_on_loss(self, model: ShownModel, laboratory: Laboratory) -> int:
        return 0

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        numbers = yield from flow_numbers(model, laboratory, cursor=False)
        yield Partial(bars_of(numbers))

    def aside(self, sight: Sight) -> str:
        if not sight.known:
            return ""
        numbers: BarNumbers = sight.known[0].value
        words = "unit losses uᵀh_{k}" if numbers.unit else ""
        return ", ".join(filter(None, (words, numbers.sampled)))

    def short_aside(self, sight: Sight) -> str:
        return "".join(found.value.sampled or ("uᵀh_{k}" if found.value.unit else "") for found in sight.known)

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, plot = Drawing(), self.plot(sight, area)
        for found in sight.known:
            numbers: BarNumbers = found.value
            loss = "uᵀh" if numbers.unit else "L"
            words = f"Σ_{{k}} ‖∂{loss}_{{k}}/∂{numbers.symbol}_{{t}}‖"
            plot.draw_frame(drawing, sight.theme, _X, words)
            logs = log10(numbers.totals)
            floor, tops = plot.frame.bottom(), plot.ys(np.where(np.isfinite(logs), logs, np.nan))
            heights = np.nan_to_num(floor - tops)
            edges = np.cumsum(np.vstack([np.zeros(len(logs)), np.nan_to_num(numbers.shares)]), axis=0)
            xs = plot.xs(_sides(numbers))
            for number, entry in enumerate(self._entries(found, sight)[1 : len(numbers.bands) + 1]):
                lower, upper = (np.repeat(floor - edges[one] * heights, 2) for one in (number, number + 1))
                assert entry.color is not None  # a band's
                drawing.add(Area(f"band {number}", xs, lower, upper, entry.color, numbers.sums[number]))
            width = 1.6 if len(logs) <= _MANY else 0.9
            text, odd = sight.theme.color("text"), sight.theme.color("not_finite")
            away = (numbers.times <= sight.shown.cuts.beyond) | resting(found.model, numbers.times)
            plot.draw_magnitudes(drawing, "sum", numbers.times, logs, text, (), numbers.lost, odd, width, away)
            place = QRectF(area.left() + 2, area.bottom() - self._legend(sight, area), area.width() - 2, 60)
            draw_legend(drawing, place, self._entries(found, sight), sight.theme)
        return drawing

    def told(self, sight: Sight, time_step: int) -> Spot | None:
        for found in sight.known:
            numbers: BarNumbers = found.value
            place = int(np.abs(numbers.times - time_step).argmin())
            t = int(numbers.times[place])
            lost = f" ({WORDS[LOST]})" if numbers.lost[place] else ""
            lines = [f"{found.model.name}, state at t = {whole(t)}: {short(numbers.totals[place])}{lost} in all"]
            for band, value, share in zip(numbers.bands, numbers.sums[:, place], numbers.shares[:, place], strict=True):
                part = f", {100 * share:.0f} %" if share == share else ""
                lines.append(f"losses {band.words} time steps later: {short(value)}{part}")
            return Spot("\n".join(lines), t, None, found.model.number)
        return None

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            numbers: BarNumbers = found.value
            columns[f"{found.model.name} t"] = numbers.times
            for band, values in zip(numbers.bands, numbers.sums, strict=True):
                columns[f"{found.model.name} k-t {band.words}"] = values
        return Table(columns)

    @staticmethod
    def _entries(found: Found, sight: Sight) -> list[Entry]:
        bands, color = found.value.bands, found.model.color
        shares = np.linspace(_FAINTEST, 1.0, max(len(bands), 2))
        boxes = [
            Entry(band.words, sight.theme.mixed(color, float(share)))
            for band, share in zip(bands, shares[-len(bands) :] if len(bands) > 1 else shares[:1], strict=True)
        ]
        odd = [Entry("NaN", sight.theme.color("not_finite"))] if np.isnan(found.value.totals).any() else []
        return [Entry(_AWAY), *boxes, *odd]

    def _legend(self, sight: Sight, area: QRectF) -> float:
        words = (self._entries(found, sight) for found in sight.known)
        return max((legend_height(entries, area.width() - 2) for entries in words), default=0.0)

    def plot(self, sight: Sight, area: QRectF) -> Plot:
        ends = np.concatenate([numbers.ends for numbers in sight.values] or [np.zeros(0)])
        low, high = float(ends.min(initial=np.inf)), float(ends.max(initial=-np.inf))
        axis = magnitude_axis([ends], include=min(low - 1, high - _LEAST_DECADES) if ends.size else None)
        length = max((numbers.length for numbers in sight.values), default=1)
        room = area.adjusted(0, 0, 0, -self._legend(sight, area) - 2)
        return Plot.within(room, time_axis(length), axis, x_words=_X)


def _sides(numbers: BarNumbers) -> Array:
    """(2 P,) the time steps at which each bar begins and ends."""
    times = numbers.times.astype(np.float64)
    middles = (times[:-1] + times[1:]) / 2
    return np.column_stack([np.r_[0.5, middles], np.r_[middles, numbers.length + 0.5]]).ravel()


def bars_of(numbers: FlowNumbers) -> BarNumbers:
    """What is stacked: the norms of a flow, summed by how far away the losses are."""
    flow = numbers.flow
    times = flow.rows if flow.sampled and not flow.crosses else np.arange(flow.length)
    every = _FROM_FAR if flow.sampled else _FROM
    begin = [first for first in every if first < flow.length]
    last = [*(first - 1 for first in begin[1:]), None if len(begin) == len(every) else flow.length - 1]
    bands = tuple(Band(first, end) for first, end in zip(begin, last, strict=True))
    sums, columns = np.zeros((len(bands), len(times))), np.arange(len(times))
    kept, gone = np.zeros(len(times), bool), np.zeros(len(times), bool)
    with np.errstate(all="ignore"):
        for row, k in enumerate(flow.rows):
            band = np.searchsorted(begin, np.abs(k - times), "right") - 1
            values, marks = flow.values[row, times], numbers.marks[row, times]
            sums[band, columns] += values
            kept |= (values > 0) & (marks != LOST)
            gone |= marks == LOST
    lost = gone & ~kept
    return BarNumbers(times + 1, sums, lost, bands, numbers.unit, numbers.sampled_words, flow.symbol, flow.time_steps)

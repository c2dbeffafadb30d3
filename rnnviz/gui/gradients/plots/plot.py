"""Plot: a frame with two axes, ticks and titles, and where a value of the data lies in it; every axis has its unit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import power, tick, whole
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.gui.canvas.items.curve_plot import ValueAxis
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.gradients.plots.marks import Curve, Dots, Turned
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Dash, Theme
from rnnviz.gui.network.drawing import Box, Drawing, Line, Text
from rnnviz.gui.widgets import marked_text

_EDGES_APART = 6.0  # pixels between two cuts at least, or none is drawn
_TITLE, _TICKS = 15.0, 15.0  # pixels below the frame
_SIDE = 17.0  # of the title of y
_BESIDE = 5.0  # pixels between the frame and what is written beside it
_TICKS_APART = 13.0
_LEAST_HEIGHT = 96.0  # pixels of a plot with something said below
_ODD = 6.0  # pixels at floor and ceiling for what lies on no axis


def time_axis(time_steps: int, first: int = 1) -> ValueAxis:
    """The time steps from `first` on, each as wide as a column of a heat map."""
    last = max(time_steps, first)
    ticks = (
        ((float(first), whole(first)), (float(last), whole(last))) if last > first else ((float(first), whole(first)),)
    )
    return ValueAxis(first - 0.5, last + 0.5, ticks)


def magnitude_axis(logs: Sequence[Array], include: float | None = None, parts: int = 5) -> ValueAxis:
    """An axis of log₁₀ magnitudes that holds all finite ones, with about so many ticks: 0.5, 1, 2 where they are of one
    size, else powers of ten. Its ends are held by ticks, so that they move seldom."""
    finite = [array[np.isfinite(array)] for array in logs]
    ends = [float(end) for part in finite if part.size for end in (part.min(), part.max())]
    ends += [] if include is None else [include]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    low, high = (low, high) if high - low > 0.4 else ((low + high) / 2 - 0.2, (low + high) / 2 + 0.2)
    digits = (1, 2, 5) if high - low > 0.9 else (1, 1.5, 2, 3, 5, 7)
    if high - low < 2.5:
        decades = range(int(np.floor(low)) - 1, int(np.ceil(high)) + 1)
        marks = [float(np.log10(digit) + decade) for decade in decades for digit in digits]
    else:
        step = next(n * 10**k for k in range(12) for n in (1, 2, 5) if n * 10**k * parts >= high - low)
        marks = [float(n * step) for n in range(int(np.floor(low / step)), int(np.ceil(high / step)) + 1)]
    bottom, top = max(mark for mark in marks if mark <= low), min(mark for mark in marks if mark >= high)
    kept = [mark for mark in marks if bottom <= mark <= top]
    return ValueAxis(bottom, top, tuple((mark, _magnitude_tick(mark)) for mark in kept), logarithmic=True)


def _magnitude_tick(log: float) -> str:
    return tick(float(f"{10.0**log:.3g}")) if abs(log) < 3 else power(round(log))


@dataclass(frozen=True)
class Plot:
    """`frame` in pixels; `x` and `y` say which values its edges are."""

    frame: QRectF
    x: ValueAxis
    y: ValueAxis

    @staticmethod
    def within(
        area: QRectF,
        x: ValueAxis,
        y: ValueAxis,
        *,
        titled: bool = True,
        right: float = 2.0,
        top: float = 6.0,
        square: bool = False,
        x_words: str = "",
    ) -> "Plot":
        """The plot that fills `area` with its ticks and titles; `right`: pixels left free there; `x_words`: the title
        of x, which takes no row of its own where it fits between the ticks."""
        wide = max([marked_text.width(words, fonts.SMALL) for _, words in y.ticks], default=0.0)
        left = wide + _BESIDE + (_SIDE if titled else 0.0)
        between = bool(x_words) and _fits_between(x, x_words, area.width() - left - right)
        below = _TICKS + (_TITLE if titled and not between else 0.0)
        frame = area.adjusted(left, top, -right, -below)
        frame.setSize(frame.size().expandedTo(QRectF(0, 0, 24, 24).size()))
        if square:
            side = min(frame.width(), frame.height())
            frame = QRectF(frame.center().x() - side / 2, frame.center().y() - side / 2, side, side)
        return Plot(frame, x, y)

    def xs(self, values: Array) -> Array:
        """Pixels from the left; not finite where the value is."""
        share = (np.asarray(values, np.float64) - self.x.low) / (self.x.high - self.x.low)
        return np.asarray(self.frame.left() + share * self.frame.width())

    def ys(self, values: Array) -> Array:
        """Pixels from the top; not finite where the value is."""
        share = (np.asarray(values, np.float64) - self.y.low) / (self.y.high - self.y.low)
        return np.asarray(self.frame.bottom() - share * self.frame.height())

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the data lies."""
        return float(self.xs(np.asarray(x))), float(self.ys(np.asarray(y)))

    def y_pixel(self, value: float) -> float:
        """The same of one value."""
        return float(self.ys(np.asarray(value)))

    def held(self, ys: Array) -> Array:
        """Pixels held within the frame."""
        return np.clip(ys, self.frame.top(), self.frame.bottom())

    def x_at(self, pixel: float) -> float:
        return self.x.low + (pixel - self.frame.left()) / self.frame.width() * (self.x.high - self.x.low)

    def y_at(self, pixel: float) -> float:
        return self.y.low + (self.frame.bottom() - pixel) / self.frame.height() * (self.y.high - self.y.low)

    def time_step_at(self, pixel: float) -> int:
        """The time step whose column is there, held within the axis."""
        first, last = round(self.x.low + 0.5), round(self.x.high - 0.5)
        return min(max(round(self.x_at(pixel)), first), last)

    def draw_frame(self, drawing: Drawing, look: Theme, x_words: str, y_words: str = "", *, grid: bool = True) -> None:
        """Frame, zone, ticks and titles."""
        muted, line = look.color("muted"), look.color("line")
        self._draw_zone(drawing, look)
        drawing.add(Box("frame", self.frame, line, 1.0, radius=0.0))
        widest = 0.0
        for value, words, y in self._written():
            widest = max(widest, marked_text.width(words, fonts.SMALL))
            drawing.add(Text(f"y{value}", self.frame.left() - _BESIDE, y + 4, words, fonts.SMALL, muted, 1.0))
            if grid and self.frame.top() + 2 < y < self.frame.bottom() - 2:
                drawing.add(
                    Line(f"g{value}", (QPointF(self.frame.left(), y), QPointF(self.frame.right(), y)), line, 1.0)
                )
        baseline, ticks = self.frame.bottom() + 13, list[Text]()
        for value, words in self.x.ticks:
            x = float(self.xs(np.asarray(value)))
            align = 0.0 if x < self.frame.left() + 8 else 1.0 if x > self.frame.right() - 8 else 0.5
            ticks.append(Text(f"x{value}", x, baseline, words, fonts.SMALL, muted, align))
        title = Text("x", self.frame.center().x(), baseline, x_words, fonts.SMALL, muted, 0.5)
        if any(title.rect.adjusted(-8, 0, 8, 0).intersects(text.rect) for text in ticks):
            title.baseline += 13
        drawing.add(*ticks, title)
        if y_words:
            x = self.frame.left() - _BESIDE - widest - 11
            y_words = marked_text.shortened(y_words, fonts.SMALL, self.frame.height() + 24)
            long = marked_text.width(y_words, fonts.SMALL)
            y = max(self.frame.center().y(), self.frame.top() - 4 + long / 2)  # rather below than into the title
            drawing.add(Turned("y", x, y, y_words, fonts.SMALL, muted))

    def _written(self) -> list[tuple[float, str, float]]:
        """The ticks of y that have room: value, words, pixel."""
        found = list[tuple[float, str, float]]()
        for value, words in self.y.ticks:
            y = float(self.ys(np.asarray(value)))
            if not found or abs(y - found[-1][2]) >= _TICKS_APART:
                found.append((value, words, y))
        return found

    def _draw_zone(self, drawing: Drawing, look: Theme) -> None:
        """Below the zone gradients count as vanished."""
        if self.y.zone is None or self.y.zone <= self.y.low:
            return
        top = min(max(float(self.ys(np.asarray(self.y.zone))), self.frame.top()), self.frame.bottom())
        box = QRectF(QPointF(self.frame.left(), top), self.frame.bottomRight())
        drawing.add(Box("zone", box, None, fill=look.color("bad", 0.10), radius=0.0))
        if self.y.zone_words and box.height() > 14:
            color = look.color("muted")
            drawing.add(
                Text("zone", box.right() - 5, box.bottom() - 4, self.y.zone_words, fonts.SMALL, color, 1.0, spare=True)
            )

    def draw_magnitudes(
        self,
        drawing: Drawing,
        key: str,
        xs: Array,
        logs: Array,
        color: QColor,
        dash: Dash = (),
        lost: Array | None = None,
        odd: QColor | None = None,
        width: float = 1.6,
        cut: Array | None = None,
    ) -> None:
        """A curve of log₁₀ magnitudes (P,): −∞ is an exact zero, a triangle at the floor; +∞ one at the ceiling; NaN a
        dot in the middle in the colour `odd`. What float32 has `lost` is dotted. Where it is `cut` (P,) a zero is no
        finding."""
        logs = np.asarray(logs, np.float64)
        px, py = self.xs(xs), self.held(self.ys(np.where(np.isfinite(logs), logs, np.nan)))
        known = np.where(np.isfinite(logs), py, np.nan)
        if lost is None or not lost.any():
            drawing.add(Curve(key, px, known, color, width, dash, logs))
        else:
            beside = lost.copy()
            beside[:-1] |= lost[1:]
            beside[1:] |= lost[:-1]
            drawing.add(Curve(key, px, np.where(lost, np.nan, known), color, width, dash, logs))
            drawing.add(
                Curve(f"{key} lost", px, np.where(beside, known, np.nan), color, 0.75 * width, (1.2, 2.2), logs)
            )
        for sign, where, y in (
            ("down", np.isneginf(logs) if cut is None else np.isneginf(logs) & ~cut, self.frame.bottom() - _ODD / 2),
            ("up", np.isposinf(logs), self.frame.top() + _ODD / 2),
            ("", np.isnan(logs), self.frame.center().y()),
        ):
            if where.any():
                shade = color if sign or odd is None else odd
                thin = _thinned(px[where])
                drawing.add(Dots(f"{key} {sign or 'nan'}", thin, np.full(len(thin), y), shade, _ODD / 2, sign=sign))

    def draw_cuts(self, drawing: Drawing, look: Theme, cuts: Cuts, *, middle: bool = False) -> None:
        """Where truncation cuts along the time steps of x: shade over what no loss reaches, and a line at each edge."""
        frame = self.frame
        if cuts.beyond:
            right = min(self.place(cuts.beyond + 0.5, 0.0)[0], frame.right())
            shade = QRectF(frame.topLeft(), QPointF(right, frame.bottom()))
            drawing.add(Box("cut", shade, None, fill=look.color("muted", 0.16), radius=0.0))
            words = "cut, truncated" if shade.width() > marked_text.width("cut, truncated", fonts.SMALL) + 8 else "cut"
            x, y = shade.center().x(), shade.center().y() if middle else frame.top() + fonts.SMALL + 2
            drawing.add(Text("cut words", x, y, words, fonts.SMALL, look.color("muted"), 0.5))
        if len(cuts.edges) * _EDGES_APART > frame.width():
            return
        for edge in cuts.edges:
            x = self.place(edge + 0.5, 0.0)[0]
            if frame.left() < x < frame.right():
                ends = QPointF(x, frame.top()), QPointF(x, frame.bottom())
                drawing.add(Line(f"edge {edge}", ends, look.color("muted"), 1.2, dashed=True))

    def draw_rests(self, drawing: Drawing, look: Theme, rests: Sequence[Rest]) -> None:
        """Shade over the time steps of x in which there is nothing."""
        for rest in rests:
            ends = (self.place(edge, 0.0)[0] for edge in (rest.first - 0.5, rest.last + 0.5))
            left, right = (min(max(x, self.frame.left()), self.frame.right()) for x in ends)
            shade = QRectF(QPointF(left, self.frame.top()), QPointF(right, self.frame.bottom()))
            drawing.add(Box(f"rest {rest.first}", shade, None, fill=look.color("muted", 0.1), radius=0.0))

    def draw_hand_over(self, drawing: Drawing, look: Theme, after: Sequence[int]) -> None:
        """A line behind each of the time steps with which a stage ends and hands its states over."""
        for time_step in after:
            x = self.place(time_step + 0.5, 0.0)[0]
            ends = QPointF(x, self.frame.top()), QPointF(x, self.frame.bottom())
            drawing.add(Line(f"hand-over {time_step}", ends, look.color("muted"), 1.0))

    def draw_cursor(self, drawing: Drawing, look: Theme, time_step: float) -> None:
        """The line of a time step."""
        if self.x.low <= time_step <= self.x.high:
            x = self.frame.left() + (time_step - self.x.low) / (self.x.high - self.x.low) * self.frame.width()
            ends = QPointF(x, self.frame.top()), QPointF(x, self.frame.bottom())
            drawing.add(Line("cursor", ends, look.color("cursor"), 1.4))


def _fits_between(axis: ValueAxis, words: str, width: float) -> bool:
    """Whether the title of x has room between its ticks, one at each end."""
    if len(axis.ticks) != 2:
        return False
    end = max(marked_text.width(tick, fonts.SMALL) for _, tick in axis.ticks)
    return marked_text.width(words, fonts.SMALL) + 2 * end + 32 < width


def _thinned(xs: Array) -> Array:
    """Every mark that has room beside the one before it."""
    kept = list[float]()
    for x in np.sort(xs).tolist():
        if not kept or x - kept[-1] >= _ODD + 1:
            kept.append(x)
    return np.array(kept)


def draw_names(drawing: Drawing, area: QRectF, lines: Sequence[tuple[str, QColor]], size: int = fonts.SMALL) -> float:
    """What is said of each model, in its colour, one below the other; returns the height it takes."""
    for number, (words, color) in enumerate(lines):
        fitting = marked_text.shortened(words, size, area.width())
        drawing.add(
            Text(f"name {number}", area.left(), area.top() + (number + 1) * (size + 5) - 4, fitting, size, color)
        )
    return len(lines) * (size + 5.0)


def above_legend(area: QRectF, lines: Sequence[tuple[str, QColor]], x: ValueAxis, y: ValueAxis) -> tuple[Plot, Drawing]:
    """A plot, and what is said of it below: markup in its colour, side by side as far as there is room; where a card is
    low, the last rows are left out."""
    drawing, size = Drawing(), fonts.SMALL
    rows, end, high = list[list[Text]](), 0.0, size + 5.0
    for words, color in lines:
        fitting = marked_text.shortened(words, size, area.width())
        wide = marked_text.width(fitting, size)
        if not rows or end + wide > area.width():
            rows.append([])
            end = 0.0
        rows[-1].append(Text(f"said {len(rows)} {len(rows[-1])}", area.left() + end, 0.0, fitting, size, color))
        end += wide + 14
    rows = rows[: max(int((area.height() - _LEAST_HEIGHT) // high), 1)]
    top = area.bottom() - len(rows) * high
    for number, row in enumerate(rows):
        for text in row:
            text.baseline = top + (number + 1) * high - 4
            drawing.add(text)
    return Plot.within(area.adjusted(0, 0, 0, -len(rows) * high - 2 if rows else 0.0), x, y), drawing

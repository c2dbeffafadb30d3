"""Curves along the time axis with their names beside them; zero, NaN and ±inf are shown as what they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from rnnviz.core.arrays import Array
from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.canvas.items.curve_names import CurveNames, Name
from rnnviz.gui.canvas.items.label_places import Shape, place_labels, room_around
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Dash, Theme

_RIGHT_COLUMN = 70.0  # room for tick texts beside the plot
_TICK_APART = 13.0  # pixels between two tick texts
_LONG, _PIECE = 400, 32  # points of a line that is drawn in pieces, and of a piece
_ALONE = 3.2  # pixels of a value without neighbours
_LOWEST_ROOM = 9.0  # pixels above the floor and below the ceiling that marks of odd values take


@dataclass(frozen=True, eq=False)
class Curve:
    """One value a time step. In a logarithmic plot −inf is a zero; it is marked at the floor."""

    values: Array  # (T,) float64, already log₁₀ in a logarithmic plot
    color: QColor
    name: str = ""  # written beside the curve
    width: float = 1.8
    dashed: bool = False  # what is no model's own line: true values, what float32 has lost
    dash: Dash = ()  # of a model's line
    dots: Array | None = None  # (T,) bool: time steps that get a dot on the curve
    present: Array | None = None  # (T,) bool: time steps that have a value at all; None: every one

    def has(self, time_step: int) -> bool:
        """Whether there is a value at this time step, be it NaN."""
        return time_step <= self.values.size and (self.present is None or bool(self.present[time_step - 1]))


@dataclass(frozen=True)
class ValueAxis:
    """The vertical axis: range, ticks as (value, text), and a zone below `zone` with its words, which stand behind the
    first `hatched` time steps."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    zone: float | None = None
    zone_words: str = ""
    logarithmic: bool = False
    hatched: int = 0


class CurvePlot(CanvasItem):
    """A framed plot of several curves; data is replaced in place."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._curves: Sequence[Curve] = ()
        self._scale = ValueAxis(0.0, 1.0)
        self._places: dict[str, QRectF] = {}
        self.names = CurveNames(theme)

    def set_curves(self, curves: Sequence[Curve], scale: ValueAxis) -> None:
        self._curves, self._scale = curves, scale
        self._place_names()
        self.update()

    def placed(self) -> None:
        self._places = {}
        self.names.place(self.rect, self.axis)
        self._place_names()

    def dots(self, time_step: int) -> list[tuple[float, QColor]]:
        """Where the cursor at `time_step` meets the curves: (pixel y, colour), zeros at the floor."""
        found = []
        for curve in self._curves:
            if curve.has(time_step) and not np.isnan(curve.values[time_step - 1]):
                found.append((self.y_of(float(curve.values[time_step - 1])), curve.color))
        return found

    def y_of(self, value: float) -> float:
        """Pixels from the top of the scene; held inside the frame, so that ±inf lie on floor and ceiling."""
        scale = self._scale
        share = (value - scale.low) / (scale.high - scale.low)
        share = min(max(share, 0.0), 1.0) if not np.isinf(share) else float(share > 0)
        return self.rect.bottom() - share * self.rect.height()

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(-1, -8, _RIGHT_COLUMN, 8)

    def draw(self, painter: QPainter) -> None:
        painter.fillRect(self.rect, self.theme.color("panel"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_zone(painter)
        self._draw_ticks(painter)
        painter.save()
        painter.setClipRect(self.rect)
        for curve in self._curves:
            self._draw_curve(painter, curve)
        self._draw_odd_values(painter)
        painter.restore()
        for curve in self._curves:
            self._draw_dots(painter, curve)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen(self.theme.color("line")))
        painter.drawRect(self.rect.adjusted(0.5, 0.5, -0.5, -0.5))

    def _draw_zone(self, painter: QPainter) -> None:
        scale = self._scale
        if scale.zone is None or scale.zone <= scale.low:
            return
        top = self.y_of(scale.zone)
        painter.fillRect(
            QRectF(self.rect.left(), top, self.rect.width(), self.rect.bottom() - top), self.theme.color("bad", 0.075)
        )

    def _zone_words_place(self) -> QRectF:
        """The corner of the zone that is farthest from all curves; at the bottom left if that is free.

        In a zone too low for its words they stand on its edge, never beyond the frame.
        """
        metrics = QFontMetricsF(fonts.text(12))
        width, height = metrics.horizontalAdvance(self._scale.zone_words) + 4, metrics.height()
        left, right = self.rect.left() + 7, self.rect.right() - width - 7
        if self._scale.hatched:
            left = min(max(left, self.axis.x(self._scale.hatched + 0.5) + 7), right)
        low = self.rect.bottom() - height - 3
        high = min(self.y_of(self._scale.zone or 0.0) + 3, low)
        corners = [QRectF(x, y, width, height) for x, y in ((left, low), (right, low), (left, high), (right, high))]
        return max(corners, key=lambda box: min(room_around(box, self._shapes(), self._places), 4.0))

    def _draw_ticks(self, painter: QPainter) -> None:
        painter.setFont(fonts.text(fonts.SMALL))
        written = -np.inf
        for value, words in sorted(self._scale.ticks, key=lambda entry: self.y_of(entry[0])):
            y = round(self.y_of(value)) + 0.5
            if self.rect.top() + 2 < y < self.rect.bottom() - 2:
                painter.setPen(pen(self.theme.color("line")))
                painter.drawLine(QPointF(self.rect.left(), y), QPointF(self.rect.right(), y))
            if y - written < _TICK_APART:
                continue
            written = y
            painter.setPen(self.theme.color("muted"))
            box = QRectF(self.rect.right() + 8, y - 8, _RIGHT_COLUMN - 8, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

    def _draw_curve(self, painter: QPainter, curve: Curve) -> None:
        x, y = self._points(curve)
        line = QPen(curve.color, curve.width, Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine)
        if curve.dash and not curve.dashed:
            line.setDashPattern(curve.dash)
        line.setCapStyle(Qt.PenCapStyle.FlatCap if curve.dash else Qt.PenCapStyle.RoundCap)
        line.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for start, stop in _runs(np.isfinite(y)):
            if stop - start == 1:
                painter.setPen(QPen(curve.color, _ALONE, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
                painter.drawPoint(QPointF(x[start], y[start]))
                painter.setPen(line)
            else:
                _draw_line(painter, line, x[start:stop], y[start:stop])

    def _draw_dots(self, painter: QPainter, curve: Curve) -> None:
        """Not clipped by the frame: the dot of the last time step lies on its edge."""
        if curve.dots is None:
            return
        visible = self.axis.visible()
        painter.setPen(pen(self.theme.color("panel"), 1.0))
        painter.setBrush(self.theme.color("cursor"))
        for i in np.flatnonzero(curve.dots[: curve.values.size]):
            if int(i) + 1 in visible and self.axis.holds(int(i) + 1):
                painter.drawEllipse(QPointF(self.axis.x(int(i) + 1), self.y_of(float(curve.values[i]))), 4.0, 4.0)

    def _points(self, curve: Curve) -> tuple[Array, Array]:
        """Pixels of the visible part; where several time steps share a pixel, the lowest and the highest of them."""
        values = curve.values if curve.present is None else np.where(curve.present, curve.values, np.nan)
        visible = self.axis.visible()
        first, last = max(visible[0] - 1, 1), min(visible[-1] + 1, values.size)
        part = values[first - 1 : last].astype(float)
        with np.errstate(invalid="ignore"):
            y = (
                self.rect.bottom()
                - (part - self._scale.low) / (self._scale.high - self._scale.low) * self.rect.height()
            )
        x = self.axis.left + (np.arange(first, last + 1) - self.axis.first) * self.axis.pitch
        bins = max(int(self.rect.width()), 1)
        if part.size <= 3 * bins:
            return x, y
        edges = np.arange(bins) * part.size // bins
        low, high = np.minimum.reduceat(y, edges), np.maximum.reduceat(y, edges)
        return np.repeat(x[edges], 2), np.stack([low, high], axis=1).ravel()

    def _shapes(self) -> list[Shape]:
        """Names and pixels of all curves, ±inf on ceiling and floor: what a label must not cover."""
        found = []
        for curve in self._curves:
            x, y = self._points(curve)
            found.append((curve.name, x, np.clip(y, self.rect.top(), self.rect.bottom())))
        return found

    def _draw_odd_values(self, painter: QPainter) -> None:
        """Zeros of a logarithmic plot lie on the floor, +inf on the ceiling, NaN is a hatched column."""
        height = _LOWEST_ROOM
        for number, curve in enumerate(self._curves):
            present = np.ones(curve.values.size, bool) if curve.present is None else curve.present
            for value, words, up in ((-np.inf, "0" if self._scale.logarithmic else "−∞", False), (np.inf, "+∞", True)):
                found = (curve.values == value) & present
                # marks of several curves lie on each other's shoulders
                y = self.rect.top() + 4 * number if up else self.rect.bottom() - 4 * number
                for start, stop in _runs(found):
                    left, right = self.axis.x(start + 0.5), self.axis.x(stop + 0.5)
                    bar = QRectF(left, y if up else y - 4, max(right - left, 2.0), 4)
                    painter.fillRect(bar, curve.color)
                    if right - left > 12:
                        painter.setFont(fonts.semibold(fonts.SMALL))
                        painter.setPen(curve.color)
                        text = bar.adjusted(-30, 4, -2, 14) if up else bar.adjusted(-30, -height - 5, -2, -4)
                        painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
            for start, stop in _runs(np.isnan(curve.values) & present):
                left, right = self.axis.x(start + 0.5), self.axis.x(stop + 0.5)
                column = QRectF(left, self.rect.top(), max(right - left, 2.0), self.rect.height())
                painter.fillRect(column, self.theme.color("not_finite", 0.18))
                if right - left > 24:
                    painter.setFont(fonts.semibold(fonts.SMALL))
                    painter.setPen(self.theme.color("text"))  # its own hue is not read on itself
                    painter.drawText(column, Qt.AlignmentFlag.AlignCenter, "NaN")

    def _place_names(self) -> None:
        """Names move only when the curve has come too near: a label that jumps while data streams in cannot be read."""
        if self.rect.width() < 80 or self.rect.height() < 36:
            self._places = {}
            self.names.set_names(())
            return
        frame = self.rect
        lines = [self.y_of(value) for value, _ in self._scale.ticks]
        if self._scale.zone is not None:
            frame = frame.adjusted(0, 0, 0, -18)
        self._places = place_labels(self._shapes(), frame, fonts.semibold(), self._places, lines)
        written = [
            Name(self._places[curve.name], curve.name, curve.color, fonts.semibold())
            for curve in self._curves
            if curve.name in self._places
        ]
        if self._scale.zone is not None and self._scale.zone_words and self._scale.zone > self._scale.low:
            color = self.theme.color("bad")
            written.append(Name(self._zone_words_place(), self._scale.zone_words, color, fonts.text(12)))
        self.names.set_names(written)


def _draw_line(painter: QPainter, line: QPen, x: Array, y: Array) -> None:
    """A line through points; a long one in pieces, for Qt takes many times as long to draw it at once."""
    points = [QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]
    if len(points) <= _LONG:
        painter.drawPolyline(QPolygonF(points))
        return
    come = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))]) / line.widthF()
    for start in range(0, len(points) - 1, _PIECE):
        if line.style() != Qt.PenStyle.SolidLine:
            line.setDashOffset(float(come[start]))  # the dashes go on
            painter.setPen(line)
        painter.drawPolyline(QPolygonF(points[start : start + _PIECE + 1]))


def _runs(mask: Array) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]

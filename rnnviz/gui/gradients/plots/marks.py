"""Marks of plots, beside those every drawing is made of: curves, rasters of colours, dots, areas and turned words."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from rnnviz.core.arrays import Array
from rnnviz.gui.canvas.items.canvas_item import pen
from rnnviz.gui.look.theme import Dash
from rnnviz.gui.widgets import marked_text

_CROWDED = 1.5  # points a pixel, from which on a line is one stroke a column: the same picture in a tenth of the time
_PIECE = 32  # points of a line drawn at once: long wide lines are slow otherwise


@dataclass(eq=False, slots=True)
class Curve:
    """A line through points in pixels; not finite ones part it."""

    key: str
    xs: Array  # (P,)
    ys: Array  # (P,)
    color: QColor
    width: float = 1.6
    dash: Dash = ()
    values: Array | None = None  # (P,) as they are in the data

    def paint(self, painter: QPainter) -> None:
        line = pen(self.color, self.width)
        line.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if self.dash:
            line.setDashPattern(list(self.dash))
        columns = _columns(self.xs, self.ys, self.width / 2)
        if columns:
            gone = 4 if self.dash else 0  # pixels of every eight
            stroke = pen(self.color, 1.0)
            stroke.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(stroke)
            painter.drawLines([column for column in columns if int(column.x1()) % 8 >= gone])
            return
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for part in parted(self.xs, self.ys):
            if len(part) == 1:
                painter.setPen(QPen(self.color, 2.4 * self.width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
                painter.drawPoint(part[0])
                painter.setPen(line)
            step = len(part) if self.dash else _PIECE
            for first in range(0, len(part) - 1, step):
                painter.drawPolyline(QPolygonF(part[first : first + step + 1]))


def _columns(xs: Array, ys: Array, half: float) -> list[QLineF]:
    """What a line through far more points than pixels covers in each column of pixels; [] for another line."""
    known = np.isfinite(xs) & np.isfinite(ys)
    xs, ys = xs[known], ys[known]
    if len(xs) < 64 or len(xs) < _CROWDED * (xs.max() - xs.min()) or (np.diff(xs) < 0).any():
        return []
    places = np.floor(xs)
    starts = np.flatnonzero(np.diff(places, prepend=-np.inf))
    tops, bottoms = np.minimum.reduceat(ys, starts), np.maximum.reduceat(ys, starts)
    beside = np.diff(places[starts]) == 1
    joined_tops, joined_bottoms = tops.copy(), bottoms.copy()
    joined_tops[1:] = np.where(beside, np.minimum(tops[1:], bottoms[:-1]), tops[1:])
    joined_bottoms[1:] = np.where(beside, np.maximum(bottoms[1:], tops[:-1]), bottoms[1:])
    ends = zip(places[starts].tolist(), joined_tops.tolist(), joined_bottoms.tolist(), strict=True)
    return [QLineF(x + 0.5, top - half, x + 0.5, bottom + half) for x, top, bottom in ends]


def parted(xs: Array, ys: Array) -> list[list[QPointF]]:
    """The points of each stretch of a line without a value that is not finite."""
    parts: list[list[QPointF]] = [[]]
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        if y == y and abs(y) < 1e9 and x == x and abs(x) < 1e9:
            parts[-1].append(QPointF(x, y))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]


@dataclass(eq=False, slots=True)
class Raster:
    """A picture of one colour a cell, which is not smoothed."""

    key: str
    rect: QRectF
    image: QImage
    pixels: Array  # what the image shows; Qt does not copy it
    values: Array  # as they are coloured

    def paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.drawImage(self.rect, self.image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


@dataclass(eq=False, slots=True)
class Dots:
    """Points in pixels, each a small disc; `sign` "up" or "down": a triangle at an end of the axis, for ±∞ and zero."""

    key: str
    xs: Array  # (P,)
    ys: Array  # (P,)
    color: QColor
    radius: float = 2.6
    values: Array | None = None  # (P, …) as they are in the data
    sign: str = ""

    def paint(self, painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        for x, y in zip(self.xs.tolist(), self.ys.tolist(), strict=True):
            if not (x == x and y == y):
                continue
            if not self.sign:
                painter.drawEllipse(QPointF(x, y), self.radius, self.radius)
            else:
                painter.drawPolygon(self._triangle(x, y))

    def _triangle(self, x: float, y: float) -> QPolygonF:
        tip = -self.radius if self.sign == "up" else self.radius
        return QPolygonF([QPointF(x, y + tip), QPointF(x - self.radius, y - tip), QPointF(x + self.radius, y - tip)])


@dataclass(eq=False, slots=True)
class Stems:
    """A vertical stroke at each x."""

    key: str
    xs: Array  # (P,)
    lower: Array  # (P,) pixels
    upper: Array  # (P,) pixels
    color: QColor
    width: float = 2.0

    def paint(self, painter: QPainter) -> None:
        line = pen(self.color, self.width)
        line.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(line)
        ends = zip(self.xs.tolist(), self.lower.tolist(), self.upper.tolist(), strict=True)
        painter.drawLines([QLineF(x, low, x, high) for x, low, high in ends if low - high > 1])


@dataclass(eq=False, slots=True)
class Area:
    """What lies between two lines."""

    key: str
    xs: Array  # (P,)
    lower: Array  # (P,) pixels
    upper: Array  # (P,) pixels
    color: QColor
    values: Array | None = None  # as they are in the data

    def paint(self, painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        above = [QPointF(x, y) for x, y in zip(self.xs.tolist(), self.upper.tolist(), strict=True)]
        below = [QPointF(x, y) for x, y in zip(self.xs.tolist(), self.lower.tolist(), strict=True)]
        painter.drawPolygon(QPolygonF(above + below[::-1]))


@dataclass(eq=False, slots=True)
class Ring:
    """An ellipse that is not filled: the unit circle of a plane."""

    key: str
    rect: QRectF
    color: QColor
    dash: Dash = ()

    def paint(self, painter: QPainter) -> None:
        line = pen(self.color, 1.2)
        if self.dash:
            line.setDashPattern(list(self.dash))
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(self.rect)


@dataclass(eq=False, slots=True)
class Turned:
    """Words from below to above, centred around a point."""

    key: str
    x: float
    y: float
    markup: str
    size: int
    color: QColor

    def paint(self, painter: QPainter) -> None:
        painter.save()
        painter.translate(self.x, self.y)
        painter.rotate(-90)
        wide = marked_text.width(self.markup, self.size)
        marked_text.draw(painter, -wide / 2, 0.35 * self.size, self.markup, self.size, self.color)
        painter.restore()

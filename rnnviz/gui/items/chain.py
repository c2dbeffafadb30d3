"""The unrolled chain: one cell for each time step, joined by arrows that turn round in the backward sweep."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from rnnviz.core.arrays import Array
from rnnviz.gui.items.canvas_item import CanvasItem, pen
from rnnviz.gui.numbers import power, short
from rnnviz.gui.theme import Theme

_STRIP_PITCH = 5.0  # pixels of one time step below which cells melt into a strip
_HEAD_GAP = 3.5  # pixels between two cells below which their link has no head
_BAND_PITCH = 26.0  # below it arrows are too short to show a colour: a coloured band runs below the cells
VANISHED = -8.0  # log₁₀ of a gradient magnitude nothing is learned from


@dataclass(frozen=True)
class Sweep:
    """How far the sweep has come: `backward` turns the arrows; `done` are the time steps it has passed, in 1…T."""

    time_step: int
    backward: bool
    done: range


class Chain(CanvasItem):
    """Cells in the model's colour, filled where the sweep has passed, the one at the cursor in the cursor's colour.

    Not cached as a whole picture: a cursor move repaints the few cells that change.
    """

    def __init__(self, theme: Theme, color: QColor, *, leftwards: bool = False) -> None:
        super().__init__(theme)
        self.color = color
        self.leftwards = leftwards  # the layer reads the sequence from the end
        self._sweep = Sweep(1, False, range(1, 1))
        self._magnitudes: Array = np.zeros(0)  # (T,) log₁₀ ‖∂L/∂h_t‖
        self._arrow_colors: list[QColor] = []

    def set_magnitudes(self, magnitudes: Array, highest: float) -> None:
        """log₁₀ of the gradient magnitudes (T,); `highest` is the largest of all models, so that colours compare."""
        self._magnitudes = magnitudes
        table = self.theme.magnitude_map()
        place = (magnitudes - VANISHED) / max(highest - VANISHED, 1.0)
        with np.errstate(invalid="ignore"):
            index = np.nan_to_num(np.clip(place, 0.0, 1.0) * 255.0, nan=0.0).astype(int)
        colors = [QColor(*map(int, table[i])) for i in index]
        odd = QColor(self.theme.not_finite)
        self._arrow_colors = [
            odd if np.isnan(m) or np.isposinf(m) else c for m, c in zip(magnitudes, colors, strict=True)
        ]
        self.update()

    def set_sweep(self, sweep: Sweep) -> None:
        """Moves the cursor; repaints only what lies between the old and the new place."""
        old, self._sweep = self._sweep, sweep
        if old == sweep:
            return
        if old.backward != sweep.backward:
            self.update()
            return
        first, last = sorted((old.time_step, sweep.time_step))
        left, right = self.axis.x(first - 0.5) - 10, self.axis.x(last + 0.5) + 10
        self.update(QRectF(left, self.rect.top(), right - left, self.rect.height()).intersected(self.boundingRect()))

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(-8, 0, 8, 0)

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self.boundingRect())
        if self.axis.pitch < _STRIP_PITCH:
            self._draw_strip(painter)
        else:
            self._draw_cells(painter)

    def tip(self, x: float, y: float) -> str:
        t = self.axis.time_step_at(x)
        if not 1 <= t <= self._magnitudes.size:
            return f"t = {t}"
        log = float(self._magnitudes[t - 1])
        size = "0" if np.isneginf(log) else short(10.0**log) if -300 < log < 300 or np.isnan(log) else power(round(log))
        return f"t = {t}: ‖∂L/∂h‖ = {size}"

    def _draw_cells(self, painter: QPainter) -> None:
        pitch, sweep, middle = self.axis.pitch, self._sweep, self._middle()
        side = _side(pitch)
        visible = self.exposed_steps()
        if sweep.backward and pitch < _BAND_PITCH:
            self._draw_band(painter, middle + side / 2 + 3.5)
        self._draw_arrows(painter, visible, side, middle)
        outline, radius, top = pen(self.color, 1.3), side * 0.26, round(middle - side / 2) + 0.5
        hollow = self.theme.color("background")
        for t in visible:
            if t == sweep.time_step:
                continue
            painter.setPen(outline)
            painter.setBrush(self.color if t in sweep.done else hollow)
            painter.drawRoundedRect(QRectF(self.axis.x(t) - side / 2 + 0.5, top, side - 1, side - 1), radius, radius)
        if sweep.time_step in visible:
            self._draw_cursor_cell(painter, side + 3)

    def _draw_cursor_cell(self, painter: QPainter, side: float) -> None:
        x = self.axis.x(self._sweep.time_step)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("cursor"))
        painter.drawRoundedRect(QRectF(x - side / 2, self._middle() - side / 2, side, side), side * 0.25, side * 0.25)

    def _draw_arrows(self, painter: QPainter, visible: range, side: float, middle: float) -> None:
        """Between t and t + 1: to the right in the forward sweep, to the left in the backward sweep."""
        sweep = self._sweep
        leftwards = sweep.backward != self.leftwards
        gap = self.axis.pitch - side
        head = min(gap * 0.75, 7.0) if gap >= _HEAD_GAP else 0.0
        idle = QColor(self.color)
        idle.setAlphaF(0.55)
        for t in visible:
            if t + 1 not in visible:
                break
            passed = (t in sweep.done or t == sweep.time_step) and (t + 1 in sweep.done or t + 1 == sweep.time_step)
            color = self.color if passed else idle
            if sweep.backward and passed and t < len(self._arrow_colors):
                color = self._arrow_colors[t - 1 if not self.leftwards else t]
            start, end = self.axis.x(t) + side / 2 + 0.8, self.axis.x(t + 1) - side / 2 - 0.8
            if leftwards:
                start, end = end, start
            _arrow(painter, start, end, middle, head, color)

    def _draw_band(self, painter: QPainter, top: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        visible, colors = self.exposed_steps(), self._arrow_colors
        for t in visible:
            if t in self._sweep.done and t <= len(colors):
                left, right = self.axis.x(t - 0.5), self.axis.x(t + 0.5)
                painter.fillRect(QRectF(left, top, right - left, 3.0), colors[t - 1])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        t = self._sweep.time_step
        if t in visible and t <= len(colors):
            edge, way = (self.axis.x(t - 0.5), 1.0) if self.leftwards else (self.axis.x(t + 0.5), -1.0)
            _arrow(painter, edge, edge + way * 8, top + 1.5, 8.0, colors[t - 1])

    def _draw_strip(self, painter: QPainter) -> None:
        middle, sweep = self._middle(), self._sweep
        left, right = (
            max(self.axis.x(0.5), self.rect.left()),
            min(self.axis.x(self.axis.time_steps + 0.5), self.rect.right()),
        )
        whole = QRectF(left, middle - 4, right - left, 8)
        painter.setPen(pen(self.color, 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(whole, 3, 3)
        if len(sweep.done):
            start, end = self.axis.x(sweep.done[0] - 0.5), self.axis.x(sweep.done[-1] + 0.5)
            painter.setBrush(self.color)
            painter.drawRoundedRect(QRectF(start, whole.top(), end - start, 8), 3, 3)
        if sweep.backward:
            self._draw_band(painter, whole.bottom() + 3)
        leftwards = sweep.backward != self.leftwards
        x = self.axis.x(sweep.time_step)
        way = -1.0 if leftwards else 1.0
        _arrow(painter, x + way * 7, x + way * 16, middle, 6.0, self.theme.color("cursor"))
        self._draw_cursor_cell(painter, 11)

    def _middle(self) -> float:
        return round(self.rect.center().y())


def _side(pitch: float) -> float:
    """Pixels of a cell's side: dense chains are nearly all cells, wide ones nearly all arrows."""
    return float(max(round(min(pitch * (0.8 if pitch < 12 else 0.7), 18.0)), 3))


def _arrow(painter: QPainter, start: float, end: float, y: float, head: float, color: QColor) -> None:
    way = 1.0 if end > start else -1.0
    if abs(end - start) > head + 0.5:
        painter.setPen(pen(color, 1.4))
        painter.drawLine(QPointF(start, y), QPointF(end - way * head * 0.7, y))
    if head <= 0:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    half = max(head * 0.62, 1.6)
    base = end - way * head
    painter.drawPolygon(QPolygonF([QPointF(end, y), QPointF(base, y - half), QPointF(base, y + half)]))

"""The unrolled chain: one cell for each time step, joined by arrows that turn round in the backward sweep."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import power, short
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.canvas.items.heat_map import indices, packed
from rnnviz.gui.canvas.items.ruler import nice_step
from rnnviz.gui.look.theme import Theme

_STRIP_PITCH = 5.0  # pixels of one time step below which cells melt into a strip
_HEAD_GAP = 3.5  # pixels between two cells below which their link has no head
_BAND_PITCH = 26.0  # below it arrows are too short to show a colour: a coloured band runs below the cells
_BAND = 7.0  # pixels of its height
_HEAD = 11.0  # length of the head of the band
_STRIP_BACKWARD = 12.0  # height of a strip that shows magnitudes
_BESIDE_CELLS = 12.0  # pixels of a low row that the cells leave to the band below them
_BETWEEN_CHEVRONS = 34.0  # pixels
VANISHED = -8.0  # log₁₀ of a gradient magnitude nothing is learned from


@dataclass(frozen=True)
class Sweep:
    """How far the sweep has come: `backward` turns the arrows; `done` are the time steps it has passed, in 1…T."""

    time_step: int
    backward: bool
    done: range


class Chain(CanvasItem):
    """Cells in the model's colour, filled where the sweep has passed, the one at the cursor in the cursor's colour.

    In the backward sweep they keep their outline and are filled with the colour of ‖∂L/∂h_t‖. Without arrows where
    nothing is carried from cell to cell.

    Not cached as a whole picture: a cursor move repaints the few cells that change.
    """

    def __init__(
        self, theme: Theme, color: QColor, *, leftwards: bool = False, joined: bool = True, symbol: str = "h"
    ) -> None:
        super().__init__(theme)
        self._symbol = symbol  # of what the gradient is that colours the cells
        self.color = color
        self.leftwards = leftwards  # the layer reads the sequence from the end
        self.joined = joined  # something is carried from cell to cell
        self._sweep = Sweep(1, False, range(1, 1))
        self._cuts = Cuts()
        self._there: range | None = None  # time steps that have a cell; None: all of the axis
        self._magnitudes: Array = np.zeros(0)  # (T,) log₁₀ ‖∂L/∂h_t‖
        self._lost: Array = np.zeros(0, bool)  # (T,) of them, what float32 does not hold
        self._colors: Array = np.zeros(0, np.uint32)  # (T,) 0xffRRGGBB

    def set_magnitudes(self, magnitudes: Array, highest: float, lost: Array | None = None) -> None:
        """log₁₀ of the gradient magnitudes (T,), and where float32 has `lost` them; `highest` is the largest of all
        models, so that colours compare."""
        self._magnitudes = magnitudes
        self._lost = np.zeros(magnitudes.size, bool) if lost is None else lost
        # held between the ends of the map: zero is vanished, only NaN and +∞ are no magnitude
        held = np.where(np.isneginf(magnitudes), VANISHED, magnitudes)
        table = packed(self.theme.magnitude_map(), self.theme)
        self._colors = table[indices(held, VANISHED, VANISHED + max(highest - VANISHED, 1.0))]
        self.update()

    def set_cells(self, there: range) -> None:
        """Which time steps have a cell."""
        if there != self._there:
            self._there = there
            self.update()

    def set_cuts(self, cuts: Cuts) -> None:
        """Where truncation cuts the gradient."""
        if cuts != self._cuts:
            self._cuts = cuts
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
        left, right = self.axis.x(first - 0.5) - 18, self.axis.x(last + 0.5) + 18
        self.update(QRectF(left, self.rect.top(), right - left, self.rect.height()).intersected(self.boundingRect()))

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(-8, 0, 8, 3)

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self.time_box(8))
        if self.axis.pitch < _STRIP_PITCH:
            self._draw_strip(painter)
        else:
            self._draw_cells(painter)

    def tip(self, x: float, y: float) -> str:
        t = self.axis.time_step_at(x)
        if not 1 <= t <= self._magnitudes.size:
            return f"t = {t}"
        if words := self._cuts.words(t):
            return f"t = {t}: {words}"
        log = float(self._magnitudes[t - 1])
        size = "0" if np.isneginf(log) else short(10.0**log) if -300 < log < 300 or np.isnan(log) else power(round(log))
        words = f"t = {t}: ‖∂L/∂{self._symbol}‖ = {size}" + (", lost in float32" if self._lost[t - 1] else "")
        return words if self.joined else f"{words}; nothing is carried"

    def _draw_cells(self, painter: QPainter) -> None:
        pitch, sweep, middle = self.axis.pitch, self._sweep, self._middle()
        side = min(_side(pitch), max(self.rect.height() - _BESIDE_CELLS, 3.0))
        visible = self._visible_cells()
        if sweep.backward and pitch < _BAND_PITCH:
            self._draw_band(painter, min(middle + side / 2 + 3, self.rect.bottom() - _BAND))
        if self.joined:
            self._draw_arrows(painter, visible, side, middle)
        waiting = QColor(self.color)
        waiting.setAlphaF(0.75 if sweep.backward else 1.0)  # what has no gradient yet steps back
        radius, top = side * 0.26, round(middle - side / 2) + 0.5
        hollow = self.theme.color("background")
        for t in visible:
            if t == sweep.time_step:
                continue
            done = t in sweep.done
            painter.setPen(pen(self.color if done else waiting, 1.3))
            painter.setBrush((self._magnitude_color(t) if sweep.backward else self.color) if done else hollow)
            painter.drawRoundedRect(QRectF(self.axis.x(t) - side / 2 + 0.5, top, side - 1, side - 1), radius, radius)
        if sweep.time_step in visible:
            self._draw_cursor_cell(painter, side + 3)

    @property
    def _cells(self) -> range:
        return range(1, self.axis.time_steps + 1) if self._there is None else self._there

    def _visible_cells(self) -> range:
        exposed, there = self.exposed_steps(), self._cells
        return range(max(exposed.start, there.start), min(exposed.stop, there.stop))

    def _magnitude_color(self, t: int) -> QColor:
        return QColor.fromRgb(int(self._colors[t - 1])) if t <= self._colors.size else self.color

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
        idle.setAlphaF(0.75)
        for t in visible:
            if t + 1 not in visible:
                break
            passed = (t in sweep.done or t == sweep.time_step) and (t + 1 in sweep.done or t + 1 == sweep.time_step)
            color, strong = self.color if passed else idle, False
            if sweep.backward and passed:
                color, strong = self._magnitude_color(t if not self.leftwards else t + 1), gap > 14
            start, end = self.axis.x(t) + side / 2 + 0.8, self.axis.x(t + 1) - side / 2 - 0.8
            if sweep.backward and t in self._cuts.edges:  # no arrow: nothing goes on here
                continue
            if leftwards:
                start, end = end, start
            _arrow(painter, start, end, middle, 10.0 if strong else head, color, 2.6 if strong else 1.4)

    def _draw_band(self, painter: QPainter, top: float) -> None:
        """The gradient on its way back: coloured by its size, with heads that say which way it goes."""
        sweep = self._sweep
        if not len(sweep.done):
            return
        reached = self.axis.x(sweep.time_step)
        start, end = self.axis.x(sweep.done[0] - 0.5), self.axis.x(sweep.done[-1] + 0.5)
        if reached < start:  # the head stands under the cursor; the band comes up to it
            start = reached + _HEAD / 2
        band = QRectF(start, top, end - start, _BAND)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._draw_magnitudes(painter, band)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if not self.joined:
            return
        self._draw_chevrons(painter, band)
        way = 1.0 if self.leftwards else -1.0
        painter.setPen(pen(self.color, 1.0))
        painter.setBrush(self._magnitude_color(sweep.time_step))
        middle, tip = band.center().y(), reached + way * _HEAD / 2
        base, half = tip - way * _HEAD, _BAND / 2 + 2.5
        painter.drawPolygon(
            QPolygonF([QPointF(tip, middle), QPointF(base, middle - half), QPointF(base, middle + half)])
        )

    def _draw_magnitudes(self, painter: QPainter, band: QRectF) -> None:
        """Colours of the time steps under `band`, as one picture: thousands of rectangles would take their time."""
        if not self._colors.size:
            return
        pixels = np.ascontiguousarray(self._colors)
        image = QImage(pixels.data, pixels.size, 1, 4 * pixels.size, QImage.Format.Format_RGB32)
        first = self.axis.first + (band.left() - self.axis.left) / self.axis.pitch - 0.5
        painter.drawImage(band, image, QRectF(first, 0.0, band.width() / self.axis.pitch, 1.0))

    def _draw_chevrons(self, painter: QPainter, band: QRectF) -> None:
        """Heads inside `band` at fixed time steps, in whichever of two colours is farther from the band's."""
        every = nice_step(_BETWEEN_CHEVRONS / self.axis.pitch)
        way = 1.0 if self.leftwards else -1.0
        dark, light = sorted((self.theme.color("background"), self.theme.color("text")), key=QColor.lightnessF)
        half, middle = band.height() / 2 - 1, band.center().y()
        steps = self.exposed_steps()
        for t in range(steps.start + -steps.start % every, steps.stop, every):
            x = self.axis.x(t)
            if t not in self._sweep.done or not band.left() + 12 < x < band.right() - 3:
                continue
            painter.setPen(pen(dark if self._magnitude_color(t).lightnessF() > 0.45 else light, 1.8))
            back = x - way * half
            painter.drawPolyline(
                QPolygonF([QPointF(back, middle - half), QPointF(x, middle), QPointF(back, middle + half)])
            )

    def _draw_strip(self, painter: QPainter) -> None:
        middle, sweep = self._middle(), self._sweep
        there = self._cells
        left = max(self.axis.x(there.start - 0.5), self.rect.left())
        right = min(self.axis.x(there.stop - 0.5), self.rect.right())
        half = _STRIP_BACKWARD / 2 if sweep.backward else 4.0
        whole = QRectF(left, middle - half, right - left, 2 * half)
        if len(sweep.done):
            start, end = self.axis.x(sweep.done[0] - 0.5), self.axis.x(sweep.done[-1] + 0.5)
            part = QRectF(start, whole.top(), end - start, 2 * half)
            if sweep.backward:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
                self._draw_magnitudes(painter, part)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
                if self.joined:
                    self._draw_chevrons(painter, part)
            else:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self.color)
                painter.drawRoundedRect(part, 3, 3)
        painter.setPen(pen(self.color, 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(whole, 3, 3)
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


def _arrow(
    painter: QPainter, start: float, end: float, y: float, head: float, color: QColor, width: float = 1.4
) -> None:
    way = 1.0 if end > start else -1.0
    if abs(end - start) > head + 0.5:
        painter.setPen(pen(color, width))
        painter.drawLine(QPointF(start, y), QPointF(end - way * head * 0.7, y))
    if head <= 0:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    half = max(head * 0.62, 1.6)
    base = end - way * head
    painter.drawPolygon(QPolygonF([QPointF(end, y), QPointF(base, y - half), QPointF(base, y + half)]))

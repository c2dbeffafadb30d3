"""Attention weights: a column for each time step of the decoder on the axis, a row for each one of the encoder."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.canvas.items.heat_map import indices, packed
from rnnviz.gui.canvas.items.symbols import readable
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme

NAMES = 22.0  # pixels before the map for the symbols of the rows
_NAME = 12.0  # pixels of the height of one


class AttentionMap(CanvasItem):
    """α[k, s], the first row on top; the column or row of the cursor in a frame. Rows too low for all their symbols
    have those of the rows that are looked at most."""

    above_cursor = True

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._weights: Array = np.zeros((0, 0))  # (U, S)
        self._first, self._from = 1, 1  # time steps of the first column and of the first row
        self._names: Sequence[str] = ()  # of all time steps
        self._high = 1.0
        self._cursor = 0
        self._pixels: Array = np.zeros((0, 0), np.uint32)
        self._image: QImage | None = None

    def set_weights(self, weights: Array, first: int, of: int, names: Sequence[str], high: float, table: Array) -> None:
        """`weights` (U, S), the columns from time step `first` on, the rows from `of` on; `names`: the symbols of all
        time steps; `high`: what has the end's colour of `table` (256, 3)."""
        self._weights, self._first, self._from, self._names, self._high = weights, first, of, names, high
        self._pixels = np.ascontiguousarray(packed(table, self.theme)[indices(weights, 0.0, high)].T)
        rows, columns = self._pixels.shape
        self._image = QImage(self._pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32)
        self.update()

    def set_cursor(self, time_step: int) -> None:
        """Only the old and the new place are painted, where one of them is framed."""
        old, self._cursor = self._cursor, time_step
        if old != time_step:
            for t in (old, time_step):
                self.update(self._frame(t).adjusted(-3, -3, 3, 3).intersected(self.boundingRect()))

    @property
    def map(self) -> QRectF:
        """Where the weights lie, as far as it can be seen."""
        left, right = self.axis.x(self._first - 0.5), self.axis.x(self._first + len(self._weights) - 0.5)
        left, right = max(left, self.axis.left), min(right, self.axis.right)
        return QRectF(left, self.rect.top(), max(right - left, 0.0), self.rect.height())

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(-NAMES, -3, 2, 3)

    def draw(self, painter: QPainter) -> None:
        whole = self.map
        if self._image is None or whole.width() < 1:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        first = self._first + (whole.left() - self.axis.x(self._first - 0.5)) / self.axis.pitch - self._first
        source = QRectF(first, 0.0, whole.width() / self.axis.pitch, float(self._weights.shape[1]))
        painter.drawImage(whole, self._image, source)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(self.theme.color("line")))
        painter.drawRect(whole.adjusted(0.5, 0.5, -0.5, -0.5))
        self._draw_names(painter, whole)
        frame = self._frame(self._cursor)
        if not frame.isEmpty():
            painter.setPen(pen(self.theme.color("cursor"), 2.0 if min(frame.width(), frame.height()) > 8 else 1.2))
            painter.drawRect(frame)

    def _frame(self, time_step: int) -> QRectF:
        """Around the column or the row of a time step; empty where it has none or is not seen."""
        whole = self.map
        columns, rows = self._weights.shape
        if self._first <= time_step < self._first + columns:
            left, right = self.axis.x(time_step - 0.5), self.axis.x(time_step + 0.5)
            return QRectF(left, whole.top(), right - left, whole.height()).intersected(whole)
        if self._from <= time_step < self._from + rows:
            height = whole.height() / rows
            return QRectF(whole.left(), whole.top() + (time_step - self._from) * height, whole.width(), height)
        return QRectF()

    def _draw_names(self, painter: QPainter, whole: QRectF) -> None:
        """The symbols of the rows, those most looked at first as long as there is room, the cursor's before all."""
        rows = self._weights.shape[1]
        height = whole.height() / rows
        if whole.left() - NAMES < self.axis.left:
            return
        painter.fillRect(
            QRectF(whole.left() - NAMES, whole.top(), NAMES, whole.height()), self.theme.color("background")
        )
        painter.setFont(fonts.text(fonts.SMALL))
        looked = np.nan_to_num(self._weights).max(axis=0)
        here = self._cursor - self._from
        column = self._cursor - self._first
        order = sorted(range(rows), key=lambda row: (row != here, -looked[row]))
        most = int(np.argmax(self._weights[column])) if 0 <= column < len(self._weights) else here
        taken = list[float]()
        for row in order:
            y = min(max(whole.top() + (row + 0.5) * height, whole.top() + _NAME / 2), whole.bottom() - _NAME / 2)
            if any(abs(y - other) < _NAME for other in taken):
                continue
            taken.append(y)
            name = self._names[self._from + row - 1] if self._from + row <= len(self._names) else ""
            text = readable(name) if name else f"{self._from + row}"
            painter.setPen(self.theme.text_color("cursor") if row == most else self.theme.color("muted"))
            box = QRectF(whole.left() - NAMES, y - _NAME / 2, NAMES - 6, _NAME)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def tip(self, x: float, y: float) -> str:
        whole = self.map
        t = self.axis.time_step_at(x)
        if not whole.contains(x, min(max(y, whole.top()), whole.bottom())) or not self._weights.size:
            return ""
        row = min(max(int((y - whole.top()) / whole.height() * self._weights.shape[1]), 0), self._weights.shape[1] - 1)
        value, s = float(self._weights[t - self._first, row]), self._from + row
        reads, seen = (f" ({readable(self._names[n - 1])})" if n <= len(self._names) and self._names[n - 1] else ""
                       for n in (t, s))  # fmt: skip
        return f"attention weight from t = {t}{reads} to t = {s}{seen}: α = {short(value)}"

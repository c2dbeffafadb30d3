"""The colour bar at the right of a heat map, with the ends of its range."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import tick
from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.canvas.items.heat_map import packed
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme

WIDTH = 8.0
_OFFSET = 10.0  # from the plot column
_THREE_LINES = 38.0


class ColorBar(CanvasItem):
    """A table (256, 3) drawn upwards from `low` to `high`; a logarithmic one says so."""

    def __init__(self, theme: Theme, table: Array) -> None:
        super().__init__(theme)
        self._low, self._high, self._log = 0.0, 1.0, False
        self._pixels = np.ascontiguousarray(packed(table, theme)[255::-1].reshape(256, 1))
        self._image = QImage(self._pixels.data, 1, 256, 4, QImage.Format.Format_RGB32)

    def set_range(self, low: float, high: float, log: bool = False) -> None:
        if (low, high, log) != (self._low, self._high, self._log):
            self._low, self._high, self._log = low, high, log
            self.update()

    def draw(self, painter: QPainter) -> None:
        bar = QRectF(self.rect.left() + _OFFSET, self.rect.top(), WIDTH, self.rect.height())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(bar, self._image)
        painter.setFont(fonts.text(fonts.SMALL))
        painter.setPen(self.theme.color("muted"))
        left = bar.right() + 5
        top = QRectF(QPointF(left, bar.top() - 2), QPointF(self.rect.right(), bar.top() + 12))
        bottom = QRectF(QPointF(left, bar.bottom() - 12), QPointF(self.rect.right(), bar.bottom() + 2))
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, tick(self._high))
        painter.drawText(bottom, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, tick(self._low))
        if self._log:
            middle = QRectF(QPointF(left, bar.center().y() - 7), QPointF(self.rect.right(), bar.center().y() + 7))
            if bar.height() < _THREE_LINES:  # beside the upper number, where there is room for two lines only
                middle = top.translated(
                    QFontMetricsF(fonts.text(fonts.SMALL)).horizontalAdvance(tick(self._high)) + 4, 0
                )
            painter.drawText(middle, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "log")

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(0, -3, 0, 3)

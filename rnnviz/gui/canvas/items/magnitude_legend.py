"""The colours of gradient magnitudes beside the first chain, while the chains show them."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from rnnviz.core.numbers import power
from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.canvas.items.chain import VANISHED
from rnnviz.gui.canvas.items.heat_map import packed
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme

_BAR = QRectF(10.0, 0.0, 56.0, 6.0)  # place from the left edge, and size


class MagnitudeLegend(CanvasItem):
    """A lying colour bar with the powers of ten at its ends; hidden in the forward sweep."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._pixels = np.ascontiguousarray(packed(theme.magnitude_map(), theme)[:256])
        self._image = QImage(self._pixels.data, 256, 1, 1024, QImage.Format.Format_RGB32)
        self._highest = 0.0
        self.setVisible(False)

    def set_highest(self, highest: float) -> None:
        """log₁₀ of the largest magnitude of all models."""
        if highest != self._highest:
            self._highest = highest
            self.update()

    def draw(self, painter: QPainter) -> None:
        middle = self.rect.center().y()
        bar = _BAR.translated(self.rect.left(), round(middle - 9))
        painter.drawImage(bar, self._image)
        painter.setPen(pen(self.theme.color("line")))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar.adjusted(-0.5, -0.5, 0.5, 0.5))
        painter.setFont(fonts.text(fonts.SMALL))
        painter.setPen(self.theme.color("muted"))
        box = QRectF(QPointF(bar.left() - 2, bar.bottom() + 1), QPointF(bar.right() + 4, bar.bottom() + 16))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, power(int(VANISHED)))
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, power(round(self._top)))

    @property
    def _top(self) -> float:
        return max(self._highest, VANISHED + 1)

    def tip(self, x: float, y: float) -> str:
        ends = f"{power(int(VANISHED))} and less to {power(round(self._top))}, the largest of all models"
        return f"The colour of cells and arrows in the backward phase: ‖∂L/∂h‖, {ends}"

"""Placeholder: what stands where lanes and panels will be, in the window's first picture."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from rnnviz.gui.look.painting import painting
from rnnviz.gui.look.theme import Theme

_GAP = 12  # pixels around and between the bars
_HEIGHTS = (14, 14, 64, 14, 64, 90, 120)  # pixels


class Placeholder(QWidget):
    """Bars from edge to edge, in the colours of what is not there yet."""

    def __init__(self, look: Callable[[], Theme]) -> None:
        super().__init__()
        self._look = look

    def paintEvent(self, event: QPaintEvent) -> None:
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._look().color("raised", 0.6))
            y = float(_GAP)
            for height in _HEIGHTS:
                if y + height > self.height():
                    break
                painter.drawRoundedRect(QRectF(_GAP, y, self.width() - 2 * _GAP, height), 3, 3)
                y += height + _GAP

"""Breakpoint dot: filled while it is enabled, a ring while it is not, a diamond for a logpoint."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton

from rnnviz.gui.look import scale
from rnnviz.gui.look.theme import Theme, theme

_SIZE = 22  # pixels, to be hit
_RADIUS = 5.0


class Dot(QAbstractButton):
    """Checked: enabled. Space or a click turns it."""

    def __init__(self) -> None:
        super().__init__()
        self.logs = False
        self.look: Theme = theme("dark")
        self.setCheckable(True)
        scale.fit(self, width=_SIZE, height=_SIZE)

    def sizeHint(self) -> QSize:
        return scale.size(_SIZE, _SIZE)

    def paintEvent(self, event: QPaintEvent) -> None:
        with scale.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            color = self.look.color("bad")
            painter.setPen(QPen(color, 1.5))
            painter.setBrush(color if self.isChecked() else Qt.BrushStyle.NoBrush)
            middle = QRectF(scale.rect(self)).center()
            if self.logs:
                reach = _RADIUS + 1
                painter.drawPolygon(
                    QPolygonF([middle + QPointF(x, y) for x, y in ((0, -reach), (reach, 0), (0, reach), (-reach, 0))])
                )
            else:
                painter.drawEllipse(middle, _RADIUS, _RADIUS)
            if self.hasFocus():
                painter.setPen(QPen(self.look.color("focus"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(QRectF(scale.rect(self)).adjusted(1, 1, -1, -1), 4, 4)

"""The one cursor line that crosses all lanes of all models, with a dot on every curve."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.look.theme import Theme

_HALF = 7.0  # pixels to each side that a dot may need


class CursorLine(CanvasItem):
    """A cheap overlay: moving it repaints two narrow columns."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, cached=False)
        self._dots: Sequence[tuple[float, QColor]] = ()

    def move(self, x: float, top: float, bottom: float, dots: Sequence[tuple[float, QColor]]) -> None:
        """At pixel `x`; `dots` are (pixel y, colour)."""
        self._dots = dots
        self.prepareGeometryChange()
        self.rect = QRectF(round(x) - _HALF, top, 2 * _HALF, bottom - top)
        self.update()

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x = self.rect.center().x()
        painter.setPen(pen(self.theme.color("cursor"), 2.0))
        painter.drawLine(QPointF(x, self.rect.top()), QPointF(x, self.rect.bottom()))
        painter.setPen(pen(self.theme.color("panel"), 1.5))
        for y, color in self._dots:
            painter.setBrush(color)
            painter.drawEllipse(QPointF(x, y), 4.2, 4.2)

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(-1, -1, 1, 1)

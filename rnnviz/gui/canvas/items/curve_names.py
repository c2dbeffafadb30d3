"""The names of curves, above the cursor line: it must not strike through what a hall has to read."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from rnnviz.gui.canvas.items.canvas_item import CanvasItem

_HALO = 5.0  # pixels of the pen around the letters


@dataclass(frozen=True)
class Name:
    """A text centred in its box."""

    box: QRectF
    text: str
    color: QColor
    font: QFont


class CurveNames(CanvasItem):
    """Texts with a halo in the panel's colour, so that lines end before the letters."""

    above_cursor = True

    def set_names(self, names: Sequence[Name]) -> None:
        if tuple(names) != self.names:
            self.names = tuple(names)
            self.update()

    names: tuple[Name, ...] = ()

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        halo = QPen(self.theme.color("panel"), _HALO)
        halo.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        for name in self.names:
            metrics = QFontMetricsF(name.font)
            left = name.box.center().x() - metrics.horizontalAdvance(name.text) / 2
            base = QPointF(left, name.box.center().y() + (metrics.ascent() - metrics.descent()) / 2)
            path = QPainterPath()
            path.addText(base, name.font, name.text)
            painter.setPen(halo)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(path)
            painter.setFont(name.font)
            painter.setPen(name.color)
            painter.drawText(base, name.text)

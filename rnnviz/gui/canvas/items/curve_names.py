"""The names of curves, above the cursor line: it must not strike through what a hall has to read."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QTransform

from rnnviz.gui.canvas.items.canvas_item import CanvasItem

_HALO = 5.0  # pixels of the pen around the letters
_EM = 1000  # the font's own units, in which outlines are whole numbers


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
            painter.setPen(halo)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(_outline(name, base))
            painter.setFont(name.font)
            painter.setPen(name.color)
            painter.drawText(base, name.text)


def _outline(name: Name, base: QPointF) -> QPainterPath:
    """The letters' outline from `base` on, scaled from the font's units.

    At small sizes FreeType's outlines differ by 1/64 pixel with what was drawn before, and with them the picture.
    """
    large = QFont(name.font)
    large.setPixelSize(_EM)
    path = QPainterPath()
    path.addText(QPointF(), large, name.text)
    width = QFontMetricsF(large).horizontalAdvance(name.text)
    across = QFontMetricsF(name.font).horizontalAdvance(name.text) / width if width else 1.0
    return QTransform(across, 0, 0, name.font.pixelSize() / _EM, base.x(), base.y()).map(path)

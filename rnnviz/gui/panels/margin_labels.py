"""Short labels beside a plot, each at its height: the values of the y axis, the names at the ends of the curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from rnnviz.gui import fonts
from rnnviz.gui.panels.training_curves import spread

_APART = 14.0  # pixels between two labels


@dataclass(frozen=True)
class MarginLabel:
    """A text centred at the height `y`, in pixels of the plot."""

    y: float
    text: str
    color: QColor
    strong: bool = False


class MarginLabels(QWidget):
    """Labels right-aligned left of the plot (`left`) or left-aligned right of it, never on top of each other."""

    def __init__(self, left: bool) -> None:
        super().__init__()
        self._left = left
        self.labels: tuple[MarginLabel, ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_labels(self, labels: Sequence[MarginLabel]) -> None:
        if tuple(labels) != self.labels:
            self.labels = tuple(labels)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        places = spread([label.y for label in self.labels], _APART, 6.0, self.height() - 6.0)
        for label, y in zip(self.labels, places, strict=True):
            font = fonts.semibold(fonts.SMALL + 1) if label.strong else fonts.text(fonts.SMALL)
            metrics = QFontMetricsF(font)
            painter.setFont(font)
            painter.setPen(label.color)
            text = metrics.elidedText(label.text, Qt.TextElideMode.ElideRight, self.width() - 8)
            x = self.width() - 6 - metrics.horizontalAdvance(text) if self._left else 8.0
            painter.drawText(QPointF(x, y + metrics.capHeight() / 2), text)

"""Short labels beside a plot, each at its height: the values of the y axis, the names at the ends of the curves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPaintEvent
from PySide6.QtWidgets import QWidget

from rnnviz.gui.look import fonts, scale
from rnnviz.gui.training.curve_ranges import spread

_APART = 14.0  # pixels between two labels
_NEXT = 1e-3  # a second line lies this far below its first, so that nothing comes between them when spread


@dataclass(frozen=True)
class MarginLabel:
    """A text centred at the height `y`, in pixels of the design."""

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

    def has_room_for(self, labels: Sequence[MarginLabel]) -> bool:
        """Whether all of them can stand apart from each other."""
        return _APART * sum(len(self._lines(label)) for label in labels) <= scale.height(self)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = scale.painter(self)
        lines = [line for label in self.labels for line in self._lines(label)]
        places = spread([line.y for line in lines], _APART, 6.0, scale.height(self) - 6.0)
        for label, y in zip(lines, places, strict=True):
            font = _font(label)
            metrics = QFontMetricsF(font)
            painter.setFont(font)
            painter.setPen(label.color)
            text = metrics.elidedText(label.text, Qt.TextElideMode.ElideRight, scale.width(self) - 8)
            x = scale.width(self) - 6 - metrics.horizontalAdvance(text) if self._left else 8.0
            painter.drawText(QPointF(x, y + metrics.capHeight() / 2), text)

    def _lines(self, label: MarginLabel) -> list[MarginLabel]:
        """The label, in two lines when it is too long for one and has a place to break."""
        metrics = QFontMetricsF(_font(label))
        words = label.text.split(" ")
        if metrics.horizontalAdvance(label.text) <= scale.width(self) - 10 or len(words) < 2:
            return [label]
        halves = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
        first, second = min(halves, key=lambda half: max(map(metrics.horizontalAdvance, half)))
        return [replace(label, text=first), replace(label, text=second, y=label.y + _NEXT)]


def _font(label: MarginLabel) -> QFont:
    return fonts.semibold(fonts.SMALL + 1) if label.strong else fonts.text(fonts.SMALL)

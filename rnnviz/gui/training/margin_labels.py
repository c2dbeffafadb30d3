"""Short labels beside a plot, each at its height: the values of the y axis, the names at the ends of the curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from rnnviz.gui.look import fonts, scale
from rnnviz.gui.training.curve_ranges import spread

_LINE = 14.0  # pixels of a line
_BETWEEN = 5.0  # more of them between two labels, where there is room


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
        lines = sum(len(self._lines(label)) for label in labels)
        return lines * _LINE + (len(labels) - 1) * _BETWEEN <= scale.height(self)

    def paintEvent(self, event: QPaintEvent) -> None:
        with scale.painting(self) as painter:
            blocks = [(label, self._lines(label)) for label in self.labels]
            for (label, lines), middle in zip(blocks, self._middles([len(lines) for _, lines in blocks]), strict=True):
                self._paint(painter, label, lines, middle - (len(lines) - 1) / 2 * _LINE)

    def _middles(self, lines: Sequence[int]) -> list[float]:
        """Where the middles of the labels lie, each of so many lines."""
        heights, room = [count * _LINE for count in lines], scale.height(self) + 2.0
        between = min(max((room - sum(heights)) / max(len(heights), 1), 0.0), _BETWEEN)
        return spread([label.y for label in self.labels], [high + between for high in heights], -1.0, room - 1.0)

    def _paint(self, painter: QPainter, label: MarginLabel, lines: Sequence[str], y: float) -> None:
        font = _font(label)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(label.color)
        for number, line in enumerate(lines):
            text = metrics.elidedText(line, Qt.TextElideMode.ElideRight, scale.width(self) - 8)
            x = scale.width(self) - 6 - metrics.horizontalAdvance(text) if self._left else 8.0
            painter.drawText(QPointF(x, y + number * _LINE + metrics.capHeight() / 2), text)

    def _lines(self, label: MarginLabel) -> list[str]:
        """Its text, in two lines when it is too long for one and has a place to break."""
        metrics = QFontMetricsF(_font(label))
        words = label.text.split(" ")
        if metrics.horizontalAdvance(label.text) <= scale.width(self) - 10 or len(words) < 2:
            return [label.text]
        halves = [[" ".join(words[:n]), " ".join(words[n:])] for n in range(1, len(words))]
        return min(halves, key=lambda half: max(map(metrics.horizontalAdvance, half)))


def _font(label: MarginLabel) -> QFont:
    return fonts.semibold(fonts.SMALL + 1) if label.strong else fonts.text(fonts.SMALL)

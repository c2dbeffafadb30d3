"""Elided label: a line of text that ends in … where there is no room, and its tooltip says the whole."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.gui.look import scale
from rnnviz.gui.look.painting import painting

_GAP = 6  # pixels between the two texts
_LEAST = 12  # letters: less than that of a text says nothing


class ElidedLabel(QWidget):
    """Two texts in one line, the second behind the first in its own font and colour."""

    def __init__(self, first_font: QFont, second_font: QFont, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._texts = ("", "")
        self._fonts = (first_font, second_font)
        self._colors = (self.palette().text().color(), self.palette().placeholderText().color())
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        return " ".join(self._texts).strip()

    def set_texts(self, first: str, second: str) -> None:
        if (first, second) != self._texts:
            self._texts = (first, second)
            self.setToolTip(self.text)
            self.setAccessibleName(self.text)
            self.updateGeometry()
            self.update()

    def set_colors(self, first: QColor, second: QColor) -> None:
        self._colors = (first, second)
        self.update()

    def sizeHint(self) -> QSize:
        metrics = [QFontMetrics(scale.font(font)) for font in self._fonts]
        widths = [each.horizontalAdvance(text) for each, text in zip(metrics, self._texts, strict=True)]
        return QSize(sum(widths) + _GAP + 2, max(each.height() for each in metrics))

    def paintEvent(self, _event: QPaintEvent) -> None:
        with painting(self) as painter:
            left, baseline = 0, self._baseline()
            for text, font, color in zip(self._texts, self._fonts, self._colors, strict=True):
                font = scale.font(font)
                metrics = QFontMetrics(font)
                room = self.width() - left
                if room < min(metrics.horizontalAdvance(text), _LEAST * metrics.averageCharWidth()):
                    return
                shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
                painter.setFont(font)
                painter.setPen(color)
                place = QRect(left, baseline - metrics.ascent(), room, metrics.height())
                painter.drawText(place, Qt.AlignmentFlag.AlignLeft, shown)
                left += metrics.horizontalAdvance(shown) + _GAP

    def _baseline(self) -> int:
        metrics = QFontMetrics(scale.font(self._fonts[0]))
        return (self.height() - metrics.height()) // 2 + metrics.ascent()

"""The label at the left of a lane: what it is, and its symbol and size below, muted."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.canvas.lane_keys import WORDS as KEY_WORDS
from rnnviz.gui.look import fonts
from rnnviz.gui.look.model_bar import paint_model_bar
from rnnviz.gui.look.theme import Dash, Theme

MARGIN = 14.0  # from the left edge of the canvas to the text
_BAR = QRectF(8.0, 0.0, 4.0, 0.0)  # place and width of a model's colour bar


class LaneLabel(CanvasItem):
    """Two lines of text; with `color` it is a model's header, and a bar of that colour stands before it."""

    def __init__(
        self, theme: Theme, title: str, subtitle: str = "", color: QColor | None = None, dash: Dash = ()
    ) -> None:
        super().__init__(theme)
        self.title = title
        self.subtitle = subtitle
        self.note = ""  # a warning in place of the subtitle
        self.token = "muted"  # colour of the subtitle
        self.words = ""  # the tooltip, where title and subtitle do not say enough
        self.color = color
        self.dash = dash

    def set_text(self, title: str, subtitle: str, note: str = "") -> None:
        if (title, subtitle, note) != (self.title, self.subtitle, self.note):
            self.title, self.subtitle, self.note = title, subtitle, note
            self.update()

    def draw(self, painter: QPainter) -> None:
        left = self.rect.left() + MARGIN
        if self.color is not None:
            bar = QRectF(self.rect.left() + _BAR.left(), self.rect.top(), _BAR.width(), self.rect.height())
            paint_model_bar(painter, bar, self.color, self.dash)
            left += 6
        title_font = fonts.semibold(fonts.TITLE if self.color is not None else 14)
        width = self.rect.right() - left - 6
        title_height = 19.0
        room = self.rect.height() >= 32
        top = self.rect.top() + (0.0 if self.color is None or not room else (self.rect.height() - 34) / 2)
        if self.color is None:
            top -= 1
        if not room:
            top = self.rect.top() - 1 if self.color is None else self.rect.center().y() - title_height / 2
        painter.setFont(title_font)
        painter.setPen(self.theme.color("bad" if self.note and not room else "text"))
        title = QFontMetricsF(title_font).elidedText(self.title, Qt.TextElideMode.ElideRight, width)
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(left, top, width, title_height), align, title)
        small = fonts.text(12)
        if not room:
            self._draw_beside(painter, QRectF(left, top, width, title_height), title_font, small)
            return
        painter.setFont(small)
        painter.setPen(self.theme.color("bad" if self.note else self.token))
        words = QFontMetricsF(small).elidedText(self.note or self.subtitle, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRectF(left, top + title_height - 1, width, 16), align, words)

    def _draw_beside(self, painter: QPainter, line: QRectF, title_font: QFont, small: QFont) -> None:
        """The subtitle after the title, where both fit into the one line that a low lane has."""
        before = QFontMetricsF(title_font).horizontalAdvance(self.title) + 7 if self.title else 0.0
        line = line.adjusted(before, 1, 0, 1)
        if QFontMetricsF(small).horizontalAdvance(self.subtitle) <= line.width():
            painter.setFont(small)
            painter.setPen(self.theme.color(self.token))
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.subtitle)

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(0, -2, 0, 2)

    def tip(self, x: float, y: float) -> str:
        words = self.note or self.words or (f"{self.title}: {self.subtitle}" if self.subtitle else self.title)
        return f"{words}\nKeys: {KEY_WORDS}"

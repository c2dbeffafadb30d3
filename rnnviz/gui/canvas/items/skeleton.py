"""What stands in the canvas before the first trace: the outlines of the lanes to come, and one sentence."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme

_ROWS = (18.0, 12.0, 78.0, 12.0, 78.0, 78.0, 110.0)  # heights of the outlines, in pixels


class Skeleton(CanvasItem):
    """Calm outlines with `sentence` in the middle."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._sentence = ""

    def set_sentence(self, sentence: str) -> None:
        if sentence != self._sentence:
            self._sentence = sentence
            self.update()

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("raised", 0.75))
        top = self.rect.top() + 14
        stretch = (self.rect.height() - 28 - 14 * (len(_ROWS) - 1)) / sum(_ROWS)
        for row in _ROWS:
            height = max(row * stretch, 2.0)
            painter.drawRoundedRect(QRectF(self.rect.left() + 14, top, 70, min(height, 10.0)), 4, 4)
            painter.drawRoundedRect(QRectF(self.axis.left, top, self.axis.width, height), 4, 4)
            top += height + 14
        painter.setFont(fonts.text(fonts.TITLE))
        middle = self.rect.center()
        width = painter.fontMetrics().horizontalAdvance(self._sentence) + 32
        width = min(width, int(self.rect.width()) - 32)
        box = QRectF(middle.x() - width / 2, middle.y() - 20, width, 40)
        painter.setBrush(self.theme.color("background"))
        painter.drawRoundedRect(box, 8, 8)
        painter.setPen(self.theme.color("muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._sentence)

"""Hatched ground over what a lane has nothing for: padding, and time steps at which a layer does not exist."""

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme

_APART = 7.0  # pixels between two lines along the edge


class Hatched(CanvasItem):
    """Rectangles in the plot column, one for each stretch of each lane; they hide what lies below."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, cached=False)
        self.boxes: Sequence[QRectF] = ()
        self.words: Sequence[str] = ()  # in each box, where they have room

    def set_boxes(self, boxes: Sequence[QRectF], words: Sequence[str] = ()) -> None:
        if list(boxes) == list(self.boxes) and list(words) == list(self.words):
            return
        self.prepareGeometryChange()
        self.boxes, self.words = tuple(boxes), tuple(words)
        whole = QRectF()
        for box in self.boxes:
            whole = whole.united(box)
        self.rect = whole
        self.update()

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground, line = self.theme.color("background"), self.theme.color("border", 0.5)
        for box in self.boxes:
            if not box.intersects(self._exposed):
                continue
            painter.fillRect(box, ground)
            painter.setPen(pen(line, 1.0))
            painter.drawLines(diagonals(box))
        for box, words in zip(self.boxes, self.words, strict=False):
            if words and box.intersects(self._exposed):
                self._write(painter, box, words)

    def _write(self, painter: QPainter, box: QRectF, words: str) -> None:
        """On a patch of plain ground, its first word alone where there is no room for all."""
        font = fonts.text(fonts.SMALL)
        metrics = QFontMetricsF(font)
        for text in (words, words.partition(",")[0]):
            size = metrics.boundingRect(text).adjusted(-5, -1, 5, 1).size()
            if size.width() <= box.width() - 4 and size.height() <= box.height() - 4:
                patch = QRectF(box.center().x() - size.width() / 2, box.center().y() - size.height() / 2, 0, 0)
                patch.setSize(size)
                painter.fillRect(patch, self.theme.color("background"))
                painter.setFont(font)
                painter.setPen(self.theme.color("muted"))
                painter.drawText(patch, Qt.AlignmentFlag.AlignCenter, text)
                return


def diagonals(box: QRectF, apart: float = _APART) -> list[QLineF]:
    """Lines from lower left to upper right that end at the edges; they go on from box to box."""
    found = []
    total = (box.left() + box.top()) // apart * apart + apart  # of x + y along a line
    while total < box.right() + box.bottom():
        left, right = max(box.left(), total - box.bottom()), min(box.right(), total - box.top())
        if right - left > 1:
            found.append(QLineF(left, total - left, right, total - right))
        total += apart
    return found

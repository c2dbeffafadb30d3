"""Hatched ground over what a lane has nothing for: padding, and time steps at which a layer does not exist."""

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.look.theme import Theme

_APART = 7.0  # pixels between two lines along the edge


class Hatched(CanvasItem):
    """Rectangles in the plot column, one for each stretch of each lane; they hide what lies below."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, cached=False)
        self.boxes: Sequence[QRectF] = ()

    def set_boxes(self, boxes: Sequence[QRectF]) -> None:
        if list(boxes) == list(self.boxes):
            return
        self.prepareGeometryChange()
        self.boxes = tuple(boxes)
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

"""The base of everything drawn on the canvas: a rectangle, the time axis, the theme, and a cached picture."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.look.theme import Theme


class CanvasItem(QGraphicsItem):
    """Draws in scene pixels inside `rect`. Cached by Qt, so that a cursor passing over it copies pixels and no more."""

    above_cursor = False  # whether it is drawn above the cursor line

    def __init__(self, theme: Theme, *, cached: bool = True) -> None:
        super().__init__()
        self.theme = theme
        self.rect = QRectF()
        self.axis = TimeAxis.whole(0.0, 1.0, 1)
        self.cached = cached
        self._exposed = QRectF()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)  # else Qt always exposes all of it
        if cached:
            self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)

    def place(self, rect: QRectF, axis: TimeAxis) -> None:
        """Where the item lies and how time runs through it."""
        if rect == self.rect and axis == self.axis:
            return
        self.prepareGeometryChange()
        self.rect, self.axis = QRectF(rect), axis
        self.placed()
        self.update()

    def placed(self) -> None:
        """Called after every change of place: what depends on pixels is made anew here."""

    def boundingRect(self) -> QRectF:
        return self.rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self.rect.width() < 1 or self.rect.height() < 1:
            return
        self._exposed = option.exposedRect
        painter.save()
        self.draw(painter)
        painter.restore()

    def exposed_steps(self) -> range:
        """The visible time steps that have to be painted now; a neighbour on each side for what juts out."""
        visible = self.axis.visible()
        first = max(visible[0], self.axis.time_step_at(self._exposed.left()) - 1)
        last = min(visible[-1], self.axis.time_step_at(self._exposed.right()) + 1)
        return range(first, last + 1)

    def time_box(self, beyond: float) -> QRectF:
        """What may be painted on: the plot column, and `beyond` it what a whole first or last cell needs; a cell that
        is cut by zooming ends at the edge."""
        out = 0.0 if self.axis.zoomed else beyond
        return self.boundingRect().intersected(
            QRectF(self.axis.left - out, self.rect.top() - 8, self.axis.width + 2 * out, self.rect.height() + 16)
        )

    def draw(self, painter: QPainter) -> None:
        """Paints the whole item."""
        raise NotImplementedError

    def tip(self, x: float, y: float) -> str:
        """What the pointer is on, in words; empty where there is nothing to say."""
        return ""


def pen(color: QColor, width: float = 1.0) -> QPen:
    """A pen that is not cosmetic, so that an exported figure of any scale keeps its proportions."""
    result = QPen(color, width)
    result.setCosmetic(False)
    return result

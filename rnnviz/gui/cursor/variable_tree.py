"""Variable tree: how the rows of the page "Variables" are drawn, a vector as a strip and a matrix as a picture."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QTreeWidget

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.gui.cursor.value_row import Colors
from rnnviz.gui.cursor.value_strips import Strip, levels, map_image
from rnnviz.gui.cursor.variables import Facts, Variable
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.focus_ring import FocusFrame
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.widgets import marked_text

VARIABLE, LAYER = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
Known = tuple[Array, Facts, QImage]  # the numbers of a row, what is said of them, their picture
_Index = QModelIndex | QPersistentModelIndex
_LAYER_HIGH, _ABOVE, _BELOW = 28, 23, 19  # pixels: of a layer's row; of a variable's above and below its picture
_STRIP, _MATRIX_ROW, _MATRIX = 8, 4, (32, 72)  # pixels: a strip; a row of a matrix, the lowest and highest of them
_MOST_VALUES, _MOST_ROWS = 400, 144  # more than a picture has pixels for


class VariableTree(QTreeWidget):
    """Rows are asked of `known` when they are painted; the row that is chosen has one ground from edge to edge."""

    def __init__(self, known: Callable[[_Index], Known | None], look: Callable[[], Theme]) -> None:
        super().__init__()
        self._look = look
        self.setHeaderHidden(True)
        self.setIndentation(14)
        self.setUniformRowHeights(False)
        self.setFrameShape(QTreeWidget.Shape.NoFrame)
        self.setStyleSheet("QTreeView { border: none; selection-background-color: transparent; }")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QTreeWidget.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(_VariableRow(self, known, look))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._frame = FocusFrame(self, look())
        self.setAccessibleName("Variables")
        self.setAccessibleDescription("→ opens a row, ← closes it, Enter goes to the operation that computes it")

    def dress(self) -> None:
        """After a change of the theme."""
        self._frame.set_theme(self._look())

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        item = self.itemFromIndex(index)
        if item is not None and item.isSelected():
            look, row = self._look(), QRectF(0, option.rect.top(), self.viewport().width(), option.rect.height())
            painter.fillRect(row, look.color("raised"))
            if self.hasFocus():
                painter.setPen(QPen(look.color("focus"), 1))
                painter.drawRect(row.adjusted(0.5, 0.5, -0.5, -0.5))
        super().drawRow(painter, option, index)

    def drawBranches(self, painter: QPainter, rect: QRect, index: _Index) -> None:
        """Only the triangle of a row that holds others: the style would fill the indent of the row that is chosen."""
        item = self.itemFromIndex(index)
        if item is None or not item.childCount():
            return
        x, y = rect.right() - 6.0, rect.top() + (scale.px(_ABOVE) / 2 if index.data(VARIABLE) else rect.height() / 2)
        shape = [(-4, -2), (4, -2), (0, 3)] if item.isExpanded() else [(-2, -4), (3, 0), (-2, 4)]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look().color("muted"))
        painter.drawPolygon(QPolygonF([QPointF(x + dx, y + dy) for dx, dy in shape]))
        painter.restore()


class _VariableRow(QStyledItemDelegate):
    """Symbol and words with the norm at the right, the picture, and below it what is said of the numbers."""

    def __init__(self, tree: VariableTree, known: Callable[[_Index], Known | None], look: Callable[[], Theme]) -> None:
        super().__init__(tree)
        self._known, self._look = known, look

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        variable = index.data(VARIABLE)
        return scale.size(160, _LAYER_HIGH if variable is None else _ABOVE + picture_height(variable) + _BELOW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        variable = index.data(VARIABLE)
        painter.save()
        box = QRectF(scale.row_box(painter, option.rect))
        if variable is None:
            painter.setFont(fonts.semibold(fonts.BODY))
            painter.setPen(self._look().color("muted"))
            align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(box.adjusted(4, 0, 0, 0), align, str(index.data()))
        else:
            self._paint(painter, box.adjusted(4, 0, -12, 0), variable, self._known(index))
        painter.restore()

    def _paint(self, painter: QPainter, box: QRectF, variable: Variable, found: Known | None) -> None:
        look = self._look()
        self._paint_head(painter, box, variable, found)
        if found is None:
            return
        place = QRectF(box.left(), box.top() + _ABOVE, box.width(), picture_height(variable))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(place, found[2])
        painter.setPen(QPen(look.color("line"), 1))
        painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))
        painter.setPen(look.color("muted"))
        small = fonts.text(fonts.SMALL)
        painter.setFont(small)
        said = QFontMetricsF(small).elidedText(found[1].text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(QRectF(box.left(), place.bottom() + 1, box.width(), 16), Qt.AlignmentFlag.AlignVCenter, said)

    def _paint_head(self, painter: QPainter, box: QRectF, variable: Variable, found: Known | None) -> None:
        look = self._look()
        color = look.gate_color(variable.gate.family) if variable.gate else look.color("text")
        marked_text.draw(painter, box.left(), box.top() + 16, variable.symbol, fonts.BODY, color)
        after = box.left() + marked_text.width(variable.symbol, fonts.BODY) + 8
        norm = f"‖·‖ {short(found[1].norm)}" if found is not None else "–"
        wide = QFontMetricsF(fonts.text()).horizontalAdvance(norm)
        painter.setFont(fonts.text())
        painter.setPen(look.color("text"))
        painter.drawText(QRectF(box.right() - wide - 2, box.top(), wide + 2, 22), Qt.AlignmentFlag.AlignVCenter, norm)
        small = fonts.text(fonts.SMALL + 1)
        painter.setFont(small)
        painter.setPen(look.color("muted"))
        room = max(0.0, box.right() - wide - 10 - after)
        words = QFontMetricsF(small).elidedText(variable.words, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(after, box.top(), room, 23), Qt.AlignmentFlag.AlignVCenter, words)


def picture_height(variable: Variable) -> int:
    """Pixels: a strip, or as many as the rows of a matrix ask for."""
    return min(max(_MATRIX_ROW * variable.rows, _MATRIX[0]), _MATRIX[1]) if variable.rows else _STRIP


def picture(variable: Variable, values: Array, look: Theme) -> QImage:
    """One pixel a value, a matrix with its rows below one another; of too many the ones farthest from zero."""
    shown = _strongest(values.reshape(1, -1) if values.ndim != 2 else values)
    colors: Colors = "unit" if variable.gate is not None and variable.gate.limits == (0.0, 1.0) else "signed"
    ends = levels(colors, [Strip("", look.color("text"), shown.reshape(-1))])
    return map_image(shown, ends, colors, variable.gate.family if variable.gate else "", look)


def _strongest(values: Array) -> Array:
    """(R, C) with at most as many rows and columns as a picture has pixels for: of each block the value farthest from
    zero, the one that matters."""
    for axis, most in ((0, _MOST_ROWS), (1, _MOST_VALUES)):
        size = values.shape[axis]
        if size > most:
            edges = np.arange(most) * size // most
            highest = np.maximum.reduceat(values, edges, axis)
            lowest = np.minimum.reduceat(values, edges, axis)
            values = np.where(highest >= -lowest, highest, lowest)
    return values

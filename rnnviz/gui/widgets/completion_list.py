"""Completion list below an expression that is being typed: names and functions, what they mean, and their shapes."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from rnnviz.core.expressions.completion import Completion
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import Theme

_ROW = 24  # pixels
_ROWS = 9  # seen at once
_WIDTH = 430
_PAD = 8
_NAME = 104  # room of the names
_OFFER = Qt.ItemDataRole.UserRole


class CompletionList(QListView):
    """Shown without taking the focus; the field hands it the keys. `chosen(Completion)` on a click or on `accept`."""

    chosen = Signal(object)

    def __init__(self, field: QWidget) -> None:
        super().__init__(field)
        self._field = field
        self.setWindowFlags(Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setAccessibleName("Completions")
        self._model = QStandardItemModel(self)
        self.setModel(self._model)
        self._delegate = _Offers(self)
        self.setItemDelegate(self._delegate)
        self.clicked.connect(self._choose)

    def offer(self, offers: Sequence[Completion], point: QPoint, theme: Theme) -> None:
        """Shows the offers with their corner at `place` of the screen; nothing to offer puts the list away."""
        self._model.clear()
        if not offers:
            self.hide()
            return
        for offer in offers:
            item = QStandardItem(offer.insert)
            item.setData(offer, _OFFER)
            item.setToolTip(f"{offer.words}\n{offer.shape}" if offer.shape else offer.words)
            self._model.appendRow(item)
        self._delegate.theme = theme
        height = scale.px(_ROW) * min(len(offers), _ROWS) + 2 * self.frameWidth() + 6
        width = scale.px(_WIDTH)
        room = self._field.screen().availableGeometry()
        left = max(room.left(), min(point.x(), room.right() - width))
        self.setGeometry(QRect(left, point.y(), width, height))
        self.scrollToTop()
        self.show()

    def move_choice(self, rows: int) -> None:
        """The choice goes down by `rows`, round at the ends; the first time it is the first or the last."""
        count, row = self._model.rowCount(), self.currentIndex().row()
        row = (row + rows) % count if row >= 0 else (0 if rows > 0 else count - 1)
        self.setCurrentIndex(self._model.index(row, 0))

    @property
    def has_choice(self) -> bool:
        """Whether the keyboard has gone to one of the offers."""
        return self.isVisible() and self.currentIndex().isValid()

    def accept(self) -> None:
        """Takes the offer the keyboard is on, else the first."""
        index = self.currentIndex()
        self._choose(index if index.isValid() else self._model.index(0, 0))

    def _choose(self, index: QModelIndex) -> None:
        offer = index.data(_OFFER)
        self.hide()
        self.chosen.emit(offer)


class _Offers(QStyledItemDelegate):
    """name, words and, at the right, the shape."""

    def __init__(self, listed: QListView) -> None:
        super().__init__(listed)
        self._list = listed
        self.theme: Theme | None = None

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return scale.size(_WIDTH - 24, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        offer: Completion = index.data(_OFFER)
        if self.theme is None:
            return
        painter.save()
        box = scale.row_box(painter, option.rect)
        current = self._list.currentIndex() == index
        text = self.theme.color("on_accent" if current else "text")
        muted = self.theme.color("on_accent" if current else "muted")
        if current:
            painter.fillRect(box, self.theme.color("accent"))
        middle = Qt.AlignmentFlag.AlignVCenter
        metrics = QFontMetricsF(fonts.text(fonts.SMALL + 1))
        shape = metrics.elidedText(_shape(offer), Qt.TextElideMode.ElideRight, 160)
        wide = round(metrics.horizontalAdvance(shape)) + 1
        name_room = max(_NAME, round(QFontMetricsF(fonts.semibold()).horizontalAdvance(offer.insert)) + _PAD)
        words_room = box.width() - name_room - wide - 4 * _PAD
        words = metrics.elidedText(offer.words, Qt.TextElideMode.ElideRight, max(words_room, 0))
        painter.setFont(fonts.semibold())
        painter.setPen(text)
        painter.drawText(box.adjusted(_PAD, 0, 0, 0), middle, offer.insert)
        painter.setFont(fonts.text(fonts.SMALL + 1))
        painter.drawText(box.adjusted(_PAD + name_room, 0, 0, 0), middle, words)
        painter.setPen(muted)
        painter.drawText(box.adjusted(0, 0, -_PAD, 0), middle | Qt.AlignmentFlag.AlignRight, shape)
        painter.restore()


def _shape(offer: Completion) -> str:
    """Of a function what it gives, for its name is said already."""
    return offer.shape.partition(" gives ")[2] if offer.kind == "function" else offer.shape

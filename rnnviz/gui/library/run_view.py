"""Run view: the table on screen, each row with its picture, its name over its models, and what is to be said of it."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from rnnviz.gui.library import words
from rnnviz.gui.library.reading import Entry
from rnnviz.gui.library.run_table import DATE, ENTRY, NAME, PINNED, SIZE, STANDING, STEP
from rnnviz.gui.library.thumbnail import SIZE as PICTURE
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.icons import pixmap
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.widgets.row_table import RowTable
from rnnviz.runs.library.summary import RunSummary

_ROW = 52  # pixels
_PAD = 12
_BAR = 3
_PIN = 14
_TEXT = _PAD + PICTURE.width() + _PAD  # from the left edge of a row
_WIDTHS = {STEP: 110, SIZE: 90, DATE: 140}

_Index = QModelIndex | QPersistentModelIndex


class RunDelegate(QStyledItemDelegate):
    """Paints the rows."""

    def __init__(self, look: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.look = look

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return scale.size(200, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        look, state = self.look, option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        box = QRectF(scale.row_box(painter, option.rect))
        painter.fillRect(box, look.color("raised" if selected else "panel"))
        painter.fillRect(QRectF(box.left(), box.bottom() - 1, box.width(), 1), look.color("line", 0.6))
        if index.column() == NAME:
            if selected:
                active = bool(state & QStyle.StateFlag.State_Active)
                painter.fillRect(
                    QRectF(box.left(), box.top(), _BAR, box.height() - 1), look.color("accent" if active else "muted")
                )
            self._paint_run(painter, box, index)
        else:
            painter.setFont(fonts.text(fonts.BODY))
            painter.setPen(look.color("text" if index.column() != DATE else "muted"))
            align = (
                index.data(Qt.ItemDataRole.TextAlignmentRole)
                or Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            )
            painter.drawText(box.adjusted(_PAD, 0, -_PAD, 0), align, str(index.data()))
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        field = QLineEdit(parent)
        field.setAccessibleName("Name of the run")
        field.setMaxLength(200)
        return field

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        """A run that is being trained is read again and again; what was typed meanwhile stays."""
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:
        box: QRect = option.rect
        left = box.left() + scale.px(_TEXT)
        wide = min(scale.px(360), box.right() - left)
        editor.setGeometry(QRect(left - 6, box.top() + scale.px(3), wide, scale.px(26)))

    def _paint_run(self, painter: QPainter, box: QRectF, index: _Index) -> None:
        look, entry = self.look, index.data(ENTRY)
        assert isinstance(entry, Entry)
        run = entry.run
        painter.drawImage(QPointF(box.left() + _PAD, box.top() + (_ROW - PICTURE.height()) / 2 - 0.5), entry.picture)
        left, right = box.left() + _TEXT, box.right() - _PAD
        if index.data(PINNED):
            dots = painter.device().devicePixelRatioF() * scale.text_scale()
            painter.drawPixmap(QPointF(right - _PIN, box.top() + 10), pixmap("pin", look.accent, _PIN, dots))
            right -= _PIN + 8
        name = QFontMetricsF(fonts.semibold())
        painter.setFont(fonts.semibold())
        painter.setPen(look.color("muted" if run.kind == "broken" else "text"))
        painter.drawText(
            QPointF(left, box.top() + 22), name.elidedText(run.words, Qt.TextElideMode.ElideRight, right - left)
        )
        font = fonts.text(fonts.SMALL + 1)
        painter.setFont(font)
        said = index.data(STANDING)
        token = "bad" if run.problem else "good" if entry.training else "accent"
        metrics = QFontMetricsF(font)
        if said and not run.problem:
            painter.setPen(QPen(look.color(token)))
            painter.drawText(QPointF(left, box.top() + 40), said)
            left += metrics.horizontalAdvance(said + "   ")
        painter.setPen(look.color("bad" if run.problem else "muted"))
        below = run.problem or _below(run)
        painter.drawText(
            QPointF(left, box.top() + 40), metrics.elidedText(below, Qt.TextElideMode.ElideRight, right - left)
        )


class RunView(RowTable):
    """Keys: letters go to the search field (`typed`), Delete asks for that (`delete_wanted`)."""

    typed = Signal(str)
    delete_wanted = Signal()

    def __init__(self, look: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Runs", parent)
        self.delegate = RunDelegate(look, self)
        self.setItemDelegate(self.delegate)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.horizontalHeader().setStyleSheet(f"QHeaderView::section {{ padding: 4px {_PAD}px; }}")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def arrange(self) -> None:
        """Widths of the columns, once there is a model."""
        self.set_widths(NAME, _WIDTHS)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_wanted.emit()
        elif plain and event.text().strip() and event.text().isprintable():
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)


def _below(run: RunSummary) -> str:
    """The line below the name: the experiment where the run has a name of its own, and its models."""
    parts = [run.title] if run.name and run.title and run.title != run.name else []
    return "  ·  ".join([*parts, words.models(run)])

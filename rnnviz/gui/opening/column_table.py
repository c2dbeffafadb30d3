"""Column table: the columns of a file, what each holds, and which are read and which are predicted."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from rnnviz.gui.look import scale

NAME, INPUT, PREDICT, HOLDS = range(4)
_HEADINGS = ("Column", "Input", "Predict", "What it holds")
_TOOLTIPS = (
    "The name in the file's first line",
    "Columns the networks read; a click here or Shift+Space checks all or none",
    "Columns whose next value is predicted; a click here or Shift+Space checks all or none",
    "What is understood of the column, and how its numbers are written",
)
_ITEM = 24  # pixels of one row
_FEWEST, _MOST = 2, 6  # rows that are seen at once
_BOX = 14  # pixels of a box to check
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class BoxDelegate(QStyledItemDelegate):
    """A box in the middle of its cell, which a click anywhere in the cell or Space switches."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        state = index.data(Qt.ItemDataRole.CheckStateRole)
        if state is None:
            return
        box = QStyleOptionViewItem(option)
        box.rect = QRect(0, 0, scale.px(_BOX), scale.px(_BOX))
        box.rect.moveCenter(option.rect.center())
        box.state = QStyle.StateFlag.State_Enabled
        box.state |= QStyle.StateFlag.State_On if Qt.CheckState(state) == _CHECKED else QStyle.StateFlag.State_Off
        option.widget.style().drawPrimitive(
            QStyle.PrimitiveElement.PE_IndicatorItemViewItemCheck, box, painter, option.widget
        )
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(option.palette.text().color(), 1))
            painter.drawRoundedRect(box.rect.adjusted(-4, -4, 3, 3), 4, 4)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return scale.size(_BOX + 12, _ITEM)

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        if not index.flags() & Qt.ItemFlag.ItemIsUserCheckable:
            return False
        pressed = isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.LeftButton
        if event.type() == QEvent.Type.KeyPress:
            pressed = isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Select)
        elif event.type() != QEvent.Type.MouseButtonRelease:
            return pressed
        if pressed:
            on = Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole)) == _CHECKED
            model.setData(index, _UNCHECKED.value if on else _CHECKED.value, Qt.ItemDataRole.CheckStateRole)
        return pressed


class ColumnTable(QTableWidget):
    """`changed()` when another column is read or predicted; Space switches what the keyboard is at."""

    changed = Signal()

    def __init__(self, columns: Sequence[Mapping[str, Any]], time_column: str | None, parent: QWidget) -> None:
        super().__init__(len(columns), len(_HEADINGS), parent)
        self._columns = columns
        self.setAccessibleName("Columns of the file")
        for place, tooltip in enumerate(_TOOLTIPS):
            heading = QTableWidgetItem(_HEADINGS[place])
            heading.setToolTip(tooltip)
            self.setHorizontalHeaderItem(place, heading)
        for row, column in enumerate(columns):
            self._fill(row, column, column["name"] == time_column)
        self._style(len(columns))
        self.itemChanged.connect(lambda item: self.changed.emit())
        self.horizontalHeader().sectionClicked.connect(self.switch_all)
        if columns:
            first = next((row for row in range(len(columns)) if self._free(row)), 0)
            self.setCurrentCell(first, INPUT)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the columns that are read."""
        return self._checked(INPUT)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the columns that are predicted."""
        return self._checked(PREDICT)

    def check(self, name: str, place: int, on: bool) -> None:
        """Switches one column's box under INPUT or PREDICT."""
        row = next(row for row, column in enumerate(self._columns) if column["name"] == name)
        self._box(row, place).setCheckState(_CHECKED if on else _UNCHECKED)

    def switch_all(self, place: int) -> None:
        """Checks every box under a heading, or none where all are."""
        rows = [row for row in range(self.rowCount()) if self._free(row)]
        if place not in (INPUT, PREDICT) or not rows:
            return
        on = any(self._box(row, place).checkState() == _UNCHECKED for row in rows)
        blocked = self.blockSignals(True)
        for row in rows:
            self._box(row, place).setCheckState(_CHECKED if on else _UNCHECKED)
        self.blockSignals(blocked)
        self.viewport().update()
        self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self.switch_all(self.currentColumn())
        else:
            super().keyPressEvent(event)

    def _fill(self, row: int, column: Mapping[str, Any], is_time: bool) -> None:
        name, usable = str(column["name"]), is_usable(column)
        holds = what_it_holds(column, is_time)
        for place, words in ((NAME, name), (HOLDS, holds)):
            item = QTableWidgetItem(words)
            item.setToolTip(words)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled if usable or is_time else Qt.ItemFlag.NoItemFlags)
            self.setItem(row, place, item)
        checked = usable and not is_time and column.get("constant") is None
        for place, use in ((INPUT, "input"), (PREDICT, "predicted")):
            item = QTableWidgetItem()
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}, {use}")
            item.setToolTip(_use(name, use) if usable else holds)
            if usable:
                item.setFlags(
                    Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
                )
                item.setCheckState(_CHECKED if checked else _UNCHECKED)
            else:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.setItem(row, place, item)

    def _style(self, count: int) -> None:
        self.verticalHeader().hide()
        scale.fit(self, rows=_ITEM)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(HOLDS, QHeaderView.ResizeMode.Stretch)
        self.setColumnWidth(NAME, min(scale.px(150), max(70, self.sizeHintForColumn(NAME) + 16)))
        for place in (INPUT, PREDICT):
            self.setItemDelegateForColumn(place, BoxDelegate(self))
        scale.fit(self, height=34 + _ITEM * min(_MOST, max(_FEWEST, count)))

    def _box(self, row: int, place: int) -> QTableWidgetItem:
        box = self.item(row, place)
        assert box is not None  # each cell was filled
        return box

    def _free(self, row: int) -> bool:
        return is_usable(self._columns[row])

    def _checked(self, place: int) -> tuple[str, ...]:
        return tuple(
            str(column["name"])
            for row, column in enumerate(self._columns)
            if self._box(row, place).checkState() == _CHECKED and self._free(row)
        )


def is_usable(column: Mapping[str, Any]) -> bool:
    """Whether a column can be learned from."""
    return bool(column["numeric"]) and not column.get("problem")


def what_it_holds(column: Mapping[str, Any], is_time: bool) -> str:
    """What a person should know of a column: "numbers, in $ ($5 is 5), 7 gaps"."""
    if is_time:
        return "the time of each row"
    if column.get("problem") or not column["numeric"]:
        kind = "" if column["numeric"] else "text: "
        return f"{kind}{column.get('problem') or 'cannot be used'}"
    gaps = column.get("gaps", 0)
    words = ["numbers", *column.get("words", ()), *[f"{gaps:,} gap{'s' * (gaps != 1)}"] * bool(gaps)]
    if column.get("constant") is not None:
        words.append(f"{column['constant']:.12g} in every row: nothing to learn")
    return ", ".join(words)


def _use(name: str, use: str) -> str:
    return f"The networks read “{name}”" if use == "input" else f"The networks predict the next value of “{name}”"

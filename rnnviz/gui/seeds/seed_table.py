"""Seed table: a row for every seed of every setting, with what it came to and whether it is solved."""

import math
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from rnnviz.core.numbers import short
from rnnviz.gui.look import scale
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.seeds import words
from rnnviz.gui.seeds.seeds_reading import ShownSeeds, ShownSetting
from rnnviz.gui.training.metric_words import metric_words
from rnnviz.gui.widgets.row_table import RowTable
from rnnviz.runs.seeds.reading import Result

SETTING, SEED, FINAL, SOLVED = range(4)
ROW = Qt.ItemDataRole.UserRole  # (number of the setting, Result)
KEY = Qt.ItemDataRole.UserRole + 1  # by what a column is sorted
_WIDTHS = {SEED: 50, FINAL: 88, SOLVED: 124}
_HIGH = 26
_NUMBERS = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LATE = 1e12  # after every training step

_Index = QModelIndex | QPersistentModelIndex


class SeedTable(QAbstractTableModel):
    """The rows stay where they are while values change, so that what is selected stays selected."""

    def __init__(self, look: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._look = look
        self._settings: tuple[ShownSetting, ...] = ()
        self._colors: tuple[QColor, ...] = ()
        self._rows: list[tuple[int, Result]] = []

    def take(self, shown: ShownSeeds, colors: tuple[QColor, ...], look: Theme) -> None:
        """What is known of the seeds now."""
        rows = [(number, one) for number, setting in enumerate(shown.settings) for one in setting.result.results]
        same = [_identity(*row) for row in rows] == [_identity(*row) for row in self._rows]
        if not same:
            self.beginResetModel()
        self._settings, self._colors, self._look, self._rows = shown.settings, colors, look, rows
        if not same:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, SOLVED))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, FINAL, FINAL)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        metric = metric_words(self._settings[0].result.criterion.metric) if self._settings else "at the end"
        if role == Qt.ItemDataRole.DisplayRole:
            return ("Model", "Seed", metric.capitalize(), "Solved at")[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                "The model, which is trained with every seed",
                "The seed everything random comes from",
                f"{metric.capitalize()} at the end, as the mean its criterion asks for",
                "The training step at which the criterion held for the first time, or how far the seed is",
            )[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        number, one = self._rows[index.row()]
        column, setting = index.column(), self._settings[number]
        if role == Qt.ItemDataRole.DisplayRole:
            final = "–" if one.final is None else short(one.final)
            return (setting.setting.name, str(one.seed.run.seed), final, words.standing(one))[column]
        if role == ROW:
            return number, one
        if role == KEY:
            return self._key(number, one, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return words.about(setting, one)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._ink(number, one, column)
        return None

    def _key(self, number: int, one: Result, column: int) -> Any:
        final = one.final if one.final is not None and math.isfinite(one.final) else -math.inf
        solved_at = float(one.solved_at) if one.solved_at is not None else _LATE
        return ((number, one.seed.run.seed), one.seed.run.seed, final, solved_at)[column]

    def _ink(self, number: int, one: Result, column: int) -> QColor:
        if column == SETTING:
            return self._colors[number]
        if one.seed.state in ("failed", "foreign"):
            return self._look.color("bad")
        if one.seed.state != "finished":
            return self._look.color("muted")
        return self._look.color("good" if column == SOLVED and one.solved_at is not None else "text")


class SortedSeeds(QSortFilterProxyModel):
    """Sorted by the numbers of a column, not by its words."""

    def lessThan(self, left: _Index, right: _Index) -> bool:
        return bool(left.data(KEY) < right.data(KEY))


class _RowDelegate(QStyledItemDelegate):
    """The whole row is chosen: no cell of it stands out."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        super().initStyleOption(option, index)
        option.state &= ~QStyle.StateFlag.State_HasFocus


class SeedView(RowTable):
    """The table on the screen."""

    def __init__(self) -> None:
        super().__init__("Seeds")
        self.setItemDelegate(_RowDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        scale.fit(self, rows=_HIGH)

    def arrange(self) -> None:
        """Widths of the columns, once there is a model."""
        self.set_widths(SETTING, {column: scale.px(width) for column, width in _WIDTHS.items()})
        self.sortByColumn(SETTING, Qt.SortOrder.AscendingOrder)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens what is chosen, and closes nothing."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.activated.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


def _alignment(column: int) -> Qt.AlignmentFlag:
    return _NUMBERS if column in (SEED, FINAL) else Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def _identity(number: int, one: Result) -> tuple[int, str]:
    return number, str(one.seed.run.path)

"""Run table: the rows of the library, which of them a search leaves, and how they are sorted."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from rnnviz.core.numbers import file_size, whole
from rnnviz.gui.library import words
from rnnviz.gui.library.reading import Entry
from rnnviz.runs.library.summary import RunSummary

COLUMNS = ("Run", "Training step", "Size", "Last written")
NAME, STEP, SIZE, DATE = range(4)
ENTRY = Qt.ItemDataRole.UserRole  # the row's Entry
PINNED = Qt.ItemDataRole.UserRole + 1
STANDING = Qt.ItemDataRole.UserRole + 3  # what has to be said of its state

_Index = QModelIndex | QPersistentModelIndex
_KEYS: tuple[Callable[[RunSummary], Any], ...] = (  # by what each column is sorted
    lambda run: run.words.casefold(),
    lambda run: run.training_step,
    lambda run: run.bytes,
    lambda run: run.changed,
)
_NUMBERS = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RunTable(QAbstractTableModel):
    """One row a run, in the order they came; `rename(run, name)` says whether a typed name was taken."""

    def __init__(self, rename: Callable[[RunSummary, str], bool], parent: QObject) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []
        self._rows: dict[str, int] = {}
        self._pinned: Collection[str] = ()
        self._shown = ""  # the run in the window
        self._rename = rename

    @property
    def runs(self) -> list[RunSummary]:
        return [entry.run for entry in self.entries]

    def take(self, entries: Sequence[Entry]) -> None:
        """Rows that are new, and those that are other than before."""
        new = []
        for entry in entries:
            row = self._rows.get(entry.run.path)
            if row is None:
                new.append(entry)
            else:
                self.entries[row] = entry
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
        if new:
            first = len(self.entries)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self.entries += new
            self._rows.update({entry.run.path: first + place for place, entry in enumerate(new)})
            self.endInsertRows()

    def keep(self, paths: Collection[str]) -> None:
        """Takes the rows of runs away that are there no longer."""
        there = set(paths)
        for row in reversed(range(len(self.entries))):
            if self.entries[row].run.path not in there:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self.entries[row]
                self.endRemoveRows()
        self._rows = {entry.run.path: row for row, entry in enumerate(self.entries)}

    def show_marks(self, pinned: Collection[str], shown: str) -> None:
        """Which runs are pinned, and which is in the window."""
        if set(pinned) != set(self._pinned) or shown != self._shown:
            self._pinned, self._shown = frozenset(pinned), shown
            if self.entries:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.entries) - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section]
            if role == Qt.ItemDataRole.ToolTipRole:
                return f"Sorts by {COLUMNS[section].lower()}; once more: the other way round"
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return (
                    _NUMBERS if section in (STEP, SIZE) else Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
                )
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entries[index.row()]
        run, column = entry.run, index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _shown(run)[column]
        if role == Qt.ItemDataRole.EditRole:
            return run.words
        if role == Qt.ItemDataRole.ToolTipRole:
            return words.about(run)
        if role == ENTRY:
            return entry
        if role == STANDING:
            return words.standing(run, run.path == self._shown)
        if role == PINNED:
            return run.path in self._pinned
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (STEP, SIZE):
            return _NUMBERS
        if role == Qt.ItemDataRole.AccessibleTextRole:
            pinned = ", pinned" if run.path in self._pinned else ""
            said = words.standing(run, run.path == self._shown)
            return (
                f"{_shown(run)[column]}{pinned}{', ' + said if said else ''}" if column == NAME else _shown(run)[column]
            )
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        named = index.column() == NAME and self.entries[index.row()].run.kind != "broken"
        return flags | Qt.ItemFlag.ItemIsEditable if named else flags

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        return role == Qt.ItemDataRole.EditRole and self._rename(self.entries[index.row()].run, str(value))


class RunFilter(QSortFilterProxyModel):
    """The rows whose names, models or file names hold every word that was typed."""

    def __init__(self, table: RunTable, parent: QObject) -> None:
        super().__init__(parent)
        self._table = table
        self._words: tuple[str, ...] = ()
        self.setSourceModel(table)
        self.sort(DATE, Qt.SortOrder.DescendingOrder)

    def search(self, text: str) -> None:
        self._words = tuple(text.casefold().split())
        self.invalidate()

    def lessThan(self, left: _Index, right: _Index) -> bool:
        key, entries = _KEYS[left.column()], self._table.entries
        return bool(key(entries[left.row()].run) < key(entries[right.row()].run))

    def filterAcceptsRow(self, row: int, parent: _Index) -> bool:
        run = self._table.entries[row].run
        file = run.path.replace("\\", "/").rpartition("/")[2]
        among = " ".join((run.name, run.title, words.models(run), file)).casefold()
        return all(word in among for word in self._words)


def _shown(run: RunSummary) -> tuple[str, str, str, str]:
    step = whole(run.training_step) if run.kind == "trained" else "–"
    date = words.when(run.changed) if run.changed else "–"
    return run.words, step, file_size(run.bytes), date[0].upper() + date[1:]

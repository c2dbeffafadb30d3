"""Row preview: the first and last rows of a table as the networks would read them, gaps filled and in order of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from rnnviz.core.tasks.next_value import NextValue
from rnnviz.gui.look import scale
from rnnviz.gui.look.theme import ThemeName, theme

_ITEM = 22  # pixels of one row
_WIDEST = 160  # pixels of one column
_GAP = 10  # pixels between columns
_MOST_DECIMALS = 6
_BREAK = "⋮"  # stands for the rows between


@dataclass(frozen=True)
class _Cell:
    """One cell as it is understood."""

    words: str
    said: str  # for the tooltip and the screen reader
    filled: bool = False


class RowPreview(QTableWidget):
    """Shows what `rnnviz inspect` says of a few rows, under the settings of a task."""

    def __init__(self, preview: Mapping[str, Any], time_column: str | None, theme_name: ThemeName) -> None:
        names = [str(name) for name in preview["columns"]]
        super().__init__(0, len(names))
        self._names, self._time = names, time_column
        self._rows: Sequence[Mapping[str, Any]] = preview["rows"]
        self._decimals = [_decimals([row["numbers"][place] for row in self._rows]) for place in range(len(names))]
        self._theme = theme(theme_name)
        self.setAccessibleName("Rows as they are understood")
        self.setToolTip("In the order in which they are learned; each cell says what stands in the file")
        self.setHorizontalHeaderLabels(names)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        scale.fit(self, rows=_ITEM)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMaximumSectionSize(scale.px(_WIDEST))
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def show_task(self, task: NextValue, turned: bool) -> None:
        """The rows as `task` reads them; `turned`: the last row of the file comes first."""
        used = {*task.columns, *(task.targets or task.columns)}
        rows = list(reversed(self._rows)) if turned else list(self._rows)
        breaks = {place for place in range(1, len(rows)) if abs(rows[place]["row"] - rows[place - 1]["row"]) > 1}
        self.setRowCount(len(rows) + len(breaks))
        at, labels = 0, list[str]()
        for place, row in enumerate(rows):
            if place in breaks:
                self._show_break(at)
                labels.append("")
                at += 1
            self._show_row(at, row, task, turned, used)
            labels.append(f"line {row['line']:,}")
            at += 1
        self.setVerticalHeaderLabels(labels)
        self.resizeColumnsToContents()
        for place in range(self.columnCount()):
            self.setColumnWidth(place, min(scale.px(_WIDEST), self.columnWidth(place) + _GAP))

    def _show_row(self, at: int, row: Mapping[str, Any], task: NextValue, turned: bool, used: set[str]) -> None:
        cells = [self._cell(row, place, task, turned) for place in range(len(self._names))]
        gap = any(cell is None for name, cell in zip(self._names, cells, strict=True) if name in used)
        for place, (name, cell) in enumerate(zip(self._names, cells, strict=True)):
            written = row["cells"][place]
            shown = cell if cell is not None else _Cell(written or "–", "is not a value")
            item = QTableWidgetItem(shown.words)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            left_out = " The row is left out." if gap else ""
            item.setToolTip(f"Line {row['line']:,}, {name}: “{written}” {shown.said}.{left_out}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, item.toolTip())
            font = item.font()
            font.setItalic(shown.filled)
            font.setStrikeOut(gap)
            item.setFont(font)
            item.setForeground(self._color(name in used and not gap, name == self._time and not gap, shown.filled))
            self.setItem(at, place, item)

    def _color(self, used: bool, is_time: bool, filled: bool) -> QColor:
        if not (used or is_time):
            return QColor(self._theme.muted)
        return QColor(self._theme.accent if filled and used else self._theme.text)

    def _show_break(self, at: int) -> None:
        for place in range(len(self._names)):
            item = QTableWidgetItem(_BREAK)
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, "rows between")
            self.setItem(at, place, item)

    def _cell(self, row: Mapping[str, Any], place: int, task: NextValue, turned: bool) -> _Cell | None:
        """A cell under the settings of `task`; None where no value stands and none is filled in."""
        written, number = row["cells"][place], row["numbers"][place]
        fills = row["fills"].get(str(place))
        if self._names[place] == self._time:
            return _Cell(written, "is the time of the row")
        if number is not None:
            return _Cell(_shown(number, self._decimals[place]), f"is read as {number:.12g}")
        if fills is None:
            return _Cell(written, "is text") if written else None
        value = fills.get("repeat turned" if task.gaps == "repeat" and turned else task.gaps)
        if value is None:
            return None
        return _Cell(_shown(value, self._decimals[place]), f"is a gap, filled with {value:.12g}", filled=True)


def _decimals(numbers: Sequence[float | None]) -> int:
    """How many decimals show all numbers of a column alike."""
    ends = [f"{number:.10g}".partition(".")[2] for number in numbers if number is not None]
    return min(_MOST_DECIMALS, max((len(end) for end in ends if "e" not in end), default=0))


def _shown(number: float, decimals: int) -> str:
    plain = f"{number:.10g}"
    return (
        f"{number:.{decimals}f}"
        if "e" not in plain and abs(number) < 1e12 and (not number or abs(number) >= 1e-4)
        else plain
    )

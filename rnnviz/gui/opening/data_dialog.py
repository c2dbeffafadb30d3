"""Data dialog: which part of a file is learned, and what is done with its gaps, its order and its letters."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from rnnviz.core.setting import settings_of
from rnnviz.core.tasks import DataTask, data_task
from rnnviz.core.tasks.task import LONGEST
from rnnviz.gui.look.form_style import form_sheet, push_button
from rnnviz.gui.look.theme import ThemeName
from rnnviz.gui.widgets.fields import Choice, section_label
from rnnviz.gui.widgets.fitted_dialog import FittedDialog
from rnnviz.gui.widgets.setting_rows import setting_row, typed_field

_ITEM = 24  # pixels of one column in the list
_WIDTH, _FIELD = 460, 170
_REFUSED = "refuse"  # of gaps: what a person is asked about is not refused


class DataDialog(FittedDialog):
    """Asks about a CSV or text file that `rnnviz inspect` has looked into; `task` is the answer."""

    def __init__(self, inspection: Mapping[str, Any], theme_name: ThemeName, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inspection = inspection
        preset = data_task(str(inspection["kind"]))
        assert preset is not None  # or nobody would ask
        self._preset = preset
        self._table = "columns" in settings_of(type(self._preset))
        self.setWindowTitle("Learn from this file")
        self.setStyleSheet(form_sheet(theme_name))
        self.setMinimumWidth(_WIDTH)
        self.columns = QListWidget(self)
        self._rows = {key: setting_row(type(preset), key, _FIELD) for key in ("length", "train_share", *self._asked())}
        self.length, self.train_share = (typed_field(self._rows[key]) for key in ("length", "train_share"))
        self.length.set_value(max(1, min(preset.length, self._longest(preset))))
        self.train_share.set_value(preset.train_share)
        self.choices = {key: row.field for key, row in self._rows.items() if isinstance(row.field, Choice)}
        self._set_choices()
        self.problem = QLabel()
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.accept_button = push_button(
            "Use it", "Makes the file the experiment's data; training starts anew", "primary"
        )
        self.cancel_button = push_button("Cancel", "Leaves everything as it is (Esc)")
        self._build()
        self.accept_button.setDefault(True)
        self.accept_button.clicked.connect(self.accept)
        self.cancel_button.clicked.connect(self.reject)
        self.columns.itemChanged.connect(lambda item: self._judge())
        for field in (self.length, self.train_share):
            field.textChanged.connect(lambda text: self._judge())
        for choice in self.choices.values():
            choice.currentIndexChanged.connect(lambda index: self._judge())
        self._judge()

    @property
    def task(self) -> DataTask:
        """The task as it is chosen, with the columns by their names; gaps are filled only where there are some."""
        task = self._windows()
        chosen = {key: choice.currentData() for key, choice in self.choices.items()}
        if "gaps" in chosen and not self._gaps:
            chosen["gaps"] = _REFUSED
        return task.changed(**chosen, **({"columns": self._chosen()} if self._table else {}))

    def _windows(self) -> DataTask:
        """The task with length and share as they are typed."""
        task = self._preset.with_file(str(self._inspection["path"]))
        return task.changed(length=self.length.typed, train_share=self.train_share.typed)

    def _asked(self) -> list[str]:
        """The settings about what is peculiar in this file."""
        columns = self._inspection.get("columns", ())
        peculiar = {
            "gaps": any(column.get("gaps") and column["numeric"] for column in columns),
            "order": bool(self._inspection.get("newest_first")),
            "encoding": self._inspection.get("encoding", self._preset.encoding) != self._preset.encoding,
        }
        return [key for key, there in peculiar.items() if there]

    def _set_choices(self) -> None:
        """The answers that are proposed: the last value again, the oldest row first, the encoding that was read."""
        for key, choice in self.choices.items():
            if key == "gaps":
                choice.removeItem(choice.findData(_REFUSED))
                choice.setCurrentIndex(0)
            else:
                choice.set_value(self._inspection.get(key, getattr(self._preset, key)))

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(8)
        title = QLabel(PurePath(str(self._inspection["path"])).name)
        title.setProperty("role", "title")
        title.setTextFormat(Qt.TextFormat.PlainText)
        self.about = QLabel(self._summary())
        self.about.setProperty("role", "note")
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.about.setWordWrap(True)
        column.addWidget(title)
        column.addWidget(self.about)
        self.columns.setVisible(self._table)
        if self._table:
            column.addWidget(section_label("Columns"))
            self._fill_columns()
            column.addWidget(self.columns)
        for row in self._rows.values():
            column.addWidget(row)
        column.addWidget(self.problem)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.accept_button)
        column.addLayout(buttons)

    def _summary(self) -> str:
        rows = f"{self._found:,} row{'s' * (self._found != 1)}"
        if self._table:
            first = f"A table of {rows}. Each row becomes one time step; the networks predict the next one."
        else:
            different = int(self._inspection.get("different", len(str(self._inspection.get("alphabet", "")))))
            text = f"A text of {self._found:,} characters, {different:,} different ones."
            first = f"{text} The networks predict the next one."
        notes = [f"{note[:1].upper()}{note[1:]}." for note in self._inspection.get("notes", ())]
        return "\n".join([first, *notes])

    @property
    def _found(self) -> int:
        return int(self._inspection.get("rows" if self._table else "characters", 0))

    @property
    def _gaps(self) -> int:
        """How many gaps the chosen columns have."""
        chosen = self._chosen()
        return sum(column.get("gaps", 0) for column in self._inspection["columns"] if column["name"] in chosen)

    @property
    def _free(self) -> tuple[str, ...]:
        """The columns that can be chosen."""
        return tuple(str(one["name"]) for one in self._inspection["columns"] if _usable(one))

    def _longest(self, task: DataTask) -> int:
        return min(task.longest_window(self._found), LONGEST)

    def _fill_columns(self) -> None:
        self.columns.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.columns.setToolTip("Each chosen column is an input and is predicted")
        time_column = self._inspection.get("time_column")
        for column in self._inspection["columns"]:
            name, is_time = str(column["name"]), column["name"] == time_column
            usable = _usable(column)
            item = QListWidgetItem(name + _remark(column, is_time))
            item.setToolTip(item.text())
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setSizeHint(QSize(0, _ITEM))
            flags = Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            item.setFlags(flags if usable else Qt.ItemFlag.NoItemFlags)
            checked = usable and not is_time and column.get("constant") is None
            item.setCheckState(Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
            self.columns.addItem(item)
        self.columns.setFixedHeight(_ITEM * min(8, max(2, self.columns.count())) + 6)

    def _chosen(self) -> tuple[str, ...]:
        items = [self.columns.item(row) for row in range(self.columns.count())]
        return tuple(
            str(item.data(Qt.ItemDataRole.UserRole)) for item in items if item.checkState() == Qt.CheckState.Checked
        )

    def _judge(self) -> None:
        """Says what is wrong as long as something is; the button waits for that."""
        if "gaps" in self._rows:
            self._rows["gaps"].setEnabled(bool(self._gaps))
        sentence = self.length.judge() or self.train_share.judge() or self._wrong_length() or self._wrong_columns()
        self.problem.setText(sentence)
        self.accept_button.setEnabled(not sentence)

    def _wrong_columns(self) -> str:
        if not self._table:
            return ""
        chosen = self._chosen()
        same = {
            str(column["name"]): column for column in self._inspection["columns"] if column.get("constant") is not None
        }
        free = [name for name in self._free if name not in same]
        if not chosen and (free or not same):
            return "Choose at least one column with numbers."
        if set(chosen) <= set(same):
            return f"There is nothing to learn: {_same(same[(*chosen, *same)[0]])}."
        return ""

    def _wrong_length(self) -> str:
        task = self._windows()
        longest = self._longest(task)
        if longest < 1:
            unit = ("row" if self._table else "character") + "s" * (self._found != 1)
            return (
                f"There is too little in this file to learn from it: it has {self._found:,} {unit}, a length of "
                f"1 time step needs {task.rows_needed(1):,}, one of {self._preset.length} needs "
                f"{task.rows_needed(self._preset.length):,}."
            )
        if task.length > longest:
            return f"With this train share the length can be at most {longest:,} time steps."
        return ""


def _usable(column: Mapping[str, Any]) -> bool:
    return bool(column["numeric"]) and not column.get("problem")


def _remark(column: Mapping[str, Any], is_time: bool) -> str:
    """What a person should know of a column, behind its name: "  (7 gaps, in $)"."""
    if is_time:
        return "  (time)"
    if column.get("problem") or not column["numeric"]:
        kind = "" if column["numeric"] else "text: "
        return f"  ({kind}{column.get('problem') or 'cannot be learned'})"
    gaps = column.get("gaps", 0)
    words = [f"{gaps:,} gap{'s' * (gaps != 1)}"] * bool(gaps) + list(column.get("words", ()))
    if column.get("constant") is not None:
        words.append(f"{column['constant']:.12g} in every row: nothing to learn")
    return f"  ({', '.join(words)})" if words else ""


def _same(column: Mapping[str, Any]) -> str:
    return f"“{column['name']}” is {column['constant']:.12g} in every row"

"""Data dialog: what of a file is read and predicted, and what is done with its gaps, its order and its letters."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from rnnviz.core.setting import settings_of
from rnnviz.core.tasks import DataTask, NextValue, data_task
from rnnviz.core.tasks.task import LONGEST
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.theme import ThemeName
from rnnviz.gui.opening.column_table import ColumnTable, is_usable
from rnnviz.gui.opening.row_preview import RowPreview
from rnnviz.gui.widgets.fields import Choice, section_label
from rnnviz.gui.widgets.fitted_dialog import FittedDialog
from rnnviz.gui.widgets.setting_rows import setting_row, typed_field

_NARROW, _LEFT, _RIGHT, _FIELD = 460, 440, 410, 190
_REFUSED = "refuse"  # of gaps: what a person is asked about is not refused
_ORDERS: Mapping[str, tuple[tuple[str, str], ...]] = {  # by the course of the times
    "forward": (("oldest first", "as it stands: oldest first"), ("turned round", "turned round: newest first")),
    "backward": (("oldest first", "turned round: oldest first"), ("as in the file", "as it stands: newest first")),
    "neither": (("oldest first", "as it stands"), ("turned round", "turned round")),
}


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
        self.columns: ColumnTable | None = None
        self.preview: RowPreview | None = None
        if self._table:
            times = inspection.get("time_column")
            self.columns = ColumnTable(inspection["columns"], times, self)
            if (preview := inspection.get("preview")) and preview["rows"]:
                self.preview = RowPreview(preview, times, theme_name)
        self._rows = {key: setting_row(type(preset), key, _FIELD) for key in (*self._asked(), "length", "train_share")}
        self.length, self.train_share = (typed_field(self._rows[key]) for key in ("length", "train_share"))
        self.length.set_value(max(1, min(preset.length, self._longest(preset))))
        self.train_share.set_value(preset.train_share)
        self.choices = {key: row.field for key, row in self._rows.items() if isinstance(row.field, Choice)}
        self._set_choices()
        self.about, self.said, self.problem = _words("note"), _words("note"), _words("problem")
        self.accept_button = push_button(
            "Train on this file", "Uses this file as the experiment's data and starts a new training (Enter)", "primary"
        )
        self.cancel_button = push_button("Cancel", "Leaves everything as it is (Esc)")
        self._build()
        self.accept_button.setDefault(True)
        self.accept_button.clicked.connect(self.accept)
        self.cancel_button.clicked.connect(self.reject)
        if self.columns is not None:
            self.columns.changed.connect(self._judge)
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
        if self.columns is None:
            return task.changed(**chosen)
        inputs, targets = self.columns.inputs, self.columns.targets
        return task.changed(**chosen, columns=inputs, targets=() if targets == inputs else targets)

    def _windows(self) -> DataTask:
        """The task with length and share as they are typed."""
        task = self._preset.with_file(str(self._inspection["path"]))
        return task.changed(length=self.length.typed, train_share=self.train_share.typed)

    def _asked(self) -> list[str]:
        """The settings about what is peculiar in this file."""
        columns = self._inspection.get("columns", ())
        peculiar = {
            "order": self._found > 1 and self._table,
            "gaps": any(column.get("gaps") and column["numeric"] for column in columns),
            "encoding": self._inspection.get("encoding", self._preset.encoding) != self._preset.encoding,
        }
        return [key for key, there in peculiar.items() if there]

    def _set_choices(self) -> None:
        """The answers that are proposed: the last value again, the oldest row first, the encoding that was read."""
        for key, choice in self.choices.items():
            if key == "gaps":
                choice.removeItem(choice.findData(_REFUSED))
                choice.setCurrentIndex(0)
            elif key == "order":
                choice.set_options(_ORDERS[self._course])
            else:
                choice.set_value(self._inspection.get(key, getattr(self._preset, key)))

    def _build(self) -> None:
        scale.fit(self, least_width=_NARROW if self.preview is None else _LEFT + _RIGHT + 72)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 20, 24, 20)
        whole.setSpacing(8)
        title = _words("title", PurePath(str(self._inspection["path"])).name)
        self.about.setText(self._summary())
        whole.addWidget(title)
        whole.addWidget(self.about)
        sides = QHBoxLayout()
        sides.setSpacing(24)
        sides.addLayout(self._left(), 1)
        if self.preview is not None:
            sides.addLayout(self._right(self.preview), 1)
        whole.addLayout(sides, 1)
        whole.addWidget(self.problem)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.accept_button)
        whole.addLayout(buttons)

    def _left(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(4)
        if self.columns is not None:
            column.addWidget(section_label("Columns"))
            column.addWidget(self.columns)
            column.addSpacing(8)
        for row in self._rows.values():
            column.addWidget(row)
        column.addStretch()
        return column

    def _right(self, preview: RowPreview) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(section_label("Rows as they are understood"))
        column.addWidget(preview, 1)
        column.addWidget(self.said)
        return column

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
    def _course(self) -> str:
        course = str(self._inspection.get("course", "backward" if self._inspection.get("newest_first") else "neither"))
        return course if course in _ORDERS else "neither"

    @property
    def _gaps(self) -> int:
        """How many gaps the columns have that are read or predicted."""
        used = self._used
        return sum(column.get("gaps", 0) for column in self._inspection["columns"] if column["name"] in used)

    @property
    def _used(self) -> set[str]:
        return set() if self.columns is None else {*self.columns.inputs, *self.columns.targets}

    def _longest(self, task: DataTask) -> int:
        return min(task.longest_window(self._found), LONGEST)

    def _judge(self) -> None:
        """Says what is wrong as long as something is; the button waits for that."""
        if "gaps" in self._rows:
            self._rows["gaps"].setEnabled(bool(self._gaps))
        sentence = self.length.judge() or self.train_share.judge() or self._wrong_length() or self._wrong_columns()
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        self.accept_button.setEnabled(not sentence)
        self._show_rows()

    def _show_rows(self) -> None:
        """The preview under the settings as they are chosen, and what was done, in words."""
        if self.preview is None or self.length.judge() or self.train_share.judge():
            return
        task = self.task
        assert isinstance(task, NextValue)
        self.preview.show_task(task, self._turned(task))
        said = ["In the order of the file, turned round." if self._turned(task) else "In the order of the file."]
        if gaps := self._gaps:
            counted = f"{gaps:,} gap{'s' * (gaps != 1)}"
            filled = {"repeat": "filled with the last value", "line": "filled on the straight line between neighbours"}
            said.append(
                f"{counted} {filled[task.gaps]}, here in italics." if task.gaps in filled else _left_out(counted)
            )
        if len(self._inspection["columns"]) > self.preview.columnCount():
            said.append(f"The first {self.preview.columnCount()} columns are shown.")
        self.said.setText(" ".join(said))

    def _turned(self, task: NextValue) -> bool:
        return task.order == "turned round" or (task.order == "oldest first" and self._course == "backward")

    def _wrong_columns(self) -> str:
        if self.columns is None:
            return ""
        inputs, targets = self.columns.inputs, self.columns.targets
        same = {
            str(column["name"]): column for column in self._inspection["columns"] if column.get("constant") is not None
        }
        free = [one for one in self._inspection["columns"] if is_usable(one) and one["name"] not in same]
        if same and (not free or (targets and set(targets) <= set(same))):
            return f"There is nothing to learn: {_same(same[(*targets, *same)[0]])}."
        if not inputs:
            return "Choose at least one column with numbers as an input."
        return "" if targets else "Choose at least one column to predict."

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
            return f"With this training fraction the length can be at most {longest:,} time steps."
        return ""


def _left_out(counted: str) -> str:
    return f"Rows with a gap are left out ({counted}), here struck through."


def _words(role: str, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _same(column: Mapping[str, Any]) -> str:
    return f"“{column['name']}” is {column['constant']:.12g} in every row"

"""The rows of the task: its kind, its lengths, marks, file and columns."""

from dataclasses import replace
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from rnnviz.core.experiment.settings import Adding, NextCharacter, NextValue, Task, TemporalOrder
from rnnviz.core.source import Given, GivenInput, Source
from rnnviz.gui.experiment.experiment_changes import task_of, task_problem
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.parsing import real, show_span, spans, stepped_number, whole

_LONGEST = 10_000  # time steps the fields take
_CHOOSE = "choose"
_TASKS = [(name, name) for name in ("temporal order", "adding", "next value", "next character")]
_BUILT_IN = {"next value": "sunspots", "next character": "Python help"}


class TaskForm(QWidget):
    """`changed(Task)` for each valid edit; `file_wanted(str)` ("csv" or "text") when another file is wanted."""

    changed = Signal(object)
    file_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._source: Source | None = None  # that was not trained, as last set from outside
        self._untrained = ""  # its words
        self._task: Task | None = None  # as edited
        self._given: Task | None = None  # as last set from outside
        self.rows: dict[str, Row] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.kind = Choice(_TASKS)
        self.kind.chosen.connect(self._choose_kind)
        self.kind_row = Row("Task", self.kind, "What the networks learn; another task needs a restart")
        self._column.addWidget(self.kind_row)

    def set_task(self, task: Task) -> None:
        """Shows `task`; the rows are made anew only when its kind is another."""
        if task == self._given:
            return  # nothing new from outside: an edit that is not yet valid as a whole stays
        self._given = task
        self._show(task)

    def set_untrained(self, words: str, source: Source) -> None:
        """Shows what was not trained, in the place of a task and beside those that could be."""
        if source is self._source and self._task is None:
            return
        self._task = self._given = None
        self._source, self._untrained = source, words
        self.kind.set_options([*_TASKS, (words, words)])
        self.kind.set_value(words)
        self.kind_row.show_problem("")
        self._set_rows(_loss_row(source.input) if isinstance(source, Given) else {})

    def _show(self, task: Task) -> None:
        rebuilt = self._task is None or task.name != self._task.name
        self._task = task
        self.kind.set_options(_TASKS)
        self.kind.set_value(task.name)
        if rebuilt:
            self._rebuild(task)
        self._fill(task)

    def reset(self, task: Task) -> None:
        """Shows `task` and forgets bad texts."""
        self._task = self._given = None
        self.set_task(task)

    def _rebuild(self, task: Task) -> None:
        self._set_rows(_rows(task))

    def _set_rows(self, rows: dict[str, Row]) -> None:
        for row in self.rows.values():
            row.hide()
            row.deleteLater()
        self.rows = rows
        before: QWidget = self.kind
        for key, row in self.rows.items():
            self._column.addWidget(row)
            QWidget.setTabOrder(before, row.field)
            before = row.field
            if isinstance(row.field, Field):
                row.field.entered.connect(lambda value, key=key: self._edit(key, value))
            elif isinstance(row.field, Choice):
                row.field.chosen.connect(self._choose_file)

    def _fill(self, task: Task) -> None:
        for key, row in self.rows.items():
            if isinstance(row.field, Field):
                row.field.set_value(_value(task, key))
        if isinstance(task, NextValue | NextCharacter):
            choice = self.rows["file"].field
            assert isinstance(choice, Choice)
            own = [(task.file, PurePath(task.file).name)] if task.file else []
            choice.set_options([("", _BUILT_IN[task.name]), *own, (_CHOOSE, "Choose a file…")])
            choice.set_value(task.file)
        self.kind_row.show_problem(task_problem(task))

    def _choose_kind(self, name: object) -> None:
        if name != (self._task.name if self._task is not None else self._untrained):
            self._offer(task_of(str(name)))

    def _choose_file(self, value: object) -> None:
        if value == _CHOOSE:
            if self._task is not None:
                self._fill(self._task)  # shows the present file again until another one is really chosen
                self.file_wanted.emit("csv" if isinstance(self._task, NextValue) else "text")
        elif isinstance(self._task, NextValue):
            self._offer(replace(self._task, file=str(value), columns=()))
        elif isinstance(self._task, NextCharacter):
            self._offer(replace(self._task, file=str(value)))

    def _edit(self, key: str, value: Any) -> None:
        if self._task is None:
            return
        changed = {"first_mark": value[0], "second_mark": value[1]} if key == "marks" else {key: value}
        self._offer(replace(self._task, **changed))

    def _offer(self, task: Task) -> None:
        self._show(task)
        if not task_problem(task):
            self.changed.emit(task)


def _value(task: Task, key: str) -> object:
    if key == "marks" and isinstance(task, TemporalOrder):
        return (task.first_mark, task.second_mark)
    return getattr(task, key)


def _rows(task: Task) -> dict[str, Row]:
    match task:
        case TemporalOrder():
            return {
                "length": Row(
                    "Length",
                    Field(spans("Length", 1, 2, _LONGEST, "60–80"), show_span),
                    "Shortest and longest sequence, in time steps",
                ),
                "marks": Row(
                    "Marks",
                    Field(spans("Marks", 2, 0, _LONGEST, "10–20, 45–54"), show_span),
                    "Where the two marks (X or Y) may stand: 0-based time steps, first and second mark",
                ),
            }
        case Adding():
            return {"length": _length_row("Length of every sequence, in time steps")}
        case NextValue():
            return {
                "file": Row("Data", Choice(), "A CSV file, or the yearly sunspot numbers that come with rnnviz"),
                "columns": Row(
                    "Columns",
                    Field(_columns, _show_columns),
                    "Names of the columns to read, with commas between; every numeric one if empty",
                ),
                "length": _length_row("Time steps of one training window"),
                "train_share": _share_row("first rows of the table"),
            }
        case NextCharacter():
            return {
                "file": Row("Data", Choice(), "A text file, or the help texts that every Python carries"),
                "length": _length_row("Characters of one training window"),
                "train_share": _share_row("first part of the text"),
            }


def _loss_row(asked: GivenInput) -> dict[str, Row]:
    last = Field(whole("Loss at", 0, _LONGEST), lambda value: "the last" if value == 0 else str(value))
    last.set_value(asked.loss_time_step)
    last.setEnabled(False)
    return {"loss_time_step": Row("Loss at t", last, "L = ‖h_t‖ at this time step; 0: the last one")}


def _length_row(tooltip: str) -> Row:
    return Row("Length", Field(whole("Length", 2, _LONGEST), step=stepped_number), tooltip)


def _share_row(which: str) -> Row:
    tooltip = f"Share of the {which} that is trained on; the rest is kept for testing"
    return Row("Train share", Field(real("Train share", 0.05, 0.99)), tooltip)


def _show_columns(names: object) -> str:
    return ", ".join(names) if isinstance(names, tuple) and names else "all numeric"


def _columns(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",")]
    return () if text.strip() in ("", "all", "all numeric") else tuple(name for name in names if name)

"""Task form: the rows of the task: its kind, its lengths, marks, file and columns."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from rnnviz.core.experiment.settings import Task
from rnnviz.core.setting import DataFile, settings_of
from rnnviz.core.source import Given, GivenInput, Source
from rnnviz.core.tasks import TASKS, DataTask
from rnnviz.core.tasks.task import FORMS, LONGEST
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.parsing import last_or_whole, or_last, whole
from rnnviz.gui.widgets.setting_rows import name_row, row_fields, row_value, setting_rows

_CHOOSE = "choose"
_ABOUT = "What the networks learn; another task needs a restart"


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
        self.kind = Choice(_kinds())
        self.kind.chosen.connect(self._choose_kind)
        self.kind_row = Row("Task", self.kind, _ABOUT)
        self._column.addWidget(self.kind_row)

    def set_task(self, task: Task) -> None:
        """Shows `task`; the rows are made anew only when its kind is another."""
        if task == self._given:
            return  # nothing new from outside: an edit that is not yet valid as a whole stays
        self._given = task
        self._show(task)

    def say_otherwise(self, said: Mapping[str, tuple[str, str]]) -> None:
        """Label and tooltip of the settings that mean something else than they say, by their key."""
        if self._task is not None and "length" in self.rows:
            name_row(self.rows["length"], type(self._task), "length", said.get("length"))

    def set_untrained(self, words: str, source: Source) -> None:
        """Shows what was not trained, in the place of a task and beside those that could be."""
        if source is self._source and self._task is None:
            return
        self._task = self._given = None
        self._source, self._untrained = source, words
        self.kind.set_options([*_kinds(), (words, words)])
        self.kind.set_value(words)
        self.kind_row.explain(_ABOUT)
        self.kind_row.show_problem("")
        self._set_rows(_loss_row(source.input) if isinstance(source, Given) else {})

    def _show(self, task: Task) -> None:
        rebuilt = self._task is None or task.name != self._task.name
        self._task = task
        self.kind.set_options(_kinds())
        self.kind.set_value(task.name)
        if rebuilt:
            self._rebuild(task)
        self.kind_row.explain(f"{_ABOUT}. This one: {FORMS[task.form]}")
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
            elif key == "file":
                row.field.chosen.connect(self._choose_file)  # type: ignore[attr-defined]
            else:
                row.field.chosen.connect(lambda value, key=key: self._edit(key, value))  # type: ignore[attr-defined]

    def _fill(self, task: Task) -> None:
        for key, row in self.rows.items():
            if isinstance(row.field, Field | Choice):
                row.field.set_value(row_value(task, key))
        if isinstance(task, DataTask):
            choice, data = self.rows["file"].field, settings_of(type(task))["file"].range
            assert isinstance(choice, Choice)
            assert isinstance(data, DataFile)
            own = [(task.file, PurePath(task.file).name)] if task.file else []
            choice.set_options([("", data.built_in), *own, (_CHOOSE, "Choose a file…")])
            choice.set_value(task.file)
            for key in task.about_file():
                self.rows[key].setVisible(bool(task.file))
        self.kind_row.show_problem(_problem(task))

    def _choose_kind(self, name: object) -> None:
        if name != (self._task.name if self._task is not None else self._untrained):
            self._offer(TASKS[str(name)]())

    def _choose_file(self, value: object) -> None:
        if not isinstance(self._task, DataTask):
            return
        if value == _CHOOSE:
            self._fill(self._task)  # shows the present file again until another one is really chosen
            self.file_wanted.emit(self._task.data)
        else:
            self._offer(self._task.with_file(str(value)))

    def _edit(self, key: str, value: Any) -> None:
        if self._task is None:
            return
        names = row_fields(type(self._task)).get(key, (key,))
        self._offer(replace(self._task, **dict(zip(names, value if len(names) > 1 else (value,), strict=True))))

    def _offer(self, task: Task) -> None:
        self._show(task)
        if not _problem(task):
            self.changed.emit(task)


def _problem(task: Task) -> str:
    """Why the task as a whole cannot be, though each of its fields is valid; empty when it can."""
    conflict = task.conflict
    return conflict.sentence if conflict else ""


def _kinds() -> list[tuple[object, str]]:
    return [(name, name) for name in TASKS]


def _rows(task: Task) -> dict[str, Row]:
    return setting_rows(type(task))


def _loss_row(asked: GivenInput) -> dict[str, Row]:
    last = Field(or_last(whole("The time step", 1, LONGEST)), last_or_whole)
    last.set_value(asked.loss_time_step)
    last.setEnabled(False)
    return {"loss_time_step": Row("Loss at t", last, "L is the norm of h at this time step")}

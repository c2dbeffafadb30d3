"""The rows of every form come from the settings: words, tooltip and range, also those of a made-up task."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from pytestqt.qtbot import QtBot

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.setting import OneOf, RealNumber, Span, WholeNumber, setting, settings_of
from rnnviz.core.tasks import TASKS, TaskSettings, TaskSource
from rnnviz.gui.experiment.task_form import TaskForm
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.fields import Choice, Field
from rnnviz.gui.widgets.setting_rows import setting_row, setting_rows, typed_field

RECORDS = (Experiment, ModelSettings, TrainingSettings, *TASKS.values())
TYPED = [
    (record, name)
    for record in RECORDS
    for name, one in settings_of(record).items()
    if isinstance(one.form, WholeNumber | RealNumber)
]


@pytest.mark.parametrize(("record", "name"), TYPED)
def test_a_field_takes_the_bounds_of_its_form_and_nothing_outside(record: type, name: str, qtbot: QtBot) -> None:
    one = settings_of(record)[name]
    assert isinstance(one.form, WholeNumber | RealNumber)
    row = setting_row(record, name)
    qtbot.addWidget(row)
    typed = typed_field(row)
    excluded = isinstance(one.form, RealNumber) and one.form.low_excluded
    for value, wrong in ((one.form.low, excluded), (one.form.high, False)):
        typed.setText(repr(value))
        assert bool(typed.judge()) is wrong
        assert wrong or typed.typed == value
    beyond = 1 if isinstance(one.form, WholeNumber) else 0.001
    for value in (one.form.low - beyond, one.form.high + beyond):
        typed.setText(repr(value))
        assert typed.judge().startswith(f"{one.subject} must be a ")
    assert (row.label.text(), row.toolTip()) == (one.label, one.tooltip)


@pytest.mark.parametrize("record", RECORDS)
def test_every_setting_has_its_row(record: type, qtbot: QtBot) -> None:
    rows = setting_rows(record)
    for row in rows.values():
        qtbot.addWidget(row)
    assert {one.row or name for name, one in settings_of(record).items()} == set(rows)
    for name, one in settings_of(record).items():
        row = rows[one.row or name]
        assert row.field.accessibleName() == one.label
        if isinstance(one.form, OneOf):
            assert isinstance(row.field, Choice)
            assert [row.field.itemData(i) for i in range(row.field.count())] == list(one.form.words)


@dataclass(frozen=True)
class Echo(TaskSettings):
    """Nothing but a form."""

    name: Literal["echo"] = "echo"
    delay: int = field(default=4, metadata=setting("Delay", WholeNumber(1, 60), "Time steps", step=5))
    ends: Literal["zero", "one"] = field(
        default="zero", metadata=setting("Ends", OneOf({"zero": "with 0", "one": "with 1"}), "The last input")
    )
    first: tuple[int, int] = field(default=(1, 2), metadata=setting("Bits", Span(1, 9), "Where", row="bits"))
    last: tuple[int, int] = field(default=(3, 4), metadata=setting("Bits", Span(1, 9), "Where", row="bits"))

    @property
    def longest(self) -> int:
        return self.delay

    def open(self, seed: int) -> TaskSource:
        raise NotImplementedError


def test_a_new_task_has_its_form(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    monkeypatch.setitem(TASKS, "echo", Echo)
    form = TaskForm()
    qtbot.addWidget(form)
    form.set_task(store.state.run.experiment.task)
    offered: list[Any] = []
    form.changed.connect(offered.append)
    assert form.kind.itemText(form.kind.count() - 1) == "echo"
    form.kind.chosen.emit("echo")
    assert offered == [Echo()]
    assert list(form.rows) == ["delay", "ends", "bits"]
    bits, delay, ends = (form.rows[key].field for key in ("bits", "delay", "ends"))
    assert isinstance(bits, Field)
    assert isinstance(delay, Field)
    assert isinstance(ends, Choice)
    assert (bits.text(), delay.text(), ends.currentText()) == ("1–2, 3–4", "4", "with 0")
    bits.setText("2-5, 7")
    bits.editingFinished.emit()
    ends.chosen.emit("one")
    assert offered[-1] == Echo(ends="one", first=(2, 5), last=(7, 7))
    assert ends.currentText() == "with 1"
    bits.setText("2-5, 10")
    assert bits.judge() == "Bits must look like 1–2, 3–4, within 1 to 9; got “2-5, 10”."

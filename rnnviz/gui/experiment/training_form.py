"""Training form: the rows of the training settings: the first always, those of optimiser and schedule as they apply."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from rnnviz.core.experiment.forms import meaningless, reach_problem, truncations
from rnnviz.core.experiment.heads import choices
from rnnviz.core.experiment.settings import Task
from rnnviz.core.experiment.training_settings import TRUNCATIONS, TrainingSettings
from rnnviz.core.sweeps.heads.losses import LOSSES
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.folded import fold
from rnnviz.gui.widgets.setting_rows import setting_rows

_FIRST = ("optimiser", "learning_rate", "clip_norm", "training_steps")  # the others are folded away
_ELSEWHERE = "batch_size"  # stands with the task
_OF_HEAD = ("loss", "reduction")  # offered where the task has a choice
_ABOUT = (
    "Settings of the optimiser, the learning rate over time, further clips, noise, early stop, validation, and the loss"
)


class TrainingForm(QWidget):
    """`changed(key, value)` for each valid edit of a setting that applies."""

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._settings = TrainingSettings()
        self._not_offered, self._meaningless = frozenset(_OF_HEAD), frozenset[str]()
        common = setting_rows(TrainingSettings)
        del common[_ELSEWHERE]
        self._first = {key: common.pop(key) for key in _FIRST}
        self._schedule = {"schedule": common.pop("schedule")}
        self._own: dict[type, dict[str, Row]] = {}  # of the optimisers shown so far
        self._scheduled: dict[type, dict[str, Row]] = {}
        self._others = common
        self.more = push_button("More …", _ABOUT, "link")
        self.more.setCheckable(True)
        self._folded = QWidget()
        column, below = QVBoxLayout(self), QVBoxLayout(self._folded)
        self._own_column, self._scheduled_column = QVBoxLayout(), QVBoxLayout()
        for one in (column, below, self._own_column, self._scheduled_column):
            one.setContentsMargins(0, 0, 0, 0)
            one.setSpacing(0)
        self._put(column, self._first)
        below.addLayout(self._own_column)
        self._put(below, self._schedule)
        below.addLayout(self._scheduled_column)
        self._put(below, self._others)
        link = QHBoxLayout()
        link.addWidget(self.more)
        link.addStretch()
        column.addLayout(link)
        column.addWidget(self._folded)
        fold(self._folded, self.more)
        self._show_kinds()
        self.more.toggled.connect(lambda on: self._say_what_is_set(self._settings))

    @property
    def rows(self) -> dict[str, Row]:
        """Those of the settings that apply, in their order."""
        own, scheduled = self._own[type(self._settings.own)], self._scheduled[type(self._settings.scheduled)]
        left_out = self._not_offered | self._meaningless
        others = {key: row for key, row in self._others.items() if key not in left_out}
        return {**self._first, **own, **self._schedule, **scheduled, **others}

    def set_settings(self, settings: TrainingSettings, task: Task, reset: bool = False) -> None:
        """Shows `settings`, and of loss and reduction what fits `task`; `reset` also forgets bad texts."""
        self._offer(task)
        if settings.loss == task.losses[0]:
            settings = replace(settings, loss="")
        self._settings = settings
        self._meaningless = frozenset(meaningless(task, settings))
        self._show_kinds()
        for key, row in self._others.items():
            row.setVisible(key in self.rows)
        for key, row in self.rows.items():
            if isinstance(row.field, Field) and reset:
                row.field.reset(settings.value(key))
            elif isinstance(row.field, Field | Choice):
                row.field.set_value(settings.value(key))
        self._others["reach"].show_problem(reach_problem(settings))
        self._say_what_is_set(settings)

    def _offer(self, task: Task) -> None:
        """Offers what of the head's settings fits the task."""
        self._not_offered = frozenset(key for key in _OF_HEAD if len(choices(task)[key]) < 2)
        loss = self._others["loss"].field
        assert isinstance(loss, Choice)
        loss.set_options([("" if name == task.losses[0] else name, LOSSES[name].words) for name in task.losses])
        truncation = self._others["truncation"].field
        assert isinstance(truncation, Choice)
        truncation.set_options([(name, TRUNCATIONS[name]) for name in truncations(task)])

    def _show_kinds(self) -> None:
        """Shows the rows of the optimiser and of the schedule."""
        self._show_kind(self._own, type(self._settings.own), self._own_column)
        self._show_kind(self._scheduled, type(self._settings.scheduled), self._scheduled_column)

    def _show_kind(self, kinds: dict[type, dict[str, Row]], chosen: type, column: QVBoxLayout) -> None:
        """Shows the rows of one optimiser or schedule, made when it is first chosen."""
        if chosen not in kinds:
            kinds[chosen] = setting_rows(chosen)
            self._put(column, kinds[chosen])
        for kind, rows in kinds.items():
            for row in rows.values():
                row.setVisible(kind is chosen)

    def _put(self, column: QVBoxLayout, rows: dict[str, Row]) -> None:
        for key, row in rows.items():
            column.addWidget(row)
            signal: Any = row.field.entered if isinstance(row.field, Field) else row.field.chosen  # type: ignore[attr-defined]
            signal.connect(lambda value, key=key: self.changed.emit(key, value))

    def _say_what_is_set(self, settings: TrainingSettings) -> None:
        """How many of the settings folded away are not as usual, and which."""
        usual = TrainingSettings(settings.optimiser, schedule=settings.schedule)
        unusual = [key for key in self.rows if key not in _FIRST and settings.value(key) != usual.value(key)]
        if settings.schedule != TrainingSettings.schedule:
            unusual.insert(0, "schedule")
        said = [f"{settings.applying[key].label} {settings.applying[key].show(settings.value(key))}" for key in unusual]
        self.more.setText("Less" if self.more.isChecked() else f"More … ({len(said)} set)" if said else "More …")
        self.more.setToolTip(f"{_ABOUT}; set: {', '.join(said)}" if said else _ABOUT)

"""Experiment panel: task, models and training settings as a form; edits apply live or wait for a restart."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from rnnviz.core.cells import CELLS, OWN
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.check import check_experiment
from rnnviz.core.experiment.forms import edited, reach_problem, reads_whole, said_otherwise
from rnnviz.core.experiment.heads import fitted
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import MOST_MODELS_IN_FORM, Experiment, Task
from rnnviz.core.experiment.sizes import match_words, matched, parameter_count
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.numbers import short
from rnnviz.core.source import OLD_TASK, Given, Trained
from rnnviz.core.tasks import TASKS, DataTask
from rnnviz.gui.experiment.experiment_changes import changes
from rnnviz.gui.experiment.model_card import ModelCard, default_name
from rnnviz.gui.experiment.restart_bar import RestartBar
from rnnviz.gui.experiment.task_form import TaskForm
from rnnviz.gui.experiment.training_form import TrainingForm
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.theme import model_dashes, theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message
from rnnviz.gui.widgets.fields import Field, section_label
from rnnviz.gui.widgets.number_field import NumberField
from rnnviz.gui.widgets.setting_rows import name_row, setting_row
from rnnviz.runs.file.records import RunModel

_BAR_ROOM = 10  # pixels of the scroll bar, kept free so that nothing moves when it appears
_AVERAGED = 10  # training steps behind the number of a card: one batch alone is too noisy

_ADD_TIP = "Adds one more network that trains on the same batches; needs a restart"
_LEAST = 150  # pixels that the lesson leaves it


class ExperimentPanel(QWidget):
    """The left column. Edits that need new weights or data go into `state.draft` until Restart is pressed.

    `edited(Experiment)` for every edit; `live_setting(name, value)` for what the running engine takes at once;
    `restart_wanted(Experiment)` for the button; `file_wanted(kind)` with "csv" or "text" to choose a data file,
    `cell_file_wanted(number)` to choose that of a model's own cell, which `set_cell_file` takes.
    """

    edited = Signal(object)
    live_setting = Signal(str, float)
    restart_wanted = Signal(object)
    file_wanted = Signal(str)
    cell_file_wanted = Signal(int)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        scale.fit(self, least_form=216, least_height=_LEAST)
        self.task_form = TaskForm()
        self.data_notes = QLabel()  # how the file was read
        self.batch = setting_row(TrainingSettings, "batch_size")
        self.seed = setting_row(Experiment, "seed")
        self.cards: list[ModelCard] = []
        self._cards = QWidget()
        self._card_column = QVBoxLayout(self._cards)
        self._card_column.setContentsMargins(0, 0, 0, 0)
        self._card_column.setSpacing(8)
        self.add_model = push_button("+ Add a model", _ADD_TIP, "link")
        self.training_form = TrainingForm()
        self._training_title = section_label("Training")
        self.bar = RestartBar()
        self._build()
        self._connect()
        self._fill(store.state)
        self._apply_theme(store.state)
        store.changed.connect(self.show_state)

    def show_state(self, old: State, new: State) -> None:
        """Shows what differs between the two states."""
        if new.look.dress != old.look.dress:
            self._apply_theme(new)
        if (new.run.source, new.run.draft, new.run.models) != (old.run.source, old.run.draft, old.run.models):
            self._fill(new)
        elif new.recorded.history is not old.recorded.history or (
            new.place.cursor.training_step,
            new.place.following,
        ) != (
            old.place.cursor.training_step,
            old.place.following,
        ):
            self._show_numbers(new)

    def _build(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 16, _BAR_ROOM, 12)
        column.setSpacing(0)
        experiment = _group(section_label("Experiment"), self.task_form, self.data_notes, self.batch, self.seed)
        self.data_notes.setProperty("role", "note")
        self.data_notes.setTextFormat(Qt.TextFormat.PlainText)
        self.data_notes.setWordWrap(True)
        column.addLayout(experiment)
        column.addSpacing(14)
        models = QVBoxLayout()
        models.setContentsMargins(12, 0, 12 - _BAR_ROOM, 0)
        models.setSpacing(0)
        title = QHBoxLayout()
        title.setContentsMargins(4, 0, 0, 6)
        title.addWidget(section_label("Models"))
        models.addLayout(title)
        models.addWidget(self._cards)
        link = QHBoxLayout()
        link.setContentsMargins(4, 6, 0, 0)
        link.addWidget(self.add_model)
        link.addStretch()
        models.addLayout(link)
        column.addLayout(models)
        column.addSpacing(12)
        column.addLayout(_group(self._training_title, self.training_form))
        column.addStretch()
        scroll = QScrollArea()
        scroll.setProperty("role", "panel")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.verticalScrollBar().rangeChanged.connect(
            lambda low, high: column.setContentsMargins(0, 16, 0 if high > low else _BAR_ROOM, 12)
        )
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 0, 12, 8)
        foot.addWidget(self.bar)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addLayout(foot)

    def _connect(self) -> None:
        self.task_form.changed.connect(self._edit_task)
        self.task_form.file_wanted.connect(self.file_wanted)
        self.training_form.changed.connect(self._edit_training)
        self.add_model.clicked.connect(self._add)
        self.bar.restart.connect(self._restart)
        self.bar.undo.connect(self._undo)
        for row, edit in (
            (self.batch, lambda value: self._edit_training("batch_size", value)),
            (self.seed, self._edit_seed),
        ):
            assert isinstance(row.field, Field)
            row.field.entered.connect(edit)

    @property
    def sections(self) -> dict[str, tuple[QWidget, ...]]:
        """The parts of the panel by their names, as they stand below each other."""
        return {
            "experiment": (self.task_form, self.batch, self.seed),
            "models": (self._cards, self.add_model),
            "training settings": (self.training_form, self.bar),
        }

    @property
    def _shown(self) -> Experiment:
        state = self._store.state
        return state.run.draft or state.run.experiment or _like_it(state)

    def _offer(self, experiment: Experiment) -> None:
        """Keeps `experiment` as the draft, or drops the draft when it says nothing new."""
        self._store.change(run=setting(draft=None if experiment == self._store.state.run.experiment else experiment))
        self.edited.emit(experiment)

    def _edit_task(self, task: Task) -> None:
        self._offer(fitted(replace(self._shown, task=task)))

    def _edit_seed(self, seed: int) -> None:
        self._offer(replace(self._shown, seed=seed))

    def _edit_training(self, key: str, value: Any) -> None:
        state = self._store.state
        shown = replace(self._shown, training=edited(self._shown.training, key, value))
        engine = state.recorded.status is not None and state.recorded.status.state not in ("failed", "stopped")
        if not self._shown.training.applying[key].live or not engine or state.run.experiment is None:
            self._offer(shown)
            return
        training = state.run.experiment.training.with_value(key, value)
        draft = None if state.run.draft is None else shown
        source = Trained(replace(state.run.experiment, training=training))
        self._store.change(run=setting(source=source, draft=draft))
        self.live_setting.emit(key, float(value))
        self.edited.emit(shown)

    def set_cell_file(self, number: int, path: Path) -> None:
        """The file of a model's own cell, which a person has chosen."""
        if number < len(self.cards) and self.cards[number].settings.cell == OWN.name:
            self._edit_model(number, self.cards[number].settings.with_own("file", str(path)))

    def _edit_model(self, number: int, settings: ModelSettings) -> None:
        models = list(self._shown.models)
        taken = [model.name for index, model in enumerate(models) if index != number]
        if settings.cell != models[number].cell and settings.name != models[number].name:  # it follows the cell
            settings = replace(settings, name=default_name(settings.cell, taken))
        repeated = settings.name in taken
        sentence = f"Another model is called {settings.name}; names must differ." if repeated else ""
        self.cards[number].rows["name"].show_problem(sentence)
        if not repeated:
            models[number] = settings
            self._offer(replace(self._shown, models=tuple(models)))

    def _add(self) -> None:
        models = self._shown.models
        used = {model.cell for model in models}
        cell = next((cell for cell in CELLS if cell not in used), models[-1].cell if models else next(iter(CELLS)))
        name = default_name(cell, {model.name for model in models})
        size = models[-1].hidden_size if models else 12
        self._offer(replace(self._shown, models=(*models, ModelSettings(name, cell, hidden_size=size))))
        self.cards[-1].header.setChecked(True)

    def _remove(self, number: int) -> None:
        models = self._shown.models
        self._offer(replace(self._shown, models=models[:number] + models[number + 1 :]))

    def _match(self, number: int) -> None:
        """Gives the other models as many parameters as this one; each size can be taken back in its field."""
        models, sizes = self._shown.models, _sizes(self._store.state, self._shown)
        if sizes is None:
            return
        decodes = reads_whole(self._shown.task)
        wanted = matched(models, number, *sizes, decodes)
        for card, model in zip(self.cards, wanted, strict=True):
            typed = card.rows["hidden_size"].field
            assert isinstance(typed, NumberField)
            typed.put(model.hidden_size)
        self._store.say(Message("info", match_words(wanted, number, *sizes, decodes)))

    def _restart(self) -> None:
        self.restart_wanted.emit(self._shown)

    def _undo(self) -> None:
        self._store.change(run=setting(draft=None))
        experiment = self._shown
        if self._store.state.run.experiment is not None:
            self.task_form.reset(experiment.task)
        self.training_form.set_settings(experiment.training, experiment.task, reset=True)
        for row, value in ((self.batch, experiment.training.batch_size), (self.seed, experiment.seed)):
            row.field.reset(value)  # type: ignore[attr-defined]
        self.edited.emit(experiment)

    def _fill(self, state: State) -> None:
        experiment = self._shown
        trained = state.run.draft is not None or state.run.experiment is not None
        if trained:
            self.task_form.set_task(experiment.task)
        else:
            self.task_form.set_untrained(_untrained(state), state.run.source)
        self._show_data_notes(state, experiment.task)
        said = said_otherwise(experiment.task, experiment.training)
        self.task_form.say_otherwise(said)
        name_row(self.batch, TrainingSettings, "batch_size", said.get("batch_size"))
        for row, value in ((self.batch, experiment.training.batch_size), (self.seed, experiment.seed)):
            row.field.set_value(value)  # type: ignore[attr-defined]
        self.training_form.set_settings(experiment.training, experiment.task)
        for widget in (self.batch, self.training_form, self._training_title, self.add_model):
            widget.setVisible(trained)
        full = len(experiment.models) >= MOST_MODELS_IN_FORM
        self.add_model.setEnabled(not full)
        self.add_model.setToolTip(f"The form has room for {MOST_MODELS_IN_FORM} models" if full else _ADD_TIP)
        self._fill_cards(state, experiment)
        before = state.run.experiment or replace(_like_it(state), task=experiment.task)
        changed = changes(before, experiment)
        if anew := trained and state.run.experiment is None:
            changed.insert(0, f"task {_untrained(state)} → {experiment.task.name}")
        self.bar.set_changes(changed, _problem(experiment) if trained else "", _new_networks(state) if anew else "")

    def _show_data_notes(self, state: State, task: Task) -> None:
        """How the file of the run was read, until another is chosen."""
        run = state.run
        same = run.experiment is not None and run.task is not None and task == run.experiment.task
        notes = run.task.notes if same and run.task is not None else ()
        self.data_notes.setText("\n".join(f"{note[:1].upper()}{note[1:]}." for note in notes))
        self.data_notes.setVisible(bool(notes))

    def _fill_cards(self, state: State, experiment: Experiment) -> None:
        models = experiment.models
        while len(self.cards) > len(models):
            card = self.cards.pop()
            card.hide()
            self._card_column.removeWidget(card)
            card.deleteLater()
        for number in range(len(self.cards), len(models)):
            card = ModelCard(models[number])
            card.changed.connect(lambda settings, number=number: self._edit_model(number, settings))
            card.removed.connect(lambda number=number: self._remove(number))
            card.match_wanted.connect(lambda number=number: self._match(number))
            card.file_wanted.connect(lambda number=number: self.cell_file_wanted.emit(number))
            self.cards.append(card)
            self._card_column.addWidget(card)
        trained = state.run.draft is not None or state.run.experiment is not None
        sizes = _sizes(state, self._shown) if trained else None
        for card, settings in zip(self.cards, models, strict=True):
            card.set_task(experiment.task if trained else None)
            card.set_settings(settings, trained=trained)
            if settings.cell == OWN.name:
                card.set_parameters(_recorded_count(state, settings), False)
                continue
            count = None if sizes is None else parameter_count(settings, *sizes, reads_whole(experiment.task))
            card.set_parameters(count, len(models) > 1)
        self._color_cards(state)
        self._show_numbers(state)

    def _color_cards(self, state: State) -> None:
        look = theme(state.look.theme)
        cells = [card.settings.cell for card in self.cards]
        for card, color, dash in zip(self.cards, look.model_colors(cells), model_dashes(cells), strict=True):
            card.set_look(look, color, dash, removable=len(self.cards) > 1)

    def _show_numbers(self, state: State) -> None:
        names = [
            model.name for model in (state.run.models if state.run.experiment is None else state.run.experiment.models)
        ]
        for card in self.cards:
            number = names.index(card.settings.name) if card.settings.name in names else -1
            card.set_number(*metric_shown(state, number))

    def _apply_theme(self, state: State) -> None:
        self.bar.set_theme(theme(state.look.theme))
        self._color_cards(state)


def _problem(experiment: Experiment) -> str:
    """Why the engine would refuse `experiment`, in one sentence; empty when it would not."""
    if problem := reach_problem(experiment.training):
        return problem
    try:
        check_experiment(experiment, "Experiment")
    except RnnvizError as error:
        return str(error)
    return ""


def _recorded_count(state: State, settings: ModelSettings) -> int | None:
    """How many parameters a user's own cell has, which the run of these settings alone knows."""
    run = state.run
    if run.experiment is None or settings not in run.experiment.models:
        return None
    number = run.experiment.models.index(settings)
    return run.models[number].parameter_count if number < len(run.models) else None


def _untrained(state: State) -> str:
    """What stands in the place of a task where nothing was trained."""
    return OLD_TASK if isinstance(state.run.source, Given) else "recorded"


def _sizes(state: State, experiment: Experiment) -> tuple[int, int] | None:
    """Columns in and out of the task; None where only its file can tell."""
    run, task = state.run, experiment.task
    if run.task is not None and run.experiment is not None and task == run.experiment.task:
        return len(run.task.input_labels), len(run.task.output_labels)
    if isinstance(task, DataTask):
        return None
    try:
        source = task.open(experiment.seed)
    except RnnvizError:
        return None
    return source.input_size, source.output_size


def _new_networks(state: State) -> str:
    """What a restart does in a run that was not trained here."""
    shown = "loaded" if isinstance(state.run.source, Given) else "recorded"
    if len(state.run.models) > 1:
        return f"Restart trains new networks from random weights, not the {shown} ones"
    return f"Restart trains a new network from random weights, not the {shown} one"


def _like_it(state: State) -> Experiment:
    """An experiment with models like those shown, for a run that was not trained here."""
    models = tuple(_settings_of(model) for model in state.run.models)
    return Experiment(state.run.title, next(iter(TASKS.values()))(), models, seed=state.run.seed or 1)


def _settings_of(model: RunModel) -> ModelSettings:
    """A loaded model as the card shows it; what its structure does not tell of its cell's own settings is as usual."""
    structure = model.structure
    own = CELLS[structure.cell].settings
    told = {one.name: getattr(structure, one.name) for one in fields(own) if hasattr(structure, one.name)}
    return ModelSettings(
        model.name,
        structure.cell,
        structure.hidden_size,
        structure.num_layers,
        structure.bidirectional,
        own(**told),
    )


def metric_shown(state: State, model: int) -> tuple[str, str, str]:
    """Number, name and explanation of how well a model does at the training step that is shown.

    The mean of the last 10 training batches, because one batch alone is too noisy; "–" before the first.
    """
    metric = "accuracy" if (model, "accuracy") in state.recorded.history.curves else "loss"
    curve = state.recorded.history.curves.get((model, metric))
    wanted = state.recorded.history.last_training_step if state.place.following else state.place.cursor.training_step
    explanation = f"mean of the last {_AVERAGED} training batches"
    if curve is None:
        return "", "untrained", explanation
    end = int(np.searchsorted(curve.training_steps, wanted, side="right"))
    if end == 0:
        return "–", metric, explanation
    return short(float(np.mean(curve.values[max(0, end - _AVERAGED) : end]))), metric, explanation


def _group(title: QWidget, *rows: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setContentsMargins(16, 0, 16 - _BAR_ROOM, 0)
    column.setSpacing(0)
    column.addWidget(title)
    column.addSpacing(4)
    for row in rows:
        column.addWidget(row)
    return column

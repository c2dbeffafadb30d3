"""The experiment panel: what is pressed and typed becomes a draft, a live setting or one sentence."""

from dataclasses import replace

import numpy as np
import pytest
from flat_state import flat_state
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from rnnviz.core.experiment.heads import total_words
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.numbers import short
from rnnviz.core.optimising.optimisers import Nesterov
from rnnviz.core.optimising.schedules import StepDecay
from rnnviz.core.source import Given, GivenInput, Recorded, Source, Trained
from rnnviz.core.structure import Structure
from rnnviz.core.tasks import Adding, NextValue, TemporalOrder
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.experiment.experiment_panel import ExperimentPanel, metric_shown
from rnnviz.gui.look.theme import dress, theme
from rnnviz.gui.state.run import History, MetricCurve
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.runs.file.records import RunModel


@pytest.fixture
def panel(store: Store, qtbot: QtBot) -> ExperimentPanel:
    made = ExperimentPanel(store)
    qtbot.addWidget(made)
    dress(made, theme(store.state.look.theme))  # as its window is
    made.resize(224, 800)
    made.show()
    return made


def enter(qtbot: QtBot, row: Row, text: str) -> None:
    assert isinstance(row.field, QLineEdit)
    row.field.setFocus()
    row.field.selectAll()
    qtbot.keyClicks(row.field, text)
    qtbot.keyClick(row.field, Qt.Key.Key_Return)


def choose(row: Row, value: object) -> None:
    assert isinstance(row.field, Choice)
    row.field.set_value(value)
    row.field.activated.emit(row.field.currentIndex())


def test_it_shows_the_experiment(panel: ExperimentPanel, store: Store) -> None:
    assert panel.task_form.kind.currentText() == "temporal order"
    rows = panel.task_form.rows
    assert [rows[key].field.text() for key in ("length", "marks")] == ["60–80", "10–20, 45–54"]
    assert rows["padding"].field.currentText() == "in front"
    assert "one answer comes at its end" in panel.task_form.kind_row.toolTip()
    assert [card.header.name for card in panel.cards] == ["Vanilla", "LSTM"]
    bias = store.state.run.experiment.models[1].own.forget_bias
    words = [card.header.words for card in panel.cards]
    assert words == ["tanh, 12 units", f"12 units, forget bias {bias:g}"]
    assert panel.bar.isHidden()


def test_a_new_hidden_size_waits_for_a_restart(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    wanted: list[Experiment] = []
    panel.restart_wanted.connect(wanted.append)
    qtbot.mouseClick(panel.cards[1].header, Qt.MouseButton.LeftButton)
    enter(qtbot, panel.cards[1].rows["hidden_size"], "24")
    assert store.state.run.draft is not None
    assert store.state.run.draft.models[1].hidden_size == 24
    assert store.state.run.experiment.models[1].hidden_size == 12
    assert panel.bar.sentence.text() == "Needs a restart: hidden units of LSTM 12 → 24"
    qtbot.mouseClick(panel.bar.restart_button, Qt.MouseButton.LeftButton)
    assert wanted == [store.state.run.draft]


def test_undo_takes_every_edit_back_also_bad_ones(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    enter(qtbot, panel.seed, "7")
    enter(qtbot, panel.task_form.rows["length"], "70-90")
    enter(qtbot, panel.batch, "none")
    qtbot.mouseClick(panel.bar.undo_button, Qt.MouseButton.LeftButton)
    assert store.state.run.draft is None
    assert panel.bar.isHidden()
    shown = (panel.seed.field, panel.batch.field, panel.task_form.rows["length"].field)
    assert [field.text() for field in shown if isinstance(field, Field)] == ["1", "32", "60–80"]
    assert not panel.batch.sentence.isVisible()


def test_an_edit_that_is_taken_back_by_hand_needs_no_restart(
    panel: ExperimentPanel, store: Store, qtbot: QtBot
) -> None:
    enter(qtbot, panel.seed, "7")
    assert panel.bar.isVisible()
    enter(qtbot, panel.seed, "1")
    assert (store.state.run.draft, panel.bar.isVisible()) == (None, False)


def test_rate_and_clip_go_to_the_running_engine_at_once(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    live: list[tuple[str, float]] = []
    panel.live_setting.connect(lambda name, value: live.append((name, value)))
    enter(qtbot, panel.training_form.rows["learning_rate"], "0.003")
    enter(qtbot, panel.training_form.rows["clip_norm"], "off")
    assert live == [("learning_rate", 0.003), ("clip_norm", 0.0)]
    assert store.state.run.draft is None
    assert store.state.run.experiment.training.learning_rate == 0.003


def test_more_shows_what_applies_to_the_optimiser_and_the_rate_over_time(
    panel: ExperimentPanel, store: Store, qtbot: QtBot
) -> None:
    form = panel.training_form

    def shown() -> list[str]:
        return [key for key, row in form.rows.items() if row.isVisible()]

    first = ["optimiser", "learning_rate", "clip_norm", "training_steps"]
    others = ["clip_value", "gradient_noise", "patience", "validation", "loss", "truncation"]
    assert shown() == first
    form.more.click()
    assert shown() == [*first, "beta1", "beta2", "epsilon", "weight_decay", "schedule", *others]
    choose(form.rows["optimiser"], "nesterov")
    choose(form.rows["schedule"], "step")
    assert shown() == [*first, "momentum", "weight_decay", "schedule", "rate_steps", "rate_factor", *others]
    enter(qtbot, form.rows["momentum"], "0.7")
    enter(qtbot, form.rows["rate_steps"], "40")
    enter(qtbot, form.rows["clip_value"], "0.3")
    said = "optimiser Adam → Nesterov, clip value off → 0.3, rate over time constant → step, momentum 0.9 → 0.7"
    assert panel.bar.sentence.text() == f"Needs a restart: {said}, 1 more"
    assert "every 250 → 40" in panel.bar.sentence.toolTip()
    assert form.more.text() == "Less"
    form.more.click()
    assert form.more.text() == "More … (4 set)"
    assert shown() == first
    form.more.click()
    assert form.more.toolTip().endswith("set: Rate over time step, Momentum 0.7, Every 40, Clip value 0.3")
    draft = store.state.run.draft
    assert draft is not None
    assert draft.training == TrainingSettings(
        "nesterov", clip_value=0.3, schedule="step", own=Nesterov(0.01, 0.7), scheduled=StepDecay(40)
    )
    live: list[tuple[str, float]] = []
    panel.live_setting.connect(lambda name, value: live.append((name, value)))
    enter(qtbot, form.rows["patience"], "250")
    assert live == [("patience", 250.0)]
    panel.bar.undo.emit()
    assert store.state.run.draft is None
    assert shown() == [*first, "beta1", "beta2", "epsilon", "weight_decay", "schedule", *others]
    form.more.click()
    assert form.more.text() == "More … (1 set)"


def test_a_head_is_offered_what_fits_the_task(panel: ExperimentPanel, store: Store) -> None:
    form, card = panel.training_form, panel.cards[1]
    card.header.click()
    form.more.click()

    def offered() -> list[str]:
        rows = {"pooling": card.rows["pooling"], **form.rows}
        return [key for key in ("pooling", "loss", "reduction") if key in rows and rows[key].isVisible()]

    loss = form.rows["loss"].field
    assert isinstance(loss, Choice)
    assert offered() == ["pooling", "loss"]  # asked at the end, of classes
    assert [loss.itemText(k) for k in range(loss.count())] == ["cross entropy", "binary cross-entropy", "squared error"]
    choose(card.rows["pooling"], "max")
    choose(form.rows["loss"], "mean squared error")
    draft = store.state.run.draft
    assert draft is not None
    assert (draft.models[1].pooling, draft.training.loss) == ("max", "mean squared error")
    assert "maximum over time" in card.header.words
    assert "loss the task's own → squared error" in panel.bar.sentence.text()
    panel.task_form.kind.chosen.emit("parity")
    assert offered() == ["loss", "reduction"]
    choose(form.rows["reduction"], "sum")
    draft = store.state.run.draft
    assert draft is not None
    assert (draft.models[1].pooling, draft.training.loss, draft.training.reduction) == (
        "last",
        "mean squared error",
        "sum",
    )
    panel.task_form.kind.chosen.emit("adding")
    draft = store.state.run.draft
    assert draft is not None
    assert offered() == ["pooling"]
    assert (draft.training.loss, draft.training.reduction) == ("mean squared error", "mean")  # it is the task's own


def test_without_an_engine_a_rate_waits_like_any_edit(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    store.change(recorded=setting(status=None))
    live: list[object] = []
    panel.live_setting.connect(lambda name, value: live.append(name))
    enter(qtbot, panel.training_form.rows["learning_rate"], "0.003")
    assert live == []
    assert store.state.run.draft is not None
    assert panel.bar.sentence.text() == "Needs a restart: rate 0.01 → 0.003"


def test_arrow_keys_step_as_far_as_the_setting_says(panel: ExperimentPanel, qtbot: QtBot) -> None:
    shown = {}
    for key, row in (("training_steps", panel.training_form.rows["training_steps"]),
                     ("clip_norm", panel.training_form.rows["clip_norm"]),
                     ("forget_bias", panel.cards[1].rows["forget_bias"]),
                     ("batch", panel.batch)):  # fmt: skip
        assert isinstance(row.field, Field)
        before = row.field.value
        qtbot.keyClick(row.field, Qt.Key.Key_Up)
        shown[key] = (before, row.field.value)
    assert shown == {
        "training_steps": (1000, 1100),
        "clip_norm": (1.0, 2.0),
        "forget_bias": (1.0, 2.0),
        "batch": (32, 33),
    }


def test_the_length_of_sequences_goes_by_one(panel: ExperimentPanel, qtbot: QtBot) -> None:
    choose(panel.task_form.kind_row, "adding")
    field = panel.task_form.rows["length"].field
    assert isinstance(field, Field)
    before = field.value
    assert isinstance(before, int)
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert field.value == before - 1


def test_another_task_brings_its_own_rows(panel: ExperimentPanel, store: Store) -> None:
    choose(panel.task_form.kind_row, "adding")
    assert store.state.run.draft is not None
    assert store.state.run.draft.task == Adding()
    assert list(panel.task_form.rows) == ["length"]
    assert panel.bar.sentence.text() == "Needs a restart: task temporal order → adding"


def test_marks_beyond_the_sequence_are_refused_beside_the_task(
    panel: ExperimentPanel, store: Store, qtbot: QtBot
) -> None:
    enter(qtbot, panel.task_form.rows["length"], "40")
    assert store.state.run.draft is None
    assert panel.task_form.kind_row.sentence.text() == "The shortest sequence must be longer than the last mark at 54."
    enter(qtbot, panel.task_form.rows["marks"], "5-9, 20-30")
    assert store.state.run.draft is not None
    assert store.state.run.draft.task == TemporalOrder(length=(40, 40), first_mark=(5, 9), second_mark=(20, 30))


def test_choosing_a_file_asks_and_keeps_the_present_one(panel: ExperimentPanel, store: Store) -> None:
    choose(panel.task_form.kind_row, "next value")
    asked: list[str] = []
    panel.file_wanted.connect(asked.append)
    choose(panel.task_form.rows["file"], "choose")
    assert asked == ["csv"]
    assert store.state.run.draft is not None
    assert store.state.run.draft.task == NextValue()
    assert panel.task_form.rows["file"].field.currentText() == "sunspots"


def test_columns_are_typed_with_commas(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    choose(panel.task_form.kind_row, "next value")
    enter(qtbot, panel.task_form.rows["columns"], "low, high")
    assert store.state.run.draft is not None
    assert store.state.run.draft.task == NextValue(columns=("low", "high"))


def test_a_model_is_added_edited_and_removed(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    qtbot.mouseClick(panel.add_model, Qt.MouseButton.LeftButton)
    assert [card.header.name for card in panel.cards] == ["Vanilla", "LSTM", "GRU"]
    assert panel.bar.sentence.text() == "Needs a restart: GRU added"
    choose(panel.cards[2].rows["cell"], "lstm")
    assert panel.cards[2].header.name == "LSTM 2"
    enter(qtbot, panel.cards[2].rows["name"], "LSTM")
    assert panel.cards[2].rows["name"].sentence.text() == "Another model is called LSTM; names must differ."
    enter(qtbot, panel.cards[2].rows["name"], "LSTM open")
    assert store.state.run.draft is not None
    assert [(model.name, model.cell) for model in store.state.run.draft.models][2] == ("LSTM open", "lstm")
    qtbot.mouseClick(panel.cards[0].remove, Qt.MouseButton.LeftButton)
    assert [card.header.name for card in panel.cards] == ["LSTM", "LSTM open"]


def test_a_model_called_after_its_cell_is_called_after_the_next_one_too(
    panel: ExperimentPanel, store: Store, qtbot: QtBot
) -> None:
    card = panel.cards[0]
    names = []
    for cell in ("lstm", "peephole_lstm", "mingru", "lstm_1997", "lru"):
        choose(card.rows["cell"], cell)
        names.append(card.header.name)
    assert names == ["LSTM 2", "Peephole LSTM", "minGRU", "LSTM without forget gate", "LRU"]
    enter(qtbot, card.rows["name"], "LRU ring")
    choose(card.rows["cell"], "gru")
    assert store.state.run.draft is not None
    assert store.state.run.draft.models[0].name == card.header.name == "LRU ring"


def test_beside_an_added_model_the_other_edits_are_said_too_in_the_words_of_the_form(
    panel: ExperimentPanel, qtbot: QtBot
) -> None:
    choose(panel.cards[0].rows["initialisation"], "identity")
    enter(qtbot, panel.cards[1].rows["hidden_size"], "7")
    qtbot.mouseClick(panel.add_model, Qt.MouseButton.LeftButton)
    assert panel.bar.sentence.text() == (
        "Needs a restart: initialisation of Vanilla torch's draw → identity, hidden units of LSTM 12 → 7, GRU added"
    )
    while panel.add_model.isEnabled():
        panel.add_model.click()
    assert panel.add_model.toolTip() == "The form has room for 6 models"


def test_the_last_model_cannot_be_removed(panel: ExperimentPanel, store: Store) -> None:
    experiment = store.state.run.experiment
    assert experiment is not None
    store.change(run=setting(source=Trained(replace(experiment, models=experiment.models[:1]))))
    assert not panel.cards[0].remove.isEnabled()


def test_what_the_engine_would_refuse_cannot_be_started(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    choose(panel.task_form.kind_row, "next value")
    choose(panel.cards[0].rows["bidirectional"], True)
    assert "bidirectional" in panel.bar.sentence.text()
    assert not panel.bar.restart_button.isEnabled()


def test_a_card_opens_with_the_keyboard(panel: ExperimentPanel, qtbot: QtBot) -> None:
    header = panel.cards[0].header
    header.setFocus()
    qtbot.keyClick(header, Qt.Key.Key_Return)
    assert panel.cards[0].rows["activation"].isVisible()
    assert not panel.cards[0].rows["forget_bias"].isVisible()
    qtbot.keyClick(header, Qt.Key.Key_Return)
    assert not panel.cards[0].rows["activation"].isVisible()


def test_cards_show_the_accuracy_of_the_training_step_shown(panel: ExperimentPanel, store: Store) -> None:
    steps = np.arange(1, 101)
    curves = {
        (0, "accuracy"): MetricCurve(steps, np.full(100, 0.26)),
        (1, "accuracy"): MetricCurve(steps, (steps > 50) * 1.0),
    }
    store.change(
        recorded=setting(history=replace(store.state.recorded.history, curves=curves, last_training_step=100)),
        place=setting(following=True),
    )
    assert [card.header.number for card in panel.cards] == ["0.26", "1.00"]
    store.change(place=setting(following=False, cursor=replace(store.state.place.cursor, training_step=50)))
    assert [card.header.number for card in panel.cards] == ["0.26", "0"]


def test_every_field_explains_itself(panel: ExperimentPanel) -> None:
    rows = panel.findChildren(Row)
    assert len(rows) > 15
    assert all(row.field.toolTip() and row.field.accessibleName() for row in rows)


def test_the_theme_reaches_the_pixels(panel: ExperimentPanel, store: Store) -> None:
    before = panel.grab().toImage().pixelColor(2, 2).name()
    store.change(look=setting(theme="light"))
    dress(panel, theme("light"))
    after = panel.grab().toImage().pixelColor(2, 2).name()
    assert (before, after) == (theme("dark").panel, theme("light").panel)


def test_streaming_data_does_not_touch_what_is_typed(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    field = panel.batch.field
    assert isinstance(field, Field)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "4")
    state: State = store.state
    store.change(recorded=setting(history=replace(state.recorded.history, last_training_step=2000)))
    assert field.text() == "4"


def test_how_a_persons_file_is_read_can_be_changed_and_is_said(
    panel: ExperimentPanel, store: Store, qtbot: QtBot
) -> None:
    experiment = store.state.run.experiment
    info = store.state.run.task
    assert experiment is not None
    assert info is not None
    store.change(run=setting(source=Trained(replace(experiment, task=NextValue()))))
    rows = panel.task_form.rows
    assert not any(rows[key].isVisible() for key in ("gaps", "order", "encoding"))
    assert not panel.data_notes.isVisible()
    task = NextValue(file="/data/prices.csv", columns=("close",), gaps="line")
    store.change(
        run=setting(
            source=Trained(replace(experiment, task=task)),
            task=replace(info, notes=("read as UTF-16", "“close”: 7 gaps, straight line between")),
        )
    )
    rows = panel.task_form.rows
    assert all(rows[key].isVisible() for key in ("gaps", "order", "encoding"))
    assert panel.data_notes.text() == "Read as UTF-16.\n“close”: 7 gaps, straight line between."
    gaps = rows["gaps"].field
    assert isinstance(gaps, Choice)
    assert gaps.currentText() == "straight line between"
    gaps.set_value("leave out")
    gaps.activated.emit(gaps.currentIndex())
    assert store.state.run.draft is not None
    assert store.state.run.draft.task == task.changed(gaps="leave out")
    assert not panel.data_notes.isVisible()
    assert "gaps straight line between → rows left out" in panel.bar.sentence.toolTip()


def test_nobody_says_how_a_loaded_model_began(panel: ExperimentPanel, store: Store) -> None:
    assert "forget bias" in panel.cards[1].header.words
    models = (
        RunModel(0, "A", Structure("lstm", 3, 4), 100),
        RunModel(1, "B", Structure("vanilla", 3, 4), 100),
    )
    given = Given("/a/model.pt", GivenInput(length=7, loss_time_step=0))
    store.change(run=setting(source=given, models=models, draft=None))
    assert [card.header.words for card in panel.cards] == ["4 units", "tanh, 4 units"]
    row = next(row for row in panel.task_form.findChildren(Row) if row.label.text() == "Loss at t")
    assert isinstance(row.field, Field)
    assert row.field.text() == "last"


@pytest.mark.parametrize(
    ("source", "meaning"),
    [
        (Given("net.pt"), "Restart trains new networks from random weights, not the loaded ones: task given input"),
        (Recorded("own.py"), "Restart trains new networks from random weights, not the recorded ones: task recorded"),
    ],
)
def test_an_edit_of_what_was_not_trained_here_says_that_a_restart_trains_new_networks(
    panel: ExperimentPanel, store: Store, qtbot: QtBot, source: Source, meaning: str
) -> None:
    store.change(run=setting(source=source))
    qtbot.mouseClick(panel.cards[1].header, Qt.MouseButton.LeftButton)
    enter(qtbot, panel.cards[1].rows["hidden_size"], "24")
    assert panel.bar.sentence.text() == f"{meaning} → temporal order, hidden units of LSTM 12 → 24"
    assert panel.bar.isVisible()
    qtbot.mouseClick(panel.bar.undo_button, Qt.MouseButton.LeftButton)
    assert store.state.run.draft is None
    assert panel.bar.isHidden()
    assert panel.cards[1].rows["hidden_size"].field.text() == "12"
    assert panel.task_form.kind.currentText() in ("given input", "recorded")


def test_a_loaded_network_is_one(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    store.change(run=setting(source=Given("net.pt"), models=store.state.run.models[:1]))
    choose(panel.task_form.kind_row, "adding")
    assert panel.bar.sentence.text() == (
        "Restart trains a new network from random weights, not the loaded one: task given input → adding"
    )


def test_no_label_touches_its_field(panel: ExperimentPanel, store: Store, qtbot: QtBot) -> None:
    experiment = store.state.run.experiment
    assert experiment is not None
    store.change(run=setting(source=Trained(replace(experiment, task=NextValue()))))
    panel.resize(232, 800)
    for row in panel.task_form.rows.values():
        if row.isVisible():
            qtbot.waitUntil(lambda row=row: row.field.width() > 0)
            assert row.label.sizeHint().width() <= row.label.width(), row.label.text()
            assert row.field.x() - row.label.geometry().right() >= 8, row.label.text()


@pytest.mark.parametrize(
    ("following", "step", "expected"),
    [(True, 3, 24.5), (False, 0, None), (False, 3, 2.0), (False, 6, 3.5), (False, 17, 12.5), (False, 999, 24.5)],
)
def test_beside_a_model_stands_the_mean_of_its_last_batches_up_to_the_step_shown(
    following: bool, step: int, expected: float | None
) -> None:
    """That training step's own batch is one of them."""
    curves = {
        (0, "loss"): MetricCurve(np.arange(1, 30), np.arange(1.0, 30.0)),
        (1, "loss"): MetricCurve(np.arange(1, 30), np.full(29, 9.0)),
        (1, "accuracy"): MetricCurve(np.arange(1, 30), np.full(29, 0.25)),
    }
    cursor, history = Cursor(step, Phase.FORWARD, 1), History(curves=curves, last_training_step=29)
    state = flat_state(history=history, following=following, cursor=cursor)
    said, metric, _ = metric_shown(state, 0)
    assert (said, metric) == ("–" if expected is None else short(expected), "loss")
    assert metric_shown(state, 1)[:2] == ("–" if expected is None else "0.25", "accuracy")
    assert metric_shown(state, 2)[:2] == ("", "untrained")


def test_the_fields_take_the_width_the_panel_has_and_the_rest_is_scrolled_to(panel: ExperimentPanel) -> None:
    edges = []
    for width in (240, 400):
        panel.resize(width, 300)
        QApplication.processEvents()
        rows = [row for row in panel.training_form.rows.values() if row.isVisible()]
        fields = [panel.task_form.kind, *(row.field for row in rows)]
        edges.append({width - field.mapTo(panel, field.rect().bottomRight()).x() for field in fields})
        assert max(field.mapTo(panel, field.rect().bottomRight()).y() for field in fields) > panel.height()
    assert edges[0] == edges[1]


def test_windows_have_settings_of_their_own_which_fit_together(
    panel: ExperimentPanel, store: Store, qtbot: QtBot
) -> None:
    form = panel.training_form
    form.more.click()

    def shown() -> set[str]:
        return {key for key in ("truncation", "new_steps", "reach", "carried") if form.rows.get(key)}

    def offered() -> list[object]:
        field = form.rows["truncation"].field
        assert isinstance(field, Choice)
        return [field.itemData(place) for place in range(field.count())]

    assert (shown(), offered()) == ({"truncation"}, ["off", "detached"])
    choose(form.rows["truncation"], "detached")
    assert shown() == {"truncation", "reach"}
    enter(qtbot, form.rows["reach"], "7")
    choose(panel.task_form.kind_row, "next character")
    assert offered() == ["off", "windows", "detached"]
    length = panel.task_form.rows["length"]
    assert (panel.batch.label.text(), length.label.text()) == ("Batch", "Length")
    choose(form.rows["truncation"], "windows")
    assert shown() == {"truncation", "new_steps", "reach", "carried"}
    length = panel.task_form.rows["length"]
    assert (panel.batch.label.text(), length.label.text()) == ("Streams", "Probe length")
    assert "so many streams, which are gone along in parallel" in panel.batch.field.toolTip()
    assert "of the probe and of the test part alone" in length.field.toolTip()
    choose(form.rows["truncation"], "detached")
    assert (panel.batch.label.text(), length.label.text()) == ("Batch", "Length")
    assert panel.batch.toolTip().startswith("Sequences in one training step")
    choose(form.rows["truncation"], "windows")
    assert store.state.run.draft.training.reach == 20, "as many as are new"
    enter(qtbot, form.rows["new_steps"], "35")
    assert store.state.run.draft.training.reach == 35
    assert panel.bar.restart_button.isEnabled()
    enter(qtbot, form.rows["reach"], "30")
    words = "The gradient goes back over the 35 new time steps of a window at least."
    assert (form.rows["reach"].sentence.text(), panel.bar.sentence.text()) == (words, words)
    assert not panel.bar.restart_button.isEnabled()
    enter(qtbot, form.rows["new_steps"], "30")
    assert panel.bar.restart_button.isEnabled()
    assert not form.rows["reach"].sentence.text()
    draft = store.state.run.draft
    assert total_words(draft) == "cross entropy, mean over the 30 new time steps of a window and the streams"
    summed = replace(draft, training=replace(draft.training, reduction="sum"))
    assert total_words(summed) == "cross entropy, sum over the 30 new time steps of a window, mean over the streams"

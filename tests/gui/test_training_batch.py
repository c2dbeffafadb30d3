"""The training batch in the window: looked at in the probe's place, marked, gone to, and said everywhere."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press, small_experiment, type_into

from rnnviz.core.experiment.file import write_experiment
from rnnviz.debugger.places import Place
from rnnviz.gui.live.following import Following
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.runs.file.engine_commands import Step
from rnnviz.runs.reading.reader import open_run

SHIFT = Qt.KeyboardModifier.ShiftModifier
LAST = 40  # training step, where training rested: there and at the first one the batch is recorded


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> App:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    return app


def shows(app: App, kind: str, training_step: int) -> bool:
    place, traces = app.store.state.place, app.store.state.recorded.traces
    return (place.kind, place.cursor.training_step) == (kind, training_step) == (traces[0].kind, place.training_step)


def test_the_switch_its_key_and_its_words(app: App, qtbot: QtBot, run_file: Path) -> None:
    switch = app.contents.switcher.sequences
    assert app.actions["show_batch"].text() == "Training batch"
    press(app, Qt.Key.Key_B, modifier=SHIFT)
    qtbot.waitUntil(lambda: shows(app, "batch", LAST))
    with open_run(run_file) as run:
        recorded = run.trace(LAST, 1, "batch")
    np.testing.assert_array_equal(app.store.state.recorded.traces[1].layers[0].h, recorded.layers[0].h)
    press(app, Qt.Key.Key_BracketRight, 2)
    assert "training batch, sequence 3 of 4" in app.toolbar.cursor_label.text
    assert "makes training step 41 of 40" in app.toolbar.cursor_label.toolTip()
    assert app.actions["show_batch"].text() == "Probe"
    assert app.contents.watches.probe_alone.isVisibleTo(app.contents.watches)
    place = switch.places["probe"].center().toPoint()
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    qtbot.waitUntil(lambda: shows(app, "probe", LAST))
    assert "batch" not in app.toolbar.cursor_label.text
    assert not app.contents.watches.probe_alone.isVisibleTo(app.contents.watches)


def test_a_training_step_without_it_shows_the_nearest_and_says_so(app: App, qtbot: QtBot) -> None:
    captured = [int(step) for step in app.store.state.captured]
    beside = captured[-2]
    assert beside not in (0, LAST)
    app.session.show_training_step(beside)
    qtbot.waitUntil(lambda: shows(app, "probe", beside))
    press(app, Qt.Key.Key_B, modifier=SHIFT)
    qtbot.waitUntil(lambda: app.store.state.place.kind == "batch")
    message = app.store.state.notices.message
    assert message is not None
    assert message.sentence.startswith(f"The training batch of training step {beside} was not recorded: that of 40")
    assert message.commands == ()  # nothing is training here
    press(app, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: shows(app, "batch", 0))  # the one recorded before


def test_a_bookmark_and_a_typed_place_lead_back_to_it(app: App, qtbot: QtBot) -> None:
    press(app, Qt.Key.Key_B, modifier=SHIFT)
    qtbot.waitUntil(lambda: shows(app, "batch", LAST))
    press(app, Qt.Key.Key_Right, 3)
    press(app, Qt.Key.Key_B)
    type_into(app.note_field.field, "here")
    (mark,) = app.store.state.debugging.marks.bookmarks
    assert (mark.kind, mark.time_step) == ("batch", 4)
    press(app, Qt.Key.Key_T)
    assert "training batch" in app.jump_field.field.text()
    type_into(app.jump_field.field, "probe step 0 t 2")
    qtbot.waitUntil(lambda: shows(app, "probe", 0))
    (card,) = app.contents.watches.bookmarks.cards
    assert card.go.text().endswith("training batch")
    card.go.click()
    qtbot.waitUntil(lambda: shows(app, "batch", LAST))
    assert app.store.state.place.cursor.time_step == 4


def test_a_run_without_any_says_so(qtbot: QtBot, run_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(State(place=Place(following=False)))
    following = Following(store, lambda path: False, lambda path: None)
    monkeypatch.setattr("rnnviz.runs.reading.reader.Run.captured", only_the_probe)
    following.open_run(run_file)
    qtbot.waitUntil(lambda: store.state.run.path == run_file)
    following.show_kind("batch")
    message = store.state.notices.message
    assert message is not None
    assert message.sentence == "No training batch was recorded in this run."
    assert following.kind == store.state.place.kind == "probe"
    assert following.stop()


def only_the_probe(run: object, after: int = -1, kind: str = "probe") -> np.ndarray:
    return np.array([step for step in (0, LAST) if step > after and kind == "probe"], np.int64)


def test_live_it_is_recorded_while_it_is_followed(open_app: OpenApp, tmp_path: Path, qtbot: QtBot) -> None:
    write_experiment(small_experiment(), tmp_path / "small.toml")
    app = open_app(tmp_path / "small.toml")
    qtbot.waitUntil(lambda: len(app.store.state.recorded.traces) == 2)
    press(app, Qt.Key.Key_B, modifier=SHIFT)
    qtbot.waitUntil(lambda: shows(app, "batch", 0))
    app.session.send(Step(30))
    qtbot.waitUntil(lambda: shows(app, "batch", 30))
    history = app.store.state.recorded.history
    np.testing.assert_array_equal(history.batches, history.captured)
    press(app, Qt.Key.Key_B, modifier=SHIFT)
    qtbot.waitUntil(lambda: shows(app, "probe", 30))
    app.session.send(Step(30))
    qtbot.waitUntil(lambda: shows(app, "probe", 60))
    qtbot.waitUntil(lambda: list(app.store.state.recorded.history.batches[-2:]) == [30, 60])
    assert len(app.store.state.recorded.history.captured) > len(app.store.state.recorded.history.batches)

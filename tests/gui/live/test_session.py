"""The whole program with its real engine: what a person does, and what may go wrong."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from whole_program import PATIENCE, OpenApp, children, close, engine_process_id, press, small_experiment, type_into

from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import read_experiment, write_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.resources import resource
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.live import engine, watchdog
from rnnviz.gui.live.engine import delete_untrained
from rnnviz.gui.opening.file_commands import EXAMPLES, LESSONS
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.store import setting
from rnnviz.runs.file.records import Origin
from rnnviz.runs.reading.reader import open_run

ENGINE_PATIENCE = engine._PATIENCE  # as it is for a person, before the tests are more patient


def trained_to(app: App, step: int) -> bool:
    return app.store.state.recorded.history.last_training_step >= step


def is_run(path: Path) -> bool:
    try:
        with open_run(path) as run:
            return bool(run.captured().size)
    except RnnvizError:
        return False


def engine_is(app: App, *states: str) -> bool:
    status = app.store.state.recorded.status
    return status is not None and status.state in states


def training_process(app: App) -> int:
    """The process that trains, as it says itself."""
    status = app.store.state.recorded.status
    assert status is not None
    return status.process


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_experiment(small_experiment(), tmp_path / "small.toml")
    return tmp_path / "small.toml"


def test_what_is_edited_while_the_engine_starts_is_the_file_that_was_opened(
    open_app: OpenApp, qtbot: QtBot, small: Path
) -> None:
    app = open_app(small)
    qtbot.waitUntil(lambda: app.store.state.run.experiment == small_experiment())
    units = app.contents.experiment.cards[0].rows["hidden_size"].field
    units.entered.emit(7)
    qtbot.waitUntil(lambda: bool(app.store.state.run.models))
    qtbot.waitUntil(lambda: app.store.state.run.models[0].structure.hidden_size == 7)
    assert app.store.state.run.title == small_experiment().name


def test_training_steps_typed_while_the_engine_starts_hold(open_app: OpenApp, qtbot: QtBot, small: Path) -> None:
    app = open_app(small)
    qtbot.waitUntil(lambda: app.store.state.run.title == "Small")
    assert app.store.state.notices.busy == "Starting the engine …"
    steps = app.contents.experiment.training_form.rows["training_steps"].field
    type_into(steps, "23")
    qtbot.waitUntil(lambda: bool(app.store.state.run.models) and app.store.state.run.planned_steps == 23)
    qtbot.waitUntil(lambda: app.actions["train"].isEnabled())
    assert steps.text() == "23"
    app.actions["train"].trigger()
    qtbot.waitUntil(lambda: trained_to(app, 23) and engine_is(app, "paused"))
    assert app.store.state.recorded.history.last_training_step == 23


@pytest.fixture
def ready(open_app: OpenApp, qtbot: QtBot, small: Path) -> App:
    """The program with an untrained experiment whose first traces are on the screen."""
    app = open_app(small)
    qtbot.waitUntil(lambda: len(app.store.state.recorded.traces) == 2 and app.store.state.run.title == "Small")
    return app


@pytest.mark.own_python
def test_start_train_pause_walk_back_scrub_and_close(ready: App, qtbot: QtBot) -> None:
    app, state = ready, ready.store.state
    assert state.run.experiment.name == "Small"
    assert all(trace is not None for trace in state.recorded.traces)
    assert engine_is(app, "paused")
    assert "trace checked against autograd" in app.window.statusBar().badge.text()
    run_path = state.run.path
    assert run_path is not None
    assert not list(run_path.parent.glob("*.toml"))

    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: engine_is(app, "running") and trained_to(app, 30))
    assert app.actions.words("train") == "Pause"
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step > 0)
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: engine_is(app, "paused"))
    paused_at = app.store.state.recorded.status.training_step  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == paused_at)

    last = app.store.state.program.time_steps
    press(app, Qt.Key.Key_End, 2)
    assert app.store.state.place.cursor.phase is Phase.LOSS
    press(app, Qt.Key.Key_Right, 4)
    assert (app.store.state.place.cursor.phase, app.store.state.place.cursor.time_step) == (Phase.BACKWARD, last - 3)
    assert app.toolbar.cursor_label.text.startswith(f"Backward  time step {last - 3} of {last}")
    press(app, Qt.Key.Key_Left)
    assert app.store.state.place.cursor.time_step == last - 2

    press(app, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == paused_at + 1)
    assert app.store.state.place.cursor.phase is Phase.BACKWARD  # the same place, one training step later

    press(app, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == paused_at)
    assert not app.store.state.place.following
    assert f"of {paused_at + 1}" in app.toolbar._step.text
    before = app.store.state.recorded.traces
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: trained_to(app, paused_at + 60))
    assert app.store.state.recorded.traces is before  # nothing jumps while data streams in
    press(app, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step > paused_at + 1)
    assert app.store.state.place.following

    assert close(app) < PATIENCE / 1000  # asked to go, not ended
    assert not list(run_path.parent.glob("*-wal"))
    with open_run(run_path) as run:
        assert run.last_training_step >= paused_at + 60
        assert run.trace(paused_at).faithful


def test_a_killed_engine_is_said_and_its_run_trained_on(ready: App, qtbot: QtBot) -> None:
    app = ready
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: trained_to(app, 20) and app.store.state.recorded.history.captured[-1] > 0)
    old = app.store.state.run.path
    os.kill(training_process(app), signal.SIGKILL)
    qtbot.waitUntil(lambda: app.store.state.notices.message is not None)
    message = app.store.state.notices.message
    assert message is not None
    assert message.sentence.startswith("The engine ended unexpectedly (killed by signal 9) at training step ")
    kept = app.store.state.recorded.history.last_training_step
    said = int(message.sentence.split(" at training step ")[1].split(";")[0].replace(",", ""))
    assert said >= kept  # more may be lost than recorded, never less
    assert message.sentence.endswith(f"everything up to training step {kept:,} is kept.")
    assert app.message_bar.sentence == message.sentence
    assert "ended unexpectedly" in app.window.statusBar().engine.text()
    assert all(trace is not None for trace in app.store.state.recorded.traces)

    assert app.message_bar.button.text() == "Train on"
    captured = int(app.store.state.recorded.history.captured[-1])
    assert captured > 0
    qtbot.mouseClick(app.message_bar.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: app.store.state.run.path != old and trained_to(app, captured + 5))
    assert app.store.state.run.origin == Origin(str(old), captured, anew=True)
    assert "what the optimisers had gathered is not recorded there" in app.message_bar.sentence
    press(app, Qt.Key.Key_R, modifier=Qt.KeyboardModifier.ControlModifier)  # another command
    qtbot.waitUntil(lambda: engine_is(app, "paused") and app.store.state.place.cursor.training_step == 0)
    assert app.store.state.run.origin is None
    assert old is not None
    with open_run(old) as run:
        assert run.last_training_step >= kept
    app.open_path(old)  # looking back at it, nobody is missed any more
    qtbot.waitUntil(lambda: app.store.state.run.path == old)
    qtbot.wait(100)
    assert app.store.state.recorded.status is None
    assert app.message_bar.sentence == ""


def test_reset_goes_back_to_the_same_initial_weights(ready: App, qtbot: QtBot) -> None:
    app = ready
    first, old = app.store.state.recorded.traces[0], app.store.state.run.path
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: trained_to(app, 10))
    process = engine_process_id(app)
    said = set[str]()
    app.store.changed.connect(lambda _, new: said.add(new.notices.busy))
    press(app, Qt.Key.Key_R, modifier=Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: app.store.state.run.path != old)
    assert said == {""}
    assert engine_process_id(app) == process  # the warm process: nobody waits for torch again
    again = app.store.state.recorded.traces[0]
    assert first is not None
    assert again is not None
    assert (first.layers[0].h == again.layers[0].h).all()
    assert app.store.state.place.cursor.training_step == 0


def test_what_is_pressed_during_a_reset_is_done_after_it(ready: App, qtbot: QtBot) -> None:
    app, old = ready, ready.store.state.run.path
    press(app, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 1)
    for _ in range(3):
        press(app, Qt.Key.Key_R, modifier=Qt.KeyboardModifier.ControlModifier)
        press(app, Qt.Key.Key_PageUp)
        press(app, Qt.Key.Key_L)
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: engine_is(app, "running") and app.store.state.run.path != old)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step > 0)
    assert app.store.state.notices.message is None
    assert app.store.state.place.following
    with open_run(app.store.state.run.path) as run:  # type: ignore[arg-type]
        step = app.store.state.place.cursor.training_step
        shown = app.store.state.recorded.traces[0]
        assert shown is not None
        assert (run.trace(step).layers[0].h == shown.layers[0].h).all()


def test_edited_settings_redraw_the_untrained_networks_at_once(ready: App, qtbot: QtBot) -> None:
    app = ready
    experiment, old = small_experiment(seed=8), app.store.state.run.path
    app.session.edit(experiment)
    app.session.edit(small_experiment(seed=9))  # while the first is on its way: the newest wins
    qtbot.waitUntil(lambda: app.store.state.run.experiment.seed == 9)
    assert old is not None
    assert not old.exists()  # nobody trained it
    app.session.set_live("learning_rate", 0.002)
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: trained_to(app, 5))
    path = app.store.state.run.path
    assert path is not None
    with open_run(path) as run:
        assert any("learning rate 0.01 → 0.002" in event.sentence for event in run.events())


def test_a_form_never_goes_back_to_settings_edited_before_the_last_ones(ready: App, qtbot: QtBot) -> None:
    app, shown = ready, set[str]()
    field = app.contents.experiment.seed.field
    for seed in (8, 9):
        type_into(field, str(seed))

    def settled() -> bool:
        shown.add(field.text())
        return app.store.state.run.experiment.seed == 9 and app.store.state.run.draft is None

    qtbot.waitUntil(settled)
    assert shown == {"9"}


def test_an_untrained_run_is_not_kept(ready: App) -> None:
    path = ready.store.state.run.path
    assert path is not None
    assert close(ready) < PATIENCE / 1000  # asked to go, not ended
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_closing_while_training_leaves_a_whole_run_and_no_process(ready: App, qtbot: QtBot) -> None:
    app = ready
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: trained_to(app, 10))
    path, pid = app.store.state.run.path, engine_process_id(app)
    assert close(app) < PATIENCE / 1000  # asked to go, not ended
    assert pid not in children()
    assert path is not None
    with open_run(path) as run:
        assert run.status is not None
        assert run.status.state == "stopped"
        assert run.last_training_step in run.captured()


@pytest.mark.own_python
def test_closing_while_the_engine_starts(open_app: OpenApp, small: Path) -> None:
    app = open_app(small)
    assert children()
    close(app)
    assert not children()


def test_settings_the_engine_refuses_are_said(open_app: OpenApp, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("year,value\n1,2\n2,\n3,x\n")
    path = tmp_path / "bad.toml"
    path.write_text(
        'rnnviz = 1\nname = "Bad"\n[task]\nname = "next value"\nfile = "data.csv"\nlength = 40\n'
        '[[models]]\nname = "A"\ncell = "lstm"\n'
    )
    app = open_app(path)
    qtbot.waitUntil(lambda: app.store.state.notices.message is not None)
    assert "data.csv" in app.store.state.notices.message.sentence  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: engine_process_id(app) == 0)
    assert "data.csv" in app.store.state.notices.message.sentence  # type: ignore[union-attr]


def test_what_is_opened_while_a_bad_experiment_starts_is_opened(
    open_app: OpenApp, qtbot: QtBot, tmp_path: Path, small: Path
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        'rnnviz = 1\nname = "Bad"\n[task]\nname = "next value"\nfile = "gone.csv"\n'
        '[[models]]\nname = "A"\ncell = "lstm"\n'
    )
    app = open_app(path)
    app.open_path(small)
    qtbot.waitUntil(lambda: app.store.state.run.experiment.name == "Small")
    qtbot.waitUntil(lambda: engine_is(app, "paused"))
    assert app.store.state.recorded.traces[0] is not None


def test_an_engine_that_writes_nothing_is_said_until_it_goes_on(
    ready: App, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = ready
    monkeypatch.setattr(watchdog, "PATIENCE", 1.5)
    os.kill(training_process(app), signal.SIGSTOP)
    qtbot.waitUntil(lambda: app.message_bar.sentence == watchdog.SENTENCE)
    os.kill(training_process(app), signal.SIGCONT)
    qtbot.waitUntil(lambda: app.message_bar.sentence == "")


def test_a_run_deleted_while_it_is_trained_is_said_and_reset_goes_on(ready: App, qtbot: QtBot) -> None:
    app, path = ready, ready.store.state.run.path
    assert path is not None
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: trained_to(app, 5))
    shutil.rmtree(path.parent)
    qtbot.waitUntil(lambda: "cannot be written" in app.message_bar.sentence)
    press(app, Qt.Key.Key_R, modifier=Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: app.store.state.run.path != path and engine_is(app, "paused"))
    assert app.message_bar.sentence == ""


def test_a_run_cut_short_while_it_is_trained_is_said_and_the_training_waits(ready: App, qtbot: QtBot) -> None:
    app, path = ready, ready.store.state.run.path
    assert path is not None
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: trained_to(app, 5))
    os.truncate(path, 5000)
    qtbot.waitUntil(lambda: engine_is(app, "paused"))
    qtbot.waitUntil(lambda: "cut" in app.message_bar.sentence or "damaged" in app.message_bar.sentence)
    press(app, Qt.Key.Key_R, modifier=Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: app.store.state.run.path != path and engine_is(app, "paused"))


def test_an_engine_that_cannot_start_is_said(open_app: OpenApp, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/nowhere/python")
        app = open_app()
    qtbot.waitUntil(lambda: "cannot be started" in app.message_bar.sentence)
    assert "no engine: it could not start" in app.window.statusBar().engine.text()
    qtbot.mouseClick(app.message_bar.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: engine_is(app, "paused"))


def test_two_windows_that_start_at_once_train_in_two_files(open_app: OpenApp, qtbot: QtBot, small: Path) -> None:
    first, second = open_app(small), open_app(small)
    for app in (first, second):
        qtbot.waitUntil(lambda app=app: engine_is(app, "paused"))
    assert first.store.state.run.path != second.store.state.run.path


def test_a_run_that_another_window_trains_is_not_tidied_away(ready: App) -> None:
    path = ready.store.state.run.path
    assert path is not None
    delete_untrained(path)
    assert path.exists()  # until its own window is closed
    close(ready)
    assert not path.exists()


def test_a_loss_that_is_not_finite_pauses_and_says_where(open_app: OpenApp, qtbot: QtBot, tmp_path: Path) -> None:
    training = TrainingSettings("sgd", learning_rate=1e30, clip_norm=0.0, batch_size=4)
    relu = ModelSettings("Vanilla", "vanilla", 6, own=VanillaSettings("relu"))
    write_experiment(small_experiment(training=training, models=(relu,)), tmp_path / "nan.toml")
    app = open_app(tmp_path / "nan.toml")
    qtbot.waitUntil(lambda: engine_is(app, "paused"))
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: app.store.state.notices.message is not None)
    message, status = app.store.state.notices.message, app.store.state.recorded.status
    assert message is not None
    assert status is not None
    assert message.level == "warning"
    where = f"Stopped at training step {status.training_step + 1}: in Vanilla, the loss became "
    assert message.sentence.startswith(where)
    assert status.state == "paused"
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step > 0)
    assert app.window.grab().width() > 0  # drawn, with NaN in it


@pytest.mark.own_python
def test_an_engine_that_hears_nothing_is_killed(ready: App, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(engine, "_PATIENCE", ENGINE_PATIENCE)
    assert ENGINE_PATIENCE + engine._TERMINATE_PATIENCE <= 3.0  # a person waits no longer for a window to close
    os.kill(engine_process_id(ready), signal.SIGSTOP)
    close(ready)
    qtbot.waitUntil(lambda: not children())  # what is killed ends as soon as a busy machine lets it


def test_an_engine_that_is_slow_to_write_its_last_is_waited_for(ready: App, qtbot: QtBot) -> None:
    """Longer than one that was told to end at once would be."""
    press(ready, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: trained_to(ready, 10))
    path, number = ready.store.state.run.path, training_process(ready)
    os.kill(number, signal.SIGSTOP)
    goes_on = threading.Timer(2 * engine._TERMINATE_PATIENCE, os.kill, (number, signal.SIGCONT))
    goes_on.start()
    close(ready)
    goes_on.join()
    assert path is not None
    with open_run(path) as run:
        assert run.status is not None
        assert run.status.state == "stopped"
        assert run.last_training_step in run.captured()


def test_a_finished_run_is_looked_at_without_an_engine(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(run_file, tmp_path / "mine.rnnviz"))
    app = open_app(path)
    qtbot.waitUntil(lambda: app.store.state.run.path == path)
    state = app.store.state
    assert state.run.kept
    assert state.recorded.status is None
    assert state.place.cursor.training_step == state.recorded.history.last_training_step == 40
    assert engine_process_id(app) == 0
    assert app.actions["training_step"].isEnabled()  # of a new run that goes on from there
    assert "Recorded run (not training)" in app.window.statusBar().engine.text()
    assert app.preference_saver.preferences.recent == (str(path),)
    press(app, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step < 40)
    copy = tmp_path / "copy.rnnviz"
    app.session.files.save_run(copy)
    qtbot.waitUntil(copy.exists)
    qtbot.waitUntil(lambda: "saved as" in app.message_bar.sentence)
    with open_run(copy) as run:
        assert run.last_training_step == 40
    close(app)
    assert path.exists()


def test_a_damaged_capture_is_said_and_the_others_are_shown(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(run_file, tmp_path / "damaged.rnnviz"))
    with sqlite3.connect(path) as connection:
        newest = "SELECT max(payload) FROM captures WHERE training_step = 40 AND kind = 'probe'"
        connection.execute(f"UPDATE chunks SET crc32 = crc32 + 1 WHERE payload = ({newest})")
    connection.close()
    app = open_app(path)
    qtbot.waitUntil(lambda: app.store.state.run.path == path)
    assert "does not match its checksum" in app.message_bar.sentence
    assert app.store.state.recorded.traces == (None, None)
    app.session.show_training_step(0)
    qtbot.waitUntil(lambda: app.store.state.recorded.traces[0] is not None)


def test_a_run_that_lost_captures_is_not_shown_and_says_so(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(run_file, tmp_path / "damaged.rnnviz"))
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM captures WHERE training_step = 30")
    connection.close()
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    app.open_path(path)
    qtbot.waitUntil(lambda: "damaged.rnnviz is damaged: " in app.message_bar.sentence)
    assert "rows of its captures are there, wanted" in app.message_bar.sentence
    assert app.store.state.run.path == run_file
    app.open_path(run_file)
    qtbot.waitUntil(lambda: app.message_bar.sentence == "")


def test_opening_a_run_ends_the_training_before(ready: App, qtbot: QtBot, run_file: Path) -> None:
    app = ready
    press(app, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: trained_to(app, 5))
    trained = app.store.state.run.path
    app.open_path(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    qtbot.waitUntil(lambda: not children())
    assert trained is not None
    with open_run(trained) as run:
        assert run.status is not None
        assert run.status.state == "stopped"
    before = run_file.read_bytes()
    assert app.actions.words("train") == "Train on"
    press(app, Qt.Key.Key_Space)  # trains the run that is shown on from where it stands, in a new file
    qtbot.waitUntil(lambda: engine_is(app, "running") and trained_to(app, 41))
    assert app.store.state.run.path not in (run_file, trained)
    assert app.store.state.run.origin == Origin(str(run_file), 40)
    assert app.message_bar.sentence == ""
    assert run_file.read_bytes() == before


def test_an_opened_run_makes_one_training_step_with_what_was_edited(
    open_app: OpenApp, qtbot: QtBot, run_file: Path
) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.traces))
    experiment = app.store.state.run.experiment
    edited = replace(experiment, seed=19, training=replace(experiment.training, learning_rate=0.004, clip_norm=0.3))
    app.store.change(run=setting(draft=edited))
    app.session.show_training_step(0)
    press(app, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: app.store.state.run.path != run_file)
    qtbot.waitUntil(lambda: engine_is(app, "paused") and app.store.state.place.cursor.training_step == 41)
    assert app.store.state.run.experiment == replace(experiment, training=edited.training)
    assert app.store.state.run.draft == edited  # the other seed goes on waiting for a restart
    with open_run(app.store.state.run.path) as run:  # type: ignore[arg-type]
        assert run.experiment.training == edited.training


def test_the_model_is_exported_and_a_failure_is_said(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    app.session.files.export(tmp_path / "lstm.safetensors", "LSTM")
    assert app.store.state.notices.busy
    qtbot.waitUntil(lambda: not app.store.state.notices.busy)
    assert "saved as" in app.store.state.notices.message.sentence  # type: ignore[union-attr]
    assert (tmp_path / "lstm.safetensors").stat().st_size > 100
    app.session.files.export(tmp_path / "nowhere" / "lstm.pt", "LSTM")
    qtbot.waitUntil(lambda: not app.store.state.notices.busy)
    assert app.store.state.notices.message.level == "error"  # type: ignore[union-attr]
    assert "nowhere" in app.store.state.notices.message.sentence  # type: ignore[union-attr]


def test_a_strangers_training_is_followed_and_not_ended(
    open_app: OpenApp, qtbot: QtBot, small: Path, tmp_path: Path
) -> None:
    path = tmp_path / "other.rnnviz"
    arguments = [sys.executable, "-m", "rnnviz", "train", str(small), "--run", str(path), "--live", "--paused"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE) as other:
        until = time.monotonic() + 60
        while not is_run(path):
            assert time.monotonic() < until
            time.sleep(0.05)
        app = open_app(path)
        qtbot.waitUntil(lambda: engine_is(app, "paused"))
        press(app, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: engine_is(app, "running") and trained_to(app, 5))
        close(app)
        assert other.poll() is None
        other.kill()


def test_a_headless_training_paused_here_goes_on_afterwards_and_its_end_is_said(
    open_app: OpenApp, qtbot: QtBot, small: Path, tmp_path: Path
) -> None:
    path = tmp_path / "other.rnnviz"
    arguments = [sys.executable, "-m", "rnnviz", "train", str(small), "--run", str(path)]
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as other, ExitStack() as in_the_end:
        in_the_end.callback(other.kill)
        qtbot.waitUntil(lambda: path.exists() and is_run(path))
        follower, owner = open_app(path), open_app(path)  # the newest window has the keys
        for app in (follower, owner):
            qtbot.waitUntil(lambda app=app: engine_is(app, "running") and trained_to(app, 1))
        press(owner, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: engine_is(follower, "paused"))
        close(owner)
        qtbot.waitUntil(lambda: engine_is(follower, "running"))
        other.send_signal(signal.SIGINT)
        qtbot.waitUntil(lambda: "other.rnnviz has ended at training step" in follower.message_bar.sentence)
        assert other.wait() == 0
    assert follower.store.state.recorded.status is None
    ended = follower.store.state.recorded.history.last_training_step
    follower.actions["train"].trigger()
    qtbot.waitUntil(lambda: engine_is(follower, "running") and trained_to(follower, ended + 1))
    assert follower.store.state.run.origin == Origin(str(path), ended)


def test_every_example_and_lesson_of_the_menu_starts(ready: App, qtbot: QtBot) -> None:
    for key, name in [*(("example", name) for name in EXAMPLES), *(("lesson", name) for name in LESSONS)]:
        wanted = read_experiment(resource(f"experiments/{name}.toml"))
        ready.actions[f"{key}_{name}"].trigger()
        qtbot.waitUntil(lambda wanted=wanted: ready.store.state.run.experiment == wanted)
        qtbot.waitUntil(lambda: None not in ready.store.state.recorded.traces)
        assert len(ready.store.state.recorded.traces) == len(wanted.models)


def test_the_gradients_are_checked_and_the_verdict_is_said(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(
        lambda: bool(app.store.state.recorded.traces) and None not in app.store.state.recorded.traces, timeout=PATIENCE
    )
    press(app, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: app.store.state.notices.message is not None)
    message = app.store.state.notices.message
    assert message is not None
    assert message.level == "info", message.sentence
    for model in app.store.state.run.models:
        assert f"{model.name}: All " in message.sentence
        assert "gradients are right" in message.sentence

"""Training on from what is on the screen: a new run that begins with the weights shown, those set by hand included."""

import shutil
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, engine_process_id, small_experiment, type_into

from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.core.sweeps.what_if.interventions import SetWeight
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.marks import with_breakpoints
from rnnviz.gui.state.store import setting
from rnnviz.runs.file.engine_commands import Step
from rnnviz.runs.reading.reader import open_run

SET = SetWeight("weight_hh_l0", (0.75,), 1, 2)


def train_on(app: App, qtbot: QtBot) -> Path:
    """Presses the page's button; the path of the new run, which has learned something."""
    before, first = app.store.state.run.path, app.store.state.place.cursor.training_step
    app.actions["page_what_if"].trigger()
    assert app.contents is not None
    button = app.contents.what_if.train_on
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: app.store.state.run.path != before)
    qtbot.waitUntil(lambda: app.store.state.recorded.history.captured[-1] > first)
    path = app.store.state.run.path
    assert path is not None
    assert not [*path.parent.glob("*.safetensors"), *path.parent.glob("*.toml")]
    return path


def check_branch(parent: Path, child: Path, training_step: int) -> None:
    with open_run(parent) as before, open_run(child) as after:
        assert int(after.captured()[0]) == training_step
        for model in (0, 1):
            old, new = before.capture(training_step, model), after.capture(training_step, model)
            for name, weight in old.weights.items():
                expected = weight.copy()
                if model == 0 and name == "weight_hh_l0":
                    expected[0, 1] = 0.75  # row 1, column 2
                np.testing.assert_array_equal(new.weights[name], expected)
        later = after.capture(int(after.captured()[-1]), 0)
        assert (later.weights["weight_hh_l0"] != after.capture(training_step, 0).weights["weight_hh_l0"]).any()


def test_live_engine_trains_on_with_a_weight_set_by_hand(open_app: OpenApp, tmp_path: Path, qtbot: QtBot) -> None:
    write_experiment(small_experiment(), tmp_path / "small.toml")
    app: App = open_app(tmp_path / "small.toml")
    qtbot.waitUntil(lambda: len(app.store.state.recorded.traces) == 2)
    app.session.send(Step(5))
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 5)
    parent, process = app.store.state.run.path, engine_process_id(app)
    assert parent is not None

    app.whatifs.add(SET)
    type_into(app.contents.experiment.training_form.rows["training_steps"].field, "9")
    child = train_on(app, qtbot)
    assert engine_process_id(app) == process
    assert not app.store.state.trial.whatif.active
    assert app.window.windowTitle().endswith(
        f"branched from training step 5 of {parent.name}, weights of Vanilla changed"
    )
    qtbot.waitUntil(
        lambda: app.store.state.recorded.status is not None and app.store.state.recorded.status.state == "paused"
    )
    assert app.store.state.recorded.history.last_training_step == 9  # as was typed
    assert app.store.state.run.planned_steps == 9
    check_branch(parent, child, 5)


def test_an_opened_run_is_trained_on_by_a_new_engine(
    open_app: OpenApp, run_file: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    parent = Path(shutil.copy(run_file, tmp_path / "mine.rnnviz"))
    app: App = open_app(parent)
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.traces))
    assert engine_process_id(app) == 0
    step = app.store.state.place.cursor.training_step
    app.whatifs.add(SET)
    marks = with_breakpoints(app.store.state.debugging.marks, [Breakpoint("condition", "loss > 0")])
    app.store.change(debugging=setting(marks=marks))
    for name, text in (("training_steps", "61"), ("clip_norm", "0.3")):
        type_into(app.contents.experiment.training_form.rows[name].field, text)
    child = train_on(app, qtbot)
    assert engine_process_id(app)
    with open_run(child) as run:
        assert run.experiment.training == TrainingSettings(clip_norm=0.3, batch_size=4, training_steps=61)
    assert app.store.state.debugging.marks.breakpoints == marks.breakpoints
    qtbot.waitUntil(lambda: any(event.kind == "hit" for event in app.store.state.recorded.events))
    check_branch(parent, child, step)


def test_an_untrained_run_stays_when_it_is_trained_on(open_app: OpenApp, tmp_path: Path, qtbot: QtBot) -> None:
    write_experiment(small_experiment(), tmp_path / "small.toml")
    app: App = open_app(tmp_path / "small.toml")
    qtbot.waitUntil(lambda: len(app.store.state.recorded.traces) == 2)
    parent = app.store.state.run.path
    assert parent is not None
    app.whatifs.add(SET)
    check_branch(parent, train_on(app, qtbot), 0)

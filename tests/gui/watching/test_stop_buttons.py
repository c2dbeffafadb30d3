"""What the message of a stop offers: go there, go on, never stop for this again; by mouse and by keyboard."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press, small_experiment, type_into

from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.stopping.marks import Breakpoint, Marks
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.store import setting

KEY = Qt.Key


def offered(app: App) -> dict[str, QPushButton]:
    """The buttons of the message, by their words."""
    return {button.text(): button for button in app.message_bar.buttons if not button.isHidden()}


def click(button: QPushButton) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_training_that_stopped_offers_the_moment_going_on_and_disabling(
    open_app: OpenApp, qtbot: QtBot, tmp_path: Path
) -> None:
    write_experiment(small_experiment(), tmp_path / "small.toml")
    app = open_app(tmp_path / "small.toml")
    qtbot.waitUntil(lambda: len(app.store.state.recorded.traces) == 2)
    app.store.change(look=setting(page="watches"))
    assert app.contents is not None
    type_into(app.contents.watches.breakpoints.add, "t == 9 and k % 7 == 0 and model == lstm")
    app.window.setFocus()
    press(app, KEY.Key_Space)
    qtbot.waitUntil(lambda: "Stopped at training step 7, time step 9: in LSTM, " in app.message_bar.sentence)
    assert list(offered(app)) == ["Go there", "Continue training", "Disable this breakpoint"]
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 7)
    qtbot.waitUntil(lambda: offered(app)["Go there"].isEnabled())
    click(offered(app)["Go there"])
    place = app.store.state.place
    assert (place.model, place.cursor.time_step, place.cursor.training_step) == (1, 9, 7)
    button = offered(app)["Continue training"]  # the message stays for what comes next
    button.setFocus()
    QTest.keyClick(button, KEY.Key_Space)
    qtbot.waitUntil(lambda: "Stopped at training step 14, time step 9" in app.message_bar.sentence)
    qtbot.waitUntil(lambda: offered(app)["Disable this breakpoint"].isEnabled())
    press(app, KEY.Key_F9, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert [one.enabled for one in app.store.state.debugging.marks.breakpoints] == [False]
    assert not offered(app)["Disable this breakpoint"].isEnabled()
    click(offered(app)["Continue training"])
    qtbot.waitUntil(lambda: app.store.state.recorded.history.last_training_step > 30)
    assert app.message_bar.sentence == ""


@pytest.fixture
def recorded(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> App:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)
    app.window.setFocus()
    return app


def test_a_walk_that_stopped_goes_on_by_its_button(recorded: App) -> None:
    app = recorded
    places = tuple(Breakpoint("place", phase="forward", time_step=time_step) for time_step in (4, 7))
    app.store.change(debugging=setting(marks=Marks(places)))
    press(app, KEY.Key_F8)
    assert app.message_bar.sentence == ("Stopped at time step 4, forward sweep: breakpoint “forward time step 4”.")
    assert list(offered(app)) == ["Continue in the training step", "Disable this breakpoint"]
    click(offered(app)["Continue in the training step"])
    assert app.store.state.place.cursor == Cursor(40, Phase.FORWARD, 7)
    click(offered(app)["Disable this breakpoint"])
    assert [one.enabled for one in app.store.state.debugging.marks.breakpoints] == [True, False]


def test_a_hit_in_the_past_offers_the_next_one(recorded: App, qtbot: QtBot) -> None:
    app = recorded
    app.store.change(look=setting(page="watches"))
    assert app.contents is not None
    type_into(app.contents.watches.breakpoints.add, "k % 10 == 0 and model == lstm")
    app.window.setFocus()
    press(app, KEY.Key_F3, modifier=Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: app.message_bar.sentence.startswith("Training step 30: in LSTM, "))
    assert list(offered(app)) == ["Go there", "Reverse continue", "Disable this breakpoint"]
    press(app, KEY.Key_G)
    assert app.store.state.place.model == 1
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step in (29, 30, 31))
    click(offered(app)["Reverse continue"])
    qtbot.waitUntil(lambda: app.message_bar.sentence.startswith("Training step 20: in LSTM, "))

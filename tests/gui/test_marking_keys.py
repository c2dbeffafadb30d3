"""Breakpoints in the program and the walk from one stop to the next, by the keys a person presses."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, close, press, small_experiment

from rnnviz.core.experiment.file import read_experiment, write_experiment
from rnnviz.core.stopping.marks import Bookmark, Breakpoint
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.store import setting

KEY, SHIFT = Qt.Key, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> App:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    qtbot.waitUntil(lambda: app.actions["toggle_breakpoint"].isEnabled())
    return app


def place(app: App) -> tuple[Phase, int, str]:
    cursor = app.store.state.place.cursor
    return cursor.phase, cursor.time_step, cursor.operation


def test_a_breakpoint_is_set_where_the_cursor_stands_listed_and_removed(app: App) -> None:
    assert app.contents is not None
    cards = app.contents.watches.breakpoints.cards
    press(app, KEY.Key_Right, 2)
    press(app, KEY.Key_F9)
    assert app.store.state.debugging.marks.breakpoints == (
        Breakpoint("place", phase="forward", time_step=3, layer="l0"),
    )
    assert cards[1].words.text() == "forward time step 3 l0"
    assert "training does not" in cards[1].note.text()
    press(app, KEY.Key_Right)
    press(app, KEY.Key_F9)
    press(app, KEY.Key_Left)
    press(app, KEY.Key_F9)  # the first one goes, its card shows the other
    assert [one.time_step for one in app.store.state.debugging.marks.breakpoints] == [4]
    assert [card.words.text() for card in cards[1:]] == ["forward time step 4 l0"]
    app.store.change(look=setting(page="watches"))
    QTest.mouseClick(cards[1].remove, Qt.MouseButton.LeftButton)
    assert app.store.state.debugging.marks.breakpoints == ()


def test_the_walk_goes_from_stop_to_stop_and_back_and_says_why(app: App) -> None:
    press(app, KEY.Key_Right, 4)
    press(app, KEY.Key_F9)
    press(app, KEY.Key_End, 3)  # to the end of the backward sweep
    press(app, KEY.Key_F9)
    press(app, KEY.Key_Home, modifier=Qt.KeyboardModifier.ControlModifier)
    marks, logs = app.store.state.debugging.marks, Breakpoint("condition", "t == 7", message="passed")
    breakpoints = (*marks.breakpoints, Breakpoint("condition", "t == 2"), logs)
    app.store.change(debugging=setting(marks=replace(marks, breakpoints=breakpoints)))
    press(app, KEY.Key_F8)
    assert place(app) == (Phase.FORWARD, 2, "")
    assert app.message_bar.sentence.endswith("breakpoint “t == 2”.")
    press(app, KEY.Key_F8)
    assert place(app) == (Phase.FORWARD, 5, "")
    assert app.message_bar.sentence.endswith("breakpoint “forward time step 5 l0”.")
    press(app, KEY.Key_F8)  # past the logpoint
    assert place(app) == (Phase.BACKWARD, 1, "")
    press(app, KEY.Key_F8)
    assert place(app) == (Phase.BACKWARD, 1, "")
    assert app.message_bar.sentence.startswith("No breakpoint or bookmark after")
    press(app, KEY.Key_F8, modifier=SHIFT)
    assert place(app) == (Phase.FORWARD, 5, "")
    press(app, KEY.Key_F8, 2, SHIFT)
    assert place(app) == (Phase.FORWARD, 2, "")
    assert app.message_bar.sentence.startswith("No breakpoint or bookmark before")
    press(app, KEY.Key_Right)
    assert app.store.state.notices.message is None  # it told of another place


def test_a_bookmark_has_a_note_is_gone_back_to_and_removed(app: App, qtbot: QtBot, tmp_path: Path) -> None:
    assert app.contents is not None
    state = app.store.state
    last, before = (int(step) for step in state.recorded.history.captured[-1:-3:-1])
    press(app, KEY.Key_Right, 3)
    press(app, KEY.Key_B)
    qtbot.waitUntil(app.note_field.isVisible)
    QTest.keyClicks(app.note_field.field, " here it forgets ")
    QTest.keyClick(app.note_field.field, KEY.Key_Return)
    assert not app.note_field.isVisible()
    assert app.store.state.debugging.marks.bookmarks == (Bookmark(last, "forward", 4, note="here it forgets"),)
    app.session.files.save_experiment(tmp_path / "saved.toml")
    assert read_experiment(tmp_path / "saved.toml").marks.bookmarks == app.store.state.debugging.marks.bookmarks

    app.session.show_training_step(before)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == before)
    app.window.activateWindow()  # which a screen does when a popup closes
    qtbot.waitUntil(app.window.isActiveWindow)
    press(app, KEY.Key_End)
    assert place(app) == (Phase.FORWARD, 12, "")
    app.store.change(look=setting(page="watches"))
    (card,) = app.contents.watches.bookmarks.cards
    assert card.note.text() == "here it forgets"
    QTest.mouseClick(card.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == last)
    assert place(app) == (Phase.FORWARD, 4, "")

    app.window.setFocus()
    press(app, KEY.Key_Left)
    press(app, KEY.Key_F8)
    assert app.message_bar.sentence.endswith("bookmark “here it forgets”.")
    press(app, KEY.Key_B)
    assert app.store.state.debugging.marks.bookmarks == ()
    assert not app.contents.watches.bookmarks.isVisible()
    press(app, KEY.Key_B)
    QTest.keyClicks(app.note_field.field, "x" * 501)
    QTest.keyClick(app.note_field.field, KEY.Key_Return)
    assert "500 characters" in app.note_field.note.text()
    app.note_field.field.clear()
    QTest.keyClick(app.note_field.field, KEY.Key_Return)
    (card,) = app.contents.watches.bookmarks.cards
    QTest.mouseClick(card.remove, Qt.MouseButton.LeftButton)
    assert app.store.state.debugging.marks.bookmarks == ()


def test_training_goes_on_past_a_place_that_stays_with_the_run(open_app: OpenApp, qtbot: QtBot, tmp_path: Path) -> None:
    write_experiment(small_experiment(), tmp_path / "small.toml")
    app = open_app(tmp_path / "small.toml")
    qtbot.waitUntil(lambda: app.actions["toggle_breakpoint"].isEnabled())
    press(app, KEY.Key_F9)
    press(app, KEY.Key_Space)
    qtbot.waitUntil(lambda: app.store.state.recorded.history.last_training_step > 20)
    assert app.store.state.recorded.events == ()
    path = app.store.state.run.path
    close(app)
    again = open_app(path)
    qtbot.waitUntil(lambda: again.store.state.run.path == path)
    assert [one.kind for one in again.store.state.debugging.marks.breakpoints] == ["place"]

"""The Gradients view in the whole program: it comes with a key, keeps the keyboard, and follows what is shown."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from whole_program import OpenApp

from rnnviz.gui.state.preferences import read_preferences

KEY = Qt.Key


def test_it_comes_with_a_key_and_steps_go_on(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.traces) and None not in app.store.state.recorded.traces)
    assert app.contents is not None
    app.contents.lanes.setFocus()
    QTest.keyClick(app.window, KEY.Key_3)
    view = app.contents.centre.gradients
    assert view is not None
    qtbot.waitUntil(lambda: not view.waiting)
    assert QApplication.activeWindow() is app.window
    assert QApplication.focusWidget() is view
    before = app.store.state.place.cursor.time_step
    QTest.keyClick(app.window, KEY.Key_Right)
    assert app.store.state.place.cursor.time_step == before + 1
    assert all(frame.sight.shown.cursor.time_step == before + 1 for frame in view.frames if frame.sight)
    captured = app.store.state.recorded.history.captured
    view.training_step_wanted.emit(int(captured[2]))
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == captured[2])
    qtbot.waitUntil(lambda: not view.waiting)
    assert {frame.sight.shown.cursor.training_step for frame in view.frames if frame.sight} == {int(captured[2])}
    view.frames[0].setFocus()
    QTest.keyClick(app.window, KEY.Key_1)
    assert QApplication.focusWidget() is app.contents.lanes
    assert read_preferences(app.preference_saver._path)[0].view == "lanes"

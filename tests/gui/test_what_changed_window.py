"""The sentence under the equation says what changed since the last stop."""

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.gui.cursor.what_changed import WhatChanged
from rnnviz.gui.shell.app import App


def opened(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> tuple[App, WhatChanged]:
    app: App = open_app(run_file)
    qtbot.waitUntil(lambda: bool(app.store.state.traces))
    assert app.contents is not None
    return app, app.contents.what_changed


def test_a_step_is_told(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> None:
    app, told = opened(open_app, run_file, qtbot)
    assert told.isHidden()
    app.store.update(model=1)
    press(app, Qt.Key.Key_Right, 2)
    assert told.isVisible()
    assert told.sentence.text().startswith("From t = 2 to 3: ")
    press(app, Qt.Key.Key_Left)
    assert told.sentence.text().startswith("From t = 3 to 2: ")
    press(app, Qt.Key.Key_M)
    assert told.isHidden()  # another model is nothing that changed


def test_another_training_step_is_told(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> None:
    app, told = opened(open_app, run_file, qtbot)
    app.session.show_training_step(0)
    qtbot.waitUntil(lambda: app.store.state.cursor.training_step == 0)
    qtbot.waitUntil(lambda: told.sentence.text().startswith("From training step 40 to 0: "))
    assert told.sentence.text() != "From training step 40 to 0: hardly anything changed."

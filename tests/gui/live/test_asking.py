"""Before a lot of memory or time is taken the person is asked; a no leaves everything as it is."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, small_experiment

from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.gui.shell.app import App


def press(app: App, qtbot: QtBot, words: str) -> None:
    dialog = app.contents.opening.dialog
    button = next(one for one in dialog.buttons() if one.text() == words)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: app.contents.opening.dialog is None)


def test_a_large_experiment_is_asked_about(
    open_app: OpenApp, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnviz.core.experiment.estimate.ASKED_BYTES", 1e6)  # what a test can train
    small = small_experiment()
    large = replace(small, name="Large", models=(ModelSettings("Wide", "vanilla", 300),))
    write_experiment(large, tmp_path / "large.toml")
    write_experiment(small, tmp_path / "small.toml")
    app = open_app(tmp_path / "small.toml")
    qtbot.waitUntil(lambda: app.store.state.run.title == "Small" and bool(app.store.state.run.models))
    app.open_path(tmp_path / "large.toml")
    qtbot.waitUntil(lambda: app.contents.opening.dialog is not None)
    assert "MB of memory and under 1 s for each training step" in app.contents.opening.dialog.text()
    assert app.contents.opening.dialog.icon() is QMessageBox.Icon.Question
    press(app, qtbot, "Cancel")
    assert app.store.state.run.title == "Small"
    app.open_path(tmp_path / "large.toml")
    qtbot.waitUntil(lambda: app.contents.opening.dialog is not None)
    press(app, qtbot, "Train it")
    qtbot.waitUntil(lambda: app.store.state.run.title == "Large")
    app.session.start(replace(large, name="Again"))  # no more than was agreed to
    assert app.contents.opening.dialog is None

"""A cell of one's own in the window: asked about before anything of it runs, shown, and asked for its Jacobians."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, small_experiment

from rnnviz.core.cells.own import OwnSettings
from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.gradients.flow_of import flow_of
from rnnviz.core.resources import resource
from rnnviz.gui.canvas.lanes.shown import resolve
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.looked_at import looked_at


def press(app: App, qtbot: QtBot, words: str) -> None:
    dialog = app.contents.opening.dialog
    button = next(one for one in dialog.buttons() if one.text() == words)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: app.contents.opening.dialog is None)


def test_it_is_asked_about_and_then_shown(open_app: OpenApp, qtbot: QtBot, tmp_path: Path) -> None:
    file, ran = tmp_path / "mine.py", tmp_path / "ran"
    text = resource("cells/leaky_cell.py").read_text(encoding="utf-8")
    file.write_text(f"{text}\nimport os\nos.system('touch {ran}')\n", encoding="utf-8")
    small = small_experiment()
    write_experiment(small, tmp_path / "small.toml")
    mine = ModelSettings("Mine", "own", 4, own=OwnSettings(str(file)))
    write_experiment(small_experiment(name="Mine", models=(mine, small.models[1])), tmp_path / "mine.toml")
    app = open_app(tmp_path / "small.toml")
    qtbot.waitUntil(lambda: bool(app.store.state.run.models))
    for answer in ("Cancel", "Run it"):
        app.open_path(tmp_path / "mine.toml")
        qtbot.waitUntil(lambda: app.contents.opening.dialog is not None)
        dialog = app.contents.opening.dialog
        assert isinstance(dialog, QMessageBox)
        assert str(file) in dialog.text()
        assert "can do whatever you can" in dialog.informativeText()
        assert not ran.exists()
        press(app, qtbot, answer)
    qtbot.waitUntil(lambda: app.store.state.run.title == "Mine" and len(app.store.state.recorded.traces) == 2)
    qtbot.waitUntil(lambda: all(app.store.state.recorded.traces))
    assert ran.exists()

    state = app.store.state
    assert state.run.models[0].structure.equations.states == ("h", "m")
    assert resolve(state).models[0].layer.equations.words == "LeakyCell"
    app.actions["page_what_if"].trigger()
    editor = app.contents.what_if.editor
    qtbot.waitUntil(editor.isVisible)
    assert not editor.button.isEnabled()
    assert "its operations are not known here" in editor.problem.text()
    app.actions["view_gradients"].trigger()
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.asking))
    assert app.store.state.recorded.asking[0][1].startswith("Step Jacobians of Mine are asked of the engine")
    qtbot.waitUntil(lambda: looked_at(app.store.state, 0).sequence.layers[0].asked is not None, timeout=60_000)
    layer = looked_at(app.store.state, 0).sequence.layers[0]
    assert np.isfinite(flow_of(layer).values).all()
    qtbot.waitUntil(lambda: not app.store.state.recorded.asking)


def test_a_file_is_chosen_on_its_card(
    open_app: OpenApp, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_experiment(small_experiment(), tmp_path / "small.toml")
    app = open_app(tmp_path / "small.toml")
    qtbot.waitUntil(lambda: bool(app.store.state.run.models))
    panel, file = app.contents.experiment, resource("cells/leaky_cell.py")
    monkeypatch.setattr("rnnviz.gui.shell.contents.path_of_cell", lambda *_: file)
    card = panel.cards[0]
    card.rows["cell"].field.chosen.emit("own")
    assert not card.rows["file"].isHidden()
    assert card.rows["num_layers"].isHidden()
    choice = card.rows["file"].field
    choice.chosen.emit(choice.itemData(choice.count() - 1))  # Choose a file…
    assert card.settings.own.file == str(file)
    assert choice.currentText() == "leaky_cell.py"
    assert "leaky_cell.py" in card.header.words

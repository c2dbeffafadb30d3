"""Several seeds in the whole program: asked for, trained, cancelled, gone on with, opened, ended with the window."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from seed_folders import experiment, write_folder
from whole_program import OpenApp

from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.gui.opening import file_dialogs
from rnnviz.gui.seeds.seeds_dialog import SeedsDialog
from rnnviz.gui.shell.app import App
from rnnviz.runs.seeds.index import read_index
from rnnviz.runs.seeds.reading import SeedReader


def states(folder: Path) -> list[str]:
    return [seed.state for seed in SeedReader(folder).read().seeds]


def ready(app: App, qtbot: QtBot, run: Path) -> App:
    qtbot.waitUntil(lambda: app.store.state.run.path == run)
    return app


def dialog_of(app: App) -> SeedsDialog:
    app.actions["several_seeds"].trigger()
    assert app.seeds.dialog is not None
    return app.seeds.dialog


def test_the_dialog_proposes_and_judges(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    app = ready(open_app(run_file), qtbot, run_file)
    dialog = dialog_of(app)
    assert (dialog.count.value(), dialog.first.value()) == (10, 1)
    assert dialog.solved == "accuracy >= 0.99 over 20"
    assert dialog.folder.name == "small"
    assert "10 runs of Vanilla, LSTM: 40 training steps each" in dialog.note.text()
    for text, sentence in (("accuracy", "Solved when: wanted a metric"), ("speed > 1", "has no metric speed")):
        dialog.criterion.setText(text)
        assert sentence in dialog.problem.text()
        assert not dialog.train_button.isEnabled()
    dialog.criterion.setText("")
    assert dialog.train_button.isEnabled()
    dialog.place.setText(" ")
    assert dialog.problem.text() == "Wanted a folder for the runs."
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert app.seeds.dialog is None


def test_seeds_are_trained_beside_the_window_and_opened_in_it(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    app = ready(open_app(run_file), qtbot, run_file)
    dialog = dialog_of(app)
    dialog.count.setValue(2)
    dialog.first.setValue(5)
    dialog.criterion.setText("loss < 0.3 over 4")
    folder = tmp_path / "out"
    dialog.place.setText(str(folder))
    QTest.keyClick(dialog.criterion, Qt.Key.Key_Return)
    assert app.seeds.dialog is None
    qtbot.waitUntil(lambda: app.seeds.window is not None and app.seeds.window.shown is not None)
    window = app.seeds.window
    assert window is not None
    assert read_index(folder).seeds == (5, 6)
    assert read_index(folder).experiments[0].solved == "loss < 0.3 over 4"
    assert window.cancel_button.isVisible()
    qtbot.waitUntil(lambda: app.seeds.training is None)
    assert states(folder) == ["finished"] * 2
    qtbot.waitUntil(lambda: window.state.text() == "2 runs trained")
    assert window.said.text() == f"All seeds in {folder} are trained."
    window.view.selectRow(1)
    window.view.setFocus()
    QTest.keyClick(window.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: app.store.state.run.path == folder / "small-seed-6.rnnviz")
    assert app.store.state.run.seed == 6
    assert window.isVisible()
    qtbot.waitUntil(lambda: None not in app.store.state.recorded.traces)


def test_cancelled_they_can_be_gone_on_with_and_end_with_the_window(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    from rnnviz.runs.seeds.folder import begin

    endless = experiment(training=TrainingSettings(batch_size=4, training_steps=50_000_000))
    folder = tmp_path / "endless"
    begin(folder, [endless], (1, 2), "loss < 0")
    app = ready(open_app(run_file), qtbot, run_file)
    app.open_path(folder)
    window = app.seeds.window
    assert window is not None
    qtbot.waitUntil(lambda: window.train_button.isVisible())
    window.train_button.click()
    qtbot.waitUntil(lambda: states(folder) == ["training"] * 2)
    with pytest.raises(Exception, match="are still being trained"):
        app.seeds.ask()
    window.cancel_button.click()
    qtbot.waitUntil(lambda: app.seeds.training is None)
    assert states(folder) == ["interrupted"] * 2
    assert "goes on with it" in window.said.text()
    qtbot.waitUntil(lambda: window.train_button.isVisible())
    window.train_button.click()
    qtbot.waitUntil(lambda: states(folder) == ["training"] * 2)
    app.window.close()  # what is left behind fails the test
    qtbot.waitUntil(lambda: states(folder) == ["interrupted"] * 2)
    assert not SeedReader(folder).read().trained_now


def test_a_folder_is_opened_from_the_command_line_and_the_menu(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "given"
    write_folder(folder, [experiment()], (2, 3), lambda run, model: 9)
    app = open_app(folder)
    qtbot.waitUntil(lambda: app.seeds.window is not None and app.seeds.window.shown is not None)
    qtbot.waitUntil(lambda: app.store.state.run.path == folder / "adding-seed-2.rnnviz")
    assert app.seeds.window is not None
    assert str(folder) in app.preference_saver.preferences.recent
    QTest.keyClick(app.seeds.window, Qt.Key.Key_Escape)
    assert app.seeds.window is None
    monkeypatch.setattr(file_dialogs.QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    app.actions["open_seeds"].trigger()
    assert app.seeds.window is not None
    monkeypatch.setattr(file_dialogs.QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    told: list[str] = []
    app.store.changed.connect(lambda _, new: told.append(new.notices.message.sentence if new.notices.message else ""))
    app.actions["open_seeds"].trigger()
    assert any("holds no seeds.toml" in sentence for sentence in told)

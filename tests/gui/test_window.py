"""The window on a finished run: keys, clicks, menus, files dropped on it, settings."""

import gc
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QObject, QPoint, QPointF, QProcess, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, close, engine_process_id, press

from rnnviz.core.source import Given
from rnnviz.core.tasks import NextValue
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.figures.picture_dialog import PictureDialog
from rnnviz.gui.live import child
from rnnviz.gui.look.theme import theme
from rnnviz.gui.opening import file_commands, file_dialogs
from rnnviz.gui.opening.data_dialog import DataDialog
from rnnviz.gui.opening.model_dialog import OpenModelDialog
from rnnviz.gui.shell.app import App
from rnnviz.gui.shell.menus.shortcuts_page import ShortcutsPage
from rnnviz.gui.shell.page_commands import PAGES
from rnnviz.gui.state.store import setting

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> App:
    """The program with the finished run of 40 training steps."""
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    return app


def drop(app: App, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0))
    app.window.dropEvent(event)


def test_keys_walk_the_program(app: App) -> None:
    last = app.store.state.program.time_steps
    press(app, Qt.Key.Key_Right, 3)
    assert app.store.state.place.cursor.time_step == 4
    press(app, Qt.Key.Key_End)
    assert app.store.state.place.cursor.time_step == last
    press(app, Qt.Key.Key_End, modifier=CONTROL)
    assert app.store.state.place.cursor.phase is Phase.UPDATE
    assert "the weights change" in app.toolbar.cursor_label.text
    press(app, Qt.Key.Key_Home, modifier=CONTROL)
    assert (app.store.state.place.cursor.phase, app.store.state.place.cursor.time_step) == (Phase.FORWARD, 1)
    press(app, Qt.Key.Key_Left)
    assert app.store.state.place.cursor.time_step == 1
    press(app, Qt.Key.Key_BracketLeft)
    assert app.store.state.place.sample == 3
    assert "sequence 4 of 4" in app.toolbar.cursor_label.text
    press(app, Qt.Key.Key_BracketRight)
    assert app.store.state.place.sample == 0


def test_a_button_and_the_cursor_label_do_what_the_keys_do(app: App, qtbot: QtBot) -> None:
    qtbot.mouseClick(app.toolbar.button("phase_end"), Qt.MouseButton.LeftButton)
    assert app.store.state.place.cursor.time_step == app.store.state.program.time_steps
    press(app, Qt.Key.Key_Left)  # the click left the keys to the lanes
    assert app.store.state.place.cursor.time_step == app.store.state.program.time_steps - 1
    qtbot.mouseClick(app.toolbar.cursor_label, Qt.MouseButton.LeftButton)
    field = app.jump_field.field
    qtbot.waitUntil(app.jump_field.isVisible)
    QTest.keyClicks(field, "5")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert app.store.state.place.cursor.time_step == 5
    assert not app.jump_field.isVisible()


def test_a_field_keeps_what_is_typed_into_it(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    field = next(each for each in app.contents.experiment.findChildren(QLineEdit) if each.isVisible())
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    before = app.store.state
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Space, Qt.Key.Key_T, Qt.Key.Key_Period):
        QTest.keyClick(field, key)
    assert app.store.state.place.cursor == before.place.cursor
    assert app.store.state.recorded.status is None
    assert not app.jump_field.isVisible()
    QTest.keyClick(field, Qt.Key.Key_PageUp, CONTROL)
    QTest.keyClick(app.window, Qt.Key.Key_T, CONTROL)
    assert app.store.state.look.theme == "light"  # what is no typing still is a shortcut


def test_space_presses_a_button_reached_with_tab_only(app: App, qtbot: QtBot) -> None:
    button = app.toolbar.button("program_end")
    button.setFocus(Qt.FocusReason.TabFocusReason)
    app.window.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange, True)
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert app.store.state.place.cursor.phase is Phase.UPDATE
    QTest.keyClick(button, Qt.Key.Key_Left)  # arrows stay with the cursor
    assert app.store.state.place.cursor.phase is Phase.ACCUMULATE
    assert engine_process_id(app) == 0


def test_theme_lanes_and_recent_files_are_remembered(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    background = app.window.grab().toImage().pixelColor(600, 5).lightness()
    press(app, Qt.Key.Key_T, modifier=CONTROL)
    qtbot.waitUntil(lambda: app.window.grab().toImage().pixelColor(600, 5).lightness() > background + 100)
    app.menu_bar.lanes.aboutToShow.emit()
    lane = next(action for action in app.menu_bar.lanes.actions() if action.text() == "Cell state")
    assert lane.isChecked()
    lane.trigger()
    assert app.store.state.look.hidden_lanes == {"cell"}
    close(app)
    again = open_app(run_file)
    assert again.store.state.look.theme == "light"
    assert again.store.state.look.hidden_lanes == {"cell"}
    again.menu_bar.recent.aboutToShow.emit()
    assert [action.text() for action in again.menu_bar.recent.actions()] == [run_file.name]
    qtbot.waitUntil(lambda: again.store.state.run.path == run_file)


def test_a_broken_layout_is_said_once(open_app: OpenApp, run_file: Path, tmp_path: Path, qtbot: QtBot) -> None:
    settings = tmp_path / "config" / "settings.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text('layout = "bm9uc2Vuc2U="\ngeometry = "%%%"\npage = "attic"\ntext_scale = 90\n')
    app = open_app(run_file)
    message = app.store.state.notices.message
    assert message is not None
    assert (message.level, message.sentence) == (
        "warning",
        f"In {settings} the value of text_scale could not be used; its default is. "
        f"In {settings} the value of geometry and layout and page could not be used; its default is.",
    )
    app.window.close()
    again = open_app(run_file)
    said = again.store.state.notices.message
    assert said is None or "could not be used" not in said.sentence
    assert again.store.state.look.page == "cursor"


def test_a_broken_settings_file_is_set_aside_and_said(open_app: OpenApp, run_file: Path, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text("theme = \x00")
    app = open_app(run_file)
    assert "has been set aside" in app.store.state.notices.message.sentence  # type: ignore[union-attr]
    assert list((tmp_path / "config").glob("settings.broken-*.toml"))
    close(app)
    assert (tmp_path / "config" / "settings.toml").exists()


@pytest.mark.parametrize("layout", ["", "AAAA", "not base64 !"])
def test_any_layout_leaves_all_panels_on_the_screen(
    open_app: OpenApp, run_file: Path, tmp_path: Path, layout: str
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text(f'layout = "{layout}"\ngeometry = "{layout}"\n')
    app = open_app(run_file)
    assert app.contents is not None
    for panel in (app.contents.experiment, app.contents.values, app.contents.training, app.contents.lanes):
        assert panel.isVisible()
        assert panel.width() > 100


def test_presentation_shows_the_lanes_alone_and_comes_back(app: App) -> None:
    assert app.contents is not None
    press(app, Qt.Key.Key_F5)
    assert not app.contents.values.isVisible()
    assert app.contents.lanes.isVisible()
    press(app, Qt.Key.Key_F5)
    assert app.contents.values.isVisible()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.rnnviz", b"SQLite format 3\x00 and nothing more"),
        ("empty.rnnviz", b""),
        ("broken.toml", b"rnnviz = 1\nname = "),
        ("latin.toml", b"name = '\xff'"),
    ],
)
def test_a_bad_file_dropped_on_the_window_is_one_sentence(
    app: App, qtbot: QtBot, tmp_path: Path, name: str, content: bytes
) -> None:
    before = app.store.state
    (tmp_path / name).write_bytes(content)
    drop(app, tmp_path / name)
    qtbot.waitUntil(lambda: app.store.state.notices.message is not None)
    assert name in app.message_bar.sentence
    assert app.store.state.recorded.traces is before.recorded.traces
    press(app, Qt.Key.Key_Escape)
    assert app.message_bar.sentence == ""


def test_a_folder_or_a_file_that_is_gone_is_one_sentence(app: App, tmp_path: Path) -> None:
    app.open_path(tmp_path)
    assert "is not a file" in app.message_bar.sentence
    assert "folder of rnnviz sweep" in app.message_bar.sentence
    app.open_path(tmp_path / "gone.rnnviz")
    assert "does not exist" in app.message_bar.sentence
    app.open_path(tmp_path / ("x" * 300))
    assert "File name too long" in app.message_bar.sentence


def test_a_pipe_or_a_device_is_never_read(app: App, tmp_path: Path) -> None:
    for name in ("pipe", "pipe.rnnviz", "pipe.toml"):
        os.mkfifo(tmp_path / name)
        app.open_path(tmp_path / name)
        assert f"{name} is not a file" in app.message_bar.sentence
    app.open_path(Path("/dev/zero"))
    assert "/dev/zero is not a file" in app.message_bar.sentence


def test_a_run_deleted_while_it_is_shown_stays_on_the_screen(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(run_file, tmp_path / "mine.rnnviz"))
    app = open_app(path)
    qtbot.waitUntil(lambda: app.store.state.run.path == path)
    shown = app.store.state.recorded.traces
    path.unlink()
    press(app, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: app.message_bar.sentence == f"{path} was deleted or moved away.")
    assert app.store.state.recorded.traces == shown
    press(app, Qt.Key.Key_Right)
    assert app.store.state.place.cursor.time_step == 2


def test_a_dropped_run_is_shown(app: App, qtbot: QtBot, run_file: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(run_file, tmp_path / "other <b>run.rnnviz"))
    drop(app, path)
    qtbot.waitUntil(lambda: app.store.state.run.path == path)
    assert app.window.windowTitle() == "Small · other <b>run.rnnviz"
    assert app.preference_saver.preferences.recent[0] == str(path)


def test_a_table_is_looked_into_by_a_child_and_asked_about(app: App, qtbot: QtBot, tmp_path: Path) -> None:
    rows = "\n".join(f"{year},{np.sin(year):.3f}" for year in range(200))
    (tmp_path / "waves.csv").write_text(f"year,height\n{rows}\n")
    drop(app, tmp_path / "waves.csv")
    qtbot.waitUntil(lambda: "waves.csv" in app.store.state.notices.busy)
    assert app.contents is not None
    opening = app.contents.opening
    qtbot.waitUntil(lambda: opening.dialog is not None)
    assert isinstance(opening.dialog, DataDialog)
    opening.dialog.accept()
    qtbot.waitUntil(lambda: app.store.state.run.experiment.name == "waves")
    task = app.store.state.run.experiment.task
    assert isinstance(task, NextValue)
    assert task.file == str(tmp_path / "waves.csv")
    assert [model.name for model in app.store.state.run.models] == ["Vanilla", "LSTM"]
    assert opening.dialog is None


def test_a_looked_into_file_can_be_given_up(
    app: App, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(arguments: list[str], parent: QObject) -> QProcess:
        process = QProcess(parent)
        process.setProgram(sys.executable)
        process.setArguments(["-c", "import time; time.sleep(100)"])
        return process

    monkeypatch.setattr(child, "rnnviz_process", endless)
    (tmp_path / "waves.csv").write_text("a,b\n1,2\n3,4\n")
    app.open_path(tmp_path / "waves.csv")
    qtbot.waitUntil(lambda: "Reading" in app.message_bar.sentence)
    qtbot.mouseClick(app.message_bar.button, Qt.MouseButton.LeftButton)
    assert app.store.state.notices.busy == ""
    assert app.message_bar.sentence == ""


def test_a_model_is_opened_traced_and_cannot_be_trained(app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app.session.files.export(tmp_path / "lstm.safetensors", "LSTM")
    qtbot.waitUntil((tmp_path / "lstm.safetensors").exists)
    qtbot.waitUntil(lambda: not app.store.state.notices.busy)
    app.open_path(tmp_path / "lstm.safetensors")
    assert app.contents is not None
    opening = app.contents.opening
    qtbot.waitUntil(lambda: opening.dialog is not None)
    assert isinstance(opening.dialog, OpenModelDialog)
    opening.dialog.accept()
    qtbot.waitUntil(lambda: isinstance(app.store.state.run.source, Given))
    state = app.store.state
    assert state.run.models[0].structure.cell == "lstm"
    assert state.recorded.traces[0] is not None
    assert not app.actions["train"].isEnabled()
    assert not app.actions["save_experiment"].isEnabled()
    app.window.activateWindow()
    qtbot.waitUntil(app.window.isActiveWindow)
    press(app, Qt.Key.Key_Right)
    assert app.store.state.place.cursor.time_step == 2


def test_pictures_are_saved_and_copied(app: App, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "picture.png"
    proposed = []
    monkeypatch.setattr(file_commands, "path_to_save", lambda *asked: proposed.append(asked[3]) or target)
    for key, scale in (("save_lanes_1", 1), ("save_lanes_4", 4), ("save_window_2", 2)):
        app.actions[key].trigger()
        image = QImage(str(target))
        assert app.contents is not None
        drawn = app.window if "window" in key else app.contents.lanes
        assert image.width() % scale == 0
        assert 0 <= drawn.width() - image.width() // scale <= 12  # a scroll bar is not part of the picture
        assert "is saved as" in app.message_bar.sentence
    assert {*proposed} == {"small-training-step-40.png"}
    app.contents.lanes.setFocus()
    app.store.change(place=setting(unit=1))
    focused = app.contents.lanes_image(1)
    app.contents.training.scrubber.setFocus()
    app.store.change(place=setting(unit=-1))
    assert app.contents.lanes_image(1) == focused  # a picture does not say where the keyboard is
    target = tmp_path / "nowhere" / "picture.png"
    app.actions["save_lanes_1"].trigger()
    assert "nowhere" in app.message_bar.sentence
    app.store.say(None)
    app.actions["save_picture"].trigger()
    dialog, lanes, curves = app.window.findChild(PictureDialog), app.contents.lanes, app.contents.training
    wanted = str(lanes.width()), str(lanes.height() + curves.height())
    assert (dialog.width_field.text(), dialog.height_field.text()) == wanted
    dialog.accept()
    assert "nowhere" in app.message_bar.sentence
    app.window.activateWindow()
    qtbot.waitUntil(app.window.isActiveWindow)
    press(app, Qt.Key.Key_C, modifier=CONTROL | SHIFT)
    assert QGuiApplication.clipboard().image().width() > 1000


def test_an_experiment_is_saved_and_opened_again(
    app: App, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_commands, "path_to_save", lambda *_: tmp_path / "mine.toml")
    press(app, Qt.Key.Key_S, modifier=CONTROL)
    assert app.session.files.read_experiment(tmp_path / "mine.toml") == app.store.state.run.experiment
    assert app.preference_saver.preferences.recent[0] == str(tmp_path / "mine.toml")


def test_an_ending_is_added_where_none_was_typed(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_dialogs.QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "a"), ""))
    assert (
        file_dialogs.path_to_save(app.window, app.store, "Save", "a", "Runs (*.rnnviz)", "run") == tmp_path / "a.rnnviz"
    )
    monkeypatch.setattr(file_dialogs.QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    assert file_dialogs.path_to_save(app.window, app.store, "Save", "a", "Runs (*.rnnviz)", "run") is None


def test_the_page_of_shortcuts_opens_and_closes(app: App, qtbot: QtBot) -> None:
    press(app, Qt.Key.Key_F1)
    page = next(each for each in app.window.findChildren(QDialog) if isinstance(each, ShortcutsPage))
    qtbot.waitUntil(page.isVisible)
    QTest.keyClick(page, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not any(isinstance(each, ShortcutsPage) for each in app.window.findChildren(QDialog)))


def test_no_part_of_the_window_keeps_the_ground_of_the_other_theme(app: App, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: None not in app.store.state.recorded.traces)
    for look, other in (("light", "dark"), ("dark", "light")):
        for page in PAGES:
            app.store.change(look=setting(theme=look, page=page.key))
            QApplication.processEvents()
            image = app.window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
            pixels = np.frombuffer(image.constBits(), np.uint32) & 0xFFFFFF
            for ground in (theme(other).background, theme(other).panel, theme(other).raised):
                found = int((pixels == int(ground[1:], 16)).sum())
                assert found < 300, (page.key, ground)  # so few are edges of letters


def test_garbage_is_collected_by_the_gui_thread_only(open_app: OpenApp, run_file: Path) -> None:
    app = open_app(run_file)
    assert not gc.isenabled()
    close(app)
    assert gc.isenabled()


def test_the_window_is_never_smaller_than_its_parts(app: App, qapp: QApplication) -> None:
    app.window.resize(960, 600)
    qapp.processEvents()
    assert app.contents is not None
    for button in app.toolbar.buttons:
        corner = button.mapTo(app.window, QPoint(button.width(), button.height()))
        assert corner.x() <= app.window.width()
    assert app.contents.lanes.width() >= 300

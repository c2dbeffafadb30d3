"""Text zoom by its keys, the presentation, and the scale of the interface."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.gui.look.theme import theme
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.preferences import Preferences, read_preferences, saved_interface_scale, write_preferences
from rnnviz.gui.state.program_folders import settings_path
from rnnviz.gui.state.store import setting

CONTROL, KEYPAD = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.KeypadModifier


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> Iterator[App]:
    """The program with the finished run; its text is as designed again for the tests that follow."""
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.contents is not None and app.store.state.recorded.traces != ())
    yield app
    app.store.change(look=setting(text_scale=1.0, presenting=False))


def test_the_keys_zoom_text_and_what_holds_it_and_are_remembered(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    table = app.contents.values.table
    before = (QApplication.font().pixelSize(), table.height(), app.contents.strip.height(), table.row_at(100))
    picture = app.contents.lanes.image()
    app.store.change(look=setting(page="cursor"))
    for modifier in (CONTROL, CONTROL | KEYPAD):
        press(app, Qt.Key.Key_Plus, modifier=modifier)
    assert app.store.state.look.text_scale == 1.25
    assert QApplication.font().pixelSize() == 16
    assert (table.height(), app.contents.strip.height()) == (round(1.25 * before[1]), round(1.25 * before[2]))
    assert table.row_at(125) == before[3]  # a click finds the row it is on
    assert app.contents.lanes.image().width() >= picture.width()
    assert read_preferences(settings_path())[0].text_scale == 1.25
    press(app, Qt.Key.Key_Minus, modifier=CONTROL)
    assert app.store.state.look.text_scale == 1.1
    press(app, Qt.Key.Key_0, modifier=CONTROL)
    qtbot.wait(1)
    after = (QApplication.font().pixelSize(), table.height(), app.contents.strip.height(), table.row_at(100))
    assert after == before


def test_the_layout_survives_a_presentation_and_quick_zooming(app: App, qtbot: QtBot) -> None:
    window, places = app.window, ("experiment", "values", "training")
    sizes = {name: window._docks[name].size() for name in places}
    before = window.layout_preferences()
    press(app, Qt.Key.Key_F5)
    assert window.layout_preferences() == before  # what a start after quitting here would restore
    press(app, Qt.Key.Key_Escape)
    press(app, Qt.Key.Key_Plus, 6, modifier=CONTROL)  # as a key that is held down
    press(app, Qt.Key.Key_0, modifier=CONTROL)
    qtbot.waitUntil(lambda: {name: window._docks[name].size() for name in places} == sizes)


def test_zooming_keeps_place_and_unit(app: App) -> None:
    press(app, Qt.Key.Key_Right, 2)
    place = app.store.state.place
    press(app, Qt.Key.Key_Plus, modifier=CONTROL)
    assert app.store.state.place == place


def test_there_is_a_largest_and_a_smallest_text(app: App) -> None:
    app.store.change(look=setting(text_scale=0.9))
    press(app, Qt.Key.Key_Minus, 2, modifier=CONTROL)
    assert app.store.state.look.text_scale == 0.8
    assert not app.actions["smaller_text"].isEnabled()
    app.store.change(look=setting(text_scale=1.75))
    press(app, Qt.Key.Key_Plus, 2, modifier=CONTROL)
    assert app.store.state.look.text_scale == 2.0
    assert "200 %" in app.actions.words("normal_text")


def test_a_presentation_enlarges_text_keeps_the_curve_and_is_left_with_escape(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    press(app, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: not app.contents.right.isVisible())
    assert app.contents.training.isVisible()
    assert app.contents.lanes.isVisible()
    assert not app.contents.experiment.isVisible()
    assert 1.5 <= app.store.state.look.scale <= 2.0
    assert "Esc leaves" in app.message_bar.sentence
    press(app, Qt.Key.Key_Plus, modifier=CONTROL)
    assert (app.store.state.look.scale, app.store.state.look.text_scale) == (1.75, 1.0)
    press(app, Qt.Key.Key_Escape)
    qtbot.waitUntil(app.contents.right.isVisible)
    assert app.store.state.look.scale == 1.0
    assert read_preferences(settings_path())[0].presentation_scale == 1.75


def test_no_label_or_button_is_cut_at_one_and_a_half(app: App, qtbot: QtBot) -> None:
    app.window.resize(1280, 800)
    app.store.change(look=setting(text_scale=1.5))
    qtbot.wait(1)
    for part in app.window.findChildren(QLabel) + app.window.findChildren(QPushButton):
        if part.isVisible() and part.text() and not (isinstance(part, QLabel) and part.wordWrap()):
            needed = part.fontMetrics().boundingRect(part.rect(), 0, part.text()).width()
            rich = isinstance(part, QLabel) and "<" in part.text()
            assert rich or part.width() >= needed, part.text()
            assert part.height() >= part.fontMetrics().height() - 2, part.text()


def test_the_interface_scale_is_remembered_and_said_to_come_later(app: App) -> None:
    app.actions["interface_150"].trigger()
    assert "next start" in app.message_bar.sentence
    assert saved_interface_scale(settings_path()) == 1.5
    assert app.actions["interface_150"].isChecked()
    assert not app.actions["interface_100"].isChecked()


@pytest.mark.parametrize("text", ["interface_scale = 9.5", "interface_scale = true", "interface_scale =", ""])
def test_a_broken_interface_scale_is_one(text: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    assert saved_interface_scale(path) == 1.0
    path.write_text(text)
    assert saved_interface_scale(path) == 1.0


def test_a_start_takes_the_interface_scale(tmp_path: Path) -> None:
    write_preferences(Preferences(interface_scale=1.25), settings_path())
    program = (
        "from PySide6.QtCore import QTimer\n"
        "from PySide6.QtWidgets import QApplication\n"
        "import os\n"
        "from rnnviz.gui.shell import app\n"
        "app.App.fill = lambda self: (print(self.window.devicePixelRatioF(), os.environ.get('QT_SCALE_FACTOR'),"
        " flush=True), QApplication.quit())\n"
        "app.run_window(None)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ})
    assert done.stdout.split() == ["1.25", "None"], done.stderr


class Restyled(QObject):
    """Counts how often a widget of the window is made ready for another style."""

    times = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.times += event.type() == QEvent.Type.StyleChange
        return False


@pytest.mark.parametrize("key", [Qt.Key.Key_T, Qt.Key.Key_Plus])
def test_another_theme_or_size_makes_each_widget_ready_a_few_times_at_most(
    app: App, qapp: QApplication, key: Qt.Key
) -> None:
    """On the application instead of the window a style sheet reaches each widget once for every one around it."""
    counted = Restyled()
    widgets = len(app.window.findChildren(QWidget))
    qapp.installEventFilter(counted)
    press(app, key, modifier=Qt.KeyboardModifier.ControlModifier)
    qapp.removeEventFilter(counted)
    assert widgets < counted.times < 2.5 * widgets


def test_a_page_behind_another_wears_the_new_theme_when_it_comes_to_the_front(app: App) -> None:
    assert app.contents is not None
    press(app, Qt.Key.Key_T, modifier=Qt.KeyboardModifier.ControlModifier)
    press(app, Qt.Key.Key_3, modifier=Qt.KeyboardModifier.ControlModifier)
    corner = app.contents.watches.grab().toImage().pixelColor(1, 1)
    assert corner.name() == theme("light").panel

"""The network view in the window: its keys, the other views, the slow walk, and what is remembered."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.debugger.cursor import Phase
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.preferences import read_preferences
from rnnviz.gui.state.store import setting

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> App:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    qtbot.waitUntil(lambda: bool(app.store.state.walkable.lengths))
    app.store.change(look=setting(animated=False))
    return app


def test_keys_change_the_view_and_keep_the_cursor(app: App, qtbot: QtBot) -> None:
    press(app, Qt.Key.Key_Right, 4)
    cursor = app.store.state.place.cursor
    assert app.contents is not None
    centre = app.contents.centre
    press(app, Qt.Key.Key_2)
    assert centre.network is not None
    assert centre.front is centre.network
    assert app.contents.switcher.crumbs.isVisible()
    assert app.store.state.place.cursor == cursor
    qtbot.waitUntil(lambda: centre.network is not None and bool(centre.network.drawing.texts))
    assert f"t {cursor.time_step}" in centre.network.drawing.texts
    press(app, Qt.Key.Key_I, 3)
    assert app.store.state.look.level == "inside"
    press(app, Qt.Key.Key_O)
    assert app.store.state.look.level == "unrolled"
    assert read_preferences(app.preference_saver._path)[0].view == "network"
    press(app, Qt.Key.Key_1)
    assert centre.front is app.contents.lanes
    assert not app.contents.switcher.crumbs.isVisible()
    assert read_preferences(app.preference_saver._path)[0].view == "lanes"


def test_the_tabs_and_the_breadcrumb_are_pressed(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    tabs, crumbs = app.contents.switcher.tabs, app.contents.switcher.crumbs
    qtbot.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(1).center())
    assert app.store.state.look.view == "network"
    for level in ("folded", "inside", "unrolled"):
        qtbot.mouseClick(crumbs, Qt.MouseButton.LeftButton, pos=crumbs.places[level].center().toPoint())
        assert app.store.state.look.level == level


def test_the_keyboard_goes_with_the_view(app: App) -> None:
    assert app.contents is not None
    app.contents.focus_centre()
    press(app, Qt.Key.Key_2)
    assert app.contents.centre.front.hasFocus()
    press(app, Qt.Key.Key_1)
    assert app.contents.lanes.hasFocus()


def test_a_slow_walk_goes_on_by_itself_and_ends(app: App, qtbot: QtBot) -> None:
    app.store.change(look=setting(walk_speed=30.0))
    press(app, Qt.Key.Key_W)
    assert app.store.state.look.walking == 1
    assert app.actions.words("slow_walk") == "Stop the slow walk"
    qtbot.waitUntil(lambda: app.store.state.place.cursor.time_step >= 4)
    press(app, Qt.Key.Key_W)
    assert app.store.state.look.walking == 0
    stopped = app.store.state.place.cursor
    press(app, Qt.Key.Key_W, modifier=SHIFT)
    qtbot.waitUntil(lambda: app.store.state.look.walking == 0, timeout=20000)
    cursor = app.store.state.place.cursor
    assert (cursor.phase, cursor.time_step) == (Phase.FORWARD, 1), "back at the start it ends"
    assert stopped.time_step >= 4
    assert not app.slow_walk._timer.isActive()


def test_its_speed_is_set_and_remembered(app: App) -> None:
    before = app.store.state.look.walk_speed
    press(app, Qt.Key.Key_Up, 2, SHIFT)
    assert app.store.state.look.walk_speed == 4 * before
    press(app, Qt.Key.Key_Down, modifier=SHIFT)
    assert app.store.state.look.walk_speed == 2 * before
    assert read_preferences(app.preference_saver._path)[0].walk_speed == 2 * before

"""The menu behind the button on the left: the arrow keys alone reach every command, the mouse goes into each menu."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.gui.shell.app import App


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> Iterator[App]:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file and None not in app.store.state.recorded.traces)
    yield app
    app.menus.close()  # and what was opened from it


def entries(menu: QMenu) -> list[QAction]:
    return [action for action in menu.actions() if action.isEnabled() and not action.isSeparator()]


def front() -> QMenu:
    """The menu that keys go to."""
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def reached_by_keys(submenus: Collection[str]) -> Iterator[QAction]:
    """Everything below the menu in front: down through its entries, right into those that have more."""
    menu = front()
    for number, entry in enumerate(entries(menu)):
        if number or menu.activeAction() is None:
            QTest.keyClick(menu, Qt.Key.Key_Down)
        assert menu.activeAction() is entry
        if entry.text() in submenus:
            QTest.keyClick(menu, Qt.Key.Key_Right)
            assert front().title() == entry.text()
            yield from reached_by_keys(submenus)
            QTest.keyClick(front(), Qt.Key.Key_Escape)  # ← would go to the left column of a menu in two
            assert front() is menu
        else:
            yield entry


def test_the_arrow_keys_reach_every_command(app: App, qtbot: QtBot) -> None:
    press(app, Qt.Key.Key_F10)
    qtbot.waitUntil(app.menus.isVisible)
    reached = list(reached_by_keys({menu.title() for menu in app.menus.findChildren(QMenu)}))
    wanted = [command.key for command in app.actions.commands.values() if command.menu]
    assert len(wanted) > 50
    assert {key for key in wanted if app.actions[key].isEnabled()} <= {action.property("command") for action in reached}
    assert {"Hidden state", "small.rnnviz"} <= {action.text() for action in reached}  # lists made as they open
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Return):
        QTest.keyClick(front(), key)
    assert app.store.state.place.cursor.time_step == 2  # Debug, Step forward


def test_the_mouse_enters_the_menu_and_its_submenus(app: App, qtbot: QtBot) -> None:
    qtbot.mouseClick(app.toolbar.menu_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(app.menus.isVisible)
    assert not any(menu.isVisible() for menu in app.menus.menus.values())  # open before the mouse came, it would close
    menu = app.menus
    for words in ("File", "Lessons"):
        entry = next(action for action in entries(menu) if action.text() == words)
        middle = menu.actionGeometry(entry).center()
        for x in (3, middle.x()):
            QTest.mouseMove(menu, QPoint(x, middle.y()))
        qtbot.waitUntil(lambda words=words: front().title() == words)
        menu = front()
    lesson = entries(menu)[1]
    QTest.mouseMove(menu, menu.actionGeometry(lesson).center())
    qtbot.waitUntil(lambda: menu.activeAction() is lesson)
    assert app.menus.menus["File"].isVisible()

"""The menu bar: the arrow keys alone reach every command, the mouse goes into each menu, and no entry is covered."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QToolTip
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.gui.shell.app import App

ALT = Qt.KeyboardModifier.AltModifier
LOWEST_SCREEN = 720  # pixels: no menu may need more


GROUPS = {
    "File": [
        ["Lessons", "Examples", "Open …", "Open recent", "Runs …", "Continue with the last run"],
        ["Save run as …", "Save experiment …", "Export model …"],
        ["Save picture", "Copy picture"],
        ["Quit"],
    ],
    "Training": [
        ["Train on", "One training step", "Reset"],
        ["Earlier in training", "Later in training", "Back to live", "Record training batches"],
        ["Ask for step Jacobians", "Several seeds …", "Open sweep of seeds …"],
    ],
    "Debug": [
        ["Step forward", "Step back", "Step into", "Step into, back", "Step out", "Step out, back"],
        ["Go to …", "Run to", "Look at", "Slow walk"],
        ["Breakpoint here", "Bookmark here", "Continue"],
        ["What-if"],
        ["Check the gradients"],
        ["Go there", "Disable this breakpoint"],
    ],
    "What-if": [
        ["Undo what-if", "Redo what-if"],
        ["Show the difference", "Back to history", "Train on from here"],
        ["Copy what-if as text", "Paste what-if"],
    ],
    "View": [
        ["Page", "Lanes", "Centre", "Network", "Gradient cards"],
        ["Light theme", "Text size", "Interface scale"],
        ["Presentation", "Full screen", "Reset layout"],
        ["Memory for traces …"],
        ["Next area", "Previous area"],
    ],
    "Help": [["Find a command …", "Keyboard shortcuts"], ["About rnnviz"]],
}  # of menus, the names of their entries


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> Iterator[App]:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file and None not in app.store.state.recorded.traces)
    yield app
    for menu in app.menu_bar.findChildren(QMenu):
        menu.close()


def entries(menu: QMenu) -> list[QAction]:
    return [action for action in menu.actions() if action.isEnabled() and not action.isSeparator()]


def groups(menu: QMenu) -> list[list[str]]:
    found = list[list[str]]([[]])
    for action in menu.actions():
        if action.isSeparator():
            found.append([])
        else:
            found[-1].append(action.text())
    return found


def front() -> QMenu:
    """The menu that keys go to."""
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def lit() -> tuple[str, str]:
    """The menu in front and its entry that Enter takes."""
    action = front().activeAction()
    return front().title().replace("&", ""), action.text() if action is not None else ""


def menu_key(key: Qt.Key, times: int = 1) -> None:
    for _ in range(times):
        QTest.keyClick(front(), key)


def reached_by_keys(submenus: Collection[str]) -> Iterator[QAction]:
    """Everything in the menu in front: down through its entries, right into those that have more."""
    menu = front()
    for number, entry in enumerate(entries(menu)):
        if number:
            menu_key(Qt.Key.Key_Down)
        assert menu.activeAction() is entry
        if entry.text() in submenus and not entry.property("command"):
            menu_key(Qt.Key.Key_Right)
            assert lit() == (entry.text(), entries(front())[0].text())
            yield from reached_by_keys(submenus)
            menu_key(Qt.Key.Key_Left)
            assert front() is menu
        else:
            yield entry


def test_the_arrow_keys_reach_every_command(app: App) -> None:
    submenus = {menu.title() for menu in app.menu_bar.findChildren(QMenu)}
    press(app, Qt.Key.Key_F10)
    reached = []
    for name in ("File", "Training", "Debug", "View", "Help"):
        assert lit()[0] == name
        reached += list(reached_by_keys(submenus))
        menu_key(Qt.Key.Key_Right)  # from the last entry, which has no submenu: on to the next menu
    assert lit()[0] == "File"  # round at the end
    wanted = [command.key for command in app.actions.commands.values() if command.menu]
    assert len(wanted) > 50
    assert {key for key in wanted if app.actions[key].isEnabled()} <= {action.property("command") for action in reached}
    assert {"Hidden state", "small.rnnviz"} <= {action.text() for action in reached}  # lists made as they open


def test_each_menu_is_in_groups(app: App) -> None:
    """What belongs together stands between two lines."""
    submenus = {menu.title().replace("&", ""): menu for menu in app.menu_bar.findChildren(QMenu)}
    found = {name: groups(submenus[name]) for name in GROUPS}
    assert found == GROUPS


def test_f10_opens_the_first_menu_and_keys_go_where_the_light_is(app: App) -> None:
    press(app, Qt.Key.Key_F10)
    assert lit() == ("File", "Lessons")
    menu_key(Qt.Key.Key_Right)
    assert lit() == ("Lessons", "First lesson")
    menu_key(Qt.Key.Key_Down)
    assert lit() == ("Lessons", "The gate opens")  # and not Examples, a level above
    menu_key(Qt.Key.Key_Right)
    assert lit() == ("Training", "Train on")
    menu_key(Qt.Key.Key_Right)
    menu_key(Qt.Key.Key_Return)
    assert QApplication.activePopupWidget() is None
    assert app.store.state.place.cursor.time_step == 2  # Debug, Step forward


def test_alt_and_a_letter_open_a_menu_from_a_field_too(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    field = next(each for each in app.contents.experiment.findChildren(QLineEdit) if each.isVisible())
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    typed = field.text()
    for letter, menu, first in (
        (Qt.Key.Key_V, "View", "Page"),
        (Qt.Key.Key_T, "Training", "Train on"),
        (Qt.Key.Key_D, "Debug", "Step forward"),
    ):
        QTest.keyClick(field, letter, ALT)
        assert lit() == (menu, first)
        menu_key(Qt.Key.Key_Escape, 1)
        qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)
        app.menu_bar.setActiveAction(None)  # type: ignore[arg-type]  # as a second Esc
        field.setFocus()
    assert field.text() == typed


def test_the_mouse_enters_a_menu_and_its_submenus(app: App, qtbot: QtBot) -> None:
    bar, file_menu = app.menu_bar, app.menu_bar.menus["File"]
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.actionGeometry(file_menu.menuAction()).center())
    qtbot.waitUntil(file_menu.isVisible)
    lessons = entries(file_menu)[0]
    middle = file_menu.actionGeometry(lessons).center()
    for x in (3, middle.x()):
        QTest.mouseMove(file_menu, QPoint(x, middle.y()))
    qtbot.waitUntil(lambda: front().title() == "Lessons")
    menu = front()
    lesson = entries(menu)[1]
    QTest.mouseMove(menu, menu.actionGeometry(lesson).center())
    qtbot.waitUntil(lambda: menu.activeAction() is lesson)
    assert file_menu.isVisible()


def test_no_menu_is_higher_than_a_low_screen(app: App) -> None:
    for menu in app.menu_bar.findChildren(QMenu):
        menu.aboutToShow.emit()
        assert menu.sizeHint().height() <= LOWEST_SCREEN, menu.title()
    debug = app.menu_bar.menus["Debug"]
    commands = [command for command in app.actions.commands.values() if command.menu == "Debug"]
    assert len(entries(debug)) < len(commands) / 2


def test_the_status_bar_says_what_an_entry_does_and_nothing_covers_it(app: App) -> None:
    press(app, Qt.Key.Key_F10)
    menu_key(Qt.Key.Key_Right, 3)
    menu_key(Qt.Key.Key_Down, 2)
    status = app.window.statusBar()
    assert status.currentMessage() == app.actions.explanation("step_into")
    assert not QToolTip.isVisible()
    assert not any(menu.toolTipsVisible() for menu in app.menu_bar.findChildren(QMenu))
    menu_key(Qt.Key.Key_Escape)
    assert status.currentMessage() == ""

from pathlib import Path

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, close

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.commands.actions import Actions, Command, Face, key_words
from rnnviz.gui.commands.needs import need
from rnnviz.gui.state.store import Store, setting


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    return window


def test_menu_tooltip_and_state_come_from_the_record(window: QMainWindow) -> None:
    store, ran = Store(), []
    commands = (
        Command("a", "Alpha", "does alpha", lambda: ran.append("a"), "File", ("Ctrl+K", "Right"), "open"),
        Command(
            "b",
            "Beta",
            "does beta",
            lambda: ran.append("b"),
            "File",
            section=1,
            enabled=need(lambda state: not state.notices.busy, "something else is running"),
        ),
        Command("c", "Gamma", "does gamma", lambda: ran.append("c"), "File", section=1, submenu="More"),
        Command("d", "Other", "elsewhere", lambda: ran.append("d"), "View"),
    )
    actions = Actions(commands, store, window)
    menu = QMenu(window)
    actions.fill(menu, "File")
    assert [action.text() or "-" for action in menu.actions()] == ["Alpha", "-", "Beta", "More"]
    assert actions["a"].toolTip() == "Alpha: does alpha  (Ctrl+K or →)"
    assert not actions["a"].icon().isNull()
    actions["a"].trigger()
    store.say(busy="at work")
    assert not actions["b"].isEnabled()
    assert actions["b"].toolTip() == "Beta: does beta\nNot now: something else is running"
    assert actions.explanation("b") == "Beta: does beta"
    store.say(busy="")
    assert actions["b"].toolTip() == "Beta: does beta"
    actions["b"].trigger()
    assert ran == ["a", "b"]


def test_a_menu_is_in_the_order_of_its_sections(window: QMainWindow) -> None:
    def command(key: str, section: int, submenu: str = "", part: int = 0) -> Command:
        return Command(key, key, "does it", lambda: None, "Debug", section=section, submenu=submenu, part=part)

    commands = (
        command("late", 4), command("first", 0), command("into", 2, "More", 1), command("mark", 2),
        command("onto", 2, "More"), command("second", 0),
    )  # fmt: skip
    menu = QMenu(window)
    Actions(commands, Store(), window).fill(menu, "Debug")
    assert [action.text() or "-" for action in menu.actions()] == ["first", "second", "-", "More", "mark", "-", "late"]
    (more,) = (one for one in menu.findChildren(QMenu) if one.title() == "More")
    assert [action.text() or "-" for action in more.actions()] == ["onto", "-", "into"]


def test_missing_things_are_told_in_their_order() -> None:
    both = need(lambda state: bool(state.notices.busy), "first") & need(lambda state: state.look.page == "x", "second")
    store = Store()
    assert both.missing(store.state) == "first"
    store.say(busy="at work")
    assert (both.missing(store.state), both(store.state)) == ("second", False)
    store.change(look=setting(page="x"))
    assert (both.missing(store.state), both(store.state)) == (None, True)


def test_a_command_with_two_faces_and_a_tick(window: QMainWindow) -> None:
    store = Store()
    face = Command(
        "x", "Light", "theme", lambda: store.change(look=setting(theme="light")),
        face=lambda state: Face(state.look.theme, "theme"),
    )  # fmt: skip
    tick = Command("y", "Shown", "tick", lambda: None, checked=lambda state: state.look.theme == "light")
    actions = Actions((face, tick), store, window)
    assert actions.words("x") == "dark"
    assert not actions["y"].isChecked()
    actions["x"].trigger()
    assert actions.words("x") == "light"
    assert actions["x"].toolTip().startswith("light: ")
    assert actions["y"].isChecked()
    actions["y"].trigger()
    assert actions["y"].isChecked()  # the state says so, not the click


def test_what_cannot_be_done_is_a_sentence(window: QMainWindow) -> None:
    def refuse() -> None:
        raise RnnvizError("The folder is full.")

    store = Store()
    Actions((Command("x", "X", "x", refuse),), store, window)["x"].trigger()
    assert store.state.notices.message is not None
    assert store.state.notices.message.sentence == "The folder is full."


def test_keys_as_the_keyboard_says_them() -> None:
    assert key_words("Right") == "→"
    assert key_words("Ctrl+R") == "Ctrl+R"
    assert key_words("PgUp") == "Page up"


def test_all_commands_of_the_window_explain_themselves_and_no_key_is_used_twice(
    open_app: OpenApp, run_file: Path
) -> None:
    app = open_app(run_file)
    keys: dict[str, str] = {}
    for command in app.actions.commands.values():
        assert command.tooltip
        for shortcut in command.shortcuts:
            sequence = QKeySequence(shortcut).toString()
            assert sequence, shortcut
            assert keys.setdefault(sequence, command.key) == command.key, sequence
    for key in ("train", "training_step", "reset", "step_forward", "step_back", "live", "jump", "open", "shortcuts"):
        assert app.actions.commands[key].shortcuts
    for button in app.toolbar.buttons:
        assert button.toolTip()
    close(app)

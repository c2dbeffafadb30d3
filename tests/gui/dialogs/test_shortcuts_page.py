"""The page of shortcuts says what the command records say, all of it at once."""

import gc
from pathlib import Path

from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot
from whole_program import OpenApp

from rnnviz.gui.commands.actions import Actions, Command
from rnnviz.gui.shell.menus.shortcuts_page import ShortcutsPage, columns, sections
from rnnviz.gui.state.store import Store

COMMANDS = (
    Command("train", "Train", "let all models learn", lambda: None, "Training", ("Space",)),
    Command("back", "Step back …", "one point back", lambda: None, "Debug", ("Left", "B")),
    Command("quiet", "No key", "has none", lambda: None, "Debug"),
    Command("hidden", "Cancel", "stops what is slow", lambda: None, "", ("Esc",)),
    *(Command(f"run_{key}", f"Run {key}", "runs", lambda: None, "Debug", (key,), submenu="Run to") for key in "XYZ"),
    Command("few", "Lesson", "the first", lambda: None, "File", ("Ctrl+N",), submenu="Lessons"),
)


def test_commands_with_a_key_by_menu_and_large_submenu() -> None:
    found = {name: [command.key for command in commands] for name, commands in sections(COMMANDS).items()}
    assert found == {
        "Training": ["train"],
        "Debug": ["back"],
        "Debug › Run to": ["run_X", "run_Y", "run_Z"],
        "File": ["few"],
        "Elsewhere": ["hidden"],
    }


def test_sections_keep_their_order_in_columns_of_like_length() -> None:
    assert columns({"a": 4, "b": 1, "c": 2, "d": 3, "e": 1}) == [["a"], ["b", "c"], ["d", "e"]]
    assert columns({"a": 1}) == [["a"]]


def test_every_key_is_on_the_page(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    store = Store()
    page = ShortcutsPage(store, Actions(COMMANDS, store, window), window)
    page.show()
    words = [label.text() for label in page.findChildren(QLabel)]
    for expected in ("Training", "Space", "Train", "←", "B", "Step back", "Esc", "Debug › Run to"):
        assert expected in words
    assert "No key" not in words
    tips = [label.toolTip() for label in page.findChildren(QLabel)]
    assert "Train: let all models learn  (Space)" in tips
    page.grab()
    page.close()


def test_the_whole_page_fits_a_small_screen(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    app = open_app(run_file)
    app.actions["shortcuts"].trigger()
    app.actions["shortcuts"].trigger()  # once more: the same page
    (page,) = app.window.findChildren(ShortcutsPage)
    wanted = page.area.widget().sizeHint()
    outside = page.size() - page.area.viewport().size()
    assert wanted.width() + outside.width() <= 1280
    assert wanted.height() + outside.height() <= 800 - 40  # with the frame of a desktop's window
    gc.collect()  # which took it while it was on the screen, where only its parent held it
    assert page.isVisible()
    page.close()
    qtbot.waitUntil(lambda: not app.window.findChildren(ShortcutsPage))

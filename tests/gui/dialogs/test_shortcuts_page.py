"""The page of shortcuts says what the command records say."""

from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from rnnviz.gui.commands.actions import Actions, Command
from rnnviz.gui.shell.shortcuts_page import ShortcutsPage, sections
from rnnviz.gui.state.store import Store

COMMANDS = (
    Command("train", "Train", "let all models learn", lambda: None, "Training", ("Space",)),
    Command("back", "Step back …", "one point back", lambda: None, "Debug", ("Left", "B")),
    Command("quiet", "No key", "has none", lambda: None, "Debug"),
    Command("hidden", "Cancel", "stops what is slow", lambda: None, "", ("Esc",)),
)


def test_commands_with_a_key_by_menu() -> None:
    found = {name: [command.key for command in commands] for name, commands in sections(COMMANDS).items()}
    assert found == {"Training": ["train"], "Debug": ["back"], "Elsewhere": ["hidden"]}


def test_every_key_is_on_the_page(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    page = ShortcutsPage(Actions(COMMANDS, Store(), window), window)
    page.show()
    words = [label.text() for label in page.findChildren(QLabel)]
    for expected in ("Training", "Space", "Train", "let all models learn", "←", "B", "Step back", "Esc"):
        assert expected in words
    assert "No key" not in words
    page.grab()
    page.close()

"""The command palette: found by letters, given by Enter or a click; says why not, and remembers what was given."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.debugger.cursor import Phase
from rnnviz.gui.look.theme import theme
from rnnviz.gui.shell.app import App
from rnnviz.gui.shell.menus.command_palette import CommandPalette

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> Iterator[App]:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file and None not in app.store.state.recorded.traces)
    yield app
    for palette in app.window.findChildren(CommandPalette):
        palette.hide()


def ask(app: App, typed: str = "") -> CommandPalette:
    press(app, Qt.Key.Key_P, modifier=CONTROL | SHIFT)
    palette = QApplication.activePopupWidget()
    assert isinstance(palette, CommandPalette)
    QApplication.processEvents()  # as any person leaves the time for
    QTest.keyClicks(palette.field, typed)
    return palette


def test_letters_and_enter_give_a_command(app: App, qtbot: QtBot) -> None:
    palette = ask(app, "eots")
    chosen = palette.chosen
    assert chosen is not None
    assert (chosen.words, chosen.keys, chosen.place) == ("End of the training step", "Ctrl+End", "Debug › Run to")
    assert "End of the training step, Ctrl+End" in palette.field.accessibleDescription()
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible()
    qtbot.waitUntil(lambda: app.store.state.place.cursor.phase is Phase.UPDATE)


def test_what_was_given_last_stands_first_in_the_next_start_too(
    app: App, open_app: OpenApp, qtbot: QtBot, run_file: Path
) -> None:
    def look() -> tuple[str, str]:
        return app.store.state.look.theme, app.store.state.look.page

    for typed, wanted in (
        ("light theme", ("light", "cursor")),
        ("page variables", ("light", "variables")),
        ("dark theme", ("dark", "variables")),
    ):
        QTest.keyClick(ask(app, typed).field, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda wanted=wanted: look() == wanted)
    palette = ask(app)
    assert [entry.key for entry in palette.entries[:2]] == ["theme", "page_variables"]
    assert palette.entries[1].checked
    assert palette.entries[1].place == "recent · View › Page"
    assert {entry.key for entry in palette.entries} == set(app.actions.commands) - {"find_command"}
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    app.window.close()
    again = open_app(run_file)
    assert [entry.key for entry in ask(again).entries[:2]] == ["theme", "page_variables"]


def test_what_cannot_be_given_says_why(app: App) -> None:
    palette = ask(app, "next layer")
    chosen = palette.chosen
    assert chosen is not None
    assert chosen.why_not == "the model has only one layer"
    assert "not now: the model has only one layer" in palette.field.accessibleDescription()
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
    assert palette.note.text() == "Next layer is not possible now: the model has only one layer."
    assert "Not now: the model has only one layer" in app.actions["layer_above"].toolTip()


def test_the_arrows_and_the_mouse_choose(app: App, qtbot: QtBot) -> None:
    palette = ask(app, "sequence")
    first, second = (entry.key for entry in palette.entries[:2])
    assert (first, second) == ("next_sequence", "previous_sequence")
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    assert palette.chosen is not None
    assert palette.chosen.key == second
    QTest.keyClick(palette.field, Qt.Key.Key_Up)
    QTest.keyClick(palette.field, Qt.Key.Key_Up)  # round at the end
    assert palette.chosen.key == palette.entries[-1].key
    row = palette.found.visualRect(palette.found.model().index(1, 0))
    qtbot.mouseClick(palette.found.viewport(), Qt.MouseButton.LeftButton, pos=row.center())
    qtbot.waitUntil(lambda: app.store.state.place.sample == 3)


def test_the_row_that_is_chosen_stands_out(app: App) -> None:
    palette = ask(app, "sequence")
    look = theme(app.store.state.look.theme)
    for chosen in (0, 1):
        image = palette.found.viewport().grab().toImage()
        for row in range(3):
            box = palette.found.visualRect(palette.found.model().index(row, 0))
            ground = image.pixelColor(box.left() + 5, box.center().y()).name()
            assert (ground == look.raised) == (row == chosen)
        QTest.keyClick(palette.field, Qt.Key.Key_Down)


def test_nothing_found_is_said_and_enter_does_nothing(app: App) -> None:
    palette = ask(app, "xyzzy")
    assert palette.entries == ()
    assert "No command" in palette.note.text()
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
    QTest.keyClick(palette.field, Qt.Key.Key_Backspace)
    palette.field.clear()
    assert "Enter" in palette.note.text()

"""What a screen reader says: controls by their labels, the numbers at the cursor by cells, the lanes one by one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from whole_program import OpenApp

from rnnviz.gui.live.question import Question
from rnnviz.gui.opening.data_dialog import DataDialog
from rnnviz.gui.opening.model_dialog import OpenModelDialog
from rnnviz.gui.opening.question_dialog import QuestionDialog
from rnnviz.gui.shell.app import App
from rnnviz.gui.shell.keyboard.reading_order import controls
from rnnviz.gui.shell.page_commands import PAGES
from rnnviz.gui.state.store import setting
from rnnviz.gui.state.window import Message
from rnnviz.gui.widgets.marked_text import plain

NAME, VALUE, ROLE = QAccessible.Text.Name, QAccessible.Text.Value, QAccessible.Role
TABLE: dict[str, Any] = {
    "kind": "csv",
    "path": "/data/weather.csv",
    "rows": 200,
    "newest_first": True,
    "columns": [
        {"name": "low", "numeric": True, "count": 198, "gaps": 2},
        {"name": "high", "numeric": True, "count": 200},
    ],
}
TEXT: dict[str, Any] = {
    "kind": "text",
    "path": "/data/poems.txt",
    "characters": 900,
    "alphabet": "abc",
    "encoding": "cp1252",
}
SIZES: dict[str, Any] = {"input_size": 4, "hidden_size": 16, "num_layers": 1, "bidirectional": False, "notes": []}
MODELS: dict[str, Any] = {
    "kind": "state dict",
    "path": "/models/speech.pt",
    "notes": [],
    "modules": [
        {"prefix": "encoder.", "title": "encoder", "cell": "lstm", **SIZES},
        {"prefix": "old.", "title": "old", "cell": "vanilla", **SIZES}
        | {"activations": ["tanh", "relu"], "activation": "tanh", "hint": "", "guess": True},
    ],
}


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> App:
    """The program with a finished run of two models."""
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file and bool(app.store.state.recorded.traces))
    return app


def spoken(widget: QWidget) -> QAccessibleInterface:
    found = QAccessible.queryAccessibleInterface(widget)
    assert found is not None
    return found


def nameless(widgets: list[QWidget]) -> list[str]:
    """The controls of which is said nothing, or nothing but what stands in them."""
    found = []
    for widget in widgets:
        name, shown = spoken(widget).text(NAME).strip(), set[str]()
        if isinstance(widget, QComboBox):
            shown = {widget.currentText()}
        elif isinstance(widget, QLineEdit):
            shown = {widget.text()}
        if not name or name in shown or not any(letter.isalpha() for letter in name):
            found.append(f"{type(widget).__name__} “{name}” {widget.toolTip()}")
    return found


def test_every_control_of_the_window_has_a_name(app: App) -> None:
    assert app.contents is not None
    for card in app.contents.experiment.cards:
        card.header.setChecked(True)
    app.store.change(debugging=setting(watches=("norm(h[t])", "max(abs(c[t]))")))
    for page in PAGES:
        app.store.change(look=setting(page=page.key))
        found = controls(app.window)
        assert len(found) > 30
        assert nameless(found) == []


def test_fields_say_their_label_and_what_is_chosen(app: App) -> None:
    assert app.contents is not None
    for words, row in (
        ("Optimiser", app.contents.experiment.training_form.rows["optimiser"]),
        ("Hidden units", app.contents.experiment.cards[1].rows["hidden_size"]),
        ("Task", app.contents.experiment.task_form.kind_row),
    ):
        assert spoken(row.field).text(NAME) == words == row.label.text()
    chosen = spoken(app.contents.experiment.task_form.kind)
    assert (chosen.text(VALUE), chosen.role()) == ("adding", ROLE.ComboBox)
    assert chosen.text(QAccessible.Text.Description).startswith("adding. ")


def test_messages_and_the_row_gone_to_are_read_aloud_where_somebody_listens(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.contents is not None
    heard = list[str]()

    def hear(event: QAccessibleEvent) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            heard.append(event.message())

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    for listening in (False, True):
        monkeypatch.setattr(QAccessible, "isActive", lambda listening=listening: listening)
        app.store.say(Message("info", f"It is {listening}."))
        QTest.keyClick(app.contents.values.table, Qt.Key.Key_Home)
    message, row = heard
    assert message == "It is True."
    assert row.startswith(f"{plain(app.contents.values.table.rows[0].words)}, Vanilla ")


def test_any_choice_says_its_label(app: App, qtbot: QtBot) -> None:
    """Those of Qt's own dialogs, too."""
    dialog = QWidget()
    qtbot.addWidget(dialog)
    label, choice = QLabel("&Which model"), QComboBox()
    choice.addItems(["Vanilla", "LSTM"])
    label.setBuddy(choice)
    column = QVBoxLayout(dialog)
    column.addWidget(label)
    column.addWidget(choice)
    assert spoken(choice).text(NAME) == "Which model"


@pytest.mark.parametrize(
    "make",
    [
        lambda: DataDialog(TABLE, "dark"),
        lambda: DataDialog(TEXT, "light"),
        lambda: OpenModelDialog(MODELS),
        lambda: QuestionDialog(Question("Delete", "Delete it?", "It is gone then.", "Delete", lambda: None)),
    ],
)
def test_every_control_of_a_dialog_has_a_name(qtbot: QtBot, make: Callable[[], QWidget]) -> None:
    dialog = make()
    qtbot.addWidget(dialog)
    dialog.show()
    pages = 1
    if isinstance(dialog, OpenModelDialog):
        dialog.modules.selectRow(1)
        pages = len(dialog.sources.buttons())
    for page in range(pages):
        if isinstance(dialog, OpenModelDialog):
            dialog.sources.button(page).setChecked(True)
        found = controls(dialog)
        assert len(found) > 1
        assert nameless(found) == []


def test_the_pages_and_popups_of_the_window_have_names(app: App) -> None:
    app.actions["jump"].trigger()
    assert nameless(controls(app.jump_field)) == []
    app.jump_field.hide()
    app.actions["shortcuts"].trigger()
    page = next(one for one in app.window.children() if one.metaObject().className() == "ShortcutsPage")
    assert isinstance(page, QWidget)
    assert nameless(controls(page)) == []
    page.close()


def test_the_numbers_at_the_cursor_are_cells(app: App) -> None:
    assert app.contents is not None
    panel = app.contents.values
    table = spoken(panel.table)
    assert (table.text(NAME), table.role()) == ("Numbers at the cursor", ROLE.Table)
    parts = [table.child(number) for number in range(table.childCount())]
    heads = [part.text(NAME) for part in parts if part.role() is ROLE.ColumnHeader]
    assert heads == ["Vanilla", "LSTM"]
    cells = [part for part in parts if part.role() is ROLE.Cell]
    assert len(cells) == 2 * len(panel.table.rows)
    for row, place in ((row, 2 * n) for n, row in enumerate(panel.table.rows)):
        assert [cell.text(NAME) for cell in cells[place : place + 2]] == [cell or "none" for cell in row.cells]
        assert cells[place + 1].text(QAccessible.Text.Description).startswith(plain(row.words))
        assert cells[place + 1].text(QAccessible.Text.Description).endswith("LSTM")
    before = cells[2].text(NAME)
    app.actions["step_forward"].trigger()
    assert cells[2].text(NAME) == (panel.table.rows[1].cells[0] or "none") != before  # always what stands there now
    corner = panel.table.mapToGlobal(panel.table.row_center(1))
    assert table.childAt(corner.x(), corner.y()).text(NAME).startswith(plain(panel.table.rows[1].words))


def test_lanes_and_curves_have_names(app: App) -> None:
    assert app.contents is not None
    lanes = spoken(app.contents.lanes)
    names = [lanes.child(number).text(NAME) for number in range(lanes.childCount())]
    assert "LSTM: hidden state" in names
    assert "Vanilla: hidden state" in names
    assert all(names)
    assert lanes.child(2).rect().height() > 10
    tabs = spoken(app.contents.right.tabs)
    assert (tabs.text(NAME), tabs.childCount()) == ("Pages", len(PAGES))
    assert [tabs.child(number).state().selected for number in range(5)] == [1, 0, 0, 0, 0]
    assert spoken(app.contents.training.plot).text(NAME) == "Training curves"
    for picture in (app.contents.lanes, app.contents.training.plot, app.contents.strip, app.contents.right.tabs):
        assert "←" in spoken(picture).text(QAccessible.Text.Description)  # which keys it takes

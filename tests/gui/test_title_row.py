"""Title row: what is in front of the window, in the colours of its theme; nothing below moves with it."""

from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from whole_program import OpenApp

from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import setting


def test_the_toolbar_stays_where_it_is_whatever_the_title(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> None:
    app = open_app()
    before = [button.mapTo(app.window, QPoint()) for button in app.toolbar.buttons]
    first = app.title_row.title.text
    app.open_path(run_file)
    qtbot.waitUntil(lambda: app.title_row.title.text != first)
    QApplication.processEvents()
    assert [button.mapTo(app.window, QPoint()) for button in app.toolbar.buttons] == before
    app.store.change(look=setting(theme="light"))
    assert app.title_row.grab().toImage().pixelColor(3, 3).name() == theme("light").panel

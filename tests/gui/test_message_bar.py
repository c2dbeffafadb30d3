"""The message lies over the lanes and moves nothing; Esc puts it away, and a screen reader hears it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.gui.shell.app import App
from rnnviz.gui.state.window import STOP_COMMANDS, Message

LONG = "Training step 21 was not kept: 23, the nearest that was, is shown. " * 4


def in_window(app: App) -> QRect:
    bar = app.message_bar
    return QRect(bar.mapTo(app.window, bar.rect().topLeft()), bar.size())


def test_a_message_moves_nothing_and_goes_with_esc(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file and not app.store.state.notices.busy)
    assert app.contents is not None
    lanes, strip = app.contents.lanes, app.contents.strip
    before = (lanes.geometry(), strip.geometry())
    for level, sentence in (("warning", "Seven is not kept."), ("error", LONG)):
        app.store.say(Message(level, sentence))  # type: ignore[arg-type]
        QApplication.processEvents()
        assert app.message_bar.isVisible()
        assert (lanes.geometry(), strip.geometry()) == before
        assert app.message_bar.accessibleName() == sentence
        centre = app.message_bar.parentWidget()
        assert centre is not None
        assert centre.rect().contains(app.message_bar.geometry())
        assert app.window.childAt(in_window(app).center()) in (app.message_bar, *app.message_bar.children())  # on top
        press(app, Qt.Key.Key_Escape)
        assert not app.message_bar.isVisible()


def test_it_stays_inside_a_window_that_becomes_narrow(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    app.window.resize(1600, 800)
    app.store.say(Message("error", LONG[:180]))
    QApplication.processEvents()
    wide = app.message_bar.size()
    app.window.resize(960, 700)
    centre = app.message_bar.parentWidget()
    assert centre is not None
    qtbot.waitUntil(lambda: app.message_bar.width() < centre.width() < wide.width())
    assert centre.rect().contains(app.message_bar.geometry())
    assert app.message_bar.height() > wide.height()  # in more lines, all of them seen
    assert app.message_bar.sentence == LONG[:180]


def test_it_can_be_pushed_off_what_it_covers_and_stays_there(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file and not app.store.state.notices.busy)
    bar = app.message_bar
    app.store.say(Message("warning", "Seven is not kept.", ("go_to_stop",)))
    QApplication.processEvents()
    foot = bar.y()
    drag(bar, 150)
    assert bar.y() == foot - 150
    app.store.say(Message("error", "Eight is neither."))
    assert bar.y() == foot - 150
    centre = bar.parentWidget()
    assert centre is not None
    drag(bar, 5000)
    assert bar.y() == 0
    drag(bar, -5000)
    assert centre.rect().contains(bar.geometry())
    assert bar.y() == foot
    assert [part.cursor().shape() for part in (bar, bar.button)] == [
        Qt.CursorShape.SizeVerCursor,
        Qt.CursorShape.ArrowCursor,
    ]


@pytest.mark.parametrize("width", [600, 640, 720, 960, 1280, 1920])
def test_its_buttons_are_whole_and_its_sentence_can_be_read_in_any_window(
    open_app: OpenApp, run_file: Path, qtbot: QtBot, width: int
) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file and not app.store.state.notices.busy)
    app.window.resize(width, 800)
    app.store.say(Message("warning", LONG[:80], STOP_COMMANDS))
    QApplication.processEvents()
    bar = app.message_bar
    seen = [button for button in bar.buttons if button.isVisible()]
    assert {button.text() for button in seen} >= {app.actions.words(key) for key in STOP_COMMANDS if can(app, key)}
    for button in seen:
        assert button.width() >= button.sizeHint().width(), button.text()
        assert bar.rect().contains(QRect(button.mapTo(bar, QPoint()), button.size()))
    assert bar.height() <= 130
    centre = bar.parentWidget()
    assert centre is not None
    assert centre.rect().contains(bar.geometry())


def can(app: App, key: str) -> bool:
    return app.actions.commands[key].enabled(app.store.state)


def drag(bar: QWidget, up: int) -> None:
    """By its left edge, so many pixels up."""
    at = QPoint(6, bar.height() // 2)
    QTest.mousePress(bar, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(bar, at - QPoint(0, up))
    QTest.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=at)

"""Toolbar: in a narrow window nothing lies on anything else, and what has no room is in a menu."""

from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, close

from rnnviz.gui.look.theme import ThemeName, theme
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.store import setting


def places(app: App) -> list[QRect]:
    """Of all that is seen in the bar, from left to right."""
    bar = app.toolbar
    parts: list[QWidget] = [*bar.buttons, bar.more, bar._step, bar.cursor_label]
    seen = [QRect(part.mapTo(bar, QPoint()), part.size()) for part in parts if part.isVisible()]
    return sorted(seen, key=lambda place: place.left())


def lies_well(found: list[QRect], width: int) -> bool:
    """Whether all is within the bar, up to its right end, and no part lies on another."""
    gaps = [right.left() - left.right() for left, right in pairwise(found)]
    return found[0].left() >= 0 and width - 40 < found[-1].right() <= width and min(gaps) > 0


def test_nothing_lies_on_anything_else(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> None:
    app = open_app(run_file)
    for width in (601, 640, 655, 700, 760, 859, 900):
        app.window.resize(width, 700)
        qtbot.waitUntil(lambda width=width: lies_well(places(app), width))
        assert all(app.toolbar.button(key).isVisible() for key in ("train", "step_back", "step_forward"))


def test_what_has_no_room_is_in_a_menu_and_comes_back(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.traces) and None not in app.store.state.recorded.traces)
    before, bar = places(app), app.toolbar
    wide = app.window.width()
    assert not bar.more.isVisible()
    app.window.resize(640, 700)
    qtbot.waitUntil(bar.more.isVisible)
    missing = [button.defaultAction() for button in bar.buttons if not button.isVisible()]
    assert bar.more.menu().actions() == missing
    assert app.actions["step_into"] in missing
    assert bar.cursor_label.text.startswith("Forward  time step 1 of")
    app.actions["program_end"].trigger()
    assert "the weights change" in bar.cursor_label.text + bar.cursor_label.toolTip()
    app.window.resize(wide, 700)
    qtbot.waitUntil(lambda: not bar.more.isVisible())
    qtbot.waitUntil(lambda: places(app) == before)


def test_before_the_engine_is_there_no_button_of_the_training_can_be_pressed(qapp: QApplication, qtbot: QtBot) -> None:
    app = App(qapp, None)
    qtbot.addWidget(app.window)
    for button in app.toolbar.training_buttons:
        assert not button.isEnabled()
        assert button.toolTip().endswith("\nNot now: the engine is starting")
    app.store.say(busy="Starting the engine …")
    assert all(button.toolTip().endswith("the engine is starting") for button in app.toolbar.training_buttons)
    close(app)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_main_button_that_cannot_be_pressed_is_in_the_colour_of_the_others(
    qapp: QApplication, qtbot: QtBot, name: ThemeName
) -> None:
    """On the accent's ground its icon has a colour of its own, which is hardly seen without that ground."""
    app = App(qapp, None)
    qtbot.addWidget(app.window)
    app.store.change(look=setting(theme=name))
    picture = app.toolbar.training_buttons[0].icon().pixmap(20, QIcon.Mode.Disabled).toImage()
    seen = picture.pixelColor(picture.width() // 2, picture.height() // 2)
    assert abs(seen.lightness() - QColor(theme(name).text).lightness()) <= 6
    assert 60 < seen.alpha() < 160
    close(app)

"""The ring around a picture: seen while the keyboard is there, but not where a click has brought it."""

from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from rnnviz.gui.look.focus_ring import FocusFrame
from rnnviz.gui.look.theme import theme

REASON = Qt.FocusReason
BY_KEY = (REASON.TabFocusReason, REASON.BacktabFocusReason, REASON.ShortcutFocusReason)
FOR_A_WHILE = (REASON.ActiveWindowFocusReason, REASON.PopupFocusReason)
REASONS = [*BY_KEY, *FOR_A_WHILE, REASON.MouseFocusReason, REASON.MenuBarFocusReason, REASON.OtherFocusReason]


@dataclass(frozen=True)
class Side:
    """A picture with its ring and a part, and another widget beside it that has the keyboard."""

    window: QWidget
    picture: QWidget
    part: QWidget
    other: QWidget
    ring: FocusFrame


@pytest.fixture
def side(qtbot: QtBot) -> Side:
    window = QWidget()
    qtbot.addWidget(window)
    picture, other = QWidget(), QWidget()
    column = QVBoxLayout(window)
    for widget in (picture, other):
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column.addWidget(widget)
    part = QWidget(picture)
    ring = FocusFrame(picture, theme("dark"))
    window.resize(200, 160)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    other.setFocus()
    return Side(window, picture, part, other, ring)


@pytest.mark.parametrize("reason", REASONS)
def test_the_ring_is_seen_where_a_key_has_led(side: Side, reason: Qt.FocusReason) -> None:
    side.picture.setFocus(reason)
    assert side.ring.isVisible() == (reason in BY_KEY)


@pytest.mark.parametrize("reason", REASONS)
def test_it_goes_with_the_keyboard_but_stays_behind_a_menu(side: Side, reason: Qt.FocusReason) -> None:
    side.picture.setFocus(REASON.TabFocusReason)
    side.other.setFocus(reason)
    assert side.ring.isVisible() == (reason in FOR_A_WHILE)


@pytest.mark.parametrize("on_part", [False, True])
def test_a_click_puts_it_away(side: Side, qtbot: QtBot, on_part: bool) -> None:
    side.picture.setFocus(REASON.BacktabFocusReason)
    qtbot.keyClick(side.picture, Qt.Key.Key_Right)
    assert side.ring.isVisible()
    qtbot.mouseClick(side.part if on_part else side.picture, Qt.MouseButton.LeftButton)
    assert not side.ring.isVisible()


def test_it_lies_along_the_edge_whatever_the_size(side: Side) -> None:
    side.picture.setFocus(REASON.TabFocusReason)
    for width, look in ((240, "dark"), (330, "light")):
        side.window.resize(width, 200)
        side.ring.set_theme(theme(look))  # type: ignore[arg-type]
        assert side.ring.geometry() == side.picture.rect()
        image = side.picture.grab().toImage()
        middle = image.height() // 2
        inked = [x for x in range(image.width()) if image.pixelColor(x, middle) == QColor(theme(look).focus)]  # type: ignore[arg-type]
        assert inked == [0, 1, image.width() - 2, image.width() - 1]

"""Windows on screens: all of one is on a screen that there is, however it was left and however small that is."""

import pytest
from PySide6.QtCore import QMargins, QRect, QSize
from PySide6.QtWidgets import QDockWidget, QLabel, QPushButton, QScrollArea, QVBoxLayout
from pytestqt.qtbot import QtBot

from rnnviz.gui.shell.main_window import MainWindow
from rnnviz.gui.state.preferences import Preferences
from rnnviz.gui.widgets import screens
from rnnviz.gui.widgets.fitted_dialog import FittedDialog
from rnnviz.gui.widgets.screens import fitted

LEFT, RIGHT = QRect(-1680, 25, 1680, 1025), QRect(0, 0, 1280, 800)  # the main one is on the right


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        (QRect(100, 60, 700, 500), QRect(100, 60, 700, 500)),  # is well where it is
        (QRect(900, 500, 700, 500), QRect(580, 300, 700, 500)),  # moved, not made smaller
        (QRect(-1000, 900, 700, 500), QRect(-1000, 550, 700, 500)),  # stays on the screen it was on
        (QRect(40, 60, 2560, 1400), QRect(0, 40, 1280, 760)),  # made smaller, under its frame
        (QRect(3000, 90, 700, 500), QRect(290, 170, 700, 500)),  # of a screen that is gone: in the middle of the main
    ],
)
def test_a_window_is_moved_and_then_made_smaller_until_it_is_on_a_screen(wanted, there):
    assert fitted(wanted, [RIGHT, LEFT], QMargins(0, 40, 0, 0)) == there


@pytest.mark.parametrize(("wide", "high"), [(1920, 1080), (1280, 800), (1280, 720), (853, 480), (640, 400)])
def test_the_first_window_is_on_the_screen_whole(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, wide: int, high: int
) -> None:
    screen = QRect(7, 11, wide, high)
    monkeypatch.setattr(screens, "there_are", lambda: (screen,))
    window = MainWindow()
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.painted):  # by then its frame is known
        window.show()
    assert screen.contains(window.frameGeometry())
    assert window.size() == QSize(1440, 900) or window.height() >= high - 40


def test_a_window_left_on_a_screen_that_is_gone_comes_to_one_that_is_there(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "there_are", lambda: (RIGHT, LEFT))
    before = MainWindow()
    qtbot.addWidget(before)
    before.setGeometry(-1500, 400, 700, 600)
    kept = before.layout_preferences()["geometry"]
    monkeypatch.setattr(screens, "there_are", lambda: (QRect(0, 0, 1100, 700),))
    window = MainWindow()
    qtbot.addWidget(window)
    window.restore(Preferences(geometry=kept))
    assert QRect(0, 0, 1100, 700).contains(window.geometry())
    assert window.size() == QSize(700, 600)


def test_a_small_window_shows_its_panels_in_one_column_and_a_large_one_around_the_lanes(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    docks = {dock.objectName(): dock for dock in window.findChildren(QDockWidget)}
    window.show()

    def beside_the_values() -> set[str]:
        return {dock.objectName() for dock in window.tabifiedDockWidgets(docks["values"])}

    window.resize(1280, 740)
    assert beside_the_values() == set()
    window.resize(900, 740)
    assert beside_the_values() == {"experiment"}
    window.resize(638, 368)
    assert beside_the_values() == {"experiment", "training"}
    window.resize(1200, 760)
    assert beside_the_values() == set()
    assert window.dockWidgetArea(docks["experiment"]) == window.dockWidgetArea(docks["experiment"]).LeftDockWidgetArea


def test_a_dialog_that_is_higher_than_the_screen_scrolls(qtbot: QtBot) -> None:
    dialog = FittedDialog()
    qtbot.addWidget(dialog)
    column = QVBoxLayout(dialog)
    for number in range(60):
        column.addWidget(QLabel(f"line {number}"))
    button = QPushButton("Trace")
    column.addWidget(button)
    dialog.show()
    assert dialog.screen().availableGeometry().contains(dialog.geometry())
    area = dialog.findChild(QScrollArea, "fitted")
    assert area is not None

    def reached() -> bool:
        area.ensureWidgetVisible(button)
        return dialog.rect().contains(button.mapTo(dialog, button.rect().center()))

    qtbot.waitUntil(reached)


def test_a_dialog_that_fits_stays_as_it_is(qtbot: QtBot) -> None:
    dialog = FittedDialog()
    qtbot.addWidget(dialog)
    QVBoxLayout(dialog).addWidget(QLabel("short"))
    dialog.show()
    assert dialog.findChild(QScrollArea, "fitted") is None

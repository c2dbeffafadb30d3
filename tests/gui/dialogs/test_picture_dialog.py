"""The dialog in which a person says how large a picture is, and of what."""

from collections.abc import Callable

import pytest
from fake_states import fake_state
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.shown import resolve
from rnnviz.gui.figures.figure import Curves, draw_figure, lanes_as_seen
from rnnviz.gui.figures.formats import Measures
from rnnviz.gui.figures.picture_dialog import CURVES, Drawn, PictureDialog, ask_for_picture

STATE = fake_state()
STEPS = resolve(STATE).time_steps


@pytest.fixture
def opened(qtbot: QtBot) -> Callable[[TimeAxis], PictureDialog]:
    def open_dialog(axis: TimeAxis) -> PictureDialog:
        dialog = PictureDialog(Drawn(STATE, (700, 900), Curves("loss"), axis))
        qtbot.addWidget(dialog)
        dialog.open()
        return dialog

    return open_dialog


def whole() -> TimeAxis:
    return TimeAxis.whole(120, 500, STEPS)


def test_what_is_chosen_is_drawn(opened: Callable[[TimeAxis], PictureDialog], qtbot: QtBot) -> None:
    dialog = opened(whole())
    dialog.scale.set_value(2)
    dialog.font_scale.setText("1.2")
    dialog.height_field.setText("950")
    assert dialog.pixels.text() == "1,400 × 1,900 pixels"
    qtbot.keyClick(dialog.height_field, Qt.Key.Key_Return)
    assert not dialog.isVisible()
    assert dialog.image == draw_figure(lanes_as_seen(STATE), Measures((700, 950), 2, 1.2))


def test_a_zoomed_window_gives_a_zoomed_picture(opened: Callable[[TimeAxis], PictureDialog]) -> None:
    images = list[QImage | None]()
    for axis in (whole(), whole().scaled(2.0, 300.0)):
        dialog = opened(axis)
        dialog.accept()
        images.append(dialog.image)
    assert images[0] is not None
    assert images[1] is not None
    assert images[0] != images[1]


def test_what_does_not_fit_is_said_and_the_dialog_stays(opened: Callable[[TimeAxis], PictureDialog]) -> None:
    dialog = opened(whole())
    dialog.height_field.setText("240")
    dialog.accept()
    assert dialog.isVisible()
    assert dialog.image is None
    assert dialog.problem.text().startswith("size: 700x240 is too small for this figure; 700x")
    dialog.font_scale.setText("4")
    assert not dialog.accept_button.isEnabled()
    dialog.font_scale.setText("3")
    assert dialog.accept_button.isEnabled()
    assert dialog.problem.text() == ""
    dialog.height_field.setText("8000")
    dialog.width_field.setText("8000")
    dialog.scale.set_value(4)
    assert "at most 134,217,728 pixels" in dialog.problem.text()


def test_training_curves_alone_and_the_other_theme(opened: Callable[[TimeAxis], PictureDialog]) -> None:
    grounds = []
    for theme in ("dark", "light"):
        dialog = opened(whole())
        dialog.theme.set_value(theme)
        dialog.what.set_value(CURVES)
        dialog.accept()
        assert dialog.image is not None
        grounds.append(dialog.image.pixelColor(2, 2).lightness())
    assert grounds[0] < 60
    assert grounds[1] > 200


@pytest.mark.parametrize("taken", [True, False])
def test_the_picture_is_given_to_who_asked_unless_the_person_does_not_want_it(qtbot: QtBot, taken: bool) -> None:
    parent, given = QWidget(), list[QImage]()
    qtbot.addWidget(parent)
    dialog = ask_for_picture(Drawn(STATE, (700, 900), Curves("loss"), whole()), parent, given.append)
    qtbot.keyClick(dialog, Qt.Key.Key_Return if taken else Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert given == ([dialog.image] if taken else [])

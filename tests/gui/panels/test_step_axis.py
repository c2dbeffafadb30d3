"""The training steps below the curves of a figure: round numbers, and the one shown, which hides its neighbours."""

import pytest
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from rnnviz.core.numbers import whole
from rnnviz.gui.look import fonts
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.look.theme import theme
from rnnviz.gui.training.step_axis import StepAxis

LOOK = theme("light")
WIDTH = 900
EVERY = {(0, 8000): 2000, (1200, 1700): 100}  # by the range, from number to number


@pytest.mark.parametrize("view", EVERY)
def test_a_number_is_left_out_only_where_the_tag_covers_it(qtbot: QtBot, view: tuple[int, int]) -> None:
    axis = StepAxis(LOOK)
    qtbot.addWidget(axis)
    axis.resize(WIDTH, axis.sizeHint().height())
    axis.set_range(*view)
    (low, high), every = view, EVERY[view]
    wide = WIDTH - LABEL_COLUMN - SCALE_COLUMN

    def x_of(training_step: int) -> float:
        return LABEL_COLUMN + (training_step - low) / (high - low) * wide

    numbers, tags = QFontMetricsF(fonts.text(fonts.SMALL)), QFontMetricsF(fonts.semibold(fonts.SMALL))
    told = set[bool]()
    for pixels in range(-70, 71, 7):
        shown = round(low + (high - low) / 2 // every * every + pixels * (high - low) / wide)
        axis.set_training_step(shown)
        image = axis.grab().toImage()
        ground = image.pixelColor(2, 2)
        tag, half_tag = x_of(shown), tags.horizontalAdvance(whole(shown)) / 2 + 4
        assert image.pixelColor(round(tag - half_tag) + 1, 12).name() == LOOK.accent
        for step in range(-(-low // every) * every, high + 1, every):
            half = numbers.horizontalAdvance(whole(step)) / 2
            gap = abs(x_of(step) - tag) - half - half_tag
            if abs(gap - 3) < 1:
                continue  # by a hair
            columns = [
                x for x in range(round(x_of(step) - half), round(x_of(step) + half)) if abs(x - tag) > half_tag + 1
            ]
            written = any(image.pixelColor(x, y) != ground for x in columns for y in range(9, 16))
            assert written == (gap > 3), (shown, step)
            told.add(written)
    assert told == {True, False}

"""The label of a lane: where its two lines stand in high and low lanes, and in which colours."""

import pytest
from drawn_by_items import drawn_by
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from rnnviz.gui.canvas.items.lane_label import LaneLabel
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.look.theme import theme

LOOK, COLOR = theme("light"), QColor("#7711aa")
TOP = 37


def made(height: int, color: QColor | None) -> LaneLabel:
    label = LaneLabel(LOOK, "net 2", "GRU", color)
    label.place(QRectF(0, TOP, 150, height), TimeAxis.whole(0.0, 400.0, 10))
    return label


@pytest.mark.parametrize("height", [16, 24, 31, 32, 48, 70])
@pytest.mark.parametrize("color", [None, COLOR])
def test_a_header_has_its_words_in_the_middle_and_a_lane_at_its_top(
    qapp: QApplication, height: int, color: QColor | None
) -> None:
    label = made(height, color)
    first, second = drawn_by(label).texts
    assert (first.words, second.words) == ("net 2", "GRU")
    if height < 32:
        assert abs(first.y - second.y) < 2
        assert second.x > first.x + 20
    else:
        assert second.x == first.x
        assert 12 < second.y - first.y < 20
    if color is None:
        assert TOP + 7 < first.y < TOP + 10
    else:
        assert (first.y + second.y) / 2 == pytest.approx(TOP + height / 2, abs=1.5)
    assert [(area.color, area.rect.height()) for area in drawn_by(label).areas] == ([(color, height)] if color else [])


@pytest.mark.parametrize("height", [24, 48])
def test_a_warning_stands_in_place_of_the_subtitle_and_in_a_low_lane_colours_the_title(
    qapp: QApplication, height: int
) -> None:
    label = made(height, None)
    label.token = "accent"
    bad, usual = LOOK.color("bad"), (LOOK.color("text"), LOOK.color("accent"))
    assert tuple(text.color for text in drawn_by(label).texts) == usual
    label.set_text("net 2", "GRU", "vanished")
    first, second = drawn_by(label).texts
    if height < 32:
        assert (first.color, second.words) == (bad, "GRU")
    else:
        assert (first.color, second.color, second.words) == (usual[0], bad, "vanished")

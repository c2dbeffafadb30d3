"""Padding: what is left of the longest sequence beyond the end of a shorter one is hatched in every lane, and said."""

from dataclasses import replace

import pytest
from flat_state import update
from held_by_lanes import axis_of, hatched_of, lanes_of
from open_lanes import open_lanes, view_of
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from traced_states import LENGTHS, traced_state

from rnnviz.core.structure import Structure
from rnnviz.gui.canvas.lane_stack import LaneStack

MODELS = (Structure("gru", 0, 3), Structure("lstm", 0, 4))


def words_at(stack: LaneStack, time_step: int, lane: int) -> str:
    view, row = view_of(stack), lanes_of(stack)[lane].rect
    return stack._words_at(view.mapFromScene(axis_of(stack).x(time_step), row.center().y()))


@pytest.mark.parametrize("kind", ["characters", "table", "symbols", "adding"])
def test_every_lane_is_hatched_beyond_the_end_of_a_shorter_sequence(qtbot: QtBot, kind: str) -> None:
    short, long = LENGTHS
    stack, store = open_lanes(qtbot, traced_state(kind, MODELS).state)
    axis, boxes = axis_of(stack), hatched_of(stack)
    assert axis.time_steps == long
    assert [(box.top(), box.height()) for box in boxes] == [
        (lane.rect.top(), lane.rect.height()) for lane in lanes_of(stack)
    ]
    for box in boxes:
        assert (box.left(), box.right()) == pytest.approx((axis.x(short + 0.5), axis.right))
    for lane in range(len(lanes_of(stack))):
        assert words_at(stack, short + 2, lane) == f"padding: sequence 1 ends at t = {short}"
        assert "padding" not in words_at(stack, short, lane)
    image = stack.image()
    for lane in lanes_of(stack):  # no value's colour: the ground and its lines alone
        row = range(round(axis.x(short + 2)), round(axis.x(short + 4)))
        colors = {image.pixelColor(x, round(lane.rect.top() + 3)).name() for x in row}
        assert all(max(c) - min(c) < 40 for c in (bytes.fromhex(name[1:]) for name in colors)), lane.key
    update(store, sample=1)
    assert (hatched_of(stack), axis_of(stack)) == ([], axis)
    assert "padding" not in words_at(stack, long, 2)


def test_a_press_in_the_padding_goes_to_the_last_time_step(qtbot: QtBot) -> None:
    stack, _ = open_lanes(qtbot, traced_state("characters", MODELS).state)
    chosen = list[int]()
    stack.time_step_chosen.connect(chosen.append)
    place = view_of(stack).mapFromScene(axis_of(stack).x(LENGTHS[1] - 1), lanes_of(stack)[-1].rect.center().y())
    QTest.mouseClick(view_of(stack).viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert chosen == [LENGTHS[0]]


def test_a_zoomed_axis_stays_from_sequence_to_sequence_and_may_show_padding_alone(qtbot: QtBot) -> None:
    stack, store = open_lanes(qtbot, traced_state("characters", MODELS).state)
    update(store, sample=1)
    beyond = replace(axis_of(stack), first=14.5, last=19.5)
    stack.show_time_steps(beyond)
    update(store, theme="light", sample=0)  # whose end lies before: the axis follows the cursor
    assert axis_of(stack).holds(store.state.place.cursor.time_step)
    stack.show_time_steps(replace(axis_of(stack), first=14.5, last=19.5))
    assert not stack.image().isNull()
    assert all(box.width() == pytest.approx(axis_of(stack).width) for box in hatched_of(stack))

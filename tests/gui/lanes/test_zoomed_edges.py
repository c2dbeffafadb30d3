"""Edges of a zoomed time axis: a cell that is cut ends there, and nothing stands in the labels or the scales."""

import pytest
from held_by_lanes import line_of
from open_lanes import open_lanes, plot_width, view_of, wheel
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot
from traced_states import traced_state

from rnnviz.core.structure import Structure
from rnnviz.gui.canvas.items.curve_plot import CurvePlot
from rnnviz.gui.look.columns import LABEL_COLUMN
from rnnviz.gui.look.theme import theme

STRUCTURES = (Structure("vanilla", 0, 5), Structure("gru", 0, 4))


@pytest.mark.parametrize(
    ("kind", "key"), [("symbols", "input"), ("symbols", "ruler"), ("symbols", "chain"), ("adding", "chain")]
)
@pytest.mark.parametrize("share", [0.0, 0.37, 0.61, 0.83])
def test_nothing_sticks_out_of_a_zoomed_lane(qtbot: QtBot, kind: str, key: str, share: float) -> None:
    stack, store = open_lanes(qtbot, traced_state(kind, STRUCTURES).state)
    wheel(view_of(stack), QPointF(LABEL_COLUMN + share * plot_width(stack), 60), 3)
    assert stack._axis.zoomed
    image, ground = stack.image(), QColor(theme(store.state.look.theme).background)
    lane = next(lane for lane in stack._lanes if lane.key == key)
    right = round(LABEL_COLUMN + plot_width(stack))
    beside = [*range(round(LABEL_COLUMN) - 12, round(LABEL_COLUMN) - 1), *range(right + 1, right + 7)]
    rows = range(round(lane.rect.top()), round(lane.rect.bottom()))
    if key == "ruler":  # whose numbers are wider than the middle of a time step they stand at
        beside = [
            x for x in beside if not right - 14 < x < right + 14 and not LABEL_COLUMN - 14 < x < LABEL_COLUMN + 14
        ]
    assert {image.pixelColor(x, y).name() for x in beside for y in rows} <= {ground.name()}


@pytest.mark.parametrize("kind", ["symbols", "adding"])
def test_what_was_drawn_before_zooming_is_drawn_anew(qtbot: QtBot, kind: str) -> None:
    state, seen = traced_state(kind, STRUCTURES).state, []
    for drawn_before in (True, False):
        stack, _ = open_lanes(qtbot, state)
        view = view_of(stack)
        if drawn_before:
            view.viewport().grab()
        wheel(view, QPointF(LABEL_COLUMN + 0.37 * plot_width(stack), 60), 3)
        seen.append(view.viewport().grab().toImage())
        stack.hide()
    assert seen[0] == seen[1]


def test_the_cursor_and_its_dots_leave_with_the_middle_of_their_cell(qtbot: QtBot) -> None:
    stack, store = open_lanes(qtbot, traced_state("adding", STRUCTURES).state)
    lane = next(lane for lane in stack._lanes if lane.key == "input")
    view = view_of(stack)
    for place in (0.2, 0.4, 0.6):
        wheel(view, QPointF(LABEL_COLUMN + place * plot_width(stack), 60), 2)
        axis = stack._axis
        middle_seen = axis.left <= axis.x(store.state.place.cursor.time_step) <= axis.right
        assert line_of(stack).isVisible() == middle_seen
    assert isinstance(lane.items[1], CurvePlot)


def test_a_wheel_that_is_turned_back_takes_its_zoom_back(qtbot: QtBot) -> None:
    stack, _ = open_lanes(qtbot, traced_state("adding", STRUCTURES).state)
    view, place = view_of(stack), QPointF(LABEL_COLUMN + 0.5 * plot_width(stack), 60)
    wheel(view, place, 3)
    zoomed = stack._axis
    wheel(view, place, 2)
    assert stack._axis.last - stack._axis.first < zoomed.last - zoomed.first
    wheel(view, place, -2)
    assert (stack._axis.first, stack._axis.last) == pytest.approx((zoomed.first, zoomed.last))

"""Truncation in the lanes: what it keeps from all losses is hatched where gradients are shown, said, and never drawn as
vanished; the window of training is a band on the ruler."""

from dataclasses import replace

import numpy as np
import pytest
from flat_state import update
from held_by_lanes import axis_of, hatched_of, lanes_of
from open_lanes import open_lanes, view_of
from pytestqt.qtbot import QtBot
from traced_states import traced_state

from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.source import Trained
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.gradient import GradientLane, InputGradientLane
from rnnviz.gui.canvas.lanes.model_header import ModelHeaderLane
from rnnviz.gui.canvas.lanes.ruler import RulerLane
from rnnviz.gui.canvas.lanes.selection import lane_slots
from rnnviz.gui.canvas.lanes.share import ShareLane
from rnnviz.gui.canvas.lanes.shown import resolve
from rnnviz.gui.canvas.lanes.unit_lanes import GradientUnitsLane
from rnnviz.gui.cursor.value_row import ValueSource
from rnnviz.gui.cursor.value_rows import value_rows
from rnnviz.gui.state.state import State

EDGES = (4, 9)  # of the second sequence, of 19 time steps, of which the last is asked
OF_GRADIENTS = (GradientLane, InputGradientLane, ShareLane, GradientUnitsLane)
WORDS = "cut at t = 10 (truncated): no gradient goes further back"


@pytest.fixture(scope="module")
def state() -> State:
    traced = traced_state("adding", (Structure("vanilla", 1, 4), Structure("lstm", 1, 5)), gains=(0.9, 1.5))
    cut = np.isin(np.arange(1, 20), EDGES)
    traces = tuple(rebuild(capture.with_call(cut=cut)) for capture in traced.captures)
    found = replace(traced.state, recorded=replace(traced.state.recorded, traces=traces))
    place = replace(found.place, sample=1, cursor=Cursor(42, Phase.BACKWARD, 11))
    return replace(found, place=place)


def words_at(stack: LaneStack, t: int, lane: int) -> str:
    row = lanes_of(stack)[lane].rect
    return stack._words_at(view_of(stack).mapFromScene(axis_of(stack).x(t), row.center().y()))


def test_gradients_are_hatched_beyond_the_cut_and_values_are_not(qtbot: QtBot, state: State) -> None:
    stack, _ = open_lanes(qtbot, state)
    axis, boxes = axis_of(stack), {round(box.top()): box for box in hatched_of(stack)}
    for number, lane in enumerate(lanes_of(stack)):
        box = boxes.get(round(lane.rect.top()))
        assert (box is not None) == isinstance(lane, OF_GRADIENTS), lane.key
        if box is not None:
            assert (box.left(), box.right()) == pytest.approx((axis.x(0.5), axis.x(9.5)))
            assert words_at(stack, 9, number) == WORDS
        elif isinstance(lane, ModelHeaderLane):
            assert words_at(stack, 9, number) == f"t = 9: {WORDS}"
        assert "cut" not in words_at(stack, 10, number)
    for lane in lanes_of(stack):
        if isinstance(lane, GradientLane | ShareLane):
            assert lane.dots(9) == []
            assert len(lane.dots(10)) == 2
    (gradient,) = [lane for lane in lanes_of(stack) if isinstance(lane, GradientLane)]
    (vanished,) = [name.box for name in gradient.plot.names.names if name.text.startswith("vanished")]
    assert vanished.left() > axis.x(9.5)
    assert stack._overlays is not None
    assert set(stack._overlays.hatched.words) == {"cut, truncated"}
    assert list(stack._overlays.borders._lines) == pytest.approx([axis.x(edge + 0.5) for edge in EDGES])


def test_the_backward_sweep_colours_no_cell_beyond_it(qtbot: QtBot, state: State) -> None:
    shown = resolve(state)
    assert shown.sweep.done == range(12, 20)
    assert shown.at(Cursor(42, Phase.UPDATE, 10)).sweep.done == range(10, 20)
    assert shown.at(Cursor(42, Phase.LOSS, 10)).sweep.done == range(1, 20)


def test_the_window_is_a_band_on_the_ruler(qtbot: QtBot, state: State) -> None:
    lesson = first_lesson()
    windows = replace(lesson, training=replace(lesson.training, truncation="windows"))
    stack, store = open_lanes(qtbot, replace(state, run=replace(state.run, source=Trained(windows))))
    number = next(place for place, lane in enumerate(lanes_of(stack)) if isinstance(lane, RulerLane))
    ruler = lanes_of(stack)[number]
    assert isinstance(ruler, RulerLane)
    assert resolve(store.state).window == (range(10, 19), range(19, 20))
    assert "older part: read again" in words_at(stack, 10, number)
    assert "new part: its loss counts" in words_at(stack, 19, number)
    assert "part" not in words_at(stack, 9, number)
    y, axis = round(ruler.rect.bottom() - 1), axis_of(stack)
    colors = [stack.image().pixelColor(round(axis.x(t)), y).name() for t in (5, 12, 15, 19)]
    assert colors[1] == colors[2]
    assert len(set(colors)) == 3, "nothing, older and new"
    assert colors[3] == resolve(store.state).theme.accent
    update(store, source=Trained(lesson))
    assert resolve(store.state).window == (range(0), range(0))


def test_numbers_at_the_cursor_say_that_they_are_cut(state: State) -> None:
    traces = tuple(trace.sample(1) for trace in state.recorded.traces if trace is not None)

    def said(t: int) -> dict[str, tuple[str | None, str]]:
        source = ValueSource(traces[1], traces[1].layer("l0"), t, None)
        return {row.key: (row.number(source), row.note(source)) for row in value_rows(traces, "l0", t)}

    beyond, edge, inside = said(7), said(9), said(10)
    for key in ("hidden_grad", "carried_grad", "direct_grad", "share:weight_hh"):
        assert beyond[key][0] == "cut"
        assert WORDS in beyond[key][1]
        assert edge[key][0] == "cut"
    assert inside["hidden_grad"][0] not in ("0", "cut")
    assert "cut" not in inside["carried_grad"][1]
    assert "cut" not in said(18)["direct_grad"], "a loss that is not asked there is no cut"
    assert said(18)["direct_grad"][0] == "0"


def test_the_names_of_the_probes_time_steps_are_not_those_of_a_training_batch(state: State) -> None:
    assert state.run.task is not None
    task = replace(state.run.task, time_labels=tuple(str(1700 + t) for t in range(19)))
    named = replace(state, run=replace(state.run, task=task), place=replace(state.place, sample=0))
    for kind, wanted in (("probe", True), ("batch", False)):
        shown = resolve(replace(named, place=replace(named.place, kind=kind)))  # type: ignore[arg-type]
        slot = next(slot for slot in lane_slots(shown) if slot.lane is RulerLane)
        ruler = RulerLane(shown, slot)
        ruler.show(shown)
        assert ruler.ruler.named == wanted

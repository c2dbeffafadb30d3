"""Cards of truncated gradients: the bias is core's, and what is cut is said to be cut, not to have vanished."""

from dataclasses import replace

import numpy as np
import pytest
from open_gradients import frame_of, open_gradients
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot
from traced_states import traced_state

from rnnviz.core.gradients.truncation import biases
from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.network.drawing import Box
from rnnviz.gui.state.state import State

STRUCTURES = Structure("vanilla", 1, 4), Structure("lstm", 1, 5, num_layers=2)
EDGES = (4, 9)  # of sequences of 13 and 19 time steps, of which the last is asked


@pytest.fixture(scope="module")
def state() -> State:
    traced = traced_state("adding", STRUCTURES, gains=(0.9, 3.5))
    cut = np.isin(np.arange(1, 20), EDGES)
    traces = tuple(rebuild(capture.with_call(cut=cut)) for capture in traced.captures)
    return replace(traced.state, recorded=replace(traced.state.recorded, traces=traces))


def words_at(frame: CardFrame, t: float, share: float = 0.5) -> str:
    box = frame.drawing.mark("frame")
    assert isinstance(box, Box)
    x = box.rect.left() + (t - 0.5) / frame.sight.shown.time_steps * box.rect.width()
    spot = frame.card.spot(frame.sight, frame.area, QPointF(x, box.rect.top() + share * box.rect.height()))
    assert spot is not None
    return spot.words


def test_the_bias_is_that_of_core_for_every_parameter(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["truncation"], (900, 560))
    for number, trace in enumerate(state.recorded.traces):
        assert trace is not None
        wanted, frame = biases(trace.check.capture), frame_of(view, "truncation", number)
        table = frame.card.table(frame.sight).columns
        name = f"net {number + 1}"
        assert table[f"{name} parameter"] == ["all", *(one.parameter for one in wanted[1:])]
        assert table[f"{name} degrees"] == [one.angle for one in wanted]
        texts = frame.drawing.texts
        for place, one in enumerate(wanted):
            assert texts[f"angle {place}"] == f"{short(one.angle)}°"
            assert texts[f"ratio {place}"] == f"×{short(one.ratio)}"
        place = int(np.argmax([one.angle for one in wanted]))
        bar, ground = (frame.drawing.mark(f"{kind} {place}") for kind in ("bar", "ground"))
        assert isinstance(bar, Box)
        assert isinstance(ground, Box)
        assert bar.rect.width() == pytest.approx(ground.rect.width() * max(wanted[place].angle / 180, 0.004))
    texts = frame_of(view, "truncation", 1).drawing.texts
    assert (texts["name 0"], texts["name 2"]) == ("all weights", "W_{hh} l0")
    assert frame_of(view, "truncation", 0).drawing.texts["name 2"] == "W_{hh}"


def test_without_a_cut_there_is_no_bias(qtbot: QtBot) -> None:
    view, _ = open_gradients(qtbot, traced_state("adding", STRUCTURES).state, ["truncation"])
    problems = [found.problem for frame in view.frames for found in frame.sight.models]
    assert problems == ["Nothing is truncated: the gradient is the full one."] * 2


def test_what_is_cut_is_said_to_be_cut(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["flow", "walk", "bars", "jacobians"], (1200, 700), losses="task")
    flow, walk, bars = frame_of(view, "flow", 0), frame_of(view, "walk"), frame_of(view, "bars", 1)
    assert words_at(flow, 9, 0.02).startswith("net 1, loss at k = 13, state at t = 9: cut at t = 10 (truncated)")
    assert ", where it is cut" in words_at(flow, 12, 0.02)
    for frame in (walk, bars):
        assert words_at(frame, 7) == "time step 7: cut at t = 10 (truncated): no gradient goes further back"
        assert "cut" not in words_at(frame, 10).replace("cut there", "")
        assert not any(mark.key.endswith("down") for mark in frame.drawing.marks), "no zeros where it is cut"
    assert any(text.endswith("horizon ≥ 3, cut there") for text in walk.drawing.texts.values())
    shade, box = walk.card.mark(walk.sight, walk.area).mark("cut"), walk.drawing.mark("frame")
    assert isinstance(shade, Box)
    assert isinstance(box, Box)
    assert shade.rect.right() == pytest.approx(box.rect.left() + 9 / 13 * box.rect.width())
    assert words_at(frame_of(view, "jacobians"), 10).endswith("net 2: cut (truncated), no gradient passes")
    assert "norm" in words_at(frame_of(view, "jacobians"), 9)
    unit, _ = open_gradients(qtbot, state, ["flow"], losses="unit")
    assert "cut at t = 5 (truncated)" in words_at(frame_of(unit, "flow", 0), 4, 0.5)
    assert "does not reach" in words_at(frame_of(unit, "flow", 0), 9, 0.5)


def test_states_that_a_cut_keeps_from_one_loss_are_shaded(qtbot: QtBot, state: State) -> None:
    """Of unit losses at every k: those behind a cut do not reach before it, later states are never reached."""
    view, _ = open_gradients(qtbot, state, ["flow"], losses="unit")
    frame = frame_of(view, "flow", 1)
    box = frame.drawing.mark("frame")
    assert isinstance(box, Box)
    width, height, shaded = box.rect.width() / 13, box.rect.height() / 13, set[tuple[int, int]]()
    for mark in frame.drawing.marks:
        if isinstance(mark, Box) and mark.key.startswith("cut "):
            left, right = ((edge - box.rect.left()) / width for edge in (mark.rect.left(), mark.rect.right()))
            low, high = ((box.rect.bottom() - edge) / height for edge in (mark.rect.bottom(), mark.rect.top()))
            ks, ts = range(round(low) + 1, round(high) + 1), range(round(left) + 1, round(right) + 1)
            assert not shaded & {(k, t) for k in ks for t in ts}
            shaded |= {(k, t) for k in ks for t in ts}
    assert shaded == {(k, t) for k in range(1, 14) for t in range(1, k) if any(t <= edge < k for edge in EDGES)}


def test_a_bound_above_all_gradients_leaves_the_axis_as_it_is_but_higher(qtbot: QtBot) -> None:
    relu = Structure("vanilla", 1, 4, activation="relu")  # whose step Jacobians have norms above 1
    traced = traced_state("adding", (relu, STRUCTURES[1]), gains=(3.0, 3.5))
    view, _ = open_gradients(qtbot, traced.state, ["walk"], losses="task")
    qtbot.waitUntil(lambda: not view.waiting, timeout=20_000)
    frame = frame_of(view, "walk")
    axis = frame.card.plot(frame.sight, frame.area).y
    assert axis.high % 1 != 0.0  # a whole decade without the bound
    assert axis.logarithmic
    assert not axis.hatched

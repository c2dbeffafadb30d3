"""The network view of an encoder–decoder: the hand-over, attention, letters; residual connections, dropout, cuts."""

from dataclasses import replace

import numpy as np
import pytest
from laid_out import check, check_lines
from open_network import at, open_network
from pytestqt.qtbot import QtBot
from traced_states import Traced, traced_state
from written_states import ANSWER, LENGTHS, written_state

from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.network.drawing import Drawing, Line, Strip, Text
from rnnviz.gui.network.dropped import Crossed
from rnnviz.gui.state.state import State

LARGE = (1384, 740)
BORDER = LENGTHS[0]


def cursor(time_step: int, phase: Phase = Phase.BACKWARD, layer: str = "decoder.l0") -> Cursor:
    return Cursor(42, phase, time_step, layer=layer)


def words(drawing: Drawing) -> list[str]:
    return [region.words for region in drawing.regions]


@pytest.mark.parametrize("size", [(744, 460), LARGE])
@pytest.mark.parametrize("level", ["unrolled", "folded", "inside"])
@pytest.mark.parametrize("place", [cursor(BORDER, layer="l1"), cursor(BORDER + 3, Phase.FORWARD, "decoder.l1")])
def test_nothing_lies_on_anything_else(qtbot: QtBot, size: tuple[int, int], level: str, place: Cursor) -> None:
    view, _ = open_network(qtbot, at(written_state("lstm", 2), place), size, level=level)
    check(view.drawing, size)
    if level != "inside":
        check_lines(view.drawing)


def test_each_stage_has_its_cells_and_its_states(qtbot: QtBot) -> None:
    state = at(written_state(), cursor(BORDER + 1))
    view, _ = open_network(qtbot, state, LARGE)
    drawing, trace = view.drawing, state.recorded.traces[1].sample(0)
    for t in range(1, BORDER + ANSWER + 1):
        layer = trace.layer("l0" if t <= BORDER else "decoder.l0")
        strip = drawing.mark(f"1 h {t}")
        assert isinstance(strip, Strip)
        np.testing.assert_array_equal(strip.values, layer.value("h")[t - 1, 0])
        (pressed,) = [one for one in drawing.regions if one.words.startswith(f"net 2 at t = {t}:")]
        assert pressed.target.layer == layer.name
    outputs = [key for key in drawing.texts if key.startswith("1 output") and key.endswith("prediction")]
    assert len(outputs) == ANSWER
    assert drawing.texts["input stages"] == "encoder → decoder"


def test_the_hand_over_brings_back_the_gradient_of_the_decoders_first_state(qtbot: QtBot) -> None:
    state = at(written_state(), cursor(BORDER, layer="l0"))
    view, _ = open_network(qtbot, state, LARGE)
    after = state.recorded.traces[1].sample(0).layer("decoder.l0")
    size = short(float(np.linalg.norm(after.initial_grads["h"][0].astype(np.float64))))
    (said,) = {one for one in words(view.drawing) if one.startswith("hand-over") and one.endswith(size)}
    assert said == f"hand-over; the hand-over of h: ‖∂L/∂h_{{{BORDER}}}‖ = {size}"
    assert isinstance(view.drawing.mark("1 h handed over"), Line)


@pytest.mark.parametrize("sample", [0, 1])
def test_lines_are_as_wide_as_the_attention_weights(qtbot: QtBot, sample: int) -> None:
    border = LENGTHS[sample]
    state = at(written_state(), cursor(border + 2), sample=sample)
    view, store = open_network(qtbot, state, LARGE)
    trace = state.recorded.traces[0].sample(sample)
    scores = trace.layer("l0").h[:border, 0] @ trace.calls[1].call.head.attention.score.T
    weights = np.exp(scores @ trace.layer("decoder.l0").h[border + 1, 0])
    weights /= weights.sum()
    drawn = {
        mark.key: mark.width for mark in view.drawing.marks if isinstance(mark, Line) and "memory line" in mark.key
    }
    for place, weight in enumerate(weights / weights.max(), 1):
        assert drawn.get(f"0 memory line {place}", 0.0) == pytest.approx(
            0.7 + 3.3 * weight if weight > 0.02 else 0.0, rel=1e-3
        )
    assert not any(key.startswith("1 memory") for key in view.drawing.texts)
    store.change(place=lambda place: replace(place, cursor=cursor(border - 1, layer="l0")))
    assert not any("memory line" in mark.key for mark in view.drawing.marks)


def test_its_own_output_stands_framed_where_it_is_read(qtbot: QtBot) -> None:
    view, _ = open_network(qtbot, at(written_state(), cursor(BORDER + 3)), LARGE)
    for model in (0, 1):
        assert f"{model} reads {BORDER + 3}" in view.drawing.texts
        assert view.drawing.mark(f"{model} reads {BORDER + 3} own") is not None
        assert f"{model} reads {BORDER + 2}" not in view.drawing.texts
    assert any("its own output of the time step before" in one for one in words(view.drawing))


def test_folded_both_stages_stand_beside_each_other(qtbot: QtBot) -> None:
    state = at(written_state(), cursor(BORDER + 3))
    view, _ = open_network(qtbot, state, level="folded")
    drawing, trace = view.drawing, state.recorded.traces[0].sample(0)
    for place, name, t in ((0, "l0", BORDER), (1, "decoder.l0", BORDER + 3)):
        strip = drawing.mark(f"0 {place} h")
        assert isinstance(strip, Strip)
        np.testing.assert_array_equal(strip.values, trace.layer(name).value("h")[t - 1, 0])
    assert (drawing.texts["0 0 words"], drawing.texts["0 1 words"]) == ("encoder", "decoder")
    assert "0 attention words" in drawing.texts
    assert "1 attention words" not in drawing.texts
    assert "0 1 y" in drawing.texts
    assert "0 0 y" not in drawing.texts


def deep(**changes: object) -> State:
    """Two layers of a GRU, of the first sequence, with something else in their call."""
    traced: Traced = traced_state("characters", (Structure("gru", 0, 6, 2),), gains=(1.0,))
    (capture,) = traced.captures
    trace = rebuild(capture.with_call(**changes))
    return replace(traced.state, recorded=replace(traced.state.recorded, traces=(trace,)))


def test_a_residual_connection_goes_around_the_layer(qtbot: QtBot) -> None:
    structure = Structure("gru", 9, 6, 2, residual=True)
    state = deep(structure=structure)
    model = replace(state.run.models[0], structure=structure)
    state = replace(state, run=replace(state.run, models=(model,)))
    view, _ = open_network(qtbot, at(state, cursor(5, layer="l1")))
    around = view.drawing.mark("0 around 5")
    assert isinstance(around, Line)
    cell = view.drawing.mark("0 cell 5").rect
    xs, ys = [point.x() for point in around.points], [point.y() for point in around.points]
    assert min(xs) < cell.left()
    assert min(ys) < cell.top()
    assert max(ys) > cell.bottom()
    check_lines(view.drawing)
    lower, _ = open_network(qtbot, at(state, cursor(5, layer="l0")))
    assert not any("around" in mark.key for mark in lower.drawing.marks)


def test_dropped_units_are_crossed(qtbot: QtBot) -> None:
    masks = np.full((1, 19, 2, 6), 2.0, np.float32)
    masks[0, 4, 0, [1, 5]] = 0
    state = deep(masks=masks)
    views = [open_network(qtbot, at(state, cursor(5, layer=layer)))[0] for layer in ("l0", "l1")]
    for view in views:  # looked at, or a strip below
        crossed = [mark for mark in view.drawing.marks if isinstance(mark, Crossed)]
        assert [(mark.key, np.flatnonzero(mark.dropped).tolist()) for mark in crossed] == [("0 l0 dropped 5", [1, 5])]
        (said,) = [one for one in words(view.drawing) if "dropped" in one]
        assert said.startswith("2 of 6 units dropped in this training step")


def test_a_cut_stands_between_the_time_steps_it_parts(qtbot: QtBot) -> None:
    cut = np.zeros(19, bool)
    cut[5] = True
    view, _ = open_network(qtbot, at(deep(cut=cut), cursor(6, layer="l0")))
    assert any(one == "cut here: no gradient is carried back from t = 7 to t = 6" for one in words(view.drawing))
    strokes = {mark.key for mark in view.drawing.marks if isinstance(mark, Line) and " cut " in mark.key}
    assert strokes
    assert all(" cut 6 " in key for key in strokes)
    assert any(mark.markup == "cut" for mark in view.drawing.marks if isinstance(mark, Text))
    for t, more in ((6, ""), (7, "; hidden state at t = 6: press to go there")):
        inside, _ = open_network(qtbot, at(deep(cut=cut), cursor(t, layer="l0", phase=Phase.BACKWARD)), level="inside")
        assert f"cut here: no gradient is carried back from t = 7 to t = 6{more}" in words(inside.drawing)

"""From trace to picture of an encoder–decoder: one axis, one row for the layers of a depth, attention, letters.

What is expected is computed here from the arrays of the trace, never by the code of the lanes.
"""

import numpy as np
import pytest
from flat_state import update
from held_by_lanes import (
    attention_of,
    axis_of,
    cells_of,
    choices_of,
    hatched_of,
    heat_of,
    lanes_of,
    plot_of,
    symbols_of,
)
from open_lanes import open_lanes, view_of
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot
from staged_state import staged_state
from written_states import ANSWER, LENGTHS, READ, WRITTEN, written_state

from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.lane import Lane
from rnnviz.gui.canvas.lanes.row import lowest_at
from rnnviz.gui.canvas.lanes.shown import round_up
from rnnviz.gui.state.state import State


def lane(stack: LaneStack, key: str, model: int | None = None) -> Lane:
    (found,) = [one for one in lanes_of(stack) if one.key == key and one.model == model]
    return found


def words_at(stack: LaneStack, one: Lane, time_step: float) -> str:
    place = QPointF(axis_of(stack).x(time_step), one.rect.center().y())
    return stack._words_at(view_of(stack).mapFromScene(place))


def joined(state: State, model: int, sample: int, name: str, gradient: bool, depth: int = 0) -> np.ndarray:
    """(T, U) the encoder's layer, then the decoder's."""
    trace = state.recorded.traces[model].sample(sample)
    read, written = (trace.layer(f"{stage}l{depth}") for stage in ("", "decoder."))
    parts = [(layer.grad(name) if gradient else layer.value(name))[:, 0] for layer in (read, written)]
    return np.concatenate([parts[0][: LENGTHS[sample]], parts[1][LENGTHS[sample] :]])


@pytest.mark.parametrize(("cell", "layers", "layer"), [("gru", 1, "decoder.l0"), ("lstm", 2, "l1")])
@pytest.mark.parametrize("sample", [0, 1])
def test_a_row_is_the_encoders_layer_and_then_the_decoders(
    qtbot: QtBot, cell: str, layers: int, layer: str, sample: int
) -> None:
    state = written_state(cell, layers)
    cursor = state.place.cursor
    stack, store = open_lanes(qtbot, state)
    update(store, sample=sample, cursor=type(cursor)(42, cursor.phase, LENGTHS[sample] + 1, layer=layer))
    count, depth = LENGTHS[sample] + ANSWER, int(layer[-1])
    assert axis_of(stack).time_steps == max(LENGTHS) + ANSWER
    for model in (0, 1):
        expected = joined(state, model, sample, "h", False, depth)
        np.testing.assert_array_equal(heat_of(lane(stack, "hidden", model)).values, expected)
        gradient = joined(state, model, sample, "h", True, depth).astype(np.float64)
        assert len(gradient) == count
        magnitudes = np.log10(np.linalg.norm(gradient, axis=1))
        np.testing.assert_allclose(cells_of(lane(stack, "chain", model)).magnitudes, magnitudes, rtol=1e-6)
        held = choices_of(lane(stack, "prediction", model))
        head = state.recorded.traces[model].sample(sample).head
        np.testing.assert_allclose(held.chances[LENGTHS[sample] :], head.probabilities[LENGTHS[sample] :, 0], rtol=1e-6)
    share = plot_of(lane(stack, "share")).lines[0]
    border, trace = LENGTHS[sample], state.recorded.traces[0].sample(sample)
    parts = [trace.layer(f"{stage}l{depth}").weight_grad_shares["weight_hh"] for stage in ("", "decoder.")]
    shares = np.concatenate([parts[0][:border], parts[1][border:]])
    assert share.values[0] == -np.inf  # nothing is read by W_hh where the first state is 0
    np.testing.assert_allclose(share.values[1:], np.log10(shares[1:]), rtol=1e-6)
    header = lane(stack, "chain", 0).label
    assert header.subtitle == ("encoder, decoder ▾" if layers == 1 else f"layer {depth} of both ▾")
    assert header.words == f"net 1: encoder, layer {depth}, then decoder, layer {depth}"


def test_what_exists_in_one_stretch_alone_is_hatched_in_the_other(qtbot: QtBot) -> None:
    stack, _ = open_lanes(qtbot, written_state())
    axis, border = axis_of(stack), LENGTHS[0]
    for key, model in (("prediction", 1), ("attention", 0), ("decoder input", 1), ("loss", None)):
        one = lane(stack, key, model)
        boxes = [box for box in hatched_of(stack) if box.top() == one.rect.top()]
        assert boxes[0].left() == axis.left
        assert boxes[0].right() == pytest.approx(axis.x(border + 0.5))
        assert words_at(stack, one, 2) == f"the decoder begins at t = {border + 1}"
    ending = f"padding: sequence 1 ends at t = {border + ANSWER}"
    assert words_at(stack, lane(stack, "hidden", 0), border + ANSWER + 1) == ending
    mark = lane(stack, "stages")
    assert words_at(stack, mark, border + 0.5) == (
        "the hand-over: the decoder begins with the final states of the encoder"
    )
    assert words_at(stack, mark, 2) == f"encoder: time steps 1 to {border}"
    assert words_at(stack, mark, border + 2) == f"decoder: time steps {border + 1} to {border + ANSWER}"


@pytest.mark.parametrize("sample", [0, 1])
def test_attention_weights_are_the_softmax_of_the_scores(qtbot: QtBot, sample: int) -> None:
    state = written_state()
    stack, store = open_lanes(qtbot, state)
    update(store, sample=sample)
    assert [one.model for one in lanes_of(stack) if one.key == "attention"] == [0]
    trace, border = state.recorded.traces[0].sample(sample), LENGTHS[sample]
    read, written = trace.layer("l0").h[:border, 0], trace.layer("decoder.l0").h[border:, 0]
    score = trace.calls[1].call.head.attention.score
    expected = np.exp(written @ score @ read.T)
    expected /= expected.sum(axis=1, keepdims=True)
    held = attention_of(lane(stack, "attention", 0))
    np.testing.assert_allclose(held.weights, expected, rtol=1e-4)
    assert (held.first, held.of) == (border + 1, 1)
    assert held.map.left() == pytest.approx(axis_of(stack).x(border + 0.5))
    letters = symbols_of(lane(stack, "input"))
    place = QPointF(axis_of(stack).x(border + 2), held.map.top() + held.map.height() * (1.5 / border))
    words = stack._words_at(view_of(stack).mapFromScene(place))
    assert f"to t = 2 ({letters[1]})" in words
    assert f"{expected[1, 1]:.2f}"[:4] in words


def test_letters_a_decoder_is_told_and_its_own_output_are_told_apart(qtbot: QtBot) -> None:
    state = written_state()
    stack, _ = open_lanes(qtbot, state)
    trace, border = state.recorded.traces[1].sample(0), LENGTHS[0]
    given = [READ[int(row.argmax())] for row in trace.layer("l0").x[:border, 0]]
    told = [(*WRITTEN, "start")[int(row.argmax())] for row in trace.layer("decoder.l0").x[border:, 0]]
    assert symbols_of(lane(stack, "input")) == given + told
    own = lane(stack, "decoder input", 1)
    assert symbols_of(own) == [""] * border + told
    right = WRITTEN[int(trace.head.targets[border + 1, 0])]
    assert (own.symbols._own, own.symbols._wrong) == ({border + 3, border + ANSWER}, {border + 3})
    assert words_at(stack, own, border + 3).endswith(f", its own output of the time step before; right was {right}")
    assert words_at(stack, own, border + ANSWER).endswith(", its own output of the time step before")
    assert words_at(stack, own, border + 2).endswith(", told: the right answer of the time step before")


def test_the_lanes_stay_when_the_cursor_goes_over_the_hand_over(qtbot: QtBot) -> None:
    stack, store = open_lanes(qtbot, written_state(layers=2))
    before, cursor = lanes_of(stack), store.state.place.cursor
    held = heat_of(lane(stack, "hidden", 0)).values
    update(store, cursor=type(cursor)(42, cursor.phase, LENGTHS[0], layer="l0"))
    assert lanes_of(stack) is before
    assert heat_of(lane(stack, "hidden", 0)).values is held
    update(store, cursor=type(cursor)(42, cursor.phase, LENGTHS[0], layer="l1"))
    assert not np.array_equal(heat_of(lane(stack, "hidden", 0)).values, held)


def test_a_figure_looks_at_the_stage_that_goes_through_its_time_step() -> None:
    trace = written_state("lstm", 2).recorded.traces[0].sample(1)
    found = [lowest_at(trace, t) for t in (1, LENGTHS[1], LENGTHS[1] + 1, LENGTHS[1] + ANSWER)]
    assert found == ["l0", "l0", "decoder.l0", "decoder.l0"]


@pytest.mark.parametrize(
    ("cell", "handed", "beyond"), [("gru", 1.0, False), ("gru", 40.0, True), ("lstm", 40.0, False)]
)
def test_what_is_handed_over_beyond_one_has_its_place_in_the_colours(
    qtbot: QtBot, cell: str, handed: float, beyond: bool
) -> None:
    """A GRU keeps a part of its first state, which no tanh holds; an LSTM's h is held by one at every time step."""
    state = staged_state(cell, handed)
    stack, _ = open_lanes(qtbot, state)
    layer = state.recorded.traces[0].sample(0).layer("decoder.l0")
    largest = float(np.abs(layer.h[2:]).max())
    assert (largest > 2.0) == beyond
    heat = heat_of(lane(stack, "hidden", 0))
    assert heat.levels == ((-round_up(largest), round_up(largest)) if beyond else (-1.0, 1.0))
    assert heat.knee == (1.0 if largest > 3.0 else 0.0)  # within ±1 its colours stay as they are

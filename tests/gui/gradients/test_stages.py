"""Cards of an encoder–decoder: each shows both stages, or one and where the other lies, or says why it has none."""

import numpy as np
import pytest
from flat_state import flat_state
from open_gradients import frame_of, open_gradients
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot
from written_states import ANSWER, LENGTHS, written_state

from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.network.drawing import Box, Line
from rnnviz.gui.state.laboratory import CARDS

READ = LENGTHS[0]  # time steps of the encoder


def words_at(frame: CardFrame, t: int, share: float = 0.5) -> str:
    box = frame.drawing.mark("frame")
    assert isinstance(box, Box)
    x = box.rect.left() + (t - 0.5) / (READ + ANSWER) * box.rect.width()
    spot = frame.card.spot(frame.sight, frame.area, QPointF(x, box.rect.top() + share * box.rect.height()))
    assert spot is not None
    return spot.words


@pytest.mark.parametrize("layer", ["l0", "decoder.l0"])
def test_flows_go_over_both_stages_and_other_cards_say_where_theirs_lies(qtbot: QtBot, layer: str) -> None:
    state = flat_state(written_state("lstm"), cursor=Cursor(42, Phase.BACKWARD, READ + 2, layer=layer))
    view, _ = open_gradients(qtbot, state, ["flow", "walk", "bars", "paths", "jacobians", "shares"], (1400, 900))
    trace = state.recorded.traces[0].sample(0)
    encoder, decoder = trace.layer("l0"), trace.layer("decoder.l0")
    wanted = (encoder.gradient_flow() + decoder.gradient_flow())[READ:]
    flow = frame_of(view, "flow", 0)
    np.testing.assert_allclose(flow.sight.models[0].value.flow.values, wanted, rtol=1e-12)
    axis = flow.drawing.texts
    assert str(READ + 1) in axis.values()
    assert str(READ + ANSWER) in axis.values()
    marks = flow.card.mark(flow.sight, flow.area)
    assert isinstance(marks.mark(f"hand-over {READ}"), Line)
    words = words_at(flow, 2, 0.02)
    assert words.startswith(f"net 1, loss at k = {READ + ANSWER}, state at t = 2: ")
    assert ", of which directly through attention " in words
    assert "attention" not in words_at(frame_of(view, "flow", 1), 2, 0.02)
    sums = frame_of(view, "bars", 1).sight.models[0].value.totals
    other = state.recorded.traces[1].sample(0)
    both = other.layer("l0").gradient_flow() + other.layer("decoder.l0").gradient_flow()
    np.testing.assert_allclose(sums, both.sum(axis=0), rtol=1e-12)
    walk = frame_of(view, "walk")
    assert "no bound: there is no step Jacobian from one stage to the next" in words_at(walk, 2)
    assert any(" a time step in the decoder · horizon" in text for text in walk.drawing.texts.values())
    np.testing.assert_allclose(walk.sight.known[0].value.numbers.flow.values, wanted, rtol=1e-12)
    here, elsewhere = (2, READ + 3) if layer == "l0" else (READ + 3, 2)
    said = f"the encoder ends at t = {READ}" if layer == "l0" else f"the decoder begins at t = {READ + 1}"
    for key in ("paths", "jacobians", "shares"):
        frame = frame_of(view, key, None if key == "jacobians" else 1)
        assert words_at(frame, elsewhere).endswith(said)
        assert said not in words_at(frame, here)
        assert isinstance(
            frame.card.mark(frame.sight, frame.area).mark(f"rest {1 if here > elsewhere else READ + 1}"), Box
        )
        for mark in frame.drawing.marks:  # no zeros, no NaN where there is nothing
            assert not mark.key.endswith((" nan", " up"))
    norms = frame_of(view, "jacobians").sight.known[0].value
    assert len(norms.norms) == len(norms.radii) == (READ if layer == "l0" else ANSWER)


def test_every_card_draws_or_says_why_not(qtbot: QtBot) -> None:
    state = written_state("gru", attention=(True,))
    view, _ = open_gradients(qtbot, state, [card.key for card in CARDS], (1900, 2400))
    said = {frame.card.key: frame.sight.models[0].problem for frame in view.frames if frame.sight.models[0].problem}
    assert said["untrained"] == "net 1 has an encoder and a decoder, which are not drawn untrained."
    assert said["lyapunov"].endswith("it needs 10, this layer has fewer.")
    for frame in view.frames:
        if frame.sight.known:
            assert frame.card.table(frame.sight).text()

"""Card "Lyapunov spectrum": sorted exponents of every model against i/N, and what the largest one means."""

import numpy as np
import pytest
from fake_states import fake_state
from open_gradients import frame_of, open_gradients, wait_until_found
from pytestqt.qtbot import QtBot
from read_marks import by_ticks, dots
from traced_states import traced_state

from rnnviz.core.gradients.lyapunov import layer_lyapunov
from rnnviz.core.structure import Structure
from rnnviz.gui.canvas.lanes.shown import resolve
from rnnviz.gui.gradients import card
from rnnviz.gui.gradients.cards.lyapunov_card import LyapunovCard, LyapunovNumbers
from rnnviz.gui.state.laboratory import Laboratory
from rnnviz.gui.state.store import setting


@pytest.mark.parametrize("sample", [0, 1])
def test_dots_are_the_exponents_of_each_model(qtbot: QtBot, sample: int) -> None:
    structures = Structure("vanilla", 1, 4), Structure("gru", 1, 6)
    state = traced_state("characters", structures, gains=(0.4, 9.0)).state
    view, store = open_gradients(qtbot, state, ["lyapunov"])
    store.change(place=setting(sample=sample))
    wait_until_found(qtbot, view)
    frame = frame_of(view, "lyapunov")
    for number, trace in enumerate(state.recorded.traces):
        assert trace is not None
        *_, wanted = layer_lyapunov(trace.sample(sample).layer("l0"))
        mark = dots(frame.drawing, f"dots {number}")
        np.testing.assert_array_equal(mark.values, wanted.exponents)
        np.testing.assert_allclose(mark.ys, by_ticks(frame.drawing, "y", wanted.exponents), atol=1e-6)
        shares = np.arange(1, len(wanted.exponents) + 1) / len(wanted.exponents)
        np.testing.assert_allclose(mark.xs, by_ticks(frame.drawing, "x", shares), atol=1e-6)
    said = [frame.drawing.texts[key] for key in frame.drawing.texts if key.startswith("said")]
    assert said[0].startswith("net 1 λ_1 −")
    assert said[0].endswith("contracting")
    assert frame._aside() == "t > 1"


def test_too_short_sequences_are_told_in_a_sentence(qtbot: QtBot) -> None:
    view, _ = open_gradients(qtbot, fake_state(time_steps=9), ["lyapunov"])
    assert "it needs 10, this sequence has fewer" in frame_of(view, "lyapunov").sentence


def test_not_finite_ones_are_told(qtbot: QtBot) -> None:
    view, _ = open_gradients(qtbot, fake_state(time_steps=14, poison=np.nan), ["lyapunov"])
    drawing = frame_of(view, "lyapunov").drawing
    assert "a step Jacobian is not finite" in drawing.texts["said 1 0"]
    assert drawing.mark("curve 0 nan")


@pytest.mark.parametrize(
    ("largest", "counted", "words"),
    [
        (0.3, 50, "chaotic"),
        (-0.3, 50, "contracting"),
        (0.015, 60, "near 0"),
        (-0.015, 60, "near 0"),
        (0.015, 70, "chaotic"),
        (-np.inf, 50, "forgets at once"),
    ],
)
def test_the_largest_exponent_in_words(largest: float, counted: int, words: str) -> None:
    assert LyapunovNumbers(np.array([largest, -4.0]), counted, 5).verdict == words


def test_the_time_steps_that_are_left_out_are_told_as_they_go_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "_APART", 0.0)
    model = resolve(fake_state(time_steps=40)).models[1]
    parts = list(LyapunovCard().find(model, Laboratory(), {}))
    assert [part.share for part in parts[:5]] == [0.025, 0.05, 0.075, 0.1, 0.125]
    assert [part.value is None for part in parts[:5]] == [True] * 4 + [False]

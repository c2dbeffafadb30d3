"""The cards of weight gradients: shares of time steps, and whether these agree, against sums made by hand."""

import numpy as np
import pytest
from open_gradients import frame_of, open_gradients, wait_until_found
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot
from read_marks import by_ticks
from traced_states import traced_state

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.layer import Layer
from rnnviz.gui.gradients.parameter_choice import ParameterChoice
from rnnviz.gui.gradients.plots.marks import Curve
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting


@pytest.fixture(scope="module")
def state() -> State:
    structures = Structure("vanilla", 1, 4), Structure("lstm", 1, 5)
    return traced_state("characters", structures, seed=3, gains=(1.1, 1.5)).state


def parts(layer: Layer, rows: slice) -> Array:
    """(T, G, H) ∂L/∂W_hh at every time step, as it is defined."""
    before = np.concatenate([layer.initial["h"][None], layer.h[:-1]])[:, 0]
    return np.einsum("tg,th->tgh", layer.grad("a")[:, 0, rows].astype(float), before.astype(float))


def curve(drawing: object, key: str) -> Array:
    found = drawing.mark(key)  # type: ignore[attr-defined]
    assert isinstance(found, Curve)
    assert found.values is not None
    return found.values


@pytest.mark.parametrize("sample", [0, 1])
def test_angles_and_shares_are_those_of_the_parts(qtbot: QtBot, state: State, sample: int) -> None:
    view, store = open_gradients(qtbot, state, ["shares", "agreement"], (900, 700))
    store.change(place=setting(sample=sample))
    wait_until_found(qtbot, view)
    trace = state.recorded.traces[0]
    assert trace is not None
    every = parts(trace.sample(sample).layer("l0"), slice(None))
    gathered = np.cumsum(every[::-1], axis=0)[::-1]
    final = gathered[0]
    with np.errstate(invalid="ignore"):
        cosine = (gathered * final).sum((1, 2)) / np.linalg.norm(gathered, axis=(1, 2)) / np.linalg.norm(final)
    known = np.isfinite(cosine)
    wanted = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    frame = frame_of(view, "agreement")
    drawn = curve(frame.drawing, "0")
    assert np.allclose(drawn[known], wanted[known], atol=0.05)
    x = float(by_ticks(frame.drawing, "x", np.array(5.0)))
    spot = frame.card.spot(frame.sight, frame.area, QPointF(x, frame.area.center().y()))  # type: ignore[arg-type]
    name, share = state.run.models[0].name, np.linalg.norm(gathered[4]) / np.linalg.norm(final)
    assert spot is not None
    assert f"{name}: {short(float(drawn[4]))}° off, {short(float(share))} of the final norm" in spot.words
    shares = curve(frame_of(view, "shares", 0).drawing, "0 weight_hh")
    with np.errstate(divide="ignore"):
        assert np.allclose(shares, np.log10(np.linalg.norm(every, axis=(1, 2))), atol=1e-5)


def test_an_lstm_has_a_curve_for_each_gate_and_other_weights_are_chosen(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["shares"], (900, 700))
    frame = frame_of(view, "shares", 1)
    words = [text for key, text in frame.drawing.texts.items() if key.startswith("name")]
    assert words[0] == "all rows"
    assert {"forget gate", "input gate", "output gate"} <= set(words)
    choice = frame.controls
    assert isinstance(choice, ParameterChoice)
    choice.chosen.emit("bias_hh")
    wait_until_found(qtbot, view)
    keys = {mark.key for mark in frame_of(view, "shares", 1).drawing.marks if isinstance(mark, Curve)}
    assert keys == {f"1 bias_hh {block}".rstrip() for block in ("", "i", "f", "g", "o")}

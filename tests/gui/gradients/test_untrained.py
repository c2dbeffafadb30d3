"""The untrained network: what sliders say is what core computes, for all models together and at once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import pytest
from open_gradients import frame_of, open_gradients, wait_until_found
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from traced_states import traced_state

from rnnviz.core.arrays import Array
from rnnviz.core.cells.lstm import LstmSettings
from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.gradients.untrained import SEEDS, Untrained, UntrainedLayer, continued, untrained
from rnnviz.core.numbers import short
from rnnviz.core.source import Trained
from rnnviz.core.structure import Structure
from rnnviz.gui.gradients import card_frame
from rnnviz.gui.gradients.card import Partial
from rnnviz.gui.gradients.card_table import CARD_OF
from rnnviz.gui.gradients.cards import untrained_card
from rnnviz.gui.gradients.cards.untrained_controls import UntrainedControls
from rnnviz.gui.gradients.page import GradientsView
from rnnviz.gui.gradients.plots.marks import Area, Curve
from rnnviz.gui.state.state import State

MODELS = (
    ModelSettings("Vanilla", "vanilla", 4, own=VanillaSettings(activation="relu")),
    ModelSettings("LSTM", "lstm", 5, own=LstmSettings(forget_bias=2.5)),
)


@pytest.fixture(scope="module")
def state() -> State:
    structures = Structure("vanilla", 1, 4, activation="relu"), Structure("lstm", 1, 5)
    state = traced_state("characters", structures, gains=(1.1, 1.5)).state
    experiment = replace(first_lesson(), models=MODELS)
    return replace(state, run=replace(state.run, source=Trained(experiment)))


def drawn(view: GradientsView, model: int) -> tuple[Array, Array]:
    """Log₁₀ of the median state and gradient."""
    drawing = frame_of(view, "untrained").drawing
    found = [drawing.mark(f"{plot} {model}") for plot in (0, 1)]
    assert all(isinstance(mark, Curve) for mark in found)
    return found[0].values, found[1].values  # type: ignore[union-attr,return-value]


def controls(view: GradientsView) -> UntrainedControls:
    found = frame_of(view, "untrained").controls
    assert isinstance(found, UntrainedControls)
    return found


def begun(state: State, settings: ModelSettings, time_steps: int | None = None, **given: Any) -> UntrainedLayer:
    trace = state.recorded.traces[0]
    assert trace is not None
    inputs = trace.sample(0).layers[0].x[:, 0]
    return untrained(settings, continued(inputs, time_steps or len(inputs)), **given).layers[0]


def wanted(state: State, settings: ModelSettings, time_steps: int | None = None, **given: Any) -> tuple[Array, Array]:
    found = begun(state, settings, time_steps, **given)
    with np.errstate(divide="ignore"):
        return np.log10(found.state_band("h").median), np.log10(found.band.median)


def test_untouched_it_is_what_the_experiment_begins(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["untrained"], (900, 420))
    words = frame_of(view, "untrained").drawing.texts.values()
    for number, settings in enumerate(MODELS):
        for found, expected in zip(drawn(view, number), wanted(state, settings), strict=True):
            assert np.array_equal(found, expected)
        of_last = np.median(np.divide(*begun(state, settings).gradients[[0, -1]]))
        assert any(said.endswith(f"= {short(float(of_last))}") for said in words)
    band = frame_of(view, "untrained").drawing.mark("1 1 band")
    assert isinstance(band, Area)
    assert (band.lower >= band.upper).all()
    assert frame_of(view, "untrained").rect().contains(controls(view).geometry())


@pytest.mark.parametrize(
    ("name", "typed", "changed", "given"),
    [
        ("forget_bias", "4.5", lambda one: replace(one, own=replace(one.own, forget_bias=4.5)), {}),
        ("hidden_size", "9", lambda one: replace(one, hidden_size=9), {}),
        ("scale", "3", lambda one: one, {"scale": 3.0}),
        ("time_steps", "31", lambda one: one, {"time_steps": 31}),
        ("clip", "0.02", lambda one: one, {"clip": 0.02}),
    ],
)
def test_a_number_that_is_typed_redraws_every_model_that_has_it(
    qtbot: QtBot,
    state: State,
    name: str,
    typed: str,
    changed: Callable[[ModelSettings], ModelSettings],
    given: dict[str, Any],
) -> None:
    view, _ = open_gradients(qtbot, state, ["untrained"], (900, 420))
    field = controls(view).fields[name]
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, typed)
    QTest.keyClick(field, Qt.Key.Key_Return)
    wait_until_found(qtbot, view)
    for found, expected in zip(drawn(view, 1), wanted(state, changed(MODELS[1]), **given), strict=True):
        assert np.array_equal(found, expected)
    QTest.mouseClick(controls(view).reset, Qt.MouseButton.LeftButton)
    wait_until_found(qtbot, view)
    assert np.array_equal(drawn(view, 1)[1], wanted(state, MODELS[1])[1])


def test_radius_and_activation_are_those_of_the_vanilla_network(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["untrained"], (900, 420))
    before = drawn(view, 1)[1]
    controls(view).fields["spectral_radius"].put(1.4)
    choice = controls(view).activation
    assert choice is not None
    choice.chosen.emit("sigmoid")
    wait_until_found(qtbot, view)
    own = VanillaSettings(activation="sigmoid", initialisation="spectral radius", spectral_radius=1.4)
    assert np.array_equal(drawn(view, 0)[1], wanted(state, replace(MODELS[0], own=own))[1])
    assert np.array_equal(drawn(view, 1)[1], before)


def test_a_large_network_is_swept_a_few_seeds_at_a_time(
    qtbot: QtBot, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = list[tuple[int, ...]]()

    def few(*given: Any, **others: Any) -> Untrained:
        swept.append(others["seeds"])
        return untrained(*given, **others)

    monkeypatch.setattr(untrained_card, "untrained", few)
    monkeypatch.setattr(untrained_card, "_MULTIPLY_ADDS", 3_500)  # of 13 time steps of 4 · 4 and of 20 · 5 weights
    view, _ = open_gradients(qtbot, state, ["untrained"], (900, 420))
    assert sorted(sum(swept, ())) == sorted(SEEDS * 2)
    assert {len(seeds) for seeds in swept} == {16, 4, 2}
    for number, settings in enumerate(MODELS):
        for found, expected in zip(drawn(view, number), wanted(state, settings), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_picture_of_the_moment_before_says_how_far_the_next_one_is(
    qtbot: QtBot, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, _ = open_gradients(qtbot, state, ["untrained"], (900, 420))
    frame, go_on, before = frame_of(view, "untrained"), Event(), frame_of(view, "untrained").sight
    monkeypatch.setattr(card_frame, "_LATE", 0.0)

    def parts(*_: object) -> Iterator[Partial]:
        yield Partial(None, 0.35)
        go_on.wait(20)
        yield Partial(before.values[0])  # type: ignore[union-attr]

    monkeypatch.setattr(CARD_OF["untrained"], "find", parts)
    controls(view).fields["scale"].put(2.0)
    qtbot.waitUntil(lambda: frame._aside() == "computing 35 %")
    assert frame.sight is before
    go_on.set()
    wait_until_found(qtbot, view)
    assert frame._aside().startswith("L = uᵀh")

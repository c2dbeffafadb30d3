"""Card "Step Jacobians": its curves are the spectra of the trace, at the places the axes say."""

from dataclasses import replace

import numpy as np
import pytest
from fake_states import fake_state
from open_gradients import frame_of, open_gradients, wait_until_found
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from read_marks import by_ticks, curve, dots
from traced_states import traced_state

from rnnviz.core.gradients.jacobians import spectra
from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting

STRUCTURES = Structure("vanilla", 1, 4), Structure("lstm", 1, 5)


@pytest.fixture(scope="module")
def state() -> State:
    return traced_state("characters", STRUCTURES, gains=(1.1, 1.9)).state


@pytest.mark.parametrize("sample", [0, 1])
def test_curves_are_the_spectra_of_each_model(qtbot: QtBot, state: State, sample: int) -> None:
    view, store = open_gradients(qtbot, state, ["jacobians"])
    store.change(place=setting(sample=sample))
    wait_until_found(qtbot, view)
    drawing = frame_of(view, "jacobians").drawing
    for number, trace in enumerate(state.recorded.traces):
        assert trace is not None
        *_, wanted = spectra(trace.sample(sample).layer("l0"))
        for name, values in (("norm", wanted.norms), ("radius", wanted.radii)):
            mark = curve(drawing, f"{name} {number}")
            np.testing.assert_allclose(mark.values, np.log10(values), rtol=1e-12)
            np.testing.assert_allclose(mark.ys, by_ticks(drawing, "y", np.log10(values)), atol=1e-6)
    assert drawing.mark("one").points[0].y() == pytest.approx(float(by_ticks(drawing, "y", np.zeros(1))[0]))  # type: ignore[union-attr]


def test_a_press_goes_to_the_time_step(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["jacobians"])
    frame = frame_of(view, "jacobians")
    at = QPoint(round(float(curve(frame.drawing, "norm 1").xs[10])), round(frame.area.center().y() - 20))
    QTest.mouseClick(frame, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert store.state.place.cursor.time_step == 11
    trace = state.recorded.traces[1]
    assert trace is not None
    *_, wanted = spectra(trace.sample(0).layer("l0"))
    words = frame._words_at(at)
    assert words.startswith("t = 11\nnet 1: norm")
    assert f"net 2: norm {short(wanted.norms[10])}, radius {short(wanted.radii[10])}" in words


def test_what_float32_loses_is_that_of_the_float64_rebuild_and_dotted(qtbot: QtBot) -> None:
    state = traced_state("characters", STRUCTURES, gains=(1e-41, 1.2)).state
    view, _ = open_gradients(qtbot, state, ["jacobians"])
    drawing, trace = frame_of(view, "jacobians").drawing, state.recorded.traces[0]
    assert trace is not None
    *_, wanted = spectra(trace.sample(0).exact.layer("l0"))
    np.testing.assert_allclose(curve(drawing, "norm 0 lost").values, np.log10(wanted.norms), rtol=1e-12)
    places = by_ticks(drawing, "y", np.log10(wanted.norms))
    np.testing.assert_allclose(curve(drawing, "norm 0 lost").ys, places, atol=1e-6)
    assert np.isnan(curve(drawing, "norm 0").ys).all()
    assert not any(mark.key == "norm 1 lost" for mark in drawing.marks)


def test_not_finite_jacobians_are_marked_where_they_are(qtbot: QtBot) -> None:
    state = fake_state(time_steps=15, poison=np.nan)
    view, _ = open_gradients(qtbot, state, ["jacobians", "products"])
    drawing = frame_of(view, "jacobians").drawing
    odd, known = dots(drawing, "norm 0 nan"), curve(drawing, "norm 0")
    assert np.isfinite(known.ys).sum() == 7  # the input is NaN in the middle
    assert odd.xs.min() == known.xs[7]
    assert odd.color.name() == frame_of(view, "jacobians").sight.theme.not_finite  # type: ignore[union-attr]
    assert dots(frame_of(view, "products", 0).drawing, "value 0 nan").color.name() == odd.color.name()


def test_a_cell_without_states_is_told_in_a_sentence(qtbot: QtBot) -> None:
    state = traced_state("values", (Structure("mlp", 1, 4),), gains=(1.0,)).state
    for card in ("jacobians", "products", "lyapunov"):
        view, _ = open_gradients(qtbot, replace(state), [card])
        assert view.frames[0].sentence == "The MLP cell carries no state from one time step to the next."


def test_a_radius_of_0_and_of_nan_is_marked_like_a_norm(qtbot: QtBot) -> None:
    view, _ = open_gradients(qtbot, fake_state("values", 14, 4, poison=np.nan), ["jacobians"])
    drawing = frame_of(view, "jacobians").drawing
    assert len(dots(drawing, "radius 0 nan").xs) == len(dots(drawing, "norm 0 nan").xs) > 0
    view, _ = open_gradients(qtbot, traced_state("characters", STRUCTURES, gains=(0.0, 1.0)).state, ["jacobians"])
    assert dots(frame_of(view, "jacobians").drawing, "radius 0 down").sign == "down"

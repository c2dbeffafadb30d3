"""Card "Singular values of ∂h_T/∂h_t": curves, band and words are the accumulated products of the trace."""

from dataclasses import replace

import numpy as np
import pytest
from fake_states import fake_state
from open_gradients import frame_of, open_gradients, wait_until_found
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from read_marks import by_ticks, curve, dots
from traced_states import LENGTHS, traced_state

from rnnviz.core.gradients.products import product_spectra
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.gui.gradients.plots.marks import Area
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting

STRUCTURES = Structure("vanilla", 1, 4), Structure("lstm", 1, 7)


@pytest.fixture(scope="module")
def state() -> State:
    return traced_state("characters", STRUCTURES, gains=(0.8, 1.4)).state


@pytest.mark.parametrize("sample", [0, 1])
def test_curves_are_the_largest_singular_values(qtbot: QtBot, state: State, sample: int) -> None:
    view, store = open_gradients(qtbot, state, ["products"])
    store.change(place=setting(sample=sample))
    wait_until_found(qtbot, view)
    for number, trace in enumerate(state.recorded.traces):
        assert trace is not None
        *_, wanted = product_spectra(trace.sample(sample).layer("l0"))
        drawing = frame_of(view, "products", number).drawing
        curves = [mark for mark in drawing.marks if mark.key.startswith("value")]
        assert len(curves) == (4, 10)[number]
        for place in range(len(curves)):
            mark = curve(drawing, f"value {place}")
            np.testing.assert_array_equal(mark.values, wanted.log10_values[:, place])
            np.testing.assert_allclose(mark.ys, by_ticks(drawing, "y", wanted.log10_values[:, place]), atol=1e-6)
            np.testing.assert_allclose(np.diff(mark.xs), np.diff(mark.xs)[0])
        assert len(mark.xs) == LENGTHS[sample]
    band, (*_, wanted) = drawing.mark("band 0"), product_spectra(trace.sample(sample).layer("l0"))
    assert isinstance(band, Area)
    floor = float(by_ticks(drawing, "y", np.array([-1e3]))[0])
    lower = np.minimum(by_ticks(drawing, "y", wanted.log10_values.min(axis=1)), band.lower.max())
    np.testing.assert_allclose(band.lower, lower, atol=1e-6)
    assert band.lower.max() < floor
    np.testing.assert_allclose(band.upper, by_ticks(drawing, "y", wanted.log10_values[:, 9]), atol=1e-6)


def test_far_below_the_smallest_float64_and_exact_zeros(qtbot: QtBot) -> None:
    structures = Structure("vanilla", 1, 4), Structure("vanilla", 1, 4)
    traced = traced_state("characters", structures, gains=(1e-25, 1.0))
    view, store = open_gradients(qtbot, traced.state, ["products"])
    frame, other = frame_of(view, "products", 0), frame_of(view, "products", 1)
    first = curve(frame.drawing, "value 0")
    assert first.values is not None
    assert first.values[0] < -290
    assert np.isfinite(first.ys).all()
    assert "largest 10⁻³" in frame.drawing.texts["said 1 0"]
    shared = [{key for key in one.drawing.texts if key.startswith("y-")} for one in (frame, other)]
    assert shared[0] == shared[1]
    at = QPoint(round(float(first.xs[3])), round(frame.area.center().y() - 20))
    QTest.mouseClick(frame, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert store.state.place.cursor.time_step == 4


def test_of_a_long_sequence_enough_time_steps_for_the_picture(qtbot: QtBot) -> None:
    state = fake_state(time_steps=700, structures=(Structure("vanilla", 2, 3),), kind="adding")
    view, _ = open_gradients(qtbot, state, ["products"])
    trace, mark = state.recorded.traces[0], curve(frame_of(view, "products", 0).drawing, "value 0")
    assert trace is not None
    *_, wanted = product_spectra(trace.sample(0).exact.layer("l0"), every=2)  # float32 loses gradients
    np.testing.assert_array_equal(mark.values, wanted.log10_values[wanted.time_steps, 0])
    assert len(mark.xs) == 351
    frame = frame_of(view, "products", 0)
    at = QPoint(round(float(mark.xs[100])), round(frame.area.center().y() - 20))
    words = frame._words_at(at)
    assert "at t = " in words
    assert "not known" not in words


def test_exact_zeros_are_marked_and_counted(qtbot: QtBot) -> None:
    traced = traced_state("characters", STRUCTURES[:1], gains=(0.9,))
    weights = dict(traced.captures[0].weights)
    weights["weight_hh_l0"] = np.where(np.arange(4) == 2, weights["weight_hh_l0"], np.float32(0))  # of unit 3 alone
    trace = rebuild(replace(traced.captures[0], weights=weights))
    state = replace(traced.state, recorded=replace(traced.state.recorded, traces=(trace,)))
    view, _ = open_gradients(qtbot, state, ["products"])
    drawing = frame_of(view, "products", 0).drawing
    assert "3 exactly 0" in drawing.texts["said 1 0"]
    assert np.isneginf(curve(drawing, "value 1").values[:-1]).all()  # type: ignore[index]
    assert np.isnan(curve(drawing, "value 1").ys[:-1]).all()
    weights["weight_hh_l0"] = np.zeros((4, 4), np.float32)
    trace = rebuild(replace(traced.captures[0], weights=weights))
    state = replace(traced.state, recorded=replace(traced.state.recorded, traces=(trace,)))
    view, _ = open_gradients(qtbot, state, ["products"])
    drawing = frame_of(view, "products", 0).drawing
    assert "largest 0, 4 exactly 0" in drawing.texts["said 1 0"]
    assert dots(drawing, "value 0 down").xs.min() == curve(drawing, "value 0").xs[0]

"""Cards "Gate saturation" and "How long units remember": every dot is a unit's, and pressing it selects that one."""

from dataclasses import replace

import numpy as np
import pytest
from fake_states import fake_state
from open_gradients import frame_of, open_gradients, wait_until_found
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from read_marks import by_ticks, dots
from traced_states import traced_state

from rnnviz.core.gradients.gates import gate_units, kept
from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.gradients.plots.marks import Dots, Stems
from rnnviz.gui.network.drawing import Line
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting

STRUCTURES = Structure("lstm", 1, 5), Structure("vanilla", 1, 3), Structure("gru", 1, 6)


@pytest.fixture(scope="module")
def state() -> State:
    return traced_state("characters", STRUCTURES, gains=(9.0, 1.0, 5.0)).state


def press(frame: CardFrame, mark: Dots, place: int) -> None:
    at = QPoint(round(float(mark.xs[place])), round(float(mark.ys[place])))
    QTest.mouseClick(frame, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)


@pytest.mark.parametrize("sample", [0, 1])
def test_saturation_of_each_gate_and_unit(qtbot: QtBot, state: State, sample: int) -> None:
    view, store = open_gradients(qtbot, state, ["gates"])
    store.change(place=setting(sample=sample))
    wait_until_found(qtbot, view)
    assert [frame.number for frame in view.frames] == [0, 2]  # none of the vanilla network
    for frame in view.frames:
        trace = state.recorded.traces[frame.number or 0]
        assert trace is not None
        for gate in gate_units(trace.sample(sample).layer("l0")):
            mark = dots(frame.drawing, gate.name)
            np.testing.assert_array_equal(mark.values, np.column_stack([gate.below, gate.above]))
            np.testing.assert_allclose(mark.xs, by_ticks(frame.drawing, "x", gate.below), atol=1e-6)
            np.testing.assert_allclose(mark.ys, by_ticks(frame.drawing, "y", gate.above), atol=1e-6)
            assert mark.color.name() == frame.sight.theme.gate_color(gate.family).name()  # type: ignore[union-attr]
    assert [frame.drawing.texts[f"gate {name}"] for name in "rz"] == ["reset", "update"]


def test_a_press_selects_the_unit_of_the_model(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["gates", "halflife"])
    frame, trace = frame_of(view, "halflife", 2), state.recorded.traces[2]
    assert trace is not None
    half_life = kept(trace.sample(0).layer("l0"))[0].half_life
    press(frame, dots(frame.drawing, "units"), 3)
    unit = int(np.argsort(-half_life)[3])
    assert (store.state.place.model, store.state.place.unit) == (2, unit)
    places = dots(frame.drawing, "units").xs
    for other, place in ((0, int(np.flatnonzero(np.argsort(-half_life, kind="stable") == 0)[0])), (unit, 3)):
        store.change(place=setting(unit=other))
        ring = frame.card.mark(frame.sight, frame.area).mark("unit").rect.center()  # type: ignore[union-attr,arg-type]
        assert ring.x() == pytest.approx(places[place])
    others = frame_of(view, "gates", 0), frame_of(view, "gates", 2)
    marked = [len(one.card.mark(one.sight, one.area).marks) for one in others]  # type: ignore[arg-type]
    assert marked == [0, 2]
    gates = dots(others[1].drawing, "z")
    press(others[1], gates, 1)
    same = np.flatnonzero((np.abs(gates.xs - gates.xs[1]) < 1) & (np.abs(gates.ys - gates.ys[1]) < 1))
    assert store.state.place.unit in same


@pytest.mark.parametrize("sample", [0, 1])
def test_half_lives_are_sorted_and_the_longest_is_told_beside_the_mean(qtbot: QtBot, state: State, sample: int) -> None:
    view, store = open_gradients(qtbot, state, ["halflife"])
    store.change(place=setting(sample=sample))
    wait_until_found(qtbot, view)
    for number in (0, 2):
        trace, drawing = state.recorded.traces[number], frame_of(view, "halflife", number).drawing
        assert trace is not None
        half_life = kept(trace.sample(sample).layer("l0"))[0].half_life
        mark = dots(drawing, "units")
        assert mark.values is not None
        np.testing.assert_allclose(mark.values, np.sort(half_life)[::-1], rtol=1e-12)
        np.testing.assert_allclose(mark.ys, by_ticks(drawing, "y", np.log10(mark.values)), atol=1e-6)
        assert drawing.texts["said 1 0"].startswith(f"unit {half_life.argmax() + 1}: ")
        one, stems, mean = kept(trace.sample(sample).layer("l0"))[0], drawing.mark("most"), drawing.mark("mean")
        assert isinstance(stems, Stems)
        assert isinstance(mean, Line)
        longest = np.log(0.5) / np.log(np.minimum(one.largest[np.argsort(-half_life)], 1 - 1e-12))
        within = one.largest[np.argsort(-half_life)] < 1
        np.testing.assert_allclose(stems.upper[within], by_ticks(drawing, "y", np.log10(longest[within])), atol=1e-6)
        np.testing.assert_array_equal(stems.lower, mark.ys)
        of_mean = np.log(0.5) / np.log(one.mean.mean())
        assert mean.points[0].y() == pytest.approx(float(by_ticks(drawing, "y", np.log10([of_mean]))[0]))
        assert f"mean of all units: {short(of_mean)}" in drawing.texts.values()


def test_units_that_keep_all_or_nothing_are_at_the_ends(qtbot: QtBot) -> None:
    traced = traced_state("characters", (Structure("lstm", 1, 5),), gains=(0.7,))
    weights = {name: array.copy() for name, array in traced.captures[0].weights.items()}
    weights["bias_ih_l0"][5:7] = 300, -300  # forget gates of units 1 and 2
    trace = rebuild(replace(traced.captures[0], weights=weights))
    state = replace(traced.state, recorded=replace(traced.state.recorded, traces=(trace,)))
    view, _ = open_gradients(qtbot, state, ["halflife"])
    drawing = frame_of(view, "halflife", 0).drawing
    assert dots(drawing, "units up").values == np.inf
    assert {"∞", "0"} <= set(drawing.texts.values())
    assert dots(drawing, "units up").ys[0] < dots(drawing, "units").ys.min()
    assert dots(drawing, "units down").ys[0] > dots(drawing, "units").ys.max()
    assert "unit 1: ∞ time steps" in drawing.texts["said 1 0"]


def test_units_whose_gates_are_nan_are_counted_and_lie_nowhere(qtbot: QtBot) -> None:
    poisoned = fake_state("values", 12, 5, (Structure("lstm", 1, 5),), poison=np.nan)
    view, store = open_gradients(qtbot, poisoned, ["gates"])
    frame = frame_of(view, "gates", 0)
    assert frame.drawing.texts["nan"] == "NaN: 5 of 5 units"
    assert np.isnan(dots(frame.drawing, "f").values).all()  # type: ignore[arg-type]
    store.change(place=setting(unit=2))
    assert frame.sight is not None
    assert frame.card.mark(frame.sight, frame.area).marks == []
    assert frame.card.spot(frame.sight, frame.area, QPointF(frame.area.center())) is None

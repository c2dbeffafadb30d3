"""The memory horizon over training: every number is that of the capture at its training step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_states import fake_state
from open_gradients import frame_of, open_gradients
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from rnnviz.core.gradients.flow_of import flow_of
from rnnviz.core.gradients.horizon import horizon, in_the_past, omega
from rnnviz.core.sweeps.scans.wanted import finished
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.gui.gradients import over_training, recording
from rnnviz.gui.gradients.cards.horizon_card import HorizonCard, Reach
from rnnviz.gui.gradients.over_training import OverSteps
from rnnviz.gui.gradients.plots.marks import Curve, Dots
from rnnviz.gui.gradients.recording import Memory, Recording
from rnnviz.gui.network.drawing import Box
from rnnviz.gui.state.laboratory import Laboratory
from rnnviz.gui.state.run import History, Recorded, ShownRun
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting
from rnnviz.runs.reading.reader import Run


@pytest.fixture
def state(run_file: Path) -> State:
    """As the window has the run at its first capture."""
    with Run(run_file) as run:
        captured = run.captured()
        traces = tuple(rebuild(run.capture(int(captured[0]), model.number)) for model in run.models)
        shown = ShownRun(run.source, path=run_file, task=run.task, models=run.models)
        return State(shown, Recorded(history=History(captured=captured), traces=traces))


@pytest.mark.parametrize("losses", ["unit", "task"])  # this task asks once: unit losses unless its own are wanted
def test_every_point_is_that_of_its_capture(qtbot: QtBot, state: State, run_file: Path, losses: str) -> None:
    view, _ = open_gradients(qtbot, state, ["horizon"], losses=losses, threshold=1e-3)
    unit = losses == "unit"
    frame = frame_of(view, "horizon")
    captured = state.recorded.history.captured
    for number, found in enumerate(frame.sight.known):  # type: ignore[union-attr]
        assert np.array_equal(found.value.training_steps, captured)
        with Run(run_file) as run:
            for step, reach in zip(captured, found.value.numbers, strict=True):
                layer = rebuild(run.capture(int(step), number).sample(0)).layer("l0")
                steps = horizon(flow_of(layer, 0, unit=unit), 1e-3, True)
                wanted = Reach(steps.median, steps.at_least, 100 * in_the_past(layer).share, omega(layer).value, unit)
                assert reach == wanted
        curve = frame.drawing.mark(str(number))
        assert isinstance(curve, Curve)
        assert np.array_equal(curve.values, found.value.column("steps"))  # type: ignore[arg-type]


def test_a_press_asks_for_that_training_step(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["horizon"])
    frame = frame_of(view, "horizon")
    box = next(mark.rect for mark in frame.drawing.marks if mark.key == "frame")  # type: ignore[union-attr]
    with qtbot.waitSignal(view.training_step_wanted) as asked:
        point = QPoint(round(box.right()) - 1, round(box.center().y()))
        QTest.mouseClick(frame, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)
    assert asked.args == [int(state.recorded.history.captured[-1])]


def test_what_was_found_of_a_capture_is_not_looked_for_again(qtbot: QtBot, state: State, run_file: Path) -> None:
    view, store = open_gradients(qtbot, state, ["horizon"])
    store.change(place=setting(cursor=replace(state.place.cursor, time_step=3)))
    assert not view.waiting
    model = view.shown.models[0]
    captured, memory = state.recorded.history.captured, Memory()
    laboratory = state.look.laboratory
    first = Recording(run_file, captured[:-1], memory)
    *parts, found = HorizonCard().find_over(model, laboratory, {}, first)
    counts = [len(part.value.numbers) for part in (*parts, found)]
    assert parts  # a curve is seen before it is whole
    assert counts == sorted(set(counts))
    assert counts[-1] == len(captured) - 1
    run_file.rename(run_file.with_suffix(".gone"))
    *_, again = HorizonCard().find_over(model, laboratory, {}, first)
    assert again.value.numbers == found.value.numbers
    assert replace(first, captured=captured).chosen[:-1] == first.chosen


def test_what_takes_long_is_handed_on_before_a_capture_is_done(
    qtbot: QtBot, state: State, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, _ = open_gradients(qtbot, state, ["walk"])
    monkeypatch.setattr(over_training, "_TOLD", 0.0)
    monkeypatch.setattr(recording, "_AT_ONCE", 0.0)
    captures = state.recorded.history.captured
    reading = Recording(run_file, captures, Memory())
    assert [len(part) for part in reading.traces(0, reading.chosen, 0)] == [1] * len(captures)
    parts = list(HorizonCard().find_over(view.shown.models[0], state.look.laboratory, {}, reading))
    known = [len(part.value.numbers) for part in parts]
    assert len(parts) >= 2 * len(captures)
    assert set(known) == set(range(len(captures) + 1))
    shares = [part.share for part in parts]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_what_float32_has_lost_counts_as_float64_has_it() -> None:
    trace = fake_state("adding", 300, 3).recorded.traces[0]
    assert trace is not None
    layer, laboratory = trace.layer("l0"), Laboratory(threshold=1e-300, relative=False, losses="task")
    found = finished(HorizonCard().of_layer(trace, layer, laboratory))
    assert (found.steps, found.at_least) == (299, True)
    assert not horizon(flow_of(layer, 0), 1e-300, relative=False).at_least


def test_a_gradient_that_is_nan_is_not_called_none(qtbot: QtBot, state: State) -> None:
    trace = fake_state("adding", 20, 3, poison=np.nan).recorded.traces[0]
    assert trace is not None
    reach = finished(HorizonCard().of_layer(trace, trace.layer("l0"), Laboratory(losses="task")))
    assert not reach.finite
    assert np.isnan([reach.steps, reach.share]).all()
    view, _ = open_gradients(qtbot, state, ["horizon"])
    frame = frame_of(view, "horizon")
    assert frame.sight is not None
    known = tuple(
        replace(found, value=OverSteps(found.value.training_steps[:2], (found.value.numbers[0], reach)))
        for found in frame.sight.known
    )
    for options in ({}, {"way": "share"}):
        sight = replace(frame.sight, models=known, everyone=known, options=options, _made={})
        drawing = frame.card.draw(sight, frame.area)
        marked, box = drawing.mark("0 nan"), drawing.mark("frame")
        assert isinstance(marked, Dots)
        assert isinstance(box, Box)
        assert marked.ys.tolist() == [box.rect.center().y()]
        assert marked.color.name() == sight.theme.color("not_finite").name()
    words = HorizonCard()._words(known[0], int(known[0].value.training_steps[1]))
    assert "its gradient is NaN or ∞ · NaN % of the time steps" in words

"""Memory of rebuilt traces: bounded by the preferences, what is not looked at dropped and found again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QInputDialog
from pytestqt.qtbot import QtBot
from whole_program import OpenApp

from rnnviz.core.memory import array_bytes
from rnnviz.core.sweeps import one_by_one
from rnnviz.core.sweeps import trace as trace_module
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import Trace
from rnnviz.core.sweeps.what_if.interventions import SetValue
from rnnviz.debugger.whatif import WhatIf
from rnnviz.gui.live import following, rebuilding
from rnnviz.gui.live.rebuilding import Rebuilding, Rebuilt
from rnnviz.gui.state.preferences import Preferences, read_preferences, write_preferences
from rnnviz.gui.state.store import setting
from rnnviz.runs.reading.reader import open_run


def captured_steps(path: Path) -> list[int]:
    with open_run(path) as run:
        return [int(step) for step in run.captured()]


def test_every_array_is_counted_once_however_many_views_there_are() -> None:
    array = np.zeros((7, 100))
    assert array_bytes([{"a": array, "b": array[2:], "c": (array.T, [array[:, :3]])}]) == array.nbytes


def test_what_a_trace_has_found_out_is_forgotten_and_found_again(run_file: Path) -> None:
    with open_run(run_file) as run:
        trace = run.trace(captured_steps(run_file)[-1], 1)
    before, verdict = trace.bytes, trace.verdict
    layer = trace.sample(1).layers[0]
    gates, shares = {name: gate.copy() for name, gate in layer.gate_grads.items()}, layer.weight_grad_so_far
    slopes = layer.slopes
    for whole in trace.layers:
        _found = whole.gates, whole.pre_activations, whole.input_grad, whole.weight_grads
    grown = trace.bytes
    assert grown > before
    trace.forget()
    assert trace.bytes < grown
    assert trace.verdict is verdict
    assert trace.sample(1).layers[0] is layer
    assert layer.slopes is not slopes
    for name, gate in gates.items():
        np.testing.assert_array_equal(layer.gate_grads[name], gate)
    assert layer.weight_grad_so_far is shares  # small: what took long to find stays


@pytest.mark.parametrize(("most", "kept"), [(1 << 30, True), (1, False)])
def test_traces_of_other_training_steps_are_kept_as_far_as_the_bound_goes(
    qtbot: QtBot, run_file: Path, most: int, kept: bool
) -> None:
    first, last = captured_steps(run_file)[0], captured_steps(run_file)[-1]
    worker, got = Rebuilding(most_bytes=most), list[Rebuilt]()
    worker.finished.connect(got.append)
    worker.show_run(run_file)
    for step in (first, last, first):
        before = len(got)
        worker.ask(step, 2)
        qtbot.waitUntil(lambda before=before: len(got) > before)
    assert (got[2].traces[0] is got[0].traces[0]) == kept
    for one, again in zip(got[0].traces, got[2].traces, strict=True):
        np.testing.assert_array_equal(one.layers[0].h, again.layers[0].h)
    assert worker.stop()


@pytest.mark.parametrize(("most", "counts"), [(1 << 30, False), (1 << 20, True)])
def test_traces_far_below_the_bound_are_not_counted_at_each_training_step(
    qtbot: QtBot, run_file: Path, most: int, counts: bool
) -> None:
    counted = list[int]()

    def beside() -> tuple[tuple[Trace, ...], tuple[Trace, ...]]:
        counted.append(1)
        return (), ()

    worker, got = Rebuilding(most_bytes=most, beside=beside), list[Rebuilt]()
    worker.finished.connect(got.append)
    worker.show_run(run_file)
    for step in captured_steps(run_file)[:3]:
        before = len(got)
        worker.ask(step, 0)
        qtbot.waitUntil(lambda before=before: len(got) > before)
    assert bool(counted) == counts
    assert worker.stop()


def test_long_sums_along_time_are_found_in_the_worker(run_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "_LARGE", 1)
    with open_run(run_file) as run:
        trace = run.trace(captured_steps(run_file)[-1], 0)
    rebuilding.prepare(trace, 3)
    assert "weight_grad_so_far" in vars(trace.sample(3).layers[0])
    assert "weight_grad_so_far" not in vars(trace.sample(2).layers[0])


def test_the_bound_is_a_preference(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    write_preferences(Preferences(trace_memory=300), path)
    assert read_preferences(path)[0].trace_memory == 300
    path.write_text("trace_memory = -5\n", encoding="utf-8")
    found, complaint = read_preferences(path)
    assert found.trace_memory == Preferences().trace_memory
    assert "trace_memory" in complaint


def test_a_slow_rebuild_is_said_and_can_be_given_up(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_SLOW", 0)
    app = open_app(run_file)
    state = lambda: app.store.state  # noqa: E731
    qtbot.waitUntil(lambda: bool(state().recorded.traces) and None not in state().recorded.traces)
    said: list[str] = []
    app.store.changed.connect(lambda _old, new: said.append(new.notices.busy))
    shown, traces = state().place.cursor.training_step, state().recorded.traces
    first = captured_steps(run_file)[0]
    monkeypatch.setattr(app.session._following._rebuilding, "ask", lambda *_: None)  # one that takes for ever
    app.session.show_training_step(first)
    qtbot.waitUntil(lambda: f"training step {first}" in state().notices.busy)
    app.actions["dismiss"].trigger()
    assert state().notices.busy == ""
    assert (state().place.training_step, state().recorded.traces) == (shown, traces)
    monkeypatch.undo()
    app.session.show_training_step(first)
    qtbot.waitUntil(lambda: state().place.cursor.training_step == first)
    assert state().notices.busy == ""


def test_of_large_traces_only_the_sequence_looked_at_is_there(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_run(run_file) as run:
        step = captured_steps(run_file)[-1]
        wanted = [run.trace(step, model.number) for model in run.models]
    monkeypatch.setattr(rebuilding, "_PART", 1 << 40)  # any trace is large
    monkeypatch.setattr(following, "_SLOW", 0)
    app = open_app(run_file)
    state = lambda: app.store.state  # noqa: E731
    qtbot.waitUntil(lambda: bool(state().recorded.traces) and None not in state().recorded.traces)
    for sequence, keys in ((2, 2), (1, -1)):
        for _ in range(abs(keys)):
            app.actions["next_sequence" if keys > 0 else "previous_sequence"].trigger()
        qtbot.waitUntil(lambda sequence=sequence: state().place.sample == sequence)
        for trace, whole in zip(state().recorded.traces, wanted, strict=True):
            assert trace is not None
            assert [n for n in range(trace.sequences) if trace.holds(n)] == [sequence]
            assert trace.bytes < whole.bytes
            found, layer = (one.sample(sequence).layers[-1] for one in (trace, whole))
            np.testing.assert_allclose(found.hidden_grad, layer.hidden_grad, rtol=1e-4, atol=1e-7)
    monkeypatch.setattr(app.session._following._rebuilding, "ask", lambda *_: None)  # one that takes for ever
    app.actions["next_sequence"].trigger()
    qtbot.waitUntil(lambda: state().notices.busy == "Rebuilding the traces of sequence 3 …")
    app.actions["dismiss"].trigger()
    assert (state().notices.busy, state().place.sample) == ("", 1)


@pytest.fixture
def large_that_underflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any trace is large, and of any the float64 rebuild is wanted."""
    monkeypatch.setattr(rebuilding, "_PART", 1 << 40)
    monkeypatch.setattr(trace_module, "underflows", lambda layer: layer.h.dtype == np.float32)


@pytest.mark.usefixtures("large_that_underflow")
@pytest.mark.parametrize("another", ["training step", "sequence"])
def test_what_is_on_the_screen_gives_way_to_what_is_made_next(
    request: pytest.FixtureRequest, qtbot: QtBot, run_file: Path, monkeypatch: pytest.MonkeyPatch, another: str
) -> None:
    first, last = captured_steps(run_file)[0], captured_steps(run_file)[-1]
    got, exact, there = list[Rebuilt](), list[int](), list[int]()
    shown: Callable[[], tuple[Trace, ...]] = lambda: got[-1].traces if got else ()  # noqa: E731
    worker = Rebuilding(most_bytes=1, beside=lambda: (shown(), ()))
    request.addfinalizer(worker.stop)
    worker.finished.connect(got.append)
    worker.show_run(run_file)
    rebuild, alone = one_by_one.rebuild_one, Trace.alone

    def look() -> None:
        exact.append(sum(not trace.without_exact for trace in shown()))
        there.append(worker._reader._bytes())

    def rebuilt(capture: Capture, sample: int) -> Trace:
        look()
        return rebuild(capture, sample)

    def cut(trace: Trace, sample: int) -> Trace:
        look()
        return alone(trace, sample)

    monkeypatch.setattr(one_by_one, "rebuild_one", rebuilt)
    monkeypatch.setattr(Trace, "alone", cut)
    worker.ask(last, 1)
    qtbot.waitUntil(lambda: len(got) == 1)
    exact.clear()
    there.clear()
    took = worker._reader._bytes()
    assert all(trace.sample(1).wider is not None for trace in got[0].traces)
    worker.ask(*((first, 1) if another == "training step" else (last, 2)))
    qtbot.waitUntil(lambda: len(got) == 2)
    assert len(exact) == len(got[0].traces) > 1
    assert not any(exact)
    assert max(there) < took
    assert all(trace.sample(got[1].sample).wider is not None for trace in got[1].traces)


@pytest.mark.usefixtures("large_that_underflow")
def test_a_rebuild_that_is_given_up_leaves_what_is_shown_as_it_was(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_SLOW", 0)
    app = open_app(run_file)
    app.session.set_trace_memory(0)
    traces = lambda: [trace for trace in app.store.state.recorded.traces if trace is not None]  # noqa: E731
    qtbot.waitUntil(lambda: len(traces()) > 1)
    shown, first = app.store.state.place.training_step, captured_steps(run_file)[0]
    with monkeypatch.context() as held:
        held.setattr(app.session._following._rebuilding, "ask", lambda *_: None)  # one that takes for ever
        app.session.show_training_step(first)
        qtbot.waitUntil(lambda: f"training step {first}" in app.store.state.notices.busy)
    for trace in traces():
        trace.drop_exact()
    app.actions["dismiss"].trigger()
    qtbot.waitUntil(lambda: not any(trace.without_exact for trace in traces()))
    assert app.store.state.place.training_step == shown


@pytest.mark.usefixtures("large_that_underflow")
def test_what_ifs_are_counted_and_go_with_what_is_set_by_hand(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(run_file)
    reader = app.session._following._rebuilding._reader
    state = lambda: app.store.state  # noqa: E731
    traces = lambda: [trace for trace in state().recorded.traces if trace is not None]  # noqa: E731
    qtbot.waitUntil(lambda: len(traces()) > 1)
    app.session.set_trace_memory(0)
    before = reader._bytes()
    originals = []
    for value in (0.25, 0.75):
        one = SetValue("l0", "h", 2, value, 1)
        app.store.change(trial=setting(whatif=WhatIf(training_step=state().place.training_step, model=1).add(one)))
        qtbot.waitUntil(lambda: state().what_if is not None)
        assert state().what_if.changed is not None
        originals.append(state().what_if.original)
        qtbot.waitUntil(lambda: all(trace.without_exact for trace in traces()))
    assert originals[0] is originals[1]  # made once
    assert reader._bytes() > before / 2
    assert array_bytes([state().trial.recomputed]) < reader._bytes()
    app.store.change(trial=setting(whatif=state().trial.whatif.discard()))
    assert state().trial.recomputed is None
    qtbot.waitUntil(lambda: not any(trace.without_exact for trace in traces()))


def test_the_bound_is_set_in_a_dialog(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    app = open_app(run_file)
    state = lambda: app.store.state  # noqa: E731
    qtbot.waitUntil(lambda: bool(state().recorded.traces) and None not in state().recorded.traces)
    app.actions["trace_memory"].trigger()
    dialog = app.window.findChild(QInputDialog)
    assert isinstance(dialog, QInputDialog)
    assert dialog.intValue() == Preferences().trace_memory
    dialog.setIntValue(192)
    dialog.accept()
    assert app.preference_saver.preferences.trace_memory == 192
    assert app.session._following._rebuilding._reader.most_bytes == 192 << 20
    assert "View → Memory for traces …" in app.window.statusBar().badge.toolTip()

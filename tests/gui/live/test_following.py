"""What follows a run: growing history, rebuilding in the background, and bars that say it."""

import math
import shutil
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from flat_state import flat_state
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.verdicts.verdict import Verdict
from rnnviz.gui.live.background import Background
from rnnviz.gui.live.following import Following
from rnnviz.gui.live.history import GrowingArray, HistoryReader, SharedSteps
from rnnviz.gui.live.rebuilding import Rebuilding
from rnnviz.gui.look.theme import theme
from rnnviz.gui.shell.status_bar import StatusBar
from rnnviz.gui.shell.toolbar import StepCount
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.runs.file.checksums import row_crc32
from rnnviz.runs.file.records import EngineStatus, RunModel
from rnnviz.runs.reading.reader import open_run


def test_a_growing_array_leaves_earlier_views_alone() -> None:
    growing, parts = GrowingArray(np.int64), [np.arange(5), np.arange(2000), np.arange(3)]
    views = []
    for part in parts:
        growing.append(part)
        views.append(growing.view())
    assert [len(view) for view in views] == [5, 2005, 2008]
    np.testing.assert_array_equal(views[-1], np.concatenate(parts))
    np.testing.assert_array_equal(views[0], parts[0])
    with pytest.raises(ValueError, match="read-only"):
        views[0][0] = 9


def test_curves_with_the_same_training_steps_keep_them_once_until_they_part() -> None:
    shared, rng = SharedSteps(), np.random.default_rng(3)
    every, tenth = np.arange(1, 3001), np.arange(10, 3001, 10)
    wanted = {"loss": every, "accuracy": every, "test_loss": tenth, "late": every[:1200]}
    arrays, lengths = dict.fromkeys(wanted), dict.fromkeys(wanted, 0)
    while any(lengths[name] < len(steps) for name, steps in wanted.items()):
        for name, steps in wanted.items():
            new = steps[lengths[name] : lengths[name] + int(rng.integers(0, 400))]
            arrays[name] = shared.continued(arrays[name], lengths[name], new)
            lengths[name] += len(new)
            for known, array in arrays.items():
                if array is not None:
                    np.testing.assert_array_equal(array.view()[: lengths[known]], wanted[known][: lengths[known]])
    assert arrays["loss"] is arrays["accuracy"] is arrays["late"]
    arrays["late"] = shared.continued(arrays["late"], 1200, np.array([1205]))
    assert arrays["late"] is not None
    assert arrays["late"].view().tolist() == [*range(1, 1201), 1205]
    assert arrays["loss"] is not None
    np.testing.assert_array_equal(arrays["loss"].view(), every)


def test_history_is_what_the_run_holds_and_the_same_object_while_nothing_comes(run_file: Path) -> None:
    with open_run(run_file) as run:
        reader = HistoryReader(run)
        history = reader.read()
        assert reader.read() is history
        assert history.last_training_step == 40
        np.testing.assert_array_equal(history.captured, run.captured())
        for model in run.models:
            curve = history.curves[model.number, "loss"]
            np.testing.assert_array_equal(curve.training_steps, np.arange(1, 41))
            np.testing.assert_array_equal(curve.values, run.metrics("loss", model.number))


def test_thinning_is_noticed(run_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_run(run_file) as run:
        reader = HistoryReader(run)
        whole = reader.read().captured
        monkeypatch.setattr(run, "captured", lambda after=-1, kind="probe": whole[:1][whole[:1] > after])
        assert len(reader.read().captured) == len(whole)
        reader.forget_captured()
        np.testing.assert_array_equal(reader.read().captured, whole[:1])


def test_background_answers_in_the_gui_thread_and_hands_errors_over(qtbot: QtBot) -> None:
    background = Background("test")
    got: list[tuple[str, Any, Any]] = []
    background.answered.connect(lambda ticket, answer: got.append(("answer", ticket, answer)))
    background.failed.connect(lambda ticket, error: got.append(("error", ticket, str(error))))

    def refuse() -> None:
        raise RnnvizError("No.")

    here = QThread.currentThread()
    background.ask(lambda: QThread.currentThread() is here)
    background.ask(refuse)
    qtbot.waitUntil(lambda: len(got) == 2)
    assert got == [("answer", 1, False), ("error", 2, "No.")]
    assert background.stop()
    assert background.stop()


def test_a_worker_that_does_not_end_is_not_waited_for(qtbot: QtBot) -> None:
    background, go_on = Background("test"), threading.Event()
    background.ask(go_on.wait)
    assert not background.stop(50)
    go_on.set()
    assert background.stop()


def test_the_newest_request_wins_and_answers_about_another_run_are_dropped(qtbot: QtBot, run_file: Path) -> None:
    with open_run(run_file) as run:
        captured = [int(step) for step in run.captured()]
    assert len(captured) >= 2
    rebuilding = Rebuilding()
    got: list[int] = []
    rebuilding.finished.connect(lambda rebuilt: got.append(rebuilt.training_step))
    rebuilding.show_run(run_file)
    for step in (captured[0], captured[0], captured[-1], captured[0], captured[-1]):
        rebuilding.ask(step)
    qtbot.waitUntil(lambda: got[-1:] == [captured[-1]])
    assert got == [captured[0], captured[-1]]

    rebuilding.ask(captured[0])
    rebuilding.show_run(run_file)  # what was asked before is stale now
    rebuilding.ask(captured[-1])
    qtbot.waitUntil(lambda: len(got) == 3)
    qtbot.wait(30)
    assert got[2:] == [captured[-1]]

    failed: list[tuple[int, str]] = []
    rebuilding.failed.connect(lambda step, sentence: failed.append((step, sentence)))
    rebuilding.ask(7_000)
    qtbot.waitUntil(lambda: bool(failed))
    assert failed[0][0] == 7_000
    assert "no capture" in failed[0][1]
    assert rebuilding.stop()


def models() -> tuple[RunModel, ...]:
    return tuple(RunModel(number, name, None, 1) for number, name in enumerate("AB"))  # type: ignore[arg-type]


RIGHT, NONE = Verdict("right", 2e-7), Verdict("cannot be compared", math.nan, ("there are no numbers of torch's own",))
OFF = Verdict("differs", 0.5, ("0.50 in weight_hh_l0", "0.25 in the output"))
BROKEN = Verdict("cannot be compared", 0.0, ("first non-finite at time step 3, hidden state h: NaN",))
ANOTHER = Verdict("not your own pass", 3e-7, ("autocast is on",))


@pytest.mark.parametrize(
    ("verdicts", "words", "token"),
    [
        ((RIGHT, replace(RIGHT, difference=1e-8)), "trace checked against autograd: 2.0·10⁻⁷ ✓", "good"),
        ((RIGHT, OFF), "trace differs from autograd: 0.50 in weight_hh_l0", "bad"),
        ((NONE, RIGHT), "trace cannot be compared: there are no numbers of torch's own", "warning"),
        ((RIGHT, BROKEN), "trace cannot be compared: first non-finite at time step 3, hidden state h: NaN", "warning"),
        ((BROKEN, OFF), "trace differs from autograd: 0.50 in weight_hh_l0", "bad"),
        ((ANOTHER, RIGHT), "trace is not your own pass: autocast is on", "warning"),
    ],
)
def test_the_badge_says_how_far_the_trace_can_be_believed(
    qtbot: QtBot, verdicts: tuple[Verdict, ...], words: str, token: str
) -> None:
    store = Store(flat_state(models=models()))
    bar = StatusBar(store)
    qtbot.addWidget(bar)
    assert bar.badge.text() == ""
    check = SimpleNamespace(capture=SimpleNamespace(remarks=()))
    traces: Any = tuple(SimpleNamespace(verdict=each, check=check, notes=(), layers=(), bytes=0) for each in verdicts)
    bar.show_state(store.state, flat_state(store.state, traces=traces))
    assert bar.badge.text() == words
    assert getattr(theme(store.state.look.theme), token) in bar.badge.styleSheet()
    for name, verdict in zip("AB", verdicts, strict=True):
        assert f"{name} {verdict.words}" in bar.badge.toolTip()


def test_engine_and_file_are_said_in_words(qtbot: QtBot) -> None:
    store = Store()
    bar = StatusBar(store)
    qtbot.addWidget(bar)
    assert "engine starting" in bar.engine.text()
    store.change(
        run=setting(path=Path("/a/<b>.rnnviz")),
        recorded=setting(bytes=3_100_000, status=EngineStatus("running", 7, 148.2, 1, 0.0)),
    )
    assert "engine running" in bar.engine.text()
    assert bar.run.text() == "<b>.rnnviz   3.1 MB"
    store.change(recorded=setting(status=None))
    assert "Recorded run (not training)" in bar.engine.text()


def test_the_training_step_counts_and_looks_back(qtbot: QtBot) -> None:
    store = Store(flat_state(status=EngineStatus("running", 23_744, 148.2, 1, 0.0)))
    count = StepCount(store)
    qtbot.addWidget(count)
    assert count.text == "23,744 148/s"
    store.change(
        recorded=setting(history=replace(store.state.recorded.history, last_training_step=23_750)),
        place=setting(following=False),
    )
    assert count.text == "0 of 23,750"


def test_what_an_old_engine_said_is_not_said_again_while_the_next_run_is_awaited(
    qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(run_file, tmp_path / "old.rnnviz"))
    with closing(sqlite3.connect(path)) as connection, connection:
        said = "json_set(status, '$.state', 'paused', '$.sentence', 'The disk was full.')"
        (text,) = connection.execute(f"SELECT {said} FROM status").fetchone()
        connection.execute("UPDATE status SET status = ?, crc32 = ?", (text, row_crc32(text)))
    store = Store(State())
    following = Following(store, lambda path: False, lambda path: None)
    try:
        following.open_run(path)
        qtbot.waitUntil(lambda: store.state.run.path == path)
        following.await_run(tmp_path / "next.rnnviz")
        qtbot.wait(1300)  # longer than between two signs of life
        assert store.state.recorded.status is None
        assert store.state.notices.message is None
    finally:
        assert following.stop()


def test_what_was_asked_for_live_is_not_shown_once_a_person_chooses_a_training_step(
    qtbot: QtBot, run_file: Path
) -> None:
    store, shown = Store(State()), list[int]()
    following = Following(store, lambda path: False, lambda path: None)

    def note(old: State, new: State) -> None:
        if new.recorded.traces is not old.recorded.traces:
            shown.append(new.place.cursor.training_step)

    try:
        following.open_run(run_file)
        qtbot.waitUntil(lambda: store.state.run.path == run_file)
        first = int(store.state.recorded.history.captured[0])
        following.show_training_step(first)
        qtbot.waitUntil(lambda: store.state.place.cursor.training_step == first)
        store.changed.connect(note)
        following.back_to_live()
        following.show_training_step(first)
        qtbot.waitUntil(lambda: bool(shown))
        assert shown == [first]
    finally:
        assert following.stop()

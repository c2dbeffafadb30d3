"""The writer on a bad disk: the training never notices more than a sentence, and no metric is lost."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sample_runs import loss, record, writer

from rnnviz.runs.file.records import EngineStatus, Event, OptimiserSnapshot
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.pending import Pending, PendingCapture, Values
from rnnviz.runs.writing.tables import RunTables


def _program(name: str, *arguments: object) -> str:
    """Runs a script beside this one and returns what it printed; its own assertions fail the test."""
    command = [sys.executable, str(Path(__file__).with_name(name)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_killed_at_any_moment_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    assert "30 kills" in _program("killed_writers.py", tmp_path, 30, 1)


def test_a_full_disk_is_told_and_recovered_from(tmp_path: Path) -> None:
    assert _program("full_disk.py", tmp_path / "a.rnnviz") == "recovered\n"


def test_a_deleted_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.runs.writing.tables.HEARTBEAT_SECONDS", 0.0)
    with writer(tmp_path / "a.rnnviz") as run:
        record(run, 0)
        run.flush()
        assert run.failure == ""
        aside = run.path.rename(tmp_path / "aside")
        record(run, 1)
        run.flush()
        assert "a.rnnviz cannot be written" in run.failure
        aside.rename(run.path)
        run.flush()
        assert run.failure == ""
    with Run(run.path) as reader:
        assert list(reader.metrics("loss")) == [loss(0, 0), loss(1, 0)]


@pytest.mark.parametrize(("how", "words"), [("replaced", "another file"), ("cut short", "cut it short")])
def test_another_file_in_its_place_is_told_and_not_written_into(tmp_path: Path, how: str, words: str) -> None:
    with writer(tmp_path / "other.rnnviz") as other:
        record(other, 7)
    with writer(tmp_path / "a.rnnviz") as run:
        record(run, 0)
        run.flush()
        if how == "replaced":
            (tmp_path / "other.rnnviz").replace(run.path)
        else:
            run.path.write_bytes(run.path.read_bytes()[:1000])
        left = run.path.read_bytes()
        record(run, 1)
        run.flush()
        assert words in run.failure
        run.flush()  # also when it is tried again
        assert words in run.failure
        assert "not hold everything" in run.close()
    if how == "replaced":
        assert run.path.read_bytes() == left


def test_a_lock_held_by_another_program_is_waited_for(tmp_path: Path) -> None:
    import sqlite3

    with writer(tmp_path / "a.rnnviz") as run:
        run.flush()
        other = sqlite3.connect(run.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for step in range(50):
            record(run, step)
        run.flush()
        assert "another program is using it" in run.failure
        other.execute("ROLLBACK")
        other.close()
        run.flush()
        assert run.failure == ""
    with Run(run.path) as reader:
        assert len(reader.metrics("loss")) == 50
        assert "recovered" in [event.kind for event in reader.events()]


@pytest.mark.parametrize("what", ["write_values", "events and status", "write_captures", "write_optimisers", "keep"])
def test_whatever_could_not_be_written_everything_is_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def fail(self: RunTables, said: object) -> None:
        if what == "events and status" and isinstance(said, Values) and not (said.events or said.status):
            write_values(self, said)
        else:
            raise OSError(28, "No space left on device")

    write_values = RunTables.write_values

    snapshots = [OptimiserSnapshot("adam", {"lr": 0.02}, {"step.head.bias": np.full((), k)}) for k in (6, 7)]
    with writer(tmp_path / "a.rnnviz") as run:
        for step in (3, 4):
            record(run, step)
        run.flush()
        with monkeypatch.context() as patch:
            patch.setattr(RunTables, "write_values" if what == "events and status" else what, fail)
            for step in (6, 7):
                record(run, step)
                run.optimiser(step, 1, snapshots[step - 6])
                run.event(step, "paused", f"Paused at training step {step}.")
                run.keep(step - 3)
                run.status(EngineStatus("paused", step, 0.0, os.getpid(), 2.0, "why"))
                run.flush()
                assert "No space left" in run.failure
            run.keep(6)
        run.flush()
        assert run.failure == ""
    with Run(run.path) as reader:
        assert list(reader.training_steps) == [3, 4, 6, 7]
        assert list(reader.captured()) == [3, 4, 6, 7]
        for step in (6, 7):
            found = reader.optimiser(step, 1)
            assert found is not None
            assert found.state["step.head.bias"] == step
        told = [event.sentence for event in reader.events() if event.kind == "paused"]
        assert told == ["Paused at training step 6.", "Paused at training step 7."]
        assert reader.status == EngineStatus("paused", 7, 0.0, os.getpid(), 2.0, "why")
        kept = reader._queries.rows("captures", "SELECT DISTINCT training_step, keep FROM captures ORDER BY 1")
        assert kept == [(3, 1), (4, 1), (6, 1), (7, 0)]


def test_closing_on_a_locked_file_ends_and_says_so(tmp_path: Path) -> None:
    import sqlite3

    run = writer(tmp_path / "a.rnnviz")
    other = sqlite3.connect(run.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    record(run, 0)
    run.close()
    assert "another program is using it" in run.failure
    assert not [thread for thread in threading.enumerate() if thread.name == "run writer"]
    other.close()
    with Run(run.path) as reader:
        assert reader.training_steps.size == 0


def test_odd_words_and_numbers_do_not_stop_the_writer(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        run.event(0, "setting", "a file called \udcff")
        run.status(EngineStatus("running", np.int64(3), np.float32(1.5), 1, 2.0))  # type: ignore[arg-type]
        run.metrics(np.int64(3), 0, {"loss": np.float32(0.5)})  # type: ignore[arg-type]
        run.flush()
        assert run.failure == ""
    with Run(run.path) as reader:
        assert reader.events()[0].sentence == r"a file called \udcff"
        assert reader.status == EngineStatus("running", 3, 1.5, 1, 2.0)
        assert list(reader.metrics("loss")) == [0.5]


def test_no_thread_is_left(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        record(run, 0)
    assert not [thread for thread in threading.enumerate() if thread.name == "run writer"]


def _capture(training_step: int, model: int = 0, keep: bool = False, size: int = 10) -> PendingCapture:
    return PendingCapture(training_step, model, "probe", bytes(size), keep)


def test_a_full_queue_drops_whole_training_steps_and_counts_them() -> None:
    pending = Pending(most_bytes=10**6, most_captures=4)
    for step in range(5):
        for model in (0, 1):
            if pending.has_room(step, keep=False):
                pending.put_capture(_capture(step, model))
    assert pending.take_dropped() == 6
    taken = [pending.take_captures() for _ in range(3)]
    assert [[(c.training_step, c.model) for c in captures] for captures in taken] == [
        [(0, 0), (0, 1)],
        [(1, 0), (1, 1)],
        [],
    ]


def test_a_capture_to_keep_pushes_the_oldest_others_out() -> None:
    pending = Pending(most_bytes=30, most_captures=100)
    for step, keep in ((0, True), (1, False), (2, False)):
        pending.put_capture(_capture(step, keep=keep))
    assert not pending.has_room(3, keep=False)
    assert pending.has_room(4, keep=True)
    pending.put_capture(_capture(4, keep=True))
    steps = []
    while captures := pending.take_captures():
        steps.append(captures[0].training_step)
    assert steps == [0, 2, 4]
    assert pending.take_dropped() == 2


def test_what_could_not_be_written_comes_first_again() -> None:
    pending = Pending()
    pending.put_metrics([(0, 0, "loss", 1.0)])
    pending.put_event(Event(0, 0, "a", "b"))
    metrics, told = pending.take_metrics(), pending.take_told()
    pending.put_metrics([(1, 0, "loss", 2.0)])
    pending.put_event(Event(0, 0, "c", "d"))
    pending.return_values(metrics)
    pending.return_values(told)
    assert [row[0] for row in pending.take_metrics().metrics] == [0, 1]
    assert [event.kind for event in pending.take_told().events] == ["a", "c"]
    pending.put_capture(_capture(0))
    pending.put_capture(_capture(1))
    pending.return_captures(pending.take_captures())
    assert pending.take_captures()[0].training_step == 0
    pending.put_kept(3)
    pending.put_kept(5, 4)
    assert pending.take_kept() == (3, 5, 4)
    first, second = (EngineStatus(state, 0, 0.0, 1, 2.0, "") for state in ("running", "paused"))
    for newer in ((), (second,)):
        pending.put_event(Event(0, 0, "first", ""))
        pending.put_status(first)
        values = pending.take_told()
        pending.put_event(Event(0, 0, "second", ""))
        for status in newer:
            pending.put_status(status)
        pending.return_values(values)
        again = pending.take_told()
        assert [event.kind for event in again.events] == ["first", "second"]
        assert again.status == (second if newer else first)


def test_what_comes_back_to_a_full_queue_is_the_oldest_and_what_is_kept_stays() -> None:
    pending = Pending(most_bytes=30, most_captures=100)
    for step, keep in ((0, True), (1, False), (2, False)):
        pending.put_capture(_capture(step, keep=keep))
    kept = pending.take_captures()
    pending.put_capture(_capture(3))
    pending.return_captures(kept)
    steps = []
    while captures := pending.take_captures():
        steps.append(captures[0].training_step)
    assert steps == [0, 2, 3]

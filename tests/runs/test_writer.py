"""The writer: what is said to it is in the file, in order, within the budget, and one writer at a time."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sample_runs import capture, loss, models, probe, record, same, writer

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.capture_payload import to_payload
from rnnviz.runs.file.records import EngineStatus
from rnnviz.runs.reading.reader import Run, open_run
from rnnviz.runs.writing.claim import claimed
from rnnviz.runs.writing.pending import PendingCapture
from rnnviz.runs.writing.tables import RunTables
from rnnviz.runs.writing.writer import RunWriter


def test_everything_said_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    status = EngineStatus("running", 9, 12.5, os.getpid(), time.time(), "why")
    with writer(path, environment={"torch": "2"}) as run:
        for step in range(10):
            record(run, step, captured=step % 3 == 0)
        run.event(4, "setting", "learning rate 0.1")
        run.status(status)
    with Run(path) as reader:
        assert reader.models == models()
        assert reader.environment == {"torch": "2"}
        assert reader.metric_names() == ("loss", "accuracy")
        assert list(reader.training_steps) == list(range(10))
        assert reader.last_training_step == 9
        assert list(reader.captured()) == [0, 3, 6, 9]
        assert list(reader.captured(after=3)) == [6, 9]
        assert reader.status == status
        assert [(e.training_step, e.kind, e.sentence) for e in reader.events()] == [(4, "setting", "learning rate 0.1")]
        for model in models():
            steps, values = reader.curve("loss", model.name, after=4)
            assert list(steps) == [5, 6, 7, 8, 9]
            assert list(values) == [loss(k, model.number) for k in steps]
            assert same(reader.capture(6, model.name), capture(model.structure, 6 + 10**6 * model.number))


def test_what_names_a_training_step_is_written_after_its_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writer(tmp_path / "a.rnnviz") as run, Run(run.path) as reader:
        seen = []

        def watched(self: RunTables, captures: tuple[PendingCapture, ...]) -> None:
            seen.append((reader.last_training_step, reader.status, reader.events(), list(reader.captured())))
            write(self, captures)

        write = RunTables.write_captures
        monkeypatch.setattr(RunTables, "write_captures", watched)
        run.flush()
        record(run, 7)
        run.event(7, "paused", "Paused at training step 7.")
        run.status(EngineStatus("paused", 7, 0.0, os.getpid(), time.time(), ""))
        run.flush()
        assert seen
        for last, status, events, captured in seen:
            assert last == 7
            assert 7 in captured or (status is None and not events)
        assert reader.status is not None
        assert reader.status.training_step == 7
        assert [event.sentence for event in reader.events()] == ["Paused at training step 7."]
        assert list(reader.captured()) == [7]


def test_a_status_is_written_although_no_capture_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: RunTables, captures: tuple[PendingCapture, ...]) -> None:
        raise OSError(28, "No space left on device")

    with writer(tmp_path / "a.rnnviz") as run, Run(run.path) as reader:
        with monkeypatch.context() as patch:
            patch.setattr(RunTables, "write_captures", full)
            record(run, 7)
            run.status(EngineStatus("paused", 7, 0.0, os.getpid(), time.time(), "full"))
            run.flush()
            assert "No space left" in run.failure
            assert reader.status is not None
            assert reader.status.sentence == "full"
            assert not reader.captured().size
        run.flush()
        assert list(reader.captured()) == [7]


def test_not_finite_numbers_are_kept(tmp_path: Path) -> None:
    values = [0.0, float("nan"), float("inf"), float("-inf"), 5e-324, 1e308]
    with writer(tmp_path / "a.rnnviz") as run:
        for step, value in enumerate(values):
            run.metrics(step, 0, {"loss": value})
        run.flush()
        with Run(run.path) as reader:
            np.testing.assert_array_equal(reader.metrics("loss"), values)


def test_the_probe_is_stored_once_and_other_inputs_with_their_capture(tmp_path: Path) -> None:
    structure = models()[0].structure
    other = capture(structure, 2)
    inputs = other.inputs + 1
    with writer(tmp_path / "a.rnnviz") as run:
        run.capture(0, 0, capture(structure, 1))
        run.capture(1, 0, other.with_call(inputs=inputs))
        run.flush()
        with Run(run.path) as reader:
            assert same(reader.capture(0), capture(structure, 1))
            assert np.array_equal(reader.capture(1).inputs, inputs)
            sizes = [size for (size,) in reader._queries.rows("sizes", "SELECT size FROM payloads ORDER BY number")]
    assert sizes[2] - sizes[1] >= inputs.nbytes
    assert sizes[0] >= probe().inputs.nbytes


def test_a_capture_is_copied_before_training_changes_the_weights(tmp_path: Path) -> None:
    structure = models()[0].structure
    mine = capture(structure, 3)
    with writer(tmp_path / "a.rnnviz") as run:
        run.capture(0, 0, mine)
        for weight in mine.weights.values():
            weight += 1
        run.flush()
        with Run(run.path) as reader:
            assert same(reader.capture(0), capture(structure, 3))


def test_large_captures_are_cut_into_chunks(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz", hidden_size=200) as run:
        record(run, 0, hidden_size=200)
    with Run(run.path) as reader:
        largest = reader._queries.rows("chunks", "SELECT max(length(bytes)), max(place) FROM chunks")[0]
        assert same(reader.capture(0, 1), capture(models(200)[1].structure, 10**6))
    assert largest[0] <= 512 * 1024
    assert largest[1] >= 1


def test_the_budget_holds_and_coverage_stays_even(tmp_path: Path) -> None:
    budget = 2_000_000
    largest = 0
    with writer(tmp_path / "a.rnnviz", hidden_size=16, budget_bytes=budget) as run:
        for step in range(0, 3000, 3):
            record(run, step, hidden_size=16, keep=step in (300, 303))
            if step % 60 == 0:
                run.flush()
                largest = max(largest, sum(path.stat().st_size for path in tmp_path.iterdir()))
    with Run(run.path) as reader:
        captured = reader.captured()
        assert {0, 300, 303, 2997} <= set(captured)
        fifths = np.histogram(captured, 5, (0, 3000))[0]
        assert fifths.max() < 1.7 * fifths.min(), fifths
        assert len(captured) > 30
        assert len(reader.training_steps) == 1000
        for model in (0, 1):
            reader.capture(int(captured[len(captured) // 2]), model)
    assert largest < 2 * budget + 6_000_000  # and the WAL
    assert run.path.stat().st_size < 1.5 * budget


def test_what_is_kept_is_never_thinned_however_it_was_asked_for(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz", budget_bytes=300_000) as run, Run(tmp_path / "a.rnnviz") as reader:
        for step in range(9):
            record(run, step, keep=step in (3, 6))
        run.keep(5)  # waits with its capture
        run.flush()
        assert list(reader.captured()) == list(range(9))
        run.keep(7)  # on disk already
        for step in (3, 6):
            record(run, step)  # and once more, nobody asks to keep them this time
        for step in range(9, 200):
            record(run, step)
            if step % 20 == 0:
                run.flush()
        run.flush()
        assert {0, 3, 5, 6, 7, 199} < set(reader.captured())
        assert not {1, 2, 4, 8} & set(reader.captured())


def test_a_training_step_is_offered_once_every_model_has_its_capture(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run, Run(run.path) as reader:
        record(run, 2)
        run.capture(5, 0, capture(models()[0].structure, 1))
        run.flush()
        assert list(reader.captured()) == [2]
        run.capture(5, 1, capture(models()[1].structure, 1))
        run.flush()
        assert list(reader.captured()) == [2, 5]


def test_a_budget_below_one_capture_keeps_first_and_newest(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz", budget_bytes=1) as run:
        for step in range(20):
            record(run, step)
            run.flush()
    with Run(run.path) as reader:
        assert list(reader.captured()) == [0, 19]


def test_the_same_training_step_captured_again_replaces_the_first(tmp_path: Path) -> None:
    structure = models()[0].structure
    with writer(tmp_path / "a.rnnviz") as run:
        run.capture(5, 0, capture(structure, 1), keep=True)
        run.flush()
        run.capture(5, 0, capture(structure, 2))
        run.flush()
        with Run(run.path) as reader:
            assert same(reader.capture(5), capture(structure, 2))
            assert reader._queries.rows("keep", "SELECT count(*) FROM payloads") == [(2,)]


def test_captured_again_it_takes_the_room_of_one(tmp_path: Path) -> None:
    structure = models()[1].structure
    steps = list(range(2, 62, 3))
    with writer(tmp_path / "a.rnnviz", budget_bytes=200_000) as run:
        for _ in range(12):
            for step in steps:
                run.capture(step, 0, capture(models()[0].structure, step))
                run.capture(step, 1, capture(structure, step))
            run.flush()
    with Run(run.path) as reader:
        assert list(reader.captured()) == steps


@pytest.mark.parametrize("wrong", ["structure", "shape", "dtype", "model"])
def test_a_capture_that_is_wrong_becomes_an_event_and_nothing_raises(tmp_path: Path, wrong: str) -> None:
    structure = models()[0].structure
    good = capture(structure, 1)
    changes = {
        "structure": {"structure": models(6)[0].structure},
        "shape": {"initial": {"h": good.initial["h"][:, :1]}},
        "dtype": {"grad_output": good.grad_output.astype(np.float64)},
        "model": {},
    }
    bad = good.with_call(**changes[wrong])
    with writer(tmp_path / "a.rnnviz") as run:
        for step in range(3):
            run.capture(step, 7 if wrong == "model" else 0, bad)
        record(run, 3)
    with Run(run.path) as reader:
        assert [event.kind for event in reader.events()] == ["dropped"]
        assert list(reader.captured()) == [3]


def test_a_second_writer_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    with writer(path) as first:
        record(first, 0)
        with pytest.raises(RnnvizError, match=rf"written by another rnnviz \(process {os.getpid()}\)"):
            replacing(path)
        record(first, 1)
    with Run(path) as reader:
        assert list(reader.training_steps) == [0, 1]
    with pytest.raises(RnnvizError, match="exists already"):
        writer(path)
    with replacing(path) as second:  # the first one has ended
        record(second, 7)
    with Run(path) as reader:
        assert list(reader.training_steps) == [7]


def test_a_writer_in_another_process_is_refused_until_it_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from sample_runs import writer, record
run = writer(Path({str(path)!r})); record(run, 3); run.flush(); print("written", flush=True); sys.stdin.read()
"""
    arguments = [sys.executable, "-c", program]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "written\n"
        with Run(path) as reader:
            assert reader.engine_alive
            with pytest.raises(RnnvizError, match=f"process {other.pid}"):
                replacing(path)
            other.kill()
            other.wait()
            assert not reader.engine_alive
            assert list(reader.training_steps) == [3]
    with replacing(path) as run:
        record(run, 9)
    with Run(path) as reader:
        assert list(reader.training_steps) == [9]


def replacing(path: Path) -> RunWriter:
    """A writer in place of the run that is there."""
    with claimed(path, replace=True):
        return writer(path)


def test_a_file_of_somebody_else_is_never_touched(tmp_path: Path) -> None:
    import sqlite3

    text = tmp_path / "notes.txt"
    text.write_text("my notes")
    database = tmp_path / "other.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    before = database.read_bytes()
    with pytest.raises(RnnvizError, match=r"notes\.txt is plain text; wanted an rnnviz run"):
        replacing(text)
    with pytest.raises(RnnvizError, match="another program"):
        replacing(database)
    with pytest.raises(RnnvizError, match="a folder"):
        replacing(tmp_path)
    for path in (text, database, tmp_path):
        with pytest.raises(RnnvizError, match="exists already"):
            writer(path)
    assert text.read_text() == "my notes"
    assert database.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "other.sqlite"]


@pytest.mark.parametrize("place", ["missing/a.rnnviz", "/proc/self/a.rnnviz"])
def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path: Path, place: str) -> None:
    with pytest.raises(RnnvizError, match=r"a\.rnnviz cannot be written"):
        writer(tmp_path / place)


def test_an_empty_file_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    path.touch()
    with writer(path) as run:
        record(run, 0)
    with Run(path) as reader:
        assert list(reader.captured()) == [0]


def test_the_run_is_one_plain_file_when_it_is_closed(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        record(run, 0)
        run.flush()
        assert (tmp_path / "a.rnnviz-wal").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.rnnviz"]
    assert run.path.read_bytes()[18:20] == b"\1\1"  # no longer WAL


def test_a_run_that_appears_can_be_opened_at_once(tmp_path: Path) -> None:
    import threading

    for number in range(20):
        path = tmp_path / f"{number}.rnnviz"
        seen = []

        def look(path: Path = path, seen: list[object] = seen) -> None:
            until = time.monotonic() + 60
            while not path.exists() and time.monotonic() < until:
                pass
            with Run(path) as reader:
                seen.append(reader.experiment)

        looking = threading.Thread(target=look)
        looking.start()
        with writer(path):
            looking.join()
        assert len(seen) == 1


def test_both_kinds_of_a_training_step_share_the_budget_and_go_together(tmp_path: Path) -> None:
    model = models()[0]
    each = len(to_payload(capture(model.structure, 1), probe(), 1, 0))
    with writer(tmp_path / "a.rnnviz", budget_bytes=40 * each) as run:
        for step in range(30):
            for one in models():
                made = capture(one.structure, step)
                run.capture(step, one.number, made)
                if step % 3 == 0:
                    run.capture(step, one.number, replace(made, kind="batch", batch_size=9))
            if step % 5 == 0:
                run.flush()
    with open_run(tmp_path / "a.rnnviz") as reader:
        kept, batches = reader.captured().tolist(), reader.captured(kind="batch").tolist()
        assert len(kept) < 30
        assert batches == [step for step in kept if step % 3 == 0]
        stored = reader._queries.rows("payloads", "SELECT sum(size) FROM payloads WHERE number > 0")[0][0]
        assert stored <= 40 * each
        assert reader.capture(batches[-1], 1, "batch").batch_size == 9
        reader.save_copy(tmp_path / "b.rnnviz")
    with open_run(tmp_path / "b.rnnviz") as copy:
        assert copy.captured(kind="batch").tolist() == batches
        assert same(copy.capture(batches[0], 0, "batch"), capture(model.structure, batches[0]))

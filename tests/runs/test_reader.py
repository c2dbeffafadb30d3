"""The reader: beside a writer, in places that cannot be written, and what it says to wishes that cannot be met."""

import contextlib
import os
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from sample_runs import capture, loss, models, probe, record, same, writer

import rnnviz
from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file import opening
from rnnviz.runs.file.records import EngineStatus
from rnnviz.runs.reading.reader import Run


def test_a_reader_beside_a_thinning_writer_sees_only_whole_things(tmp_path: Path) -> None:
    looked = 0
    with writer(tmp_path / "a.rnnviz", budget_bytes=80_000) as run, Run(run.path) as reader:
        for step in range(400):
            record(run, step)
            if step % 50 == 0:
                run.flush()  # so that there is something to look at, however slow the machine
            if step % 5 == 0:
                steps, values = reader.curve("loss", 1)
                assert list(values) == [loss(int(k), 1) for k in steps]
                assert list(steps) == list(range(len(steps)))
                for k in reader.captured()[-3:]:
                    with contextlib.suppress(RnnvizError):  # thinned between the two questions
                        assert same(reader.capture(int(k), 1), capture(models()[1].structure, int(k) + 10**6))
                        looked += 1
    assert looked >= 8


def test_changed_says_once_that_something_was_written(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        run.flush()
        with Run(run.path) as reader:
            assert not reader.changed()
            record(run, 0)
            run.flush()
            assert reader.changed()
            assert not reader.changed()
            assert reader.bytes > 0


def test_a_run_that_has_just_begun(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run, Run(run.path) as reader:
        assert reader.status is None
        assert reader.engine_alive
        assert reader.last_training_step == 0
        assert reader.training_steps.dtype == np.int64
        assert reader.training_steps.size == reader.captured().size == reader.metrics("loss").size == 0
        assert reader.events() == []
        with pytest.raises(RnnvizError, match="it holds no captures"):
            reader.capture(0)


def test_what_has_come_since_an_event_may_be_nothing(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run, Run(run.path) as reader:
        for count in range(1, 4):
            run.event(5 * count, "note", f"the {count}.")
            run.flush()
            assert [len(reader.events(after)) for after in range(count + 1)] == list(range(count, -1, -1))
            assert [event.sentence for event in reader.events(count - 1)] == [f"the {count}."]


def test_its_writer_says_that_it_lives(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run, Run(run.path) as reader:
        first, until = reader.heartbeat, time.monotonic() + 60
        assert abs(time.time() - first) < 10
        while reader.heartbeat == first and time.monotonic() < until:
            time.sleep(0.05)
        assert reader.heartbeat > first


def test_a_run_that_was_deleted_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        for step in range(3):
            record(run, step)
    with Run(run.path) as reader:
        run.path.unlink()
        with pytest.raises(RnnvizError, match=r"a\.rnnviz was deleted or moved away\.$"):
            reader.captured()


def test_what_comes_out_is_read_only(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        record(run, 0)
        run.flush()
        with Run(run.path) as reader:
            taken = reader.capture(0)
            arrays = [
                taken.inputs,
                taken.initial["h"],
                *taken.weights.values(),
                reader.metrics("loss"),
                reader.captured(),
            ]
            for array in arrays:
                with pytest.raises(ValueError, match="read-only"):
                    array[...] = 0


def test_a_trace_is_rebuilt_from_the_capture(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        record(run, 4)
    with rnnviz.open_run(run.path) as reader:
        assert reader.trace(4).structure.cell == "vanilla"
        trace = reader.trace(4, "LSTM")
        assert trace.structure.cell == "lstm"
        np.testing.assert_array_equal(trace.layers[0].x, probe().inputs)


def test_wishes_that_cannot_be_met_name_the_nearest(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz") as run:
        for step in (0, 10, 20):
            record(run, step)
        run.flush()
        with Run(run.path) as reader:
            for wish, words in (
                (lambda: reader.capture(13), r"no capture of Vanilla at training step 13; the nearest is 10"),
                (lambda: reader.trace(99, "LSTM"), r"no capture of LSTM at training step 99; the nearest is 20"),
                (lambda: reader.metrics("lost"), r"no metric lost; did you mean loss\?"),
                (lambda: reader.metrics("loss", "GRU"), r"no model GRU; its models are Vanilla, LSTM"),
                (lambda: reader.metrics("loss", 2), r"no model 2"),
                (lambda: reader.trace(10, ""), r"no model ; its models are Vanilla, LSTM"),
            ):
                with pytest.raises(RnnvizError, match=words) as caught:
                    wish()
                assert str(run.path) in str(caught.value)


def test_a_copy_is_whole_and_nobody_writes_it(tmp_path: Path) -> None:
    copy = tmp_path / "copy.rnnviz"
    with writer(tmp_path / "a.rnnviz") as run:
        for step in range(5):
            record(run, step)
        run.status(EngineStatus("running", 4, 1.0, os.getpid(), time.time()))
        run.flush()
        with Run(run.path) as reader:
            reader.save_copy(copy)
            record(run, 5)
            run.flush()
            assert reader.last_training_step == 5
            with pytest.raises(RnnvizError, match="is the run itself"):
                reader.save_copy(run.path)
            with pytest.raises(RnnvizError, match="cannot be saved"):
                reader.save_copy(tmp_path / "missing" / "copy.rnnviz")
    with Run(copy) as reader:
        assert not reader.engine_alive
        assert reader.last_training_step == 4
        assert same(reader.capture(4, 1), capture(models()[1].structure, 4 + 10**6))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.rnnviz", "copy.rnnviz"]


def test_a_copy_that_fails_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    with writer(tmp_path / "a.rnnviz", hidden_size=64) as run:
        record(run, 0, hidden_size=64)
    target = tmp_path / "copy.rnnviz"
    target.write_text("mine")
    with Run(run.path) as reader:
        with run.path.open("r+b") as stream:  # an index page that is none
            stream.seek(5 * 4096)
            stream.write(bytes(range(256)) * 16)
        run.path.chmod(0o644)
        os.truncate(run.path, 20 * 4096)
        with pytest.raises(RnnvizError):
            reader.save_copy(target)
    assert target.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.rnnviz", "copy.rnnviz"]


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A run as a killed engine leaves it: with records only in the -wal."""
    folder = tmp_path / "killed"
    folder.mkdir()
    with writer(tmp_path / "a.rnnviz") as run:
        for step in range(30):
            record(run, step)
        run.flush()
        for path in (run.path, opening.beside(run.path, "-wal")):
            (folder / path.name).write_bytes(path.read_bytes())
    return folder / "a.rnnviz"


def test_records_in_the_wal_are_read(killed: Path) -> None:
    with Run(killed) as reader:
        assert reader.last_training_step == 29


def test_without_its_wal_the_run_still_opens(killed: Path) -> None:
    opening.beside(killed, "-wal").unlink()
    with Run(killed) as reader:
        assert reader.experiment.name


def test_a_wal_cut_anywhere_loses_only_its_end(killed: Path) -> None:
    wal = opening.beside(killed, "-wal")
    whole = wal.read_bytes()
    lengths = []
    for length in [*range(0, len(whole), len(whole) // 40), len(whole) - 1, len(whole)]:
        wal.write_bytes(whole[:length])
        opening.beside(killed, "-shm").unlink(missing_ok=True)
        with Run(killed) as reader:
            steps = reader.training_steps
            assert list(steps) == list(range(len(steps)))
            for step in reader.captured():
                assert same(reader.capture(int(step), 0), capture(models()[0].structure, int(step)))
            lengths.append(len(steps))
    assert lengths[-1] == 30
    assert lengths == sorted(lengths)


@pytest.fixture
def unwritable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which SQLite can make no -shm; root, who runs tests in containers, may write everywhere."""
    connect = opening._connect

    def refuse(path: Path, options: str) -> sqlite3.Connection:
        if "immutable" not in options:
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error
        return connect(path, options)

    monkeypatch.setattr(opening, "_connect", refuse)


def test_a_run_in_a_folder_that_cannot_be_written_opens(killed: Path, unwritable: None) -> None:
    with pytest.raises(RnnvizError, match="copy both into a folder of your own"):
        Run(killed)
    opening.beside(killed, "-wal").unlink()
    with Run(killed) as reader:
        assert reader.task.name == "temporal order"

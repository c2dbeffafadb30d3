"""The engine on a disk that is full, slow or gone: who waits, what is told, and what the run holds afterwards."""

import errno
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_engine import SMALL, WAIT, losses, until

from rnnviz.engine.training import serve
from rnnviz.engine.training.pipe import Pipe
from rnnviz.engine.training.serve import run_training
from rnnviz.runs.file.engine_commands import EngineCommand, Pause, Set, Train
from rnnviz.runs.file.engine_pipe import Answer, Said, Told, Unwritten, command_line, read_told
from rnnviz.runs.reading.reader import open_run
from rnnviz.runs.writing import pending, writer
from rnnviz.runs.writing.tables import RunTables, Transaction

STEPS = 300
LONGER = replace(SMALL, seed=5, training=replace(SMALL.training, training_steps=STEPS))


class Disk:
    """What stands between the writer and its file: `full` refuses, a cleared `free` makes it wait."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.free = threading.Event()
        self.free.set()
        monkeypatch.setattr(writer, "RETRY_SECONDS", 0.01)
        monkeypatch.setattr(writer, "LONGEST_RETRY_SECONDS", 0.02)
        begin = Transaction.__enter__

        def enter(transaction: Transaction) -> object:
            if threading.current_thread().name == "run writer":
                self.free.wait(WAIT)
                if self.full:
                    raise OSError(errno.ENOSPC, "No space left on device")
            return begin(transaction)

        monkeypatch.setattr(Transaction, "__enter__", enter)
        monkeypatch.setattr(RunTables, "reopen", lambda self: None)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def headless(path: Path, at: Callable[[int], object]) -> list[str]:
    """What a headless training tells; `at` is asked after each progress, with the training step."""
    told: list[str] = []
    assert run_training(LONGER, path, progress=lambda step, metrics: at(step), tell=told.append) == 0
    return told


def test_headless_training_goes_on_while_the_disk_is_full_and_loses_no_metric(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "HEARTBEAT", 0.0)
    monkeypatch.setattr(serve, "POLL", 0.0)
    reached: list[int] = []

    def fill_and_free(step: int) -> None:
        if step == 40:
            disk.full = True
        elif step == 200:
            until(lambda: disk.full or None)
            disk.full = False
        reached.append(step)

    told = headless(tmp_path / "a.rnnviz", fill_and_free)
    assert reached[-1] == STEPS
    run_training(LONGER, tmp_path / "b.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run, open_run(tmp_path / "b.rnnviz") as straight:
        assert np.array_equal(losses(run), losses(straight))
        assert run.status.state == "finished"
        assert "recovered" in [event.kind for event in run.events()]
    assert "cannot be written: No space left on device. Training continues" in told[0]
    assert not [sentence for sentence in told if "does not hold everything" in sentence]


def test_what_a_full_disk_never_took_is_told_in_the_end(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "HEARTBEAT", 0.0)
    monkeypatch.setattr(serve, "POLL", 0.0)

    def fill(step: int) -> None:
        disk.full = disk.full or step >= 40

    told = headless(tmp_path / "a.rnnviz", fill)
    with open_run(tmp_path / "a.rnnviz") as run:
        held = len(run.training_steps)
    assert 0 < held < STEPS
    missing = 2 * 3 * (STEPS - held)  # of two models: loss, accuracy, norm
    wanted = f"does not hold everything: {missing} values of metrics of the training steps {held + 1} to {STEPS}, "
    assert wanted in told[-1], told[-1]
    assert "captures" in told[-1]
    assert told[-1].endswith("were not written; No space left on device.")


def test_metrics_beyond_the_memory_they_may_take_are_counted(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "MOST_VALUE_BYTES", 100 * pending.METRIC_BYTES)
    monkeypatch.setattr(serve, "HEARTBEAT", 0.0)
    monkeypatch.setattr(serve, "POLL", 0.0)

    def fill_and_free(step: int) -> None:
        disk.full = 40 <= step < STEPS - 5

    told = headless(tmp_path / "a.rnnviz", fill_and_free)
    with open_run(tmp_path / "a.rnnviz") as run:
        gone = sorted(set(range(1, STEPS + 1)) - {int(step) for step in run.curve("loss", 1)[0]})
        sentences = [event.sentence for event in run.events() if event.kind == "dropped"]
    assert gone
    assert any(
        sentence.endswith("there was no room to keep them while the file could not be written.")
        for sentence in sentences
    )
    assert f"of the training steps {gone[0]} to {gone[-1]}" in told[-1]
    assert "does not hold everything" in told[-1]


class Piped:
    """A live engine in a thread, and its window's end of the pipe."""

    def __init__(self, path: Path) -> None:
        reading, self._to = os.pipe()
        self._from, writing = os.pipe()
        self._pipe, self.told, self._sent = Pipe(reading, writing), [], 0
        self._ends = reading, writing
        self._thread = threading.Thread(
            target=run_training, args=(LONGER, path), kwargs={"live": True, "paused": True, "pipe": self._pipe}
        )
        self._pipe.starting = False
        self._listener = threading.Thread(target=self._listen)
        self._thread.start()
        self._listener.start()

    def _listen(self) -> None:
        with open(self._from, "rb") as stream:
            for line in stream:
                told = read_told(line)
                assert told is not None
                self.told.append(told)

    def send(self, command: EngineCommand) -> int:
        self._sent += 1
        os.write(self._to, command_line(self._sent, command))
        return self._sent

    def said(self) -> Said | None:
        return next((one for one in reversed(self.told) if isinstance(one, Said)), None)

    def stands(self) -> tuple[str, int]:
        said = self.said()
        return ("", 0) if said is None else (said.status.state, said.status.training_step)

    def end(self) -> list[Told]:
        """Closes the window's end; what was told until the engine had ended."""
        os.close(self._to)
        self._thread.join(WAIT)
        assert not self._thread.is_alive()
        for number in self._ends:
            os.close(number)
        self._listener.join(WAIT)
        return self.told


def test_pause_comes_through_the_pipe_whatever_the_disk_does(tmp_path: Path, disk: Disk) -> None:
    engine = Piped(tmp_path / "a.rnnviz")
    until(lambda: engine.stands() == ("paused", 0))
    disk.free.clear()  # from now on nothing reaches the file
    engine.send(Set(training_steps=10**6))
    engine.send(Train())
    until(lambda: engine.stands()[0] == "running" and engine.stands()[1] > 20)
    number = engine.send(Pause())
    until(lambda: Answer(number) in engine.told)
    until(lambda: engine.stands()[0] == "paused")
    assert engine.said().run == str(tmp_path / "a.rnnviz")
    step = engine.stands()[1]
    before = time.monotonic()
    *_, last = engine.end()
    assert time.monotonic() - before < 3.0
    assert isinstance(last, Unwritten)
    assert f"of the training steps 1 to {step}" in last.sentence
    assert "the disk is too slow" in last.sentence
    disk.free.set()


def test_the_pipe_tells_what_a_hit_and_a_refused_command_are(tmp_path: Path) -> None:
    engine = Piped(tmp_path / "a.rnnviz")
    until(lambda: engine.stands() == ("paused", 0))
    number = engine.send(Set(learning_rate=-1.0))
    answer = until(lambda: next((one for one in engine.told if isinstance(one, Answer)), None))
    assert answer.number == number
    assert "learning_rate" in answer.sentence
    engine.send(Train(7))
    until(lambda: engine.stands() == ("paused", 7))
    engine.send(Train())
    until(lambda: engine.stands() == ("paused", STEPS))
    assert (engine.said().kind, engine.said().status.sentence) == ("paused", f"Reached training step {STEPS}.")
    told = engine.end()
    assert not [one for one in told if isinstance(one, Unwritten)]
    assert engine.stands() == ("stopped", STEPS)
    with open_run(tmp_path / "a.rnnviz") as run:
        assert len(run.training_steps) == STEPS

"""Training of seeds: child processes, each an engine that trains one run after another; ended with whoever asked."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from rnnviz.core.experiment.file import experiment_toml
from rnnviz.runs.file.engine_commands import Restart
from rnnviz.runs.file.engine_pipe import Answer, Said, Told, command_line, read_told
from rnnviz.runs.seeds.folder import SeedRun, experiment_of
from rnnviz.runs.seeds.index import SeedIndex

_LOOK = 0.25  # seconds the loop waits for news at most
_PATIENCE = 3.0  # seconds engines have to write their last records
_TERMINATE_PATIENCE = 0.5  # between SIGTERM and SIGKILL


@dataclass(frozen=True)
class Moved:
    """A run has come so far. The engine tells it a few times a second; also told, without a run, while nothing is new:
    a chance to do something else."""

    run: SeedRun | None = None
    training_step: int = 0


@dataclass(frozen=True)
class Ended:
    """A run is done with. `failed`: its file says so, or there is none; `sentence`: why."""

    run: SeedRun
    state: Literal["finished", "failed", "stopped"]
    sentence: str = ""


@dataclass(frozen=True)
class Complained:
    """What an engine says meanwhile that a person should know: a full disk."""

    run: SeedRun
    sentence: str


News = Moved | Ended | Complained


def train_seeds(runs: Sequence[SeedRun], index: SeedIndex, jobs: int) -> Generator[News, None, None]:
    """Trains `runs`, so many at a time, in their order, and tells how it goes; a run that is there is replaced.

    Closed or interrupted, it ends the engines first, which leave whole runs. From the main thread alone: the engines
    end with the thread that has started them.
    """
    news: queue.Queue[tuple[_Engine, Told | str | None]] = queue.Queue()
    waiting = deque(runs)
    engines: list[_Engine] = []
    try:
        for _ in range(min(jobs, len(runs))):
            engines.append(_Engine(news))
            engines[-1].train(waiting.popleft(), index)
        while any(engine.run is not None for engine in engines):
            for engine, told in _new(news):
                yield from engine.take(told)
                if engine.run is None and waiting:
                    if not engine.alive:
                        engines[engines.index(engine)] = engine = _Engine(news)
                    engine.train(waiting.popleft(), index)
            yield Moved()
    finally:
        _end(engines)


def _new(news: "queue.Queue[tuple[_Engine, Told | str | None]]") -> "list[tuple[_Engine, Told | str | None]]":
    """What has come, after a moment's wait at most."""
    came = []
    with contextlib.suppress(queue.Empty):
        came.append(news.get(timeout=_LOOK))
        while True:
            came.append(news.get_nowait())
    return came


class _Engine:
    """One process `python -m rnnviz.engine.training`; `run` is what it trains now. Its words come through `news`:
    what it tells, a sentence it prints, and None at its end."""

    def __init__(self, news: "queue.Queue[tuple[_Engine, Told | str | None]]") -> None:
        self.run: SeedRun | None = None
        self._news = news
        self._sent = 0
        self._said: Said | None = None  # the newest of the run
        self._sentence = ""  # the last it printed
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rnnviz.engine.training"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": _own_path()},
            start_new_session=True,  # Ctrl+C reaches whoever has asked, who then ends the engines
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        listens = threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True)
        hears = threading.Thread(target=self._hear, args=(self.process.stderr,), daemon=True)
        self._threads = (listens, hears)
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def train(self, run: SeedRun, index: SeedIndex) -> None:
        self.run, self._said, self._sentence = run, None, ""
        self._sent += 1
        order = Restart(experiment_toml(experiment_of(index, run)), str(run.path.absolute()))
        with contextlib.suppress(OSError):  # it has ended meanwhile, which is told
            assert self.process.stdin is not None
            self.process.stdin.write(command_line(self._sent, order))
            self.process.stdin.flush()

    def take(self, told: Told | str | None) -> Iterator[News]:
        """What a piece of news means for the run."""
        if self.run is None:
            return
        run = self.run
        match told:
            case Said(_, status):
                self._said = told
                yield Moved(run, status.training_step)
            case Answer(number, sentence) if number == self._sent:
                self.run = None
                state = self._said.status.state if self._said is not None else "failed"
                yield Ended(run, state if state in ("finished", "stopped") else "failed", sentence)
            case str(sentence):
                self._sentence = sentence
                yield Complained(run, sentence)
            case None:
                self.run = None
                code = self.process.wait()
                how = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
                yield Ended(run, "failed", f"Its engine ended unexpectedly ({how}). {self._sentence}".strip())

    def ask_to_leave(self) -> None:
        """Closes the pipe, which says it at once."""
        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()

    def join(self) -> None:
        """After its end: nothing of it is left."""
        for thread in self._threads:
            thread.join(1.0)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            told = read_told(line)
            if told is not None:
                self._news.put((self, told))
        self._news.put((self, None))

    def _hear(self, stream: IO[bytes]) -> None:
        for line in stream:
            sentence = line.decode("utf-8", "replace").strip()[:2000]
            if sentence.endswith(".") and "Warning:" not in sentence:
                self._news.put((self, sentence))


def _end(engines: Sequence[_Engine]) -> None:
    """Ends all of them: asked, then SIGTERM, then SIGKILL."""
    for engine in engines:
        engine.ask_to_leave()
    for seconds, end in ((_PATIENCE, "terminate"), (_TERMINATE_PATIENCE, "kill"), (_PATIENCE, "")):
        until = time.monotonic() + seconds
        for engine in engines:
            with contextlib.suppress(subprocess.TimeoutExpired):
                engine.process.wait(max(0.0, until - time.monotonic()))
            if engine.alive and end:
                getattr(engine.process, end)()
    for engine in engines:
        engine.join()


def _own_path() -> str:
    """Where the engine finds this very package, however it was started."""
    root = str(Path(__file__).resolve().parents[3])
    given = os.environ.get("PYTHONPATH")
    return root if not given else os.pathsep.join((root, given))

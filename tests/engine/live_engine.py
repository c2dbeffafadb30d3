"""A live engine in a thread of the tests' own process, and a window's way of talking to it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.stopping.marks import Bookmark, Breakpoint, Marks
from rnnviz.core.tasks import TemporalOrder
from rnnviz.engine.training.serve import run_training
from rnnviz.runs.file.engine_commands import EngineCommand, Quit
from rnnviz.runs.reading.reader import Run, open_run
from rnnviz.runs.writing.commands import CommandSender, save_marks

SMALL = Experiment(
    name="small",
    task=TemporalOrder(length=(8, 10), first_mark=(1, 2), second_mark=(4, 5)),
    models=(ModelSettings("Vanilla", "vanilla", hidden_size=3), ModelSettings("LSTM", "lstm", hidden_size=3)),
    training=TrainingSettings(batch_size=4, training_steps=40),
)
WAIT = 60.0  # seconds a slow machine may take


class Window:
    """What the window does to a live engine, from the other side of the run file."""

    def __init__(self, path: Path) -> None:
        self.run = open_run(path)
        self.sender = CommandSender(path)

    def send(self, command: EngineCommand) -> str:
        """Sends a command and returns the engine's answer."""
        number = self.sender.send(command)
        return until(lambda: self.sender.answer(number))

    def send_row(self, name: str, **arguments: object) -> str:
        """As `send`, of what need not be a command at all."""
        row = (name, json.dumps(arguments))
        number = self.sender._connection.execute("INSERT INTO commands (name, arguments) VALUES (?, ?)", row).lastrowid
        return until(lambda: self.sender.answer(number))

    def mark(self, *breakpoints: Breakpoint, bookmarks: tuple[Bookmark, ...] = ()) -> None:
        """Makes these the marks of the run; the engine has them before any command that follows."""
        save_marks(self.run.path, Marks(breakpoints, bookmarks=bookmarks))

    def state(self) -> tuple[str, int]:
        status = self.run.status
        assert status is not None
        return status.state, status.training_step

    def close(self) -> None:
        self.sender.close()
        self.run.close()


def until(condition: Callable[[], object]) -> object:
    """Waits for what `condition` returns to be neither False nor None."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = condition()
        if found is not False and found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


@contextmanager
def live(path: Path, experiment: Experiment = SMALL, paused: bool = True) -> Iterator[Window]:
    """A live engine in a thread of this process."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            run_training(experiment, path, live=True, paused=paused)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)  # one that a failed test leaves behind ends with the tests
    thread.start()
    until(lambda: path.exists() and opens(path))
    window = Window(path)
    try:
        yield window
    finally:
        if thread.is_alive():
            window.sender.send(Quit())
        thread.join(WAIT)
        window.close()
    assert not thread.is_alive()
    assert failed == []


def opens(path: Path) -> bool:
    try:
        with open_run(path) as run:
            return run.status is not None and len(run.captured()) > 0
    except RnnvizError:
        return False


def losses(run: Run) -> np.ndarray:
    return np.stack([run.metrics("loss", number) for number in range(len(run.models))])

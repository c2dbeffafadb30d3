"""The reader: a run file as values, also while it is written, whatever is in the file."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.plain_records import closest
from rnnviz.core.source import Source, Trained
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.sweeps.capture import KIND_WORDS
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.runs.file.given_name import read_name
from rnnviz.runs.file.merging import read_writer
from rnnviz.runs.file.opening import beside, file_bytes
from rnnviz.runs.file.records import ANEW, OPTIMISERS, EngineStatus, Event, OptimiserSnapshot, Origin, Probe, RunModel
from rnnviz.runs.file.schema import VERSION, read_version
from rnnviz.runs.reading.queries import Queries

if TYPE_CHECKING:
    from rnnviz.core.sweeps.capture import Capture, CaptureKind
    from rnnviz.runs.reading.run_format import RunFormat
    from rnnviz.runs.writing.trace_file import SavableTrace


class IncompleteRunWarning(UserWarning):
    """The newest records of a run are in a file that is not beside it."""


def open_run(path: str | os.PathLike[str]) -> "Run":
    """The run file at `path`, read-only. Raises RnnvizError with one sentence for everything that is no whole run.

    Warns where its newest records are in a file that is not beside it.
    """
    run = Run(path)
    if run.incomplete:
        warnings.warn(run.incomplete, IncompleteRunWarning, stacklevel=2)
    return run


class Run:
    """A run file: `source`, `task`, `models`, `probe`, the `name` a person gave it, and what has been recorded so far.

    Every method may raise RnnvizError if the file turns out to be damaged. Close it, or use it in a `with`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._queries = Queries(self.path)
        self._metric_numbers: dict[str, int] = {}
        try:
            with self._queries.bounded("its header"):
                self.version = read_version(self._queries.connection, self.path)
                self._format = _format(self.version, self._queries)
                self._header = self._format.header()
            self.source: Source = self._header.source
            self.task: TaskInfo = self._header.task
            self.models: tuple[RunModel, ...] = self._header.models
            self.environment: Mapping[str, str] = self._header.environment
            self.created: str = self._header.created
            self.name = self._given_name()
            self._queries.settle(merging=self.version == VERSION)
            self.probe: Probe | None = self._format.probe()
            self._version = self._data_version()
        except RnnvizError:
            self._queries.close()
            raise

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._queries.close()

    def changed(self) -> bool:
        """Whether anything was written since the last call."""
        version = self._data_version()
        moved, self._version = version != self._version, version
        return moved

    @property
    def experiment(self) -> Experiment:
        """What it was trained with. Raises RnnvizError for a run that was not trained here."""
        if not isinstance(self.source, Trained):
            raise RnnvizError(f"{self.path} was not trained here: wanted a run with an experiment.")
        return self.source.experiment

    @property
    def bytes(self) -> int:
        """What the run takes on disk."""
        return file_bytes(self.path)

    @property
    def status(self) -> EngineStatus | None:
        """What the engine last said of itself; None if it has not yet."""
        return self._format.status()

    @property
    def engine_alive(self) -> bool:
        """Whether the process that writes this run still lives."""
        with self._queries.bounded("its writer"):
            found = read_writer(self._queries.connection)
        return found is not None and not self._queries.lacks_newest and found[0].alive(found[1])

    @property
    def incomplete(self) -> str:
        """Why its newest records are not shown, as a sentence; empty when all are there."""
        if not self._queries.lacks_newest:
            return ""
        wal = beside(self.path, "-wal").name
        return (
            f"{self.path.name} lacks its newest records, which are in {wal}: the run was copied without it while it "
            "was written, or after its engine was killed. Put both into one folder to see them."
        )

    @property
    def heartbeat(self) -> float:
        """When its writer last said that it lives, in seconds since the epoch; 0 where that cannot be read."""
        rows = self._queries.rows("writer", "SELECT heartbeat FROM writer")
        return float(rows[0][0]) if rows and isinstance(rows[0][0], int | float) else 0.0

    @property
    def training_steps(self) -> Array:
        """(K,) int64, ascending: every training step at which the first model has a metric."""
        found = np.zeros(0, np.int64)
        for name in self.metric_names():
            steps = self.curve(name)[0]
            if not np.array_equal(found, steps):  # mostly all have the same
                found = np.union1d(found, steps) if len(found) else steps
        return frozen(found)

    @property
    def last_training_step(self) -> int:
        """The newest training step of which anything is recorded; 0 at the start."""
        steps = [self._format.newest_metric(0, number, name) for number, name in self._format.metric_names()]
        return max(self._format.newest_capture(), *steps, 0)

    @property
    def origin(self) -> Origin | None:
        """What this run goes on from; None: it began anew."""
        path, step = self.environment.get("branch of"), self.environment.get("branch at training step", "")
        if path is None or not step.isdecimal():
            return None
        anew = self.environment.get(OPTIMISERS) == ANEW
        return Origin(path, int(step[:18]), self.environment.get("branch changes", ""), anew)

    def metric_names(self) -> tuple[str, ...]:
        """The names of the metrics recorded so far, in the order they appeared."""
        return tuple(name for _, name in self._format.metric_names())

    def metrics(self, name: str, model: int | str = 0, after: int = -1) -> Array:
        """(K,) float64: the values of one metric of one model, at the training steps after `after`."""
        return self.curve(name, model, after)[1]

    def curve(self, name: str, model: int | str = 0, after: int = -1) -> tuple[Array, Array]:
        """(K,) int64 training steps, ascending, and (K,) float64 values of one metric after training step `after`.

        Raises RnnvizError for a metric or model the run does not have.
        """
        number = self._model(model).number
        metric = self._metric_number(name)
        if metric is None:
            if name in self.task.metrics:  # promised, and nothing recorded yet
                return frozen(np.zeros(0, np.int64)), frozen(np.zeros(0))
            known = tuple(dict.fromkeys((*self.metric_names(), *self.task.metrics)))
            raise RnnvizError(f"{self.path} has no metric {name}; {closest(name, known)}")
        return self._format.curve(number, metric, name, after)

    def captured(self, after: int = -1, kind: "CaptureKind" = "probe") -> Array:
        """(C,) int64, ascending: training steps after `after` with a capture of that kind of every model.

        Thinning may remove some later.
        """
        return self._format.captured(after, len(self.models), kind)

    def capture(self, training_step: int, model: int | str = 0, kind: "CaptureKind" = "probe") -> "Capture":
        """What was captured of a model at a training step. Raises RnnvizError if there is none, naming the nearest."""
        found = self._model(model)
        capture = self._format.capture(int(training_step), found, self.probe, kind)
        if capture is None:
            nearest = self._nearest(training_step, kind)
            what = "capture" if kind == "probe" else KIND_WORDS[kind]
            raise RnnvizError(
                f"{self.path} has no {what} of {found.name} at training step {training_step:,}; {nearest}."
            )
        return capture

    def optimiser(self, training_step: int, model: int | str = 0) -> OptimiserSnapshot | None:
        """What the optimiser of a model had gathered after a training step; None where that was not recorded."""
        return self._format.optimiser(int(training_step), self._model(model))

    def trace(
        self, training_step: int, model: int | str | None = None, kind: "CaptureKind" = "probe"
    ) -> "SavableTrace":
        """The trace of a model (the first one without `model`) at a captured training step. Raises like `capture`.

        `kind`: of the "probe", or of the first sequences of the training "batch" whose gradient made the update after
        that training step, as they were read there. The latter is recorded where training rests, or where asked for.
        """
        from rnnviz.core.sweeps.trace import rebuild  # late: a run is opened without the sweeps
        from rnnviz.runs.writing.trace_file import savable

        return savable(rebuild(self.capture(training_step, 0 if model is None else model, kind)))

    def events(self, after: int = 0, most: int = -1) -> list[Event]:
        """The events numbered above `after`, oldest first; at most `most` of them, −1: all."""
        return self._format.events(after, most)

    @property
    def last_event(self) -> int:
        """The number of the newest event; 0 without one."""
        newest = self._queries.rows("events", "SELECT max(number) FROM events")[0][0]
        return newest if isinstance(newest, int) else 0

    def marks(self) -> Marks:
        """Breakpoints, watches and bookmarks as a person left them in this run, at first those of its experiment."""
        return self._format.marks(self._header)

    def save_copy(self, path: str | os.PathLike[str], marks: Marks | None = None) -> None:
        """Writes what is recorded so far to `path`, a whole run file of this format or nothing. Raises RnnvizError.

        `marks`: those of the copy, where they are others than the run's.
        """
        from rnnviz.runs.reading.upgraded import Upgraded  # late: few readers copy
        from rnnviz.runs.writing.copying import copy_run, write_copy

        with self._queries.bounded("its copy"):
            if self.version == VERSION:
                copy_run(self._queries.connection, self.path, Path(path), marks)
            else:
                upgraded = Upgraded(self._header, self._format, self._queries)
                with self._queries.moment("its copy"):
                    write_copy(self.path, Path(path), lambda copy: upgraded.write(copy, marks))

    def _given_name(self) -> str:
        """What a person called the run; "" where they did not, and in runs of an older format."""
        if self.version < VERSION:
            return ""
        with self._queries.bounded("its name"):
            return read_name(self._queries.connection)

    def _model(self, model: int | str) -> RunModel:
        names = [known.name for known in self.models]
        if isinstance(model, str) and model in names:
            return self.models[names.index(model)]
        if not isinstance(model, str) and 0 <= model < len(names):
            return self.models[model]
        raise RnnvizError(f"{self.path} has no model {model}; its models are {', '.join(names)}.")

    def _metric_number(self, name: str) -> int | None:
        """Its number in the table of names, which it keeps; None: nothing of it is recorded yet."""
        if name not in self._metric_numbers:
            self._metric_numbers = {known: number for number, known in self._format.metric_names()}
        return self._metric_numbers.get(name)

    def _nearest(self, training_step: int, kind: "CaptureKind") -> str:
        captured = self.captured(kind=kind)
        if not captured.size:
            return "it holds no captures" if kind == "probe" else "it holds none"
        return f"the nearest is {captured[np.argmin(np.abs(captured - training_step))]}"

    def _data_version(self) -> int:
        return int(self._queries.rows("its version", "PRAGMA data_version")[0][0])


def _format(version: int, queries: Queries) -> "RunFormat":
    """What reads a file of this version; loaded when there is one to read."""
    if version == VERSION:
        from rnnviz.runs.reading.format_2 import Format2

        return Format2(queries)
    from rnnviz.runs.reading.format_1 import Format1

    return Format1(queries)

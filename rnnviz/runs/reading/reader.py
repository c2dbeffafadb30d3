"""The reader: a run file as values, also while it is written, whatever is in the file."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.plain_records import closest, read_record
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.stopping.marks_file import parse_marks
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.runs.file.events import read_event
from rnnviz.runs.file.header import read_header
from rnnviz.runs.file.opening import file_bytes
from rnnviz.runs.file.payload import read_capture, read_probe
from rnnviz.runs.file.process import WriterProcess
from rnnviz.runs.file.records import EngineStatus, Event, Origin, Probe, RunModel
from rnnviz.runs.file.schema import PROBE_PAYLOAD, check_tables
from rnnviz.runs.reading.queries import Queries
from rnnviz.runs.writing.copying import copy_run


def open_run(path: str | os.PathLike[str]) -> "Run":
    """The run file at `path`, read-only. Raises RnnvizError with one sentence for everything that is no whole run."""
    return Run(path)


class Run:
    """A run file: `experiment`, `task`, `models`, `probe`, and what has been recorded so far.

    Every method may raise RnnvizError if the file turns out to be damaged. Close it, or use it in a `with`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._queries = Queries(self.path)
        try:
            with self._queries.bounded("its header"):
                check_tables(self._queries.connection, self.path)
                header = read_header(self._queries.connection, str(self.path))
            self.experiment: Experiment = header.experiment
            self.task: TaskInfo = header.task
            self.models: tuple[RunModel, ...] = header.models
            self.environment: Mapping[str, str] = header.environment
            self.created: str = header.created
            self.probe: Probe = self._read_probe()
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
    def bytes(self) -> int:
        """What the run takes on disk."""
        return file_bytes(self.path)

    @property
    def status(self) -> EngineStatus | None:
        """What the engine last said of itself; None if it has not yet."""
        rows = self._queries.rows("status", "SELECT status FROM status")
        if not rows:
            return None
        try:
            return read_record(EngineStatus, json.loads(rows[0][0]), str(self.path), "status")
        except (TypeError, ValueError, RecursionError):
            raise RnnvizError(f"{self.path} is damaged: status is no JSON table.") from None

    @property
    def engine_alive(self) -> bool:
        """Whether the process that writes this run still lives."""
        rows = self._queries.rows("writer", "SELECT process, started, host, heartbeat FROM writer")
        kinds = (int, int, str, float)
        if not rows or not all(isinstance(value, kind) for value, kind in zip(rows[0], kinds, strict=True)):
            return False
        return WriterProcess(*rows[0][:3]).alive(rows[0][3])

    @property
    def heartbeat(self) -> float:
        """When its writer last said that it lives, in seconds since the epoch; 0 where that cannot be read."""
        rows = self._queries.rows("writer", "SELECT heartbeat FROM writer")
        return float(rows[0][0]) if rows and isinstance(rows[0][0], int | float) else 0.0

    @property
    def training_steps(self) -> Array:
        """(K,) int64, ascending: every training step at which the first model has a metric."""
        curves = [self.curve(name)[0] for name in self.metric_names()]
        return frozen(np.unique(np.concatenate([np.zeros(0, np.int64), *curves])))

    @property
    def last_training_step(self) -> int:
        """The newest training step of which anything is recorded; 0 at the start."""
        newest = "SELECT max(training_step) FROM metrics WHERE model = ? AND name = ?"
        numbers = [row[0] for row in self._queries.rows("metric_names", "SELECT number FROM metric_names")]
        steps = [self._queries.rows("metrics", newest, 0, number)[0][0] for number in numbers]
        steps += [self._queries.rows("captures", "SELECT max(training_step) FROM captures")[0][0]]
        return max((step for step in steps if isinstance(step, int)), default=0)

    @property
    def origin(self) -> Origin | None:
        """What this run goes on from; None: it began anew."""
        path, step = self.environment.get("branch of"), self.environment.get("branch at training step", "")
        if path is None or not step.isdecimal():
            return None
        return Origin(path, int(step[:18]), self.environment.get("branch changes", ""))

    def metric_names(self) -> tuple[str, ...]:
        """The names of the metrics recorded so far, in the order they appeared."""
        return tuple(
            str(row[0]) for row in self._queries.rows("metric_names", "SELECT name FROM metric_names ORDER BY number")
        )

    def metrics(self, name: str, model: int | str = 0, after: int = -1) -> Array:
        """(K,) float64: the values of one metric of one model, at the training steps after `after`."""
        return self.curve(name, model, after)[1]

    def curve(self, name: str, model: int | str = 0, after: int = -1) -> tuple[Array, Array]:
        """(K,) int64 training steps, ascending, and (K,) float64 values of one metric after training step `after`.

        Raises RnnvizError for a metric or model the run does not have.
        """
        number = self._model(model).number
        found = self._queries.rows("metric_names", "SELECT number FROM metric_names WHERE name = ?", name)
        if not found:
            if name in self.task.metrics:  # promised, and nothing recorded yet
                return _whole_numbers([], 0), frozen(np.zeros(0))
            known = tuple(dict.fromkeys((*self.metric_names(), *self.task.metrics)))
            raise RnnvizError(f"{self.path} has no metric {name}; {closest(name, known)}")
        rows = self._queries.rows(
            "metrics",
            "SELECT training_step, value FROM metrics WHERE model = ? AND name = ? AND training_step > ? "
            "ORDER BY training_step",
            number,
            found[0][0],
            after,
        )
        return _whole_numbers(rows, 0), _numbers(rows, 1)

    def captured(self, after: int = -1) -> Array:
        """(C,) int64, ascending: training steps after `after` with a capture of every model.

        Thinning may remove some later.
        """
        sql = (
            "SELECT training_step FROM captures WHERE training_step > ? GROUP BY training_step "
            "HAVING count(*) = ? ORDER BY training_step"
        )
        return _whole_numbers(self._queries.rows("captures", sql, after, len(self.models)), 0)

    def capture(self, training_step: int, model: int | str = 0) -> Capture:
        """What was captured of a model at a training step. Raises RnnvizError if there is none, naming the nearest."""
        found = self._model(model)
        what = f"the capture of {found.name} at training step {training_step}"
        sql = "SELECT payload FROM captures WHERE training_step = ? AND model = ?"
        with self._queries.moment(what):  # thinning must not come between the row and its chunks
            rows = self._queries.rows(what, sql, int(training_step), found.number)
            payload = self._queries.payload(what, rows[0][0]) if rows else b""
        if not rows:
            nearest = self._nearest(training_step)
            raise RnnvizError(
                f"{self.path} has no capture of {found.name} at training step {training_step}; {nearest}."
            )
        try:
            return read_capture(payload, int(training_step), found, self.probe)
        except RnnvizError as error:
            raise RnnvizError(f"{self.path} is damaged: {what}: {error}.") from None

    def trace(self, training_step: int, model: int | str | None = None) -> Trace:
        """The trace of a model (the first one without `model`) at a captured training step. Raises like `capture`."""
        return rebuild(self.capture(training_step, 0 if model is None else model))

    def events(self, after: int = 0) -> list[Event]:
        """The events numbered above `after`, oldest first."""
        sql = "SELECT number, training_step, kind, sentence FROM events WHERE number > ? ORDER BY number"
        return [read_event(row) for row in self._queries.rows("events", sql, after)]

    def marks(self) -> Marks:
        """Breakpoints, watches and bookmarks as a person left them in this run, at first those of its experiment."""
        sql = "SELECT arguments FROM commands WHERE name = 'breakpoints' ORDER BY number DESC LIMIT 1"
        rows = self._queries.rows("its commands", sql)
        try:
            return parse_marks(json.loads(rows[0][0])["toml"], str(self.path), [model.name for model in self.models])
        except (IndexError, TypeError, ValueError, KeyError, RecursionError, RnnvizError):
            return self.experiment.marks  # nothing changed, or only nonsense came

    def save_copy(self, path: str | os.PathLike[str]) -> None:
        """Writes what is recorded so far to `path`, a whole run file or nothing. Raises RnnvizError."""
        with self._queries.bounded("its copy"):
            copy_run(self._queries.connection, self.path, Path(path))

    def _model(self, model: int | str) -> RunModel:
        names = [known.name for known in self.models]
        if isinstance(model, str) and model in names:
            return self.models[names.index(model)]
        if not isinstance(model, str) and 0 <= model < len(names):
            return self.models[model]
        raise RnnvizError(f"{self.path} has no model {model}; its models are {', '.join(names)}.")

    def _nearest(self, training_step: int) -> str:
        captured = self.captured()
        if not captured.size:
            return "it holds no captures"
        return f"the nearest is {captured[np.argmin(np.abs(captured - training_step))]}"

    def _read_probe(self) -> Probe:
        payload = self._queries.payload("the probe", PROBE_PAYLOAD)
        try:
            return read_probe(payload)
        except RnnvizError as error:
            raise RnnvizError(f"{self.path} is damaged: {error}.") from None

    def _data_version(self) -> int:
        return int(self._queries.rows("its version", "PRAGMA data_version")[0][0])


def _whole_numbers(rows: list[tuple[Any, ...]], column: int) -> Array:
    return frozen(np.array([row[column] if isinstance(row[column], int) else 0 for row in rows], np.int64))


def _numbers(rows: list[tuple[Any, ...]], column: int) -> Array:
    """float64; NULL is NaN."""
    try:
        return frozen(np.array([row[column] for row in rows], np.float64))
    except (TypeError, ValueError):
        numbers = [row[column] if isinstance(row[column], int | float) else np.nan for row in rows]
        return frozen(np.array(numbers, np.float64))

"""The writer: takes what a training has to say and puts it into the run file from a thread of its own."""

import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from rnnviz.core.errors import RnnvizError
from rnnviz.core.source import Source, parse_source_json, source_json
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.runs.file.capture_payload import to_payload
from rnnviz.runs.file.header import Header
from rnnviz.runs.file.payload import optimiser_payload
from rnnviz.runs.file.process import HEARTBEAT_SECONDS
from rnnviz.runs.file.reasons import reason
from rnnviz.runs.file.records import EngineStatus, Event, OptimiserSnapshot, Probe, RunModel
from rnnviz.runs.writing.creation import begin_run
from rnnviz.runs.writing.pending import Pending, PendingCapture, PendingOptimiser, Values
from rnnviz.runs.writing.tables import RunTables

BUDGET_BYTES = 256 << 20
COMMIT_SECONDS = 0.03  # what comes within this time shares a transaction
RETRY_SECONDS = 0.5  # after a failure; doubled until the longest
LONGEST_RETRY_SECONDS = 5.0
DROPPED_SECONDS = 10.0  # at most one event about dropped captures in this time
CLOSE_SECONDS = 5.0  # how long closing waits for a disk that does not answer


class RunWriter:
    """Writes one run file. Only the constructor raises; afterwards a failing disk is told by `failure` and tried again.

    Metrics, events and the last status wait in memory until they can be written; captures are dropped, and counted in
    an event, when too many wait. Captures beyond `budget_bytes` are thinned evenly.
    """

    def __init__(
        self,
        path: str | Path,
        source: Source,
        task: TaskInfo,
        models: Sequence[RunModel],
        probe: Probe | None,
        *,
        budget_bytes: int = BUDGET_BYTES,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Raises RnnvizError if the file is something else, is being written, or cannot be written."""
        self.path = Path(path).absolute()
        self.budget_bytes = budget_bytes
        parse_source_json(source_json(source), str(self.path))  # whatever is written can be read again
        self._models = tuple(models)
        self._probe = probe
        begin_run(self.path, Header(source, task, self._models, environment or {}), probe)
        try:
            self._tables = RunTables(self.path, budget_bytes)
        except (sqlite3.Error, OSError) as error:
            raise RnnvizError(f"{self.path} cannot be written: {reason(error)}.") from None
        self._pending = Pending()
        self._failure = ""
        self._failed_at: str = ""  # the failure that is told in an event once it is over
        self._dropped_told = -DROPPED_SECONDS
        self._last_step = 0
        self._told: set[str] = set()
        self._something = threading.Event()  # there is something to write
        self._urgent = threading.Event()  # somebody waits for it
        self._attempt = threading.Condition()
        self._attempts_wanted = 0
        self._attempts_made = 0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="run writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def failure(self) -> str:
        """Why nothing is being written at the moment, as a sentence; empty when all is well."""
        return self._failure

    def metrics(self, training_step: int, model: int, values: Mapping[str, float]) -> None:
        """Values of one model at one training step; NaN and ±inf are kept. Never dropped."""
        self._last_step = training_step
        self._pending.put_metrics([(int(training_step), model, name, float(v)) for name, v in values.items()])
        self._something.set()

    def capture(self, training_step: int, model: int, capture: Capture, keep: bool = False) -> int:
        """A model's capture; `keep` saves it from thinning. Its arrays are copied before this returns.

        Returns the bytes it takes; 0 where it is not recorded, which is counted.
        """
        if not self._pending.has_room(training_step, keep):
            return 0
        try:
            if capture.structure != self._models[model].structure:
                raise RnnvizError("its structure is not the one its model had at the start")
            check_shapes(capture)
            payload = to_payload(capture, self._probe, int(training_step), model)
        except Exception as error:  # whatever is wrong with a capture, the training it comes from goes on
            sentence = f"A capture of {self._name(model)} was not recorded: {error}."
            if sentence not in self._told:
                self._told.add(sentence)
                self.event(training_step, "dropped", sentence)
            return 0
        self._pending.put_capture(PendingCapture(int(training_step), model, capture.kind, payload, keep))
        self._something.set()
        return len(payload)

    def event(self, training_step: int, kind: str, sentence: str, details: Mapping[str, Any] | None = None) -> None:
        """One line of the run's log; `details` are plain values of JSON."""
        readable = sentence.encode("utf-8", "backslashreplace").decode("utf-8")  # a path may hold any bytes
        self._pending.put_event(Event(0, int(training_step), kind, readable, details or {}))
        self._something.set()

    def optimiser(self, training_step: int, model: int, snapshot: OptimiserSnapshot) -> int:
        """What a model's optimiser had gathered after a training step, and its bytes. Its arrays are copied before this
        returns."""
        payload = optimiser_payload(snapshot, int(training_step), model)
        self._pending.put_optimiser(PendingOptimiser(int(training_step), model, payload))
        self._something.set()
        return len(payload)

    def keep(self, training_step: int) -> None:
        """Saves the captures of a training step from thinning, if there are any."""
        self._pending.put_kept(int(training_step))
        self._something.set()

    def status(self, status: EngineStatus) -> None:
        """What the engine says of itself; only the last is kept."""
        step, rate = int(status.training_step), float(status.steps_per_second)  # also where numpy's numbers came
        self._pending.put_status(replace(status, training_step=step, steps_per_second=rate))
        self._something.set()

    def flush(self) -> None:
        """Waits until everything said so far is in the file, or one attempt to write it has failed."""
        with self._attempt:
            self._attempts_wanted += 1
            wanted = self._attempts_wanted
            self._urgent.set()
            self._something.set()
            while self._attempts_made < wanted and self._thread.is_alive():
                self._attempt.wait(0.1)

    def close(self) -> None:
        """Writes what waits and leaves one whole file; gives up on a disk that does not answer."""
        self._closing = True
        self._urgent.set()
        self._something.set()
        self._thread.join(CLOSE_SECONDS)

    def _name(self, model: int) -> str:
        return self._models[model].name if 0 <= model < len(self._models) else f"model {model}"

    def _work(self) -> None:
        retry = RETRY_SECONDS
        while True:
            if self._failure:
                self._urgent.wait(retry)
                retry = min(2 * retry, LONGEST_RETRY_SECONDS)
            else:
                retry = RETRY_SECONDS
                if self._something.wait(HEARTBEAT_SECONDS):
                    self._urgent.wait(COMMIT_SECONDS)
            self._something.clear()
            self._urgent.clear()
            closing, wanted = self._closing, self._attempts_wanted  # after clearing, so that no wish is overlooked
            self._try_to_write(closing)
            with self._attempt:
                self._attempts_made = wanted
                self._attempt.notify_all()
            if closing:
                return

    def _try_to_write(self, closing: bool) -> None:
        try:
            if self._failure:
                self._tables.reopen()
            self._write(closing)
            if closing:
                self._tables.finish()
        except Exception as error:  # the thread must outlive every error, or the training would fill the memory unseen
            why = reason(error)
            self._failure = f"{self.path} cannot be written: {why}; what is learnt meanwhile is kept in memory."
            self._failed_at = why
        else:
            self._failure = ""
        finally:
            if closing:
                self._tables.close()

    def _write(self, closing: bool) -> None:
        """Metrics, then captures, then events and status: what names a training step comes after its capture."""
        self._tell_dropped(closing)
        values = self._pending.take_values()  # first: whatever was captured before they were said waits by now
        try:
            self._tables.write_values(Values(metrics=values.metrics))
        except Exception:
            self._pending.return_values(values)
            raise
        try:
            self._write_captures()
        finally:  # also when a full disk takes no captures: the engine is heard for as long as there is room for it
            told = Values(events=values.events, status=values.status)
            try:
                self._tables.write_values(told)
            except Exception:
                self._pending.return_values(told)
                raise
        if snapshots := self._pending.take_optimisers():
            try:
                self._tables.write_optimisers(snapshots)
            except Exception:
                self._pending.return_optimisers(snapshots)
                raise
        kept = self._pending.take_kept()  # after the captures, which may have waited with them
        try:
            self._tables.keep(kept)
        except Exception:
            self._pending.put_kept(*kept)
            raise
        if self._failed_at:
            sentence = f"Recording was interrupted ({self._failed_at}) and goes on."
            self._failed_at = ""
            self.event(self._last_step, "recovered", sentence)

    def _write_captures(self) -> None:
        for _ in range(self._pending.waiting):  # not those that come meanwhile: events and status would wait for them
            captures = self._pending.take_captures()
            if not captures:
                return
            try:
                self._tables.write_captures(captures)
            except Exception:
                self._pending.return_captures(captures)
                raise

    def _tell_dropped(self, closing: bool) -> None:
        """An event with the number of captures dropped since the last one, not too often."""
        if not closing and time.monotonic() - self._dropped_told < DROPPED_SECONDS:
            return
        dropped = self._pending.take_dropped()
        if dropped:
            self._dropped_told = time.monotonic()
            sentence = f"{dropped} captures were not recorded: the disk was too slow or could not be written."
            self._pending.put_event(Event(0, self._last_step, "dropped", sentence))

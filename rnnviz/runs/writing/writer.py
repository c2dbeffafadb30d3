"""The writer: takes what a training has to say and puts it into the run file from a thread of its own."""

import math
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
from rnnviz.runs.writing.thinning import BUDGET_BYTES

COMMIT_SECONDS = 0.03  # what comes within this time shares a transaction
RETRY_SECONDS = 0.25  # after a failure; doubled until the longest
LONGEST_RETRY_SECONDS = 1.0
DROPPED_SECONDS = 10.0  # at most one event about dropped captures in this time
CLOSE_SECONDS = 10.0  # how long closing waits for a disk that takes nothing more


class RunWriter:
    """Writes one run file. Only the constructor raises; afterwards a failing disk is told by `failure` and tried again.

    Metrics, events and the last status wait in memory until they can be written; what waits beyond the limits of
    `pending` is dropped and counted, captures first. Captures beyond `budget_bytes` are thinned evenly.
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
        self._why = "the disk is too slow"  # why something is not written
        self._failed_at: str = ""  # the failure that is told in an event once it is over
        self._dropped_told = -DROPPED_SECONDS
        self._lost_told = 0  # values of metrics that had no room, of which the log knows
        self._written = 0  # transactions so far: whether a slow disk takes anything at all
        self._hurry_at = math.inf  # when captures that need not be kept are let go, once it is closing
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
        """Values of one model at one training step; NaN and ±inf are kept."""
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

    def close(self, seconds: float | None = None) -> str:
        """Writes what waits and leaves one whole file; returns in a sentence what that does not hold, "": nothing.

        Gives up after so many `seconds`; without them only on a disk that takes nothing more.
        """
        started = time.monotonic()
        if seconds is not None:
            self._hurry_at = started + seconds / 3
        self._closing = True
        self._urgent.set()
        self._something.set()
        heard, written = started, -1
        while self._thread.is_alive():
            if self._written != written:
                heard, written = time.monotonic(), self._written
            end = heard + CLOSE_SECONDS if seconds is None else started + seconds
            if (left := end - time.monotonic()) <= 0:
                break
            self._thread.join(min(left, CLOSE_SECONDS / 10))
        return self._not_written()

    def _not_written(self) -> str:
        missing = self._pending.missing().words
        return f"{self.path} does not hold everything: {missing} were not written; {self._why}." if missing else ""

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
            self._failed_at = self._why = reason(error)
            self._failure = f"{self.path} cannot be written: {self._why}."
        else:
            self._failure = ""
        finally:
            if closing:
                self._tables.close()

    def _write(self, closing: bool) -> None:
        """Metrics, then captures, then events and status: what names a training step comes after its capture."""
        self._tell_dropped(closing)
        told = self._pending.take_told()  # first: whatever was captured before they were said waits by now
        try:
            self._write_metrics()
            self._write_captures()
        finally:  # also when a full disk takes no captures: the engine is heard for as long as there is room for it
            self._write_values(told)
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
            sentence = f"Recording was interrupted ({self._failed_at}) and has resumed."
            self._failed_at = ""
            self.event(self._last_step, "recovered", sentence)
        if closing:
            self._write_values(self._pending.take_told())  # what was to be said of this last attempt

    def _write_metrics(self) -> None:
        for _ in range(self._pending.transactions):  # not what comes meanwhile: captures and status would wait for it
            self._write_values(self._pending.take_metrics())
        self._tell_lost()

    def _write_values(self, values: Values) -> None:
        try:
            self._tables.write_values(values)
        except Exception:
            self._pending.return_values(values)
            raise
        self._pending.wrote(values)
        self._written += 1

    def _write_captures(self) -> None:
        for _ in range(self._pending.waiting):  # not those that come meanwhile: events and status would wait for them
            if time.monotonic() > self._hurry_at:
                self._pending.drop_captures()
            captures = self._pending.take_captures()
            if not captures:
                return
            try:
                self._tables.write_captures(captures)
            except Exception:
                self._pending.return_captures(captures)
                raise
            self._pending.wrote_captures()
            self._written += 1

    def _tell_lost(self) -> None:
        """An event about metrics that had no room, once what waited is written."""
        lost = replace(self._pending.lost(), captures=0, events=0)
        if lost.values > self._lost_told:
            self._lost_told = lost.values
            sentence = (
                f"{lost.words} were not recorded: there was no room to keep them while the file could not be written."
            )
            self.event(self._last_step, "dropped", sentence)

    def _tell_dropped(self, closing: bool) -> None:
        """An event with the number of captures dropped since the last one, not too often."""
        if not closing and time.monotonic() - self._dropped_told < DROPPED_SECONDS:
            return
        dropped = self._pending.take_dropped()
        if dropped:
            self._dropped_told = time.monotonic()
            sentence = f"{dropped} captures were not recorded: the disk was too slow or could not be written."
            self._pending.put_event(Event(0, self._last_step, "dropped", sentence))

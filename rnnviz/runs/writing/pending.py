"""What waits to be written: numbers and captures each within a limit, and a count of what was dropped.

A slow disk costs captures first; numbers only when it takes none for so long that 64 MB of them wait.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rnnviz.core.plain_records import listed
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.runs.file.records import EngineStatus, Event

MOST_BYTES = 64 << 20  # of captures waiting
MOST_CAPTURES = 128
MOST_VALUE_BYTES = 64 << 20  # of metrics and events waiting
METRIC_BYTES = 128  # one value in memory
EVENT_BYTES = 1024  # one event in memory, and its sentence
MOST_AT_ONCE = 4096  # values of one transaction: a slow disk is done with them soon, a full one refuses them soon


@dataclass(frozen=True)
class PendingCapture:
    """One model's capture, ready to be stored."""

    training_step: int
    model: int
    kind: CaptureKind
    payload: bytes
    keep: bool


@dataclass(frozen=True)
class PendingOptimiser:
    """What one model's optimiser had gathered, ready to be stored."""

    training_step: int
    model: int
    payload: bytes


@dataclass(frozen=True)
class Values:
    """The small things of one transaction."""

    metrics: tuple[tuple[int, int, str, float], ...] = ()  # (training step, model, name, value)
    events: tuple[Event, ...] = ()  # not yet numbered
    status: EngineStatus | None = None


@dataclass
class Missing:
    """What had no room, or waits still: the run does not hold it."""

    values: int = 0
    first_step: int = 0
    last_step: int = 0
    captures: int = 0
    events: int = 0

    def add_values(self, steps: Iterable[int]) -> None:
        for step in steps:
            self.first_step = min(self.first_step, step) if self.values else step
            self.last_step = max(self.last_step, step) if self.values else step
            self.values += 1

    @property
    def words(self) -> str:
        """What is missing, as the beginning of a sentence; empty where nothing is."""
        between = (
            f"of the training steps {self.first_step:,} to {self.last_step:,}"
            if self.first_step < self.last_step
            else f"of training step {self.last_step:,}"
        )
        parts = [
            f"{self.values} values of metrics {between}" * bool(self.values),
            _counted(self.captures, "capture"),
            _counted(self.events, "event"),
        ]
        return listed([part for part in parts if part])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}" if number else ""


class Pending:
    """The queue between the training thread, which puts, and the writer's thread, which takes and may give back."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_captures: int = MOST_CAPTURES) -> None:
        self._lock = threading.Lock()
        self._most_bytes, self._most_captures = most_bytes, most_captures
        self._metrics: list[tuple[int, int, str, float]] = []
        self._events: list[Event] = []
        self._value_bytes = 0  # of metrics and events, with those in hand
        self._in_hand = Values()  # taken, and neither written nor given back yet
        self._captures_in_hand = 0
        self._missing = Missing()  # what had no room
        self._optimisers: list[PendingOptimiser] = []
        self._status: EngineStatus | None = None
        self._kept: list[int] = []
        self._captures: dict[int, list[PendingCapture]] = {}  # by training step, which is dropped or stored as a whole
        self._bytes = 0
        self._refused = -1  # the training step refused last: its other models are not wanted either
        self._dropped = 0

    def put_metrics(self, rows: list[tuple[int, int, str, float]]) -> None:
        with self._lock:
            if self._value_bytes + METRIC_BYTES * len(rows) > MOST_VALUE_BYTES:
                self._missing.add_values(row[0] for row in rows)
                return
            self._metrics += rows
            self._value_bytes += METRIC_BYTES * len(rows)

    def put_event(self, event: Event) -> None:
        """An event, numbered when it is written."""
        with self._lock:
            if self._value_bytes + _event_bytes(event) > MOST_VALUE_BYTES:
                self._missing.events += 1
                return
            self._events.append(event)
            self._value_bytes += _event_bytes(event)

    def put_optimiser(self, snapshot: PendingOptimiser) -> None:
        """A snapshot; dropped while as many bytes wait as captures may have."""
        with self._lock:
            if self._bytes + sum(len(one.payload) for one in self._optimisers) < self._most_bytes:
                self._optimisers.append(snapshot)

    def take_optimisers(self) -> tuple[PendingOptimiser, ...]:
        with self._lock:
            snapshots, self._optimisers = tuple(self._optimisers), []
            return snapshots

    def return_optimisers(self, snapshots: tuple[PendingOptimiser, ...]) -> None:
        """Puts what could not be written in front again."""
        with self._lock:
            self._optimisers[:0] = snapshots

    def put_status(self, status: EngineStatus) -> None:
        with self._lock:
            self._status = status

    def put_kept(self, *training_steps: int) -> None:
        """Training steps whose captures are to be saved from thinning."""
        with self._lock:
            self._kept += training_steps

    def take_kept(self) -> tuple[int, ...]:
        with self._lock:
            kept, self._kept = tuple(self._kept), []
            return kept

    def has_room(self, training_step: int, keep: bool) -> bool:
        """Whether a capture of that training step would be taken; a refusal is counted."""
        with self._lock:
            full = self._bytes >= self._most_bytes or sum(map(len, self._captures.values())) >= self._most_captures
            refused = training_step == self._refused or (full and not keep and training_step not in self._captures)
            if refused:
                self._refused = training_step
                self._dropped += 1
                self._missing.captures += 1
            return not refused

    def put_capture(self, capture: PendingCapture) -> None:
        """Adds a capture that `has_room`; one to keep pushes the oldest others out when there is none."""
        with self._lock:
            self._captures.setdefault(capture.training_step, []).append(capture)
            self._bytes += len(capture.payload)
            self._evict(capture.training_step)

    def take_metrics(self) -> Values:
        """The oldest metrics waiting, as many as one transaction takes; `wrote` or `return_values` follows."""
        with self._lock:
            values = Values(metrics=tuple(self._metrics[:MOST_AT_ONCE]))
            del self._metrics[:MOST_AT_ONCE]
            self._in_hand = replace(self._in_hand, metrics=values.metrics)
            return values

    def take_told(self) -> Values:
        """Events and status; `wrote` or `return_values` follows."""
        with self._lock:
            values = Values(events=tuple(self._events), status=self._status)
            self._events, self._status = [], None
            self._in_hand = replace(self._in_hand, events=values.events)
            return values

    def wrote(self, values: Values) -> None:
        """They are in the file."""
        with self._lock:
            self._value_bytes -= METRIC_BYTES * len(values.metrics) + sum(map(_event_bytes, values.events))
            self._let_go(values)

    def return_values(self, values: Values) -> None:
        """Puts what could not be written in front again."""
        with self._lock:
            self._metrics[:0] = values.metrics
            self._events[:0] = values.events
            self._status = self._status or values.status
            self._let_go(values)

    def _let_go(self, values: Values) -> None:
        held = self._in_hand
        self._in_hand = Values(() if values.metrics else held.metrics, () if values.events else held.events)

    def missing(self) -> Missing:
        """All that had no room so far, and all that waits."""
        with self._lock:
            missing = replace(self._missing)
            missing.add_values(row[0] for row in (*self._in_hand.metrics, *self._metrics))
            missing.events += len(self._in_hand.events) + len(self._events)
            missing.captures += self._captures_in_hand + sum(map(len, self._captures.values()))
            return missing

    def lost(self) -> Missing:
        """What had no room so far."""
        with self._lock:
            return replace(self._missing)

    @property
    def transactions(self) -> int:
        """How many the metrics that wait now take."""
        with self._lock:
            return -(-len(self._metrics) // MOST_AT_ONCE)

    @property
    def waiting(self) -> int:
        """Training steps whose captures wait."""
        with self._lock:
            return len(self._captures)

    def take_captures(self) -> tuple[PendingCapture, ...]:
        """The captures of the oldest waiting training step; empty when none wait."""
        with self._lock:
            if not self._captures:
                return ()
            captures = tuple(self._captures.pop(next(iter(self._captures))))
            self._bytes -= sum(len(capture.payload) for capture in captures)
            self._captures_in_hand = len(captures)
            return captures

    def wrote_captures(self) -> None:
        """Those taken last are in the file."""
        with self._lock:
            self._captures_in_hand = 0

    def drop_captures(self) -> None:
        """Lets all go that need not be kept: there is no time left for them."""
        with self._lock:
            for step, captures in list(self._captures.items()):
                if not any(capture.keep for capture in captures):
                    self._drop(step)

    def return_captures(self, captures: tuple[PendingCapture, ...]) -> None:
        """Puts captures that could not be written in front again, as far as there is room."""
        with self._lock:
            self._captures_in_hand = 0
            step = captures[0].training_step
            self._captures = {step: [*captures, *self._captures.pop(step, [])], **self._captures}
            self._bytes += sum(len(capture.payload) for capture in captures)
            self._evict(-1)

    def take_dropped(self) -> int:
        """How many captures were dropped since this was last asked."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            return dropped

    def _evict(self, newest: int) -> None:
        """Drops the oldest training steps that need not be kept, then any, until the rest fits; never `newest`."""
        for kept_too in (False, True):
            for step in list(self._captures):
                if self._bytes <= self._most_bytes and sum(map(len, self._captures.values())) <= self._most_captures:
                    return
                if step != newest and (kept_too or not any(capture.keep for capture in self._captures[step])):
                    self._drop(step)

    def _drop(self, step: int) -> None:
        dropped = self._captures.pop(step)
        self._bytes -= sum(len(capture.payload) for capture in dropped)
        self._dropped += len(dropped)
        self._missing.captures += len(dropped)


def _event_bytes(event: Event) -> int:
    return EVENT_BYTES + len(event.sentence)

"""What waits to be written: metrics without limit, captures within one, so that a slow disk costs no numbers."""

import threading
from dataclasses import dataclass

from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.runs.file.records import EngineStatus, Event

MOST_BYTES = 64 << 20  # of captures waiting
MOST_CAPTURES = 128


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


class Pending:
    """The queue between the training thread, which puts, and the writer's thread, which takes and may give back."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_captures: int = MOST_CAPTURES) -> None:
        self._lock = threading.Lock()
        self._most_bytes, self._most_captures = most_bytes, most_captures
        self._metrics: list[tuple[int, int, str, float]] = []
        self._events: list[Event] = []
        self._optimisers: list[PendingOptimiser] = []
        self._status: EngineStatus | None = None
        self._kept: list[int] = []
        self._captures: dict[int, list[PendingCapture]] = {}  # by training step, which is dropped or stored as a whole
        self._bytes = 0
        self._refused = -1  # the training step refused last: its other models are not wanted either
        self._dropped = 0

    def put_metrics(self, rows: list[tuple[int, int, str, float]]) -> None:
        with self._lock:
            self._metrics += rows

    def put_event(self, event: Event) -> None:
        """An event, numbered when it is written."""
        with self._lock:
            self._events.append(event)

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
            return not refused

    def put_capture(self, capture: PendingCapture) -> None:
        """Adds a capture that `has_room`; one to keep pushes the oldest others out when there is none."""
        with self._lock:
            self._captures.setdefault(capture.training_step, []).append(capture)
            self._bytes += len(capture.payload)
            self._evict(capture.training_step)

    def take_values(self) -> Values:
        with self._lock:
            values = Values(tuple(self._metrics), tuple(self._events), self._status)
            self._metrics, self._events, self._status = [], [], None
            return values

    def return_values(self, values: Values) -> None:
        """Puts what could not be written in front again."""
        with self._lock:
            self._metrics[:0] = values.metrics
            self._events[:0] = values.events
            self._status = self._status or values.status

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
            return captures

    def return_captures(self, captures: tuple[PendingCapture, ...]) -> None:
        """Puts captures that could not be written in front again, as far as there is room."""
        with self._lock:
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
                    dropped = self._captures.pop(step)
                    self._bytes -= sum(len(capture.payload) for capture in dropped)
                    self._dropped += len(dropped)

"""The store: the window's whole state as one frozen value, and the one signal that says it changed."""

import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

import numpy as np
from PySide6.QtCore import QObject, Signal

from rnnviz.core.arrays import Array
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.sweeps.trace import Trace
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program
from rnnviz.debugger.walking import Jump
from rnnviz.debugger.whatif import WhatIf
from rnnviz.runs.file.records import EngineStatus, Event, Origin, RunModel

MOST_CHAINED = 100  # updates that listeners may make while one update is told


@dataclass(frozen=True)
class Curve:
    """One metric of one model: x ascending."""

    training_steps: Array  # (K,) int64
    values: Array  # (K,) float64, NaN and ±inf as they came


@dataclass(frozen=True)
class History:
    """What the run has recorded so far."""

    curves: Mapping[tuple[int, str], Curve] = field(default_factory=lambda: MappingProxyType({}))  # (model, metric)
    captured: Array = field(default_factory=lambda: np.zeros(0, np.int64))  # (C,) training steps that can be shown
    last_training_step: int = 0


@dataclass(frozen=True)
class Message:
    """One sentence in the bar above the lanes; `command` names the command record its button runs, if any."""

    level: Literal["info", "warning", "error"]
    sentence: str
    command: str = ""


@dataclass(frozen=True, eq=False)
class Recomputed:
    """What the interventions of `whatif` make of one sequence; `trouble` says why there are no traces."""

    whatif: WhatIf
    run_path: Path | None
    against: str  # the variant `original` is, "" for history
    original: Trace | None = None  # N = 1, as `changed`
    changed: Trace | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Found:
    """Where breakpoints are met in the recorded past, as far as the search is."""

    hits: tuple[Event, ...] = ()  # in the order they were found
    done: int = 0  # training steps looked at, of `total`
    total: int = 0
    running: bool = False


@dataclass(frozen=True)
class State:
    """All a view may draw. `traces` are of the probe at `cursor.training_step`, one a model, None until rebuilt."""

    experiment: Experiment = field(default_factory=first_lesson)  # of the run that is shown
    draft: Experiment | None = None  # edited settings that wait for a restart
    run_path: Path | None = None
    origin: Origin | None = None  # what the run goes on from; None: it began anew
    kept: bool = False  # the person chose where the run lies (saved or opened), so nobody tidies it away
    run_bytes: int = 0
    task: TaskInfo | None = None
    models: tuple[RunModel, ...] = ()
    status: EngineStatus | None = None  # None: no engine behind this run (an opened file)
    history: History = field(default_factory=History)
    traces: tuple[Trace | None, ...] = ()
    cursor: Cursor = field(default=Cursor(0, Phase.FORWARD, 1))
    following: bool = True  # the lanes show the newest capture; False: the person looks at an earlier one
    sample: int = 0  # which probe sequence, 0-based
    theme: Literal["dark", "light"] = "dark"
    hidden_lanes: frozenset[str] = frozenset()  # lane keys switched off; "+key": switched on
    fitting_lanes: frozenset[str] = frozenset()  # lanes that show themselves because the canvas has room for them
    message: Message | None = None
    busy: str = ""  # a sentence while something slow goes on
    page: str = "cursor"  # of the right column: the one in front
    watches: tuple[str, ...] = ()  # expressions whose values are shown
    marks: Marks = field(default_factory=Marks)  # breakpoints and bookmarks; its watches are those of the run file
    stop_at_bookmarks: bool = False  # whether continue and reverse continue over the past stop there too
    found: Found | None = None  # by a search for breakpoints in the recorded past
    events: tuple[Event, ...] = ()  # stops at breakpoints and lines of the log, oldest first
    model: int = 0  # place of the model that is stepped through and whose equations are shown
    unit: int = -1  # 0-based: the unit looked at, -1 for none
    trail: tuple[Jump, ...] = ()  # jumps of the debugger's commands that can be taken back
    whatif: WhatIf = field(default_factory=WhatIf)  # what is set by hand; its place is where it was begun
    recomputed: Recomputed | None = None  # what that makes of the sequence, None until it is known
    against: str = ""  # the variant that stands beside the what-if, "" for history
    difference: bool = False  # the lanes of the what-if show what-if − history

    @property
    def what_if(self) -> Recomputed | None:
        """What is recomputed for the sequence that is looked at; None while history is shown."""
        found = self.recomputed
        if found is None or not self.whatif.active or not self.traces:
            return None
        place = found.whatif.training_step, found.whatif.sample, found.run_path, found.against
        here = self.cursor.training_step, self.sample, self.run_path, self.against
        return found if place == here and found.whatif.interventions == self.whatif.interventions else None

    @property
    def program(self) -> Program:
        """The program of the model that is stepped through; of one time step while there is no trace."""
        trace = next((trace for trace in self.traces if trace is not None), None)
        if trace is None:
            return Program(1)
        own = self.traces[self.model] if self.model < len(self.traces) else None
        return Program(
            trace.sequence_length(self.sample), (own or trace).structure, cast("Sequence[int]", self.history.captured)
        )


class Store(QObject):
    """Holds the state. `changed(old, new)` is emitted once for each `update` that changes something.

    The state advances at once; what listeners are told of it goes out first in, first out. So an update that a listener
    makes is told to all of them when the one they are being told of is done: everyone sees every change, once and in
    order. A listener uses the `new` it is given, which the state may have left behind already.
    """

    changed = Signal(object, object)

    def __init__(self, state: State | None = None) -> None:
        super().__init__()
        self._state = state or State()
        self._thread = threading.get_ident()
        self._untold: deque[tuple[State, State]] = deque()
        self._updating: list[str] | None = None  # listeners that updated since `_tell` began; None: nobody is told

    @property
    def state(self) -> State:
        return self._state

    def update(self, **changes: Any) -> None:
        """Replaces the given fields of the state; RuntimeError where listeners go round in a circle."""
        assert threading.get_ident() == self._thread, "the store belongs to the thread of the window"
        old, new = self._state, replace(self._state, **changes)
        if all(getattr(old, name) is getattr(new, name) for name in changes):
            return
        if self._updating is not None:
            self._updating.append(_listener())
            if len(self._updating) > MOST_CHAINED:
                raise RuntimeError(f"{_circle(self._updating)} never come to an end of updating the state.")
        self._state = new
        self._untold.append((old, new))
        if self._updating is None:
            self._tell()

    def _tell(self) -> None:
        """Tells the listeners what they have not been told yet, and what they update meanwhile."""
        self._updating = []
        try:
            while self._untold:
                self.changed.emit(*self._untold.popleft())
        finally:
            updating, self._updating = self._updating, None
        if len(updating) > MOST_CHAINED:
            raise RuntimeError(f"{_circle(updating)} never come to an end of updating the state.")


def _listener() -> str:
    """The name of the listener that is being told right now: the outermost function below `_tell`."""
    frame, inner = sys._getframe(1), None
    while frame is not None and frame.f_code is not Store._tell.__code__:
        frame, inner = frame.f_back, frame
    return inner.f_code.co_qualname if inner is not None else "an unknown listener"


def _circle(names: Sequence[str]) -> str:
    return f"After {MOST_CHAINED} updates in a chain the listeners {', '.join(dict.fromkeys(names))}"

"""The store: the window's whole state as one frozen value, and the one signal that says it changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

import numpy as np
from PySide6.QtCore import QObject, Signal

from rnnviz.core.arrays import Array
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.core.source import Source, Trained
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.sweeps.trace import Trace
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program
from rnnviz.debugger.walking import Jump
from rnnviz.debugger.whatif import WhatIf
from rnnviz.runs.file.records import EngineStatus, Event, Origin, RunModel


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

    source: Source = field(default_factory=lambda: Trained(first_lesson()))  # where the run shown comes from
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
    def experiment(self) -> Experiment | None:
        """What the run shown was trained with; None: it was not trained here."""
        return self.source.experiment if isinstance(self.source, Trained) else None

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
    """Holds the state. `changed(old, new)` is emitted once for each `update` that changes something."""

    changed = Signal(object, object)

    def __init__(self, state: State | None = None) -> None:
        super().__init__()
        self._state = state or State()

    @property
    def state(self) -> State:
        return self._state

    def update(self, **changes: Any) -> None:
        """Replaces the given fields of the state."""
        old, new = self._state, replace(self._state, **changes)
        if any(getattr(old, name) is not getattr(new, name) for name in changes):
            self._state = new
            self.changed.emit(old, new)

"""Run shown: what it is, and what it has recorded so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.clipping import SettingChange
from rnnviz.core.source import Source, Trained
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.runs.file.records import EngineStatus, Event, OptimiserSnapshot, Origin, RunModel

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace

Gathered = OptimiserSnapshot | str  # what an optimiser had gathered, or why it is not known: one sentence, "": not kept


@dataclass(frozen=True)
class ShownRun:
    """What the run is, which stays as long as it is shown; and the edits that wait for a restart."""

    source: Source = field(default_factory=lambda: Trained(first_lesson()))  # where the run comes from
    draft: Experiment | None = None  # edited settings that wait for a restart
    path: Path | None = None
    origin: Origin | None = None  # what the run goes on from; None: it began anew
    kept: bool = False  # the person chose where the run lies (saved or opened), so nobody tidies it away
    task: TaskInfo | None = None
    models: tuple[RunModel, ...] = ()
    name: str = ""  # a person gave it to the run; "": none did

    @property
    def experiment(self) -> Experiment | None:
        """What it was trained with; None: it was not trained here."""
        return self.source.experiment if isinstance(self.source, Trained) else None

    @property
    def title(self) -> str:
        """What the run is called."""
        return self.source.title

    @property
    def training(self) -> TrainingSettings | None:
        """How it is trained; None where it was not trained here."""
        return self.source.training

    @property
    def trainable(self) -> bool:
        """Whether a training can go on from it, or begin again."""
        return self.source.trainable

    @property
    def seed(self) -> int | None:
        """From which its weights and data, or its random input, came; None where nothing was drawn."""
        return self.source.seed

    @property
    def planned_steps(self) -> int:
        """Training steps after which a training is done; 0 where none is."""
        return self.training.training_steps if self.training is not None else 0

    @property
    def model_names(self) -> tuple[str, ...]:
        """What the models are called, in their order."""
        return tuple(model.name for model in self.models)


@dataclass(frozen=True)
class MetricCurve:
    """One metric of one model: x ascending."""

    training_steps: Array  # (K,) int64
    values: Array  # (K,) float64, NaN and ±inf as they came


@dataclass(frozen=True)
class History:
    """Metrics and captures of the training steps so far."""

    curves: Mapping[tuple[int, str], MetricCurve] = field(  # (model, metric)
        default_factory=lambda: MappingProxyType({})
    )
    captured: Array = field(default_factory=lambda: np.zeros(0, np.int64))  # (C,) training steps that can be shown
    last_training_step: int = 0
    batches: Array = field(default_factory=lambda: np.zeros(0, np.int64))  # (B,) those of whose training batch, too

    def having(self, kind: CaptureKind) -> Array:
        """Ascending: the training steps that can be shown of the probe or of the training batch."""
        return self.batches if kind == "batch" else self.captured

    def nearest_captured(self, training_step: int, kind: CaptureKind = "probe") -> int | None:
        """The training step nearest to this one that can be shown; None while there is none."""
        having = self.having(kind)
        return int(having[abs(having - training_step).argmin()]) if len(having) else None


@dataclass(frozen=True)
class Recorded:
    """What the run file says by now. `traces` are of the probe or the training batch at the cursor's training step, one
    a model."""

    bytes: int = 0
    status: EngineStatus | None = None  # None: no engine behind this run (an opened file)
    history: History = field(default_factory=History)
    events: tuple[Event, ...] = ()  # stops at breakpoints and lines of the log, oldest first
    traces: "tuple[Trace | None, ...]" = ()  # None until it is rebuilt
    gathered: tuple[Gathered, ...] = ()  # by each model's optimiser, at the training step of `traces`
    clip_changes: tuple[SettingChange, ...] = ()  # oldest first
    rate_changes: tuple[SettingChange, ...] = ()  # of the learning rate
    asking: tuple[tuple[int, str], ...] = ()  # by a model's number what is said while the engine is asked for Jacobians

    @property
    def engine_lives(self) -> bool:
        """Whether an engine stands behind the run shown and takes commands."""
        return self.status is not None and self.status.state in ("starting", "paused", "running", "finished")

"""What a run file holds, as values: models, metrics, events, commands and the state of the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rnnviz.core.arrays import Array
from rnnviz.core.structure import Structure

EngineState = Literal["starting", "paused", "running", "finished", "stopped", "failed"]
CommandName = Literal["train", "pause", "step", "set", "restart", "branch", "breakpoints", "capture", "quit"]


@dataclass(frozen=True)
class RunModel:
    """One model of a run; `number` is its place in the experiment, 0-based, and its key in every table."""

    number: int
    name: str
    structure: Structure
    parameter_count: int  # with the readout


@dataclass(frozen=True)
class EngineStatus:
    """What the engine last said of itself. `sentence` says why it paused or failed, in words, else empty."""

    state: EngineState
    training_step: int
    steps_per_second: float
    process: int  # its process id
    heartbeat: float  # seconds since the epoch
    sentence: str = ""


@dataclass(frozen=True)
class Event:
    """Something worth a line in the run's log: kind is "started", "paused", "setting", "not finite", "dropped", …

    A "hit" of a breakpoint (the engine stopped), a "passed" one (headless, it went on) and the "log" line of a logpoint
    have details: {"breakpoint": the record as a table, "model": name, "time_step": from 1, 0 for none, "values":
    [[text, value in plain text], …]}.
    """

    number: int
    training_step: int
    kind: str
    sentence: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """What a branch goes on from."""

    path: str  # of the run it was made of, as it was called then
    training_step: int
    changed: str = ""  # the model whose weights were changed by hand, "": none

    @property
    def words(self) -> str:
        """Training step and file name, and whose weights were changed."""
        name = self.path.replace("\\", "/").rpartition("/")[2]
        changed = f", weights of {self.changed} changed" if self.changed else ""
        return f"branched from training step {self.training_step} of {name}{changed}"


@dataclass(frozen=True)
class Command:
    """A wish of the window, carried out by the engine between two training steps.

    train {until?: int} · pause {} · step {count: int} · set {learning_rate?, clip_norm?, training_steps?} ·
    restart {experiment: TOML text, path: str of the new run file} · capture {} · quit {} ·
    breakpoints {toml: marks as TOML, as in `core.marks_file`; also read back as the run's marks} ·
    branch {path: str of the new run file, training_step?: int, model?: its name and weights?: path of safetensors}
    """

    number: int
    name: CommandName
    arguments: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """The fixed sequences that are captured again and again while the models learn; stored once per run."""

    inputs: Array  # (T, N, I)
    lengths: Array | None  # (N,)
    targets: Array | None  # (T, N) int64 or (T, N, V) float
    loss_weight: Array | None  # (T, N)

"""What a run file holds, as values: models, metrics, events, the probe and the state of the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rnnviz.core.arrays import Array
from rnnviz.core.network import Network
from rnnviz.core.structure import Structure

CARRIED = "carried."  # in front of a state in an `OptimiserSnapshot`
EngineState = Literal["starting", "paused", "running", "finished", "stopped", "failed"]
FIRST_MODULE = "recurrent"
OPTIMISERS, ANEW = "branch optimisers", "anew"  # in the environment of a branch whose optimisers began anew


@dataclass(frozen=True)
class Module:
    """One recurrent module of a model; several calls of a capture may use it, its weights are stored once in each."""

    name: str
    structure: Structure

    @property
    def parameters(self) -> tuple[str, ...]:
        """torch's names of its parameters."""
        return tuple(self.structure.parameter_shapes())


@dataclass(frozen=True)
class RunModel:
    """One model of a run; `number` is its place in the experiment, 0-based, and its key in every table."""

    number: int
    name: str
    structure: Structure  # of its first module
    parameter_count: int  # with the head
    further: tuple[Module, ...] = ()  # modules after the first

    @property
    def modules(self) -> tuple[Module, ...]:
        """Its recurrent modules; the first has the name every model's only one has."""
        return (Module(FIRST_MODULE, self.structure), *self.further)

    @property
    def network(self) -> Network:
        """Its modules as the stages of one network, each called once."""
        further = ((one.name, one.structure) for one in self.further)
        return Network.of([("", self.structure), *further])


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
    [[text, value in plain text], …]}; a "setting" has what it changed: {"learning_rate": …, "clip_norm": …}.
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
    anew: bool = False  # its optimisers began anew, for what they had gathered was not recorded there

    @property
    def words(self) -> str:
        """Training step and file name, and whose weights were changed."""
        name = self.path.replace("\\", "/").rpartition("/")[2]
        changed = f", weights of {self.changed} changed" if self.changed else ""
        return f"branched from training step {self.training_step:,} of {name}{changed}"


@dataclass(frozen=True)
class Probe:
    """The fixed sequences that are captured again and again while the models learn; stored once per run."""

    inputs: Array  # (T, N, I)
    lengths: Array | None = None  # (N,)
    targets: Array | None = None  # (T, N) int64 or (T, N, V) float
    loss_weight: Array | None = None  # (T, N)
    more: Mapping[str, Array] = field(default_factory=dict)  # of models that read or are asked more than that

    @property
    def arrays(self) -> dict[str, Array]:
        """Name → array, of those there are."""
        named = {"inputs": self.inputs, "lengths": self.lengths, "targets": self.targets}
        named["loss_weight"] = self.loss_weight
        return {name: array for name, array in named.items() if array is not None} | dict(self.more)


@dataclass(frozen=True)
class OptimiserSnapshot:
    """What the optimiser of one model had gathered after a training step."""

    name: str  # "adam", "sgd", "rmsprop", …
    settings: Mapping[str, float]  # learning rate, the optimiser's own numbers, and what the validation has come to
    state: Mapping[str, Array]  # "exp_avg.<parameter>" and so on, any shapes; "carried.<state>" of training by windows

    @property
    def gathered(self) -> Mapping[str, Array]:
        """What the optimiser itself has, by the names above."""
        return {name: array for name, array in self.state.items() if not name.startswith(CARRIED)}

    @property
    def carried(self) -> Mapping[str, Array]:
        """(layers·D, N, ·) by state: what the next window of a training by windows begins with; {}: 0, or not known."""
        return {name.removeprefix(CARRIED): one for name, one in self.state.items() if name.startswith(CARRIED)}

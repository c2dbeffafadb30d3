"""The experiment: what to train. One frozen record, readable and writable as TOML (`experiment_file`)."""

from dataclasses import dataclass, field
from typing import Literal

from rnnviz.core.stopping.marks import Marks
from rnnviz.core.structure import Activation, CellName

TaskName = Literal["temporal order", "adding", "next value", "next character"]
OptimiserName = Literal["adam", "sgd", "rmsprop"]


@dataclass(frozen=True)
class TemporalOrder:
    """8 one-hot symbols, two marks (X or Y) among distractors; which of the 4 orders was it? (Hochreiter & Schmidhuber
    1997, task 6a, shortened). Time steps of the marks are 0-based, inclusive."""

    name: Literal["temporal order"] = "temporal order"
    length: tuple[int, int] = (60, 80)  # shortest and longest sequence, padded in front within a batch
    first_mark: tuple[int, int] = (10, 20)
    second_mark: tuple[int, int] = (45, 54)


@dataclass(frozen=True)
class Adding:
    """Two inputs, a value in [0, 1] and a marker; the target is the sum of the two marked values (Le 2015)."""

    name: Literal["adding"] = "adding"
    length: int = 50


@dataclass(frozen=True)
class NextValue:
    """Predict the next row of a table from the rows before it; loss at every time step."""

    name: Literal["next value"] = "next value"
    file: str = ""  # CSV; empty: the yearly sunspot numbers that ship with rnnviz
    columns: tuple[str, ...] = ()  # empty: every numeric column
    length: int = 40  # time steps of one training window
    train_share: float = 0.8  # the first part of the table is trained on, the rest tested


@dataclass(frozen=True)
class NextCharacter:
    """Predict the next character of a text from those before it; loss at every time step."""

    name: Literal["next character"] = "next character"
    file: str = ""  # text; empty: the help texts every Python carries (pydoc_data.topics)
    length: int = 50
    train_share: float = 0.9


Task = TemporalOrder | Adding | NextValue | NextCharacter


@dataclass(frozen=True)
class ModelSettings:
    """One model of the experiment: a recurrent module and a linear readout."""

    name: str
    cell: CellName
    hidden_size: int = 12
    num_layers: int = 1
    bidirectional: bool = False
    activation: Activation = "tanh"  # vanilla only
    forget_bias: float = 0.0  # LSTM only: added to the forget-gate part of bias_ih after torch's own initialisation


@dataclass(frozen=True)
class TrainingSettings:
    """How all models are trained, in lock-step on the same batches."""

    optimiser: OptimiserName = "adam"
    learning_rate: float = 0.01
    clip_norm: float = 1.0  # gradients are scaled down to this norm; 0: not clipped
    batch_size: int = 32
    training_steps: int = 1000  # where headless training ends and live training pauses


@dataclass(frozen=True)
class Experiment:
    """A task, one or more models, the training settings and the seed everything random comes from; and the marks a
    person made while debugging, which change nothing of what is trained."""

    name: str
    task: Task
    models: tuple[ModelSettings, ...]
    training: TrainingSettings = field(default_factory=TrainingSettings)
    seed: int = 1
    marks: Marks = field(default_factory=Marks)


def first_lesson() -> Experiment:
    """*Who remembers? vanilla against LSTM*: the live demonstration (temporal order, length 60–80)."""
    return Experiment(
        name="Who remembers? vanilla against LSTM",
        task=TemporalOrder(),
        models=(ModelSettings("Vanilla", "vanilla"), ModelSettings("LSTM", "lstm", forget_bias=1.0)),
    )


def restart_needed(old: Experiment, new: Experiment) -> bool:
    """Whether going from `old` to `new` needs new weights or new data; rate, clip norm and training length do not."""
    return (old.task, old.models, old.seed, old.training.optimiser, old.training.batch_size) != (
        new.task,
        new.models,
        new.seed,
        new.training.optimiser,
        new.training.batch_size,
    )

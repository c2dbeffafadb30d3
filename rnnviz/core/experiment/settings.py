"""Experiment: what to train. One frozen record, readable and writable as TOML (`experiment.file`)."""

from dataclasses import dataclass, field
from typing import Literal

from rnnviz.core.setting import OneLine, OneOf, RealNumber, WholeNumber, setting, settings_of
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.structure import Activation, CellName
from rnnviz.core.tasks import TaskSettings, TemporalOrder

OptimiserName = Literal["adam", "sgd", "rmsprop"]

MOST_MODELS = 8  # of a file
MOST_MODELS_IN_FORM = 6

CELL_WORDS: dict[str, str] = {"vanilla": "vanilla", "lstm": "LSTM", "gru": "GRU"}
_AT_ONCE = "takes effect at the next training step"


@dataclass(frozen=True)
class GivenInput:
    """One sequence for a loaded model, not trained: what `rnnviz trace` records."""

    name: Literal["given input"] = "given input"
    checkpoint: str = ""
    source: Literal["text", "csv", "random"] = "random"
    text: str = ""  # source "text": one character a time step, one-hot over `alphabet`
    alphabet: str = ""
    file: str = ""  # source "csv"
    columns: tuple[str, ...] = ()
    length: int = 50  # source "random": time steps, drawn from the experiment's seed
    loss_time_step: int = 0  # L = ‖h_t‖ at this time step, 1-based; 0: the last one


Task = TaskSettings | GivenInput


@dataclass(frozen=True)
class ModelSettings:
    """One model of the experiment: a recurrent module and a linear readout."""

    name: str = field(
        metadata=setting(
            "Name",
            OneLine(200),
            "How the model is called everywhere in the window",
            form=OneLine(40),
            subject="A model's name",
        )
    )
    cell: CellName = field(metadata=setting("Cell", OneOf(CELL_WORDS), "The recurrent cell; needs a restart"))
    hidden_size: int = field(
        default=12,
        metadata=setting("Hidden units", WholeNumber(1, 4096), "H, units of the hidden state; needs a restart", step=1),
    )
    num_layers: int = field(
        default=1,
        metadata=setting(
            "Layers",
            WholeNumber(1, 8),
            "Recurrent layers on top of each other; needs a restart",
            short="layers",
            step=1,
        ),
    )
    bidirectional: bool = field(
        default=False,
        metadata=setting(
            "Direction",
            OneOf({False: "forward", True: "both"}),
            "Whether a second chain reads the sequence backwards; needs a restart",
            short="direction",
        ),
    )
    activation: Activation = field(
        default="tanh",
        metadata=setting(
            "Activation",
            OneOf({"tanh": "tanh", "relu": "ReLU", "sigmoid": "sigmoid"}),
            "φ of h_t = φ(W_ih x_t + W_hh h_t−1 + b); needs a restart",
            cell="vanilla",
        ),
    )
    forget_bias: float = field(  # added to the forget-gate part of bias_ih after torch's own initialisation
        default=0.0,
        metadata=setting(
            "Forget bias",
            RealNumber(-100.0, 100.0),
            "Added to the forget gate's bias before training: larger keeps gradients alive; needs a restart",
            form=RealNumber(-20.0, 20.0),
            short="forget-gate bias",
            step=1,
            cell="lstm",
        ),
    )


@dataclass(frozen=True)
class TrainingSettings:
    """How all models are trained, in lock-step on the same batches."""

    optimiser: OptimiserName = field(
        default="adam",
        metadata=setting(
            "Optimiser",
            OneOf({"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}),
            "How the weights are updated; needs a restart",
        ),
    )
    learning_rate: float = field(
        default=0.01,
        metadata=setting(
            "Rate",
            RealNumber(0.0, low_excluded=True),
            f"Learning rate; {_AT_ONCE} (↑ ↓ go along 1, 2, 5)",
            form=RealNumber(0.0, 100.0, low_excluded=True),
            short="rate",
            step="1-2-5",
            live=True,
        ),
    )
    clip_norm: float = field(
        default=1.0,
        metadata=setting(
            "Clip norm",
            RealNumber(0.0),
            f"Gradients longer than this are scaled down to it, “off” for never; {_AT_ONCE}",
            form=RealNumber(0.0, 1e6),
            zero="off",
            step="1-2-5",
            live=True,
        ),
    )
    batch_size: int = field(
        default=32,
        metadata=setting(
            "Batch",
            WholeNumber(1, 4096),
            "Sequences in one training step; needs a restart",
            short="batch",
            step=1,
        ),
    )
    training_steps: int = field(  # where headless training ends and live training pauses
        default=1000,
        metadata=setting(
            "Training steps",
            WholeNumber(0, 10**9),
            f"Where training pauses by itself; {_AT_ONCE}",
            form=WholeNumber(1, 10**9),
            step=100,
            live=True,
        ),
    )


@dataclass(frozen=True)
class Experiment:
    """A task, one or more models, the training settings and the seed everything random comes from; and the marks a
    person made while debugging, which change nothing of what is trained."""

    name: str = field(metadata=setting("Name", OneLine(200)))
    task: Task
    models: tuple[ModelSettings, ...]
    training: TrainingSettings = field(default_factory=TrainingSettings)
    seed: int = field(
        default=1,
        metadata=setting(
            "Seed",
            WholeNumber(0, 2**63 - 1),
            "Everything random comes from it: the same seed gives the same numbers",
            form=WholeNumber(0, 2**31 - 1),
            step=1,
        ),
    )
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
    if (old.task, old.models, old.seed) != (new.task, new.models, new.seed):
        return True
    fixed = [name for name, one in settings_of(TrainingSettings).items() if not one.live]
    return any(getattr(old.training, name) != getattr(new.training, name) for name in fixed)

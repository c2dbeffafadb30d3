"""Experiment: what to train. One frozen record, readable and writable as TOML (`experiment.file`)."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from rnnviz.core.cells import cell_kind, cell_kinds
from rnnviz.core.cells.lstm import LstmSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.optimising.optimisers import OPTIMISERS, OptimiserName, optimiser_kind
from rnnviz.core.optimising.schedules import SCHEDULES, Constant, OnPlateau, ScheduleName
from rnnviz.core.optimising.update import UpdateRule
from rnnviz.core.plain_records import came
from rnnviz.core.setting import OneLine, OneOf, RealNumber, Setting, WholeNumber, setting, settings_of
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Pooling, Reduction
from rnnviz.core.sweeps.losses import LOSSES
from rnnviz.core.sweeps.pooling import POOLINGS
from rnnviz.core.tasks import TaskSettings, TemporalOrder
from rnnviz.core.tasks.task import LONGEST

MOST_MODELS = 8  # of a file
MOST_MODELS_IN_FORM = 6


@dataclass(frozen=True)
class CellChoice:
    """The name of one of the cells there are."""

    @property
    def words(self) -> Mapping[str, str]:
        return {kind.name: kind.words for kind in cell_kinds().values()}

    @property
    def notes(self) -> Mapping[str, str]:
        """What each is and what it can and cannot, as markup."""
        return {kind.name: kind.note for kind in cell_kinds().values()}

    def check(self, value: str, source: str, key: str) -> None:
        known = cell_kinds()
        if value not in known:
            names = ", ".join(f'"{name}"' for name in known)
            near = difflib.get_close_matches(value, known, n=1)
            hint = f' (did you mean "{near[0]}"?)' if near else ""
            raise RnnvizError(f"{source}: {key} must be one of {names}, not {came(value)}{hint}.")

    def show(self, value: str) -> str:
        return self.words.get(value, value)


LossChoice = Literal["", "cross entropy", "binary cross-entropy", "mean squared error"]  # "": the task's own
Truncation = Literal["off", "windows", "detached"]
TRUNCATIONS: Mapping[Truncation, str] = {
    "off": "whole sequence",
    "windows": "windows",
    "detached": "cut inside",
}
_AT_ONCE = "takes effect at the next training step"


Task = TaskSettings


@dataclass(frozen=True)
class ModelSettings:
    """One model of the experiment: a recurrent module and a linear head."""

    name: str = field(
        metadata=setting(
            "Name",
            OneLine(200),
            "The model's name everywhere in the window",
            form=OneLine(40),
            subject="A model's name",
        )
    )
    cell: str = field(metadata=setting("Cell", CellChoice(), "The recurrent cell; needs a restart"))
    hidden_size: int = field(
        default=12,
        metadata=setting(
            "Hidden units",
            WholeNumber(1, 4096),
            "H, units of the hidden state; needs a restart",
            short="hidden units",
            step=1,
            slider=(1, 256),
        ),
    )
    num_layers: int = field(
        default=1,
        metadata=setting(
            "Layers",
            WholeNumber(1, 8),
            "Recurrent layers, stacked; needs a restart",
            short="layers",
            step=1,
        ),
    )
    bidirectional: bool = field(
        default=False,
        metadata=setting(
            "Direction",
            OneOf({False: "forward", True: "both"}),
            "Whether a second layer reads the sequence backwards; needs a restart",
            short="direction",
        ),
    )
    own: Any = None  # the settings of its cell, a record of its kind's type; None: all as usual
    pooling: Pooling = field(
        default="last",
        metadata=setting(
            "Head reads",
            OneOf({name: kind.short for name, kind in POOLINGS.items()}),
            "What the head reads of the outputs: that at the end, or their mean or maximum over all time steps up to "
            "then; needs a restart",
            short="what the head reads",
        ),
    )

    residual: bool = field(
        default=False,
        metadata=setting(
            "Residual",
            OneOf({False: "none", True: "around layers"}),
            "Whether each layer but the first adds what it reads to what it gives, so that gradients have a way around "
            "it; needs a restart",
            short="residual connections",
        ),
    )
    dropout: float = field(
        default=0.0,
        metadata=setting(
            "Dropout",
            RealNumber(0.0, 1.0, high_excluded=True),
            "Share of the outputs between two layers that are set to 0 in training, anew in each training step; the "
            "probe is read without; needs a restart",
            form=RealNumber(0.0, 0.9),
            short="dropout",
            zero="off",
            step="1-2-5",
            slider=(0.01, 0.9),
        ),
    )
    embedding: int = field(
        default=0,
        metadata=setting(
            "Embedding",
            WholeNumber(0, 4096),
            "E, learnt numbers that stand for each symbol, “one-hot” for a column of its own instead; needs a restart",
            short="embedding",
            zero="one-hot",
            step=1,
            slider=(1, 256),
        ),
    )
    convolution: int = field(
        default=0,
        metadata=setting(
            "Convolution",
            WholeNumber(0, 256),
            "C, learnt 3 × 3 kernels that a picture goes through before it is read (then ReLU, and the largest of each "
            "2 × 2), “pixels” to read it as it is; needs a restart",
            short="convolution",
            zero="pixels",
            step=1,
            slider=(1, 64),
        ),
    )
    attention: bool = field(
        default=False,
        metadata=setting(
            "Attention",
            OneOf({False: "none", True: "general"}),
            "Whether the decoder's head looks back at all outputs of the encoder (Luong 2015, general score); needs a "
            "restart",
            short="attention",
        ),
    )

    def __post_init__(self) -> None:
        if self.own is None and self.cell in cell_kinds():
            object.__setattr__(self, "own", cell_kind(self.cell).settings())

    def with_cell(self, cell: str) -> "ModelSettings":
        """With another cell; its own settings stay where both cells have the same."""
        kind = cell_kind(cell)
        own = self.own if type(self.own) is kind.settings else kind.settings()
        layers = 1 if kind.one_layer else self.num_layers
        both = self.bidirectional and not kind.one_direction
        return replace(self, cell=cell, own=own, num_layers=layers, bidirectional=both)

    def structure(self, inputs: int, outputs: int) -> Structure:
        """What its recurrent module looks like with so many columns in and out: that of the encoder where there is a
        decoder."""
        kind, read = cell_kind(self.cell), inputs
        if self.embedding:
            read = self.embedding
        elif self.convolution:
            read = self.convolution * (inputs // 4)  # of each 2 × 2 pixels the largest
        return Structure(
            cell=self.cell,
            input_size=read,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            activation=getattr(self.own, "activation", "tanh") if kind.activations else "tanh",
            proj_size=outputs if kind.reads_out else 0,
            window=getattr(self.own, "window", 1),
            residual=self.residual and self.num_layers > 1,
        )

    def decoder(self, outputs: int) -> Structure:
        """What the decoder's recurrent module looks like: of the same cell, units and layers, and one direction."""
        read = self.embedding or outputs + 1
        return replace(self.structure(1, outputs), input_size=read, bidirectional=False)

    def with_own(self, key: str, value: Any) -> "ModelSettings":
        """With one of its cell's own settings changed."""
        return replace(self, own=replace(self.own, **{key: value}))


@dataclass(frozen=True)
class TrainingSettings:
    """How all models are trained, in lock-step on the same batches."""

    optimiser: OptimiserName = field(
        default="adam",
        metadata=setting(
            "Optimiser",
            OneOf({name: optimiser.short for name, optimiser in OPTIMISERS.items()}),
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
            slider=(1e-5, 1.0),
        ),
    )
    clip_norm: float = field(
        default=1.0,
        metadata=setting(
            "Clip norm",
            RealNumber(0.0),
            f"Gradients with a larger norm are scaled down to it, “off” to never clip; {_AT_ONCE}",
            form=RealNumber(0.0, 1e6),
            zero="off",
            step="1-2-5",
            live=True,
            slider=(0.01, 100.0),
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
            slider=(1, 512),
        ),
    )
    training_steps: int = field(  # where headless training ends and live training pauses
        default=1000,
        metadata=setting(
            "Training steps",
            WholeNumber(0, 10**9),
            f"The training step at which training pauses by itself; {_AT_ONCE}",
            form=WholeNumber(1, 10**9),
            step=100,
            live=True,
            slider=(100, 100_000),
        ),
    )
    clip_value: float = field(
        default=0.0,
        metadata=setting(
            "Clip value",
            RealNumber(0.0),
            "Each entry of the gradients is kept within ± this, after the clip norm, “off” for none; needs a restart",
            form=RealNumber(0.0, 1e6),
            zero="off",
            step="1-2-5",
            slider=(0.001, 100.0),
        ),
    )
    gradient_noise: float = field(
        default=0.0,
        metadata=setting(
            "Gradient noise",
            RealNumber(0.0),
            "ν: Gaussian noise of variance ν / s^0.55 at training step s is added to the gradients after the clips, "
            "“off” for none; needs a restart",
            form=RealNumber(0.0, 1e3),
            zero="off",
            step="1-2-5",
            slider=(0.001, 10.0),
        ),
    )
    schedule: ScheduleName = field(
        default="constant",
        metadata=setting(
            "Rate over time",
            OneOf({name: schedule.words for name, schedule in SCHEDULES.items()}),
            "How the learning rate goes on from the one that is set, as torch's schedulers have it; needs a restart",
            short="rate over time",
        ),
    )
    patience: int = field(
        default=0,
        metadata=setting(
            "Early stop",
            WholeNumber(0, 10**9),
            "Training steps without a lower validation loss of any model until training stops by itself, “off” for "
            f"never; {_AT_ONCE}",
            subject="Early stop",
            short="early stop",
            zero="off",
            step=25,
            live=True,
            slider=(0, 10_000),
        ),
    )
    validation: bool = field(
        default=False,
        metadata=setting(
            "Validation",
            OneOf({False: "if held back", True: "always"}),
            "Whether a validation loss is measured every 25 training steps where the task holds nothing back, too: on "
            "a fixed set of fresh sequences, as many as a batch. Early stop and a plateau need it anyway; needs a "
            "restart",
            short="validation",
        ),
    )
    loss: LossChoice = field(
        default="",
        metadata=setting(
            "Loss",
            OneOf({"": "the task's own", **{name: kind.words for name, kind in LOSSES.items()}}),
            "How far a prediction is from its target; on classes the squared error and the binary cross-entropy take "
            "1 for the target class and 0 for the others, and are means over the classes; needs a restart",
        ),
    )
    reduction: Reduction = field(
        default="mean",
        metadata=setting(
            "Over time",
            OneOf({"mean": "mean", "sum": "sum"}),
            "Whether L is the mean or the sum of the losses over the time steps; over the sequences of a batch it is "
            "always the mean; needs a restart",
            short="loss over time",
        ),
    )
    truncation: Truncation = field(
        default="off",
        metadata=setting(
            "Truncation",
            OneOf(TRUNCATIONS),
            "How far back the gradient is let: through the whole sequence; along one long sequence, a window in each "
            "training step; or inside a sequence, cut every so many time steps; needs a restart",
            short="truncation",
        ),
    )
    new_steps: int = field(
        default=20,
        metadata=setting(
            "New time steps",
            WholeNumber(1, LONGEST),
            "k₁, how many time steps each window goes on by, and on which its loss counts; needs a restart",
            short="new time steps",
            step=1,
            slider=(1, 500),
            when=("truncation", "windows"),
        ),
    )
    reach: int = field(
        default=20,
        metadata=setting(
            "Goes back over",
            WholeNumber(1, LONGEST),
            "k₂, over how many time steps the gradient goes back before it is cut; needs a restart",
            short="truncation length",
            step=1,
            slider=(1, 500),
        ),
    )
    carried: bool = field(
        default=True,
        metadata=setting(
            "State",
            OneOf({True: "carried on", False: "begins at 0"}),
            "Whether a window begins with the state that the one before it left; needs a restart",
            short="state of a window",
            when=("truncation", "windows"),
        ),
    )
    teacher_forcing: float = field(
        default=1.0,
        metadata=setting(
            "Teacher forcing",
            RealNumber(0.0, 1.0),
            "Share of the time steps at which the decoder is told the right answer before, elsewhere it reads its own; "
            "the probe likewise, in validation it always reads its own; needs a restart",
            short="teacher forcing",
            slider=(0.0, 1.0),
        ),
    )
    own: Any = None  # the settings of its optimiser: an Optimiser, whose learning rate is the one above; None: as usual
    scheduled: Any = None  # the settings of its schedule: a Schedule; None: as usual

    def __post_init__(self) -> None:
        kind = optimiser_kind(self.optimiser)
        own = self.own if type(self.own) is kind else kind(self.learning_rate)
        object.__setattr__(self, "own", replace(own, learning_rate=self.learning_rate))
        if type(self.scheduled) is not SCHEDULES[self.schedule]:
            object.__setattr__(self, "scheduled", SCHEDULES[self.schedule]())

    @property
    def rule(self) -> UpdateRule:
        """How an update is made, with the learning rate that is set."""
        return UpdateRule(self.own, self.clip_norm, self.clip_value, self.gradient_noise)

    @property
    def constant(self) -> bool:
        """Whether the learning rate stays as it is set."""
        return isinstance(self.scheduled, Constant)

    @property
    def validated(self) -> bool:
        """Whether a validation loss is wanted of tasks that hold nothing back, too."""
        return self.validation or bool(self.patience) or isinstance(self.scheduled, OnPlateau)

    @property
    def applying(self) -> Mapping[str, Setting]:
        """The settings that apply, by key: those that all have, of its optimiser, of its schedule."""
        records = TrainingSettings, type(self.own), type(self.scheduled)
        return {key: one for record in records for key, one in settings_of(record).items()}

    def value(self, key: str) -> Any:
        """Of a setting that applies."""
        owner = next(one for one in (self, self.own, self.scheduled) if key in settings_of(type(one)))
        return getattr(owner, key)

    def with_value(self, key: str, value: Any) -> "TrainingSettings":
        """With one of the settings that apply changed."""
        for part, record in (("own", self.own), ("scheduled", self.scheduled)):
            if key in settings_of(type(record)):
                return replace(self, **{part: replace(record, **{key: value})})
        return replace(self, **{key: value})


LIVE_SETTINGS = tuple(name for name, one in settings_of(TrainingSettings).items() if one.live)  # need no restart


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
            slider=(0, 100),
        ),
    )
    marks: Marks = field(default_factory=Marks)


def first_lesson() -> Experiment:
    """*Who remembers? vanilla against LSTM*: the live demonstration (temporal order, length 60–80)."""
    return Experiment(
        name="Who remembers? vanilla against LSTM",
        task=TemporalOrder(),
        models=(ModelSettings("Vanilla", "vanilla"), ModelSettings("LSTM", "lstm", own=LstmSettings(forget_bias=1.0))),
    )


def restart_needed(old: Experiment, new: Experiment) -> bool:
    """Whether going from `old` to `new` needs new weights or new data; rate, clip norm and training length do not."""
    if (old.task, old.models, old.seed) != (new.task, new.models, new.seed):
        return True
    live = {name: getattr(new.training, name) for name in LIVE_SETTINGS}
    return replace(old.training, **live) != new.training

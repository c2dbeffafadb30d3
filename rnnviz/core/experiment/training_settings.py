"""Training settings: how the models of an experiment are trained, and which of it can be changed while they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from rnnviz.core.optimising.optimisers import OPTIMISERS, OptimiserName, optimiser_kind
from rnnviz.core.optimising.schedules import SCHEDULES, Constant, OnPlateau, ScheduleName
from rnnviz.core.optimising.update import UpdateRule
from rnnviz.core.setting import OneOf, RealNumber, Setting, WholeNumber, setting, settings_of
from rnnviz.core.sweeps.capture import Reduction
from rnnviz.core.sweeps.heads.losses import LOSSES
from rnnviz.core.tasks.task import LONGEST

LossChoice = Literal["", "cross entropy", "binary cross-entropy", "mean squared error"]  # "": the task's own
Truncation = Literal["off", "windows", "detached"]
TRUNCATIONS: Mapping[Truncation, str] = {
    "off": "whole sequence",
    "windows": "windows",
    "detached": "cut inside",
}
_AT_ONCE = "takes effect at the next training step"


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

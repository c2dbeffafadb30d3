"""Learning-rate schedules: the rate of each training step, from the rate that is set, as torch's schedulers have it.

`before` counts the training steps made before the update (0 at the first), which is torch's count of `step()`. Each is
a function of it alone but the one that looks at the validation loss, which also asks how often it has reduced the rate.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from rnnviz.core.setting import RealNumber, Setting, WholeNumber, setting

ScheduleName = Literal["constant", "step", "exponential", "cosine", "warm-up", "plateau"]


class Schedule(Protocol):
    """One schedule; its fields are its settings."""

    @property
    def words(self) -> str: ...

    @property
    def formula(self) -> str:
        """The rate in one line of markup; s counts the training steps before."""

    @property
    def torch(self) -> str:
        """torch's name of it."""

    @property
    def of_training_step(self) -> bool:
        """Whether the rate follows from the training step alone."""

    def rate(self, base: float, before: int, reductions: int = 0) -> float:
        """Of the update that follows `before` training steps, where `base` is set; it was reduced so many times."""


def _steps(label: str, tooltip: str, short: str) -> Mapping[str, Setting]:
    hint = f"{tooltip}; needs a restart"
    return setting(label, WholeNumber(1, 10**9), hint, short=short, step=10, slider=(1, 10_000))


def _factor(tooltip: str) -> Mapping[str, Setting]:
    return setting(
        "Factor",
        RealNumber(0.0, 1.0, low_excluded=True, high_excluded=True),
        f"γ: {tooltip}; needs a restart",
        form=RealNumber(0.0, 0.999999, low_excluded=True),
        short="rate factor",
    )


def _lowest() -> Mapping[str, Setting]:
    return setting(
        "Lowest rate",
        RealNumber(0.0),
        "The rate never becomes less; needs a restart",
        form=RealNumber(0.0, 100.0),
        short="lowest rate",
        step="1-2-5",
    )


@dataclass(frozen=True)
class Constant:
    """The rate as it is set."""

    words: ClassVar[str] = "constant"
    formula: ClassVar[str] = "η"
    torch: ClassVar[str] = "ConstantLR"
    of_training_step: ClassVar[bool] = True

    def rate(self, base: float, before: int, reductions: int = 0) -> float:
        return base


@dataclass(frozen=True)
class StepDecay:
    """The rate times γ after every so many training steps."""

    rate_steps: int = field(default=250, metadata=_steps("Every", "Training steps from one fall to the next", "every"))
    rate_factor: float = field(default=0.1, metadata=_factor("what the rate is multiplied by at each fall"))
    words: ClassVar[str] = "step"
    formula: ClassVar[str] = "η γ^{⌊s/every⌋}"
    torch: ClassVar[str] = "StepLR"
    of_training_step: ClassVar[bool] = True

    def rate(self, base: float, before: int, reductions: int = 0) -> float:
        return base * self.rate_factor ** (before // self.rate_steps)


@dataclass(frozen=True)
class Exponential:
    """The rate times γ after every training step."""

    rate_factor: float = field(default=0.999, metadata=_factor("what the rate is multiplied by at each training step"))
    words: ClassVar[str] = "exponential"
    formula: ClassVar[str] = "η γ^{s}"
    torch: ClassVar[str] = "ExponentialLR"
    of_training_step: ClassVar[bool] = True

    def rate(self, base: float, before: int, reductions: int = 0) -> float:
        return base * self.rate_factor**before


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from the rate down to the lowest (Loshchilov & Hutter 2017, without restarts)."""

    rate_steps: int = field(
        default=1000,
        metadata=_steps("Down in", "Training steps down to the lowest rate; afterwards it rises again", "down in"),
    )
    lowest_rate: float = field(default=0.0, metadata=_lowest())
    words: ClassVar[str] = "cosine"
    formula: ClassVar[str] = "η_{min} + (η − η_{min}) (1 + cos(π s / down in)) / 2"
    torch: ClassVar[str] = "CosineAnnealingLR"
    of_training_step: ClassVar[bool] = True

    def rate(self, base: float, before: int, reductions: int = 0) -> float:
        return self.lowest_rate + (base - self.lowest_rate) * (1 + math.cos(math.pi * before / self.rate_steps)) / 2


@dataclass(frozen=True)
class WarmUp:
    """From a share of the rate up to it on a straight line, then constant."""

    rate_steps: int = field(default=100, metadata=_steps("Up in", "Training steps until the whole rate", "up in"))
    first_share: float = field(
        default=0.1,
        metadata=setting(
            "First share",
            RealNumber(0.0, 1.0, low_excluded=True),
            "The share of the rate at the first training step; needs a restart",
            short="first share",
        ),
    )
    words: ClassVar[str] = "warm-up"
    formula: ClassVar[str] = "η (first share + (1 − first share) min(1, s / up in))"
    torch: ClassVar[str] = "LinearLR"
    of_training_step: ClassVar[bool] = True

    def rate(self, base: float, before: int, reductions: int = 0) -> float:
        gone = min(before, self.rate_steps) / self.rate_steps
        return base * (self.first_share + (1 - self.first_share) * gone)


@dataclass(frozen=True)
class OnPlateau:
    """The rate times γ where a model's validation loss has not become less for so many training steps."""

    plateau_patience: int = field(
        default=250,
        metadata=setting(
            "Waits",
            WholeNumber(0, 10**9),
            "Training steps without a lower validation loss until the rate is reduced; needs a restart",
            short="waits",
            step=25,
            slider=(0, 10_000),
        ),
    )
    rate_factor: float = field(default=0.1, metadata=_factor("what the rate is multiplied by"))
    plateau_threshold: float = field(
        default=1e-4,
        metadata=setting(
            "Threshold",
            RealNumber(0.0, 1.0, high_excluded=True),
            "A validation loss counts as lower where it is by this share of the best; needs a restart",
            form=RealNumber(0.0, 0.999),
            short="threshold",
            step="1-2-5",
        ),
    )
    lowest_rate: float = field(default=0.0, metadata=_lowest())
    words: ClassVar[str] = "on a plateau"
    formula: ClassVar[str] = "η γ^{reductions}"
    torch: ClassVar[str] = "ReduceLROnPlateau"
    of_training_step: ClassVar[bool] = False

    def rate(self, base: float, before: int, reductions: int = 0) -> float:
        if not reductions:
            return base
        return max(base * self.rate_factor**reductions, min(base, self.lowest_rate))

    def reductions(self, base: float, rate: float) -> int:
        """How often `base` was reduced to become `rate`, at least."""
        return next((times for times in range(1000) if self.rate(base, 0, times) <= rate * (1 + 1e-6)), 0)


AnySchedule = Constant | StepDecay | Exponential | Cosine | WarmUp | OnPlateau
SCHEDULES: Mapping[ScheduleName, type[AnySchedule]] = {
    "constant": Constant,
    "step": StepDecay,
    "exponential": Exponential,
    "cosine": Cosine,
    "warm-up": WarmUp,
    "plateau": OnPlateau,
}

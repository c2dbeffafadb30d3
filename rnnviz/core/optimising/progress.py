"""Progress: what the validation losses of one model have come to: the best, and how often the rate was reduced."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from rnnviz.core.optimising.schedules import OnPlateau, Schedule

VALIDATE_EVERY = 25  # training steps between two looks at the validation loss
_LEAST_CHANGE = 1e-8  # a reduction by less is not made, as in torch
_PREFIX = "validation."  # of its numbers among those of an optimiser's snapshot


@dataclass(frozen=True)
class Progress:
    """After some looks at the validation loss; a transition gives the next."""

    best: float = math.inf
    best_step: int = 0  # the training step of the best
    since: int = 0  # early stop counts from there on: the best, or where training was taken up again
    plateau_best: float = math.inf  # the best that was lower by more than the threshold
    plateau_looks: int = 0  # since then, or since the last reduction
    reductions: int = 0

    def after(self, training_step: int, loss: float, schedule: Schedule, base: float) -> "Progress":
        """With one more look; `base` is the rate that is set."""
        found = self
        if loss < self.best:
            found = replace(found, best=loss, best_step=training_step, since=training_step)
        return found._on_plateau(loss, schedule, base) if isinstance(schedule, OnPlateau) else found

    def _on_plateau(self, loss: float, schedule: OnPlateau, base: float) -> "Progress":
        """As torch's ReduceLROnPlateau (relative threshold, no cooldown), whose patience counts looks."""
        if loss < self.plateau_best * (1 - schedule.plateau_threshold):
            return replace(self, plateau_best=loss, plateau_looks=0)
        looks = self.plateau_looks + 1
        if looks * VALIDATE_EVERY <= schedule.plateau_patience:
            return replace(self, plateau_looks=looks)
        now, then = (schedule.rate(base, 0, self.reductions + more) for more in (0, 1))
        return replace(self, plateau_looks=0, reductions=self.reductions + (now - then > _LEAST_CHANGE))

    def waited(self, training_step: int) -> int:
        """Training steps without a lower validation loss."""
        return training_step - self.since

    def numbers(self) -> dict[str, float]:
        """For a snapshot; what is still infinite is left out."""
        values = {f"{_PREFIX}{one.name}": float(getattr(self, one.name)) for one in fields(self)}
        return {name: value for name, value in values.items() if math.isfinite(value)}

    @staticmethod
    def of(numbers: Mapping[str, float], training_step: int) -> "Progress":
        """The inverse of `numbers`, among others; without them a beginning at a training step."""
        whole = {"best_step", "since", "plateau_looks", "reductions"}
        found: dict[str, Any] = {"since": training_step}
        for one in fields(Progress):
            value = numbers.get(f"{_PREFIX}{one.name}")
            if value is not None:
                found[one.name] = int(value) if one.name in whole else value
        return Progress(**found)

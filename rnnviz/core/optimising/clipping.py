"""Clipping: what the clip norm made of the gradients of one update, which are shown as they were before it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.numbers import short, tick

FLOAT32_LARGEST = float(np.finfo(np.float32).max)

SettingChange = tuple[int, float, float]  # made after which training step, from which number, to which


def clip_factor(clip_norm: float, norm: float, largest: float = FLOAT32_LARGEST) -> float:
    """min(1, θ / (‖g‖ + 10⁻⁶)), NaN where that is; torch squares in a dtype whose largest number is `largest`.

    `clip_norm` 0: never.
    """
    if norm > math.sqrt(largest):
        norm = math.inf
    return float(np.minimum(np.divide(clip_norm or math.inf, norm + 1e-6), 1))


@dataclass(frozen=True)
class Clipping:
    """One update of one model: of all its parameters' gradients together, those of the training batch."""

    training_step: int  # that the update completed
    norm: float  # before clipping
    clip_norm: float  # 0: never
    clip_value: float = 0.0  # each entry is kept within ± it afterwards; 0: never

    @property
    def factor(self) -> float:
        """What all gradients were multiplied by."""
        with np.errstate(all="ignore"):
            return clip_factor(self.clip_norm, self.norm)

    @property
    def clipped(self) -> float:
        """The norm after clipping by norm."""
        return self.norm * self.factor

    @property
    def words(self) -> str:
        """Both norms and the factor between them, and what is clipped by value after that."""
        after = f"; then each entry is kept within ±{tick(self.clip_value)}" if self.clip_value else ""
        return self._norm_words + after

    @property
    def _norm_words(self) -> str:
        if not self.clip_norm:
            return f"‖g‖ {short(self.norm)}; no clip norm is set"
        if self.factor == 1:
            return f"‖g‖ {short(self.norm)}, not above the clip norm {tick(self.clip_norm)}: not clipped"
        numbers = f"× {short(self.factor)} = ‖g̃‖ {short(self.clipped)} after it"
        return f"‖g‖ {short(self.norm)} before clipping, {numbers}; clip norm {tick(self.clip_norm)}"


def setting_at(training_step: int, changes: Sequence[SettingChange], first: float) -> float:
    """A setting, such as the clip norm, in the update that completed a training step; `first` is the one the training
    began with."""
    found = first if not changes else changes[0][1]
    for made_after, _, new in changes:
        if made_after < training_step:
            found = new
    return found

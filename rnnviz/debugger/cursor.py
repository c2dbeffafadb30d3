"""The cursor: where the person is, as a frozen value."""

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """The five parts of one training step, in the order they happen."""

    FORWARD = "forward"
    LOSS = "loss"
    BACKWARD = "backward"
    ACCUMULATE = "accumulate"
    UPDATE = "update"

    @property
    def words(self) -> str:
        return self.value.capitalize()


@dataclass(frozen=True)
class Cursor:
    """One place in one training step. `time_step` counts from 1, as on screen, and is kept in phases without one."""

    training_step: int
    phase: Phase
    time_step: int
    layer: str = "l0"  # which layer is looked at, torch's suffix

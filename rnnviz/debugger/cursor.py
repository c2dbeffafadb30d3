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

    @property
    def swept(self) -> bool:
        """Whether the phase goes through the time steps."""
        return self in (Phase.FORWARD, Phase.BACKWARD)


class Granularity(Enum):
    """How far one step goes, coarsest first."""

    TRAINING_STEP = "training step"
    TIME_STEP = "time step"  # of one layer and direction
    OPERATION = "operation"  # inside the cell, the loss or the update


@dataclass(frozen=True)
class Cursor:
    """One place in one training step. `time_step` counts from 1, as on screen, and is kept in phases without one."""

    training_step: int
    phase: Phase
    time_step: int
    layer: str = "l0"  # which layer is looked at, torch's suffix
    operation: str = ""  # key of one of the phase's operations; "": the whole time step or phase

    @property
    def granularity(self) -> Granularity:
        """That of a step from here when none is asked for."""
        return Granularity.OPERATION if self.operation else Granularity.TIME_STEP

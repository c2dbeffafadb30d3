"""Streams: parallel ways through one long sequence, and where on them the window of each training step lies."""

from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError


@dataclass(frozen=True)
class Window:
    """The part of each stream that one training step reads: an older one, which is run again with today's weights, and
    a new one, on which the loss counts."""

    start: int  # time steps of the stream before it; 0: it begins with a state of 0
    older: int
    new: int

    @property
    def length(self) -> int:
        return self.older + self.new


@dataclass(frozen=True)
class Streams:
    """N neighbouring stretches of a sequence, as long as each other, gone along by k₁ time steps in each training step;
    the gradient goes back over k₂."""

    rows: int  # time steps of the sequence
    count: int  # N
    new_steps: int  # k₁
    reach: int  # k₂

    def check(self) -> None:
        """RnnvizError where not even one window fits into a stream."""
        if self.new_steps > self.length:
            raise RnnvizError(
                f"training.new_steps: wanted at most {self.length:,}, because {self.rows:,} time steps in "
                f"{self.count:,} streams make {self.length:,} in each, got {self.new_steps:,}"
            )

    @property
    def length(self) -> int:
        """Time steps of each."""
        return self.rows // self.count

    @property
    def windows(self) -> int:
        """Training steps until all begin again; what is left at their ends is shorter than a window."""
        return self.length // self.new_steps

    @property
    def starts(self) -> Array:
        """(N,) the time step of the sequence, from 0, with which each begins."""
        return np.arange(self.count) * self.length

    def at(self, training_step: int) -> Window:
        """The window of the update after `training_step`."""
        begin = training_step % self.windows * self.new_steps
        older = min(self.reach - self.new_steps, begin)
        return Window(begin - older, older, self.new_steps)

    @property
    def words(self) -> str:
        """One sentence about them for the log."""
        streams = "1 stream" if self.count == 1 else f"{self.count:,} parallel streams"
        times = "training step" if self.windows == 1 else f"{self.windows:,} training steps"
        return (
            f"Trained along {streams} of {self.length:,} time steps, {self.new_steps:,} new ones in each training "
            f"step; after every {times} they begin again, with a state of 0."
        )

"""Rests: stretches of the time axis in which a lane has nothing, which is not the same as a value of 0."""

from collections.abc import Iterator
from dataclasses import dataclass

from rnnviz.core.sweeps.cuts import Cuts


@dataclass(frozen=True)
class Rest:
    """The time steps `first`…`last` of the axis, and why there is nothing, in words."""

    first: int
    last: int
    words: str
    said: str = ""  # what is written there where it has room

    def holds(self, time_step: int) -> bool:
        return self.first <= time_step <= self.last


def padding(sample: int, time_steps: int, longest: int) -> Iterator[Rest]:
    """What is left of the longest sequence of a batch beyond the end of sequence `sample`, 0-based."""
    if time_steps < longest:
        yield Rest(time_steps + 1, longest, f"padding: sequence {sample + 1:,} ends at t = {time_steps:,}")


def kept_away(cuts: Cuts) -> Iterator[Rest]:
    """Of a lane of gradients: what truncation keeps from all losses."""
    if cuts.beyond:
        yield Rest(1, cuts.beyond, cuts.words(1), "cut, truncated")

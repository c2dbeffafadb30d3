"""Which captures go when a run exceeds its budget, so that those that stay cover it evenly."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Thinning:
    """What one round of thinning decided."""

    dropped: tuple[int, ...]  # training steps, ascending
    spacing: int  # training steps two neighbours are apart at least, given to the next round


def thin(training_steps: Sequence[int], kept: Collection[int] = (), spacing: int = 0) -> Thinning:
    """Drops at least half of the captures that are neither `kept`, first nor newest, so that none are nearer than a
    spacing: that of the round before, doubled until it is enough.

    `training_steps` ascend. On an even grid every second one goes. After each round old neighbours are less than twice
    the spacing apart, however long the run, as long as they came at least that often.
    """
    kept = set(kept)
    free = [step for step in training_steps[1:-1] if step not in kept]
    if not free:
        return Thinning((), spacing)
    spacing = spacing or 2 * min(later - earlier for earlier, later in pairwise(training_steps))
    while len(staying := _spaced(free, training_steps[0], spacing)) > len(free) // 2:
        spacing *= 2
    return Thinning(tuple(step for step in free if step not in staying), spacing)


def _spaced(free: Sequence[int], first: int, spacing: int) -> set[int]:
    """Those of `free` that are at least `spacing` after the one taken before, beginning at `first`."""
    taken = set()
    last = first
    for step in free:
        if step - last >= spacing:
            taken.add(step)
            last = step
    return taken

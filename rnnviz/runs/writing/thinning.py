"""Which captures go when a run exceeds its budget, so that those that stay cover it evenly."""

import heapq
import math
from collections.abc import Collection, Sequence

BUDGET_BYTES = 256 << 20  # of a run's captures; metrics, about 10 bytes a number, come on top
SHARE = 1 / 16  # of the captures that may go, dropped in one round
_SCATTER = 0x9E3779B1  # odd: its multiples, modulo 2³², are spread evenly


def thin(training_steps: Sequence[int], kept: Collection[int] = ()) -> tuple[int, ...]:
    """Training steps to drop, ascending: a small share of those that are neither `kept`, first nor newest.

    Again and again that one goes whose neighbours are the nearest to each other. So what was captured densest goes
    first, wherever it is, and neighbours among the others stay apart alike, however long the run is. `training_steps`
    ascend. On an even grid those that go are scattered over all of it.
    """
    kept = set(kept)
    last = len(training_steps) - 1
    before, after = [place - 1 for place in range(last + 1)], [place + 1 for place in range(last + 1)]
    free = [place for place in range(1, last) if training_steps[place] not in kept]

    def entry(place: int) -> tuple[int, int, int]:
        gap = training_steps[after[place]] - training_steps[before[place]]
        return gap, training_steps[place] * _SCATTER % (1 << 32), place

    heap = [entry(place) for place in free]
    heapq.heapify(heap)
    wanted, dropped = math.ceil(len(free) * SHARE), set[int]()
    while len(dropped) < wanted:
        candidate = heapq.heappop(heap)
        place = candidate[-1]
        if candidate != entry(place):  # a neighbour went meanwhile
            heapq.heappush(heap, entry(place))
            continue
        dropped.add(place)
        after[before[place]], before[after[place]] = after[place], before[place]
    return tuple(training_steps[place] for place in sorted(dropped))

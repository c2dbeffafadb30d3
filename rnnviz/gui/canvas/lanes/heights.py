"""Heights: which lanes come by themselves because the canvas is high enough, and how its height is shared among all."""

from collections.abc import Sequence
from dataclasses import replace

from rnnviz.gui.canvas.lanes.lane import Heights
from rnnviz.gui.canvas.lanes.selection import choices, lane_slots
from rnnviz.gui.canvas.lanes.shown import Shown


def fitting(shown: Shown, available: float) -> frozenset[str]:
    """Keys of the lanes with room in `available` pixels, in the order of the stack while it lasts.

    A lane that is there stays while everything can be seen: a message that comes for a moment must not move the lanes.
    """
    kept: frozenset[str] = frozenset()
    for choice in choices(shown):
        if choice.default != "room":
            continue
        trial = replace(shown, fitting=kept | {choice.key})
        wishes = [slot.lane.heights for slot in lane_slots(trial)]
        share = 0.0 if choice.key in shown.fitting else choice.room
        if _wanted(wishes, share) <= available:
            kept |= {choice.key}
    return kept


def share_out(wishes: Sequence[Heights], available: float) -> list[float]:
    """A height for each lane in whole pixels, gaps not counted.

    Every lane gets its minimum; what is left brings all of them evenly to what they like, then to what they can use.
    With less room than the minima the sum exceeds `available` and the canvas scrolls.
    """
    room = available - sum(wish.gap for wish in wishes)
    heights = [wish.minimum for wish in wishes]
    for goal in ([wish.preferred for wish in wishes], [wish.maximum for wish in wishes]):
        wanted = sum(goal) - sum(heights)
        free = room - sum(heights)
        if free <= 0 or wanted <= 0:
            continue
        share = min(free / wanted, 1.0)
        heights = [height + share * (most - height) for height, most in zip(heights, goal, strict=True)]
    return [float(int(height)) for height in heights]


def _wanted(wishes: Sequence[Heights], share: float) -> float:
    """Pixels of all lanes, `share` of the way from what they need to what they like."""
    gaps = sum(wish.gap for wish in wishes) - (wishes[0].gap if wishes else 0.0)
    return gaps + sum(wish.minimum + share * (wish.preferred - wish.minimum) for wish in wishes)

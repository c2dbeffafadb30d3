"""Heights: which lanes come and go by themselves with the height of the canvas, and how it is shared among all."""

from collections.abc import Sequence
from dataclasses import replace

from rnnviz.gui.canvas.lanes.lane import Heights
from rnnviz.gui.canvas.lanes.selection import choices, folded_key, lane_slots
from rnnviz.gui.canvas.lanes.shown import Shown


def fitting(shown: Shown, available: float) -> frozenset[str]:
    """Keys of the lanes with room in `available` pixels, in the order of the stack while it lasts; and where even
    compact lanes do not fit, the keys of those that fold away, said as `folded_key`, the least telling first.

    A lane that is there stays while everything can be seen: a message that comes for a moment must not move the lanes.
    """
    folded = _folded(shown, available)
    if folded:
        return folded
    kept: frozenset[str] = frozenset()
    for choice in choices(shown):
        if choice.default != "room":
            continue
        share = 0.0 if choice.key in shown.fitting else choice.room
        if _wanted(_wishes(shown, kept | {choice.key}), share) <= available:
            kept |= {choice.key}
    return kept


def share_out(wishes: Sequence[Heights], available: float) -> list[float]:
    """A height for each lane in whole pixels, gaps not counted.

    Every lane gets its minimum; what is left brings all of them evenly to what they like, then to what they can use.
    Where not all would be seen they are compact, and what is left brings them evenly towards their minimum. With less
    room than compact lanes need the sum exceeds `available` and the canvas scrolls.
    """
    room = available - sum(gaps(wishes, available))
    heights = [wish.minimum for wish in _least(wishes, available)]
    for name in ("minimum",) if _compact(wishes, available) else ("preferred", "maximum"):
        goal = [getattr(wish, name) for wish in wishes]
        wanted = sum(goal) - sum(heights)
        free = room - sum(heights)
        if free <= 0 or wanted <= 0:
            continue
        share = min(free / wanted, 1.0)
        heights = [height + share * (most - height) for height, most in zip(heights, goal, strict=True)]
    return [float(int(height)) for height in heights]


def gaps(wishes: Sequence[Heights], available: float) -> list[float]:
    """The free pixels above each lane."""
    return [wish.gap for wish in _least(wishes, available)]


def least_height(wishes: Sequence[Heights], *, compact: bool) -> float:
    """Pixels that lanes need below one another, as they are or compact; above the first is no gap."""
    least = [wish.squeezed for wish in wishes] if compact else wishes
    return sum(wish.minimum + wish.gap for wish in least) - (least[0].gap if least else 0.0)


def _least(wishes: Sequence[Heights], available: float) -> list[Heights]:
    return [wish.squeezed for wish in wishes] if _compact(wishes, available) else list(wishes)


def _compact(wishes: Sequence[Heights], available: float) -> bool:
    """Whether lanes as they are would not all be seen."""
    return least_height(wishes, compact=False) > available


def _folded(shown: Shown, available: float) -> frozenset[str]:
    """What must go so that compact lanes fit; lanes that fold at the same turn go together.

    Who has switched on a lane has asked for more than fits: then the canvas scrolls, and nothing goes.
    """
    folded: frozenset[str] = frozenset()
    if any(key.startswith("+") for key in shown.switched):
        return folded
    foldable = [choice for choice in choices(shown) if choice.folds]
    for turn in sorted({choice.folds for choice in foldable}):
        if least_height(_wishes(shown, folded), compact=True) <= available:
            break
        folded |= {folded_key(choice.key) for choice in foldable if choice.folds == turn}
    return folded


def _wishes(shown: Shown, fits: frozenset[str]) -> list[Heights]:
    return [slot.lane.heights for slot in lane_slots(replace(shown, fitting=fits))]


def _wanted(wishes: Sequence[Heights], share: float) -> float:
    """Pixels of all lanes, `share` of the way from what they need to what they like."""
    return least_height(wishes, compact=False) + share * sum(wish.preferred - wish.minimum for wish in wishes)

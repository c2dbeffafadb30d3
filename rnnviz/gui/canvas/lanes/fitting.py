"""Which lanes come by themselves because the canvas is high enough for them."""

from collections.abc import Sequence
from dataclasses import replace

from rnnviz.gui.canvas.lanes.lane import Heights
from rnnviz.gui.canvas.lanes.lane_table import heights_of
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
        wishes = [heights_of(trial, slot) for slot in lane_slots(trial)]
        share = 0.0 if choice.key in shown.fitting else choice.room
        if _wanted(wishes, share) <= available:
            kept |= {choice.key}
    return kept


def _wanted(wishes: Sequence[Heights], share: float) -> float:
    """Pixels of all lanes, `share` of the way from what they need to what they like."""
    gaps = sum(wish.gap for wish in wishes) - (wishes[0].gap if wishes else 0.0)
    return gaps + sum(wish.minimum + share * (wish.preferred - wish.minimum) for wish in wishes)

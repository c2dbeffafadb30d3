"""Which lanes a state shows: what the table of lanes offers, what is on by default, and what a person switched."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from rnnviz.gui.canvas.lanes.lane import LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import Default, LaneKind, Offer
from rnnviz.gui.canvas.lanes.lane_table import LANES
from rnnviz.gui.canvas.lanes.shown import Shown, resolve
from rnnviz.gui.state.state import State


@dataclass(frozen=True)
class LaneChoice:
    """An offer a person may switch, and whether it is on."""

    key: str
    words: str
    default: Default
    on: bool
    room: float
    group: str  # what it and others are called together, which a menu has as one entry
    folds: int
    folded: bool  # on by default, but for want of height


def lane_choices(state: State) -> tuple[LaneChoice, ...]:
    """Every lane that `state` could show, in the order of the stack."""
    return choices(resolve(state))


def toggled(hidden_lanes: frozenset[str], choice: LaneChoice) -> frozenset[str]:
    """`State.look.hidden_lanes` with this lane switched over.

    A key in the set switches a lane off; "+" before a key switches one on that is off, or has no room, by default.
    """
    rest = hidden_lanes - {choice.key, f"+{choice.key}"}
    if choice.on:
        return rest | {choice.key} if choice.default else rest
    return rest | {f"+{choice.key}"} if choice.default is not True or choice.folded else rest


def folded_key(key: str) -> str:
    """What `State.look.fitting_lanes` holds for a lane that is on by default and has no room."""
    return f"−{key}"


def exactly(state: State, keys: frozenset[str]) -> frozenset[str]:
    """The `State.look.hidden_lanes` that shows the lanes of `keys` and no others, however high the canvas is."""
    return frozenset(f"+{choice.key}" if choice.key in keys else choice.key for choice in lane_choices(state))


def keys_of(state: State, kinds: Sequence[LaneKind]) -> frozenset[str]:
    """The keys of all lanes of these kinds that `state` could show."""
    shown = resolve(state)
    return frozenset(offer.key for kind in kinds for offer in kind.offers(shown))


def lane_slots(shown: Shown) -> tuple[LaneSlot, ...]:
    """The lanes to draw, top to bottom: those of models that lie together in the table stand model by model."""
    found: list[LaneSlot] = []
    for kind in LANES:
        found += kind.slots(shown, [offer for offer in kind.offers(shown) if kind.always or _is_on(shown, offer)])
    slots: list[LaneSlot] = []
    for _, together in groupby(found, lambda slot: slot.model is None):
        slots += sorted(together, key=lambda slot: slot.model or 0)
    return tuple(slots)


def folded(shown: Shown) -> tuple[int, list[str]]:
    """How many lanes are on but have no room, and what they are called."""
    names = [choice.words for choice in choices(shown) if choice.folded and choice.key not in shown.switched]
    wanted = lane_slots(replace(shown, fitting=frozenset())) if names else ()
    return len(wanted) - len(lane_slots(shown)) if names else 0, names


def choices(shown: Shown) -> tuple[LaneChoice, ...]:
    """Every lane for what is shown, in the order of the stack."""
    offers = [offer for kind in LANES if not kind.always for offer in kind.offers(shown)]
    return tuple(
        LaneChoice(
            offer.key,
            offer.words,
            offer.default,
            _is_on(shown, offer),
            offer.room,
            offer.group,
            offer.folds,
            _folded(shown, offer),
        )
        for offer in offers
    )


def _is_on(shown: Shown, offer: Offer) -> bool:
    if offer.key in shown.switched or f"+{offer.key}" in shown.switched:
        return offer.key not in shown.switched
    if _folded(shown, offer):
        return False
    return offer.key in shown.fitting if offer.default == "room" else bool(offer.default)


def _folded(shown: Shown, offer: Offer) -> bool:
    return offer.default is True and folded_key(offer.key) in shown.fitting

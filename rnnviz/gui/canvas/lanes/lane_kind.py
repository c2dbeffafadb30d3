"""Lane kind: the record that says how a kind of lane is offered, where it stands, and which class draws it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Node
from rnnviz.gui.canvas.lanes.lane import Lane, LaneSlot
from rnnviz.gui.canvas.lanes.shown import Shown

Default = bool | Literal["room"]


@dataclass(frozen=True)
class Offer:
    """One entry in the menu of lanes, which switches the slots of its kind that have its key."""

    key: str  # remembered in a person's settings; one kind's alone
    words: str  # for the menu
    default: Default  # on unless switched; "room": on when the canvas is high enough
    lane: type[Lane]  # draws its slots
    room: float = 0.0  # of "room": how much height all lanes must have: 0 their least, 1 what they like
    column: int | None = None  # of the input or output, where it is of one
    node: str = ""  # of the cell, where it is of one
    group: str = ""  # what it and others are called together, which are picked from a list and not in the menu
    folds: int = 0  # of one on by default: 1 is the first to go where compact lanes do not fit; 0 never goes

    def slot(self, model: int | None = None) -> LaneSlot:
        """Its lane of one model, or of what all models share."""
        return LaneSlot(self.key, self.lane, model, self.column, self.node)


def once(_shown: Shown, on: Sequence[Offer]) -> Sequence[LaneSlot]:
    """One lane that all models share, of each entry."""
    return [offer.slot() for offer in on]


def each_model(shown: Shown, on: Sequence[Offer]) -> Sequence[LaneSlot]:
    """One lane for each model, of each entry."""
    return [offer.slot(model) for model in range(len(shown.models)) for offer in on]


@dataclass(frozen=True)
class LaneKind:
    """`offers` are its entries in the menu, for what is shown; `slots` the lanes of those entries that are on."""

    offers: Callable[[Shown], Sequence[Offer]]
    slots: Callable[[Shown, Sequence[Offer]], Sequence[LaneSlot]] = once
    always: bool = False  # drawn whatever is switched, and in no menu


def each_node(nodes: Callable[[Cell], Sequence[Node]], offer: Callable[[Node], Offer]) -> LaneKind:
    """A kind with an entry for each of the `nodes` of any shown cell, and a lane for each model whose cell has it.

    The lanes of a model stand in the order of its own cell.
    """

    def offers(shown: Shown) -> Sequence[Offer]:
        having: dict[str, list[Offer]] = {}
        for model in shown.models:
            for node in nodes(model.structure.equations):
                having.setdefault(node.name, []).append(offer(node))
        return [_joint(same) for same in having.values()]

    def slots(shown: Shown, on: Sequence[Offer]) -> Sequence[LaneSlot]:
        named = {offer.node: offer for offer in on}
        return [
            named[node.name].slot(number)
            for number, model in enumerate(shown.models)
            for node in nodes(model.structure.equations)
            if node.name in named
        ]

    return LaneKind(offers, slots)


def _joint(same: Sequence[Offer]) -> Offer:
    """The offer of a node that several models have: in the words of the first, on where any of them has it on."""
    return replace(same[0], default=next((offer.default for offer in same if offer.default), same[0].default))

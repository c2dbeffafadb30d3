"""The views of the centre of the window: no Qt, so that the command line may name them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.gui.state.state import State


@dataclass(frozen=True)
class View:
    """One view; its shortcut is its place."""

    key: str
    words: str
    tooltip: str


VIEWS = (
    View("lanes", "Lanes", "every quantity over time, below each other"),
    View("network", "Network", "the loop, the loop unrolled, and the inside of the cell, with real numbers"),
    View("gradients", "Gradients", "where gradients come from and where they die: a page of cards"),
)


def shown_view(state: "State") -> View:
    """The view in front; the first where there is none of that name."""
    return next((view for view in VIEWS if view.key == state.look.view), VIEWS[0])

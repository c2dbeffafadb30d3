"""Question: what a person is asked before something goes on: what it is about, and what follows a yes or a no."""

from collections.abc import Callable
from dataclasses import dataclass


def _nothing() -> None:
    """What follows a no where nothing has to be said."""


@dataclass(frozen=True)
class Question:
    """Asked by whoever has the window, with "Cancel" beside `yes`."""

    title: str
    words: str
    details: str  # below them, smaller; may be empty
    yes: str  # on the button that goes on
    go_on: Callable[[], None]
    do_without: Callable[[], None] = _nothing

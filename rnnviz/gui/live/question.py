"""Question: what a person is asked before something goes on: what it is about, and what follows a yes."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """Asked by whoever has the window; nothing happens on a no."""

    title: str
    words: str
    yes: str  # on the button that goes on
    go_on: Callable[[], None]

"""Window: how it looks, and what it tells the person right now."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Appearance:
    """How a person has arranged the window."""

    theme: Literal["dark", "light"] = "dark"
    hidden_lanes: frozenset[str] = frozenset()  # lane keys switched off; "+key": switched on
    fitting_lanes: frozenset[str] = frozenset()  # lanes that show themselves because the canvas has room for them
    page: str = "cursor"  # of the right column: the one in front


@dataclass(frozen=True)
class Message:
    """One sentence in the bar above the lanes; `command` names the command record its button runs, if any."""

    level: Literal["info", "warning", "error"]
    sentence: str
    command: str = ""


@dataclass(frozen=True)
class Notices:
    """What is said in the bar."""

    message: Message | None = None
    busy: str = ""  # a sentence while something slow goes on

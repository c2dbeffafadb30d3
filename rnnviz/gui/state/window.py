"""Window: how it looks, and what it tells the person right now."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Appearance:
    """How a person has arranged the window."""

    theme: Literal["dark", "light"] = "dark"
    hidden_lanes: frozenset[str] = frozenset()  # lane keys switched off; "+key": switched on
    fitting_lanes: frozenset[str] = frozenset()  # lanes that show themselves because the canvas has room for them
    page: str = "cursor"  # of the right column: the one in front
    folders: tuple[tuple[str, str], ...] = ()  # of the file dialogs: kind of file and the folder it was last found in

    def folder(self, kind: str) -> str:
        """Where files of a kind were last found or saved; "" where none were yet, or that folder is there no longer."""
        folder = dict(self.folders).get(kind, "")
        return folder if folder and Path(folder).is_dir() else ""

    def with_folder(self, kind: str, folder: str) -> tuple[tuple[str, str], ...]:
        """The folders after a file of that kind was found or saved in `folder`."""
        return tuple(sorted({**dict(self.folders), kind: folder}.items()))


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

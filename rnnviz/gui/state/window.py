"""Window: how it looks, and what it tells the person right now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rnnviz.gui.state.laboratory import Laboratory


@dataclass(frozen=True)
class Appearance:
    """How a person has arranged the window."""

    theme: Literal["dark", "light"] = "dark"
    hidden_lanes: frozenset[str] = frozenset()  # lane keys switched off; "+key": switched on
    fitting_lanes: frozenset[str] = frozenset()  # lanes that show themselves because the canvas has room for them
    view: str = "lanes"  # of the centre: the one in front, as in `gui.shell.centre.views`
    level: Literal["folded", "unrolled", "inside"] = "unrolled"  # how close the network is looked at
    animated: bool = True  # folding and slow walks are seen to move
    walking: int = 0  # the cursor steps by itself: 1 forward, −1 back, 0 not
    walk_speed: float = 2.0  # steps a second of a slow walk
    page: str = "cursor"  # of the right column: the one in front
    folders: tuple[tuple[str, str], ...] = ()  # of the file dialogs: kind of file and the folder it was last found in
    text_scale: float = 1.0  # 1: as designed
    presentation_scale: float = 1.5  # the same in a presentation
    presenting: bool = False
    interface_scale: float = 1.0  # of everything, from the next start on
    laboratory: Laboratory = field(default_factory=Laboratory)  # the Gradients view

    @property
    def scale(self) -> float:
        """How large text is now."""
        return self.presentation_scale if self.presenting else self.text_scale

    @property
    def dress(self) -> tuple[str, float]:
        """What every widget is dressed in."""
        return self.theme, self.scale

    def folder(self, kind: str) -> str:
        """Where files of a kind were last found or saved; "" where none were yet, or that folder is there no longer."""
        folder = dict(self.folders).get(kind, "")
        return folder if folder and Path(folder).is_dir() else ""

    def with_folder(self, kind: str, folder: str) -> tuple[tuple[str, str], ...]:
        """The folders after a file of that kind was found or saved in `folder`."""
        return tuple(sorted({**dict(self.folders), kind: folder}.items()))


STOP_COMMANDS = ("go_to_stop", "continue_training", "disable_stop")  # offered where a training has stopped


@dataclass(frozen=True)
class Stopped:
    """What a message says it has stopped for."""

    training_step: int
    model: str = ""  # its name
    time_step: int = 0  # counted from 1, 0: none in particular
    breakpoint: Mapping[str, Any] | None = None  # as it stands in a file, what is as usual left out


@dataclass(frozen=True)
class Message:
    """One sentence in the bar above the lanes; `commands` names the command records its buttons run, if any."""

    level: Literal["info", "warning", "error"]
    sentence: str
    commands: tuple[str, ...] = ()
    stop: Stopped | None = None  # None of a training that has stopped: it is what was met last


@dataclass(frozen=True)
class Notices:
    """What is said in the bar."""

    message: Message | None = None
    busy: str = ""  # a sentence while something slow goes on

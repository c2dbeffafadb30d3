"""What the window remembers between two starts, as a TOML file that may be broken without harm."""

import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import tomli_w

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.whole import write_whole
from rnnviz.core.stopping.marks import Breakpoint, Marks
from rnnviz.core.stopping.marks_file import marks_toml, parse_marks
from rnnviz.gui.state.laboratory import DEFAULT_CARDS, LEAST_THRESHOLD, MOST_THRESHOLD, Laboratory

RECENT_FILES = 10  # how many are remembered
RECENT_COMMANDS = 5
REMEMBERED_EXPERIMENTS = 20  # with breakpoints
TRACE_MEMORY, MOST_TRACE_MEMORY = 1024, 1 << 20  # MiB: unless it is set, and at most
SCALES = {"text_scale": (0.8, 2.0), "presentation_scale": (1.0, 2.0), "interface_scale": (0.8, 2.0)}  # 1: as designed

WALK_SPEEDS = (0.5, 30.0)  # time steps a second

ThemeName = Literal["dark", "light"]


@dataclass(frozen=True)
class Preferences:
    """`layout` and `geometry` are Qt's own bytes in base64; `recent` starts with the newest file."""

    theme: ThemeName = "dark"
    recent: tuple[str, ...] = ()
    hidden_lanes: tuple[str, ...] = ()
    page: str = "cursor"
    layout: str = ""
    geometry: str = ""
    watches: tuple[str, ...] = ()
    folders: Mapping[str, str] = field(default_factory=dict)  # kind of file → where it was last found or saved
    trace_memory: int = TRACE_MEMORY  # MiB that rebuilt traces may take; the one looked at stays, whatever it takes
    breakpoints: Mapping[str, str] = field(default_factory=dict)  # title of an experiment → its marks as TOML
    recent_commands: tuple[str, ...] = ()  # given from the palette, the newest first
    text_scale: float = 1.0
    presentation_scale: float = 1.5
    interface_scale: float = 1.0  # of everything, from the next start on
    view: str = "lanes"  # of the centre
    level: Literal["folded", "unrolled", "inside"] = "unrolled"  # of the network
    animated: bool = True
    walk_speed: float = 2.0
    cards: tuple[str, ...] = DEFAULT_CARDS  # of the Gradients view, in their order
    threshold: float = 1e-6  # of its memory horizon
    relative: bool = True
    layouts: Mapping[str, str] = field(default_factory=dict)  # of its cards: name → keys with commas between

    def with_breakpoints(self, title: str, breakpoints: Sequence[Breakpoint]) -> Mapping[str, str]:
        """The breakpoints of each experiment after those of one changed; the newest last, and no more than so many."""
        others = {other: text for other, text in self.breakpoints.items() if other != title}
        newest = {title: marks_toml(Marks(tuple(breakpoints)))} if breakpoints else {}
        return dict([*others.items(), *newest.items()][-REMEMBERED_EXPERIMENTS:])

    @property
    def laboratory(self) -> Laboratory:
        """How the Gradients view begins."""
        layouts = tuple((name, tuple(filter(None, cards.split(",")))) for name, cards in sorted(self.layouts.items()))
        return Laboratory(tuple(dict.fromkeys(self.cards)), self.threshold, self.relative, layouts=layouts)

    def breakpoints_of(self, title: str) -> tuple[Breakpoint, ...]:
        """Those an experiment had when it was last trained in the window; none where they make no sense any more."""
        try:
            return parse_marks(self.breakpoints.get(title, ""), "settings").breakpoints
        except RnnvizError:
            return ()

    def with_recent(self, path: Path) -> tuple[str, ...]:
        """The recent files after `path` was used."""
        name = str(path)
        return (name, *(other for other in self.recent if other != name))[:RECENT_FILES]

    def with_recent_command(self, key: str) -> tuple[str, ...]:
        """The recent commands after this one was given."""
        return (key, *(other for other in self.recent_commands if other != key))[:RECENT_COMMANDS]


def read_preferences(path: Path) -> tuple[Preferences, str]:
    """The preferences in `path` and a sentence about what was wrong with them, empty if nothing was.

    A file that is no TOML is set aside as settings.broken-….toml; a key of the wrong kind alone gets its default.
    """
    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return Preferences(), ""
    except OSError as error:
        return Preferences(), f"The settings file {path} cannot be read ({error.strerror}); defaults are used."
    except (ValueError, RecursionError):  # no TOML, no UTF-8, or a number of thousands of digits
        return Preferences(), _set_aside(path)
    good = {name: value for name, value in values.items() if _fits(name, value)}
    known = {one.name for one in fields(Preferences)}
    bad = sorted(known & (values.keys() - good.keys()))
    sentence = unusable(path, bad) if bad else ""
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in good.items()}
    return replace(Preferences(), **values), sentence


def unusable(path: Path, names: Sequence[str]) -> str:
    """What is said of values that mean nothing: their defaults are used."""
    return f"In {path} the value of {' and '.join(names)} could not be used; its default is."


def saved_interface_scale(path: Path) -> float:
    """Read before anything else is; 1 where the file does not say it: what is wrong with it is told later."""
    try:
        scale = tomllib.loads(path.read_bytes().decode("utf-8")).get("interface_scale", 1.0)
    except (OSError, ValueError, RecursionError):
        return 1.0
    return float(scale) if _fits("interface_scale", scale) else 1.0


def write_preferences(preferences: Preferences, path: Path) -> None:
    """Writes the whole file or nothing; RnnvizError if the folder does not let us."""
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(preferences).items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RnnvizError(f"The settings cannot be saved in {path}: {error.strerror}.") from None
    write_whole(path, tomli_w.dumps(values).encode("utf-8"))


def _fits(name: str, value: Any) -> bool:
    if name == "theme":
        return value in get_args(ThemeName)
    if name in ("recent", "recent_commands", "hidden_lanes", "watches", "cards"):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if name == "trace_memory":
        return type(value) is int and 0 < value <= MOST_TRACE_MEMORY
    if name in SCALES or name == "walk_speed":
        low, high = SCALES.get(name, WALK_SPEEDS)
        return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    if name in ("page", "view"):
        return isinstance(value, str)
    if name == "level":
        return value in ("folded", "unrolled", "inside")
    if name == "threshold":
        return isinstance(value, float) and LEAST_THRESHOLD <= value <= MOST_THRESHOLD
    if name in ("animated", "relative"):
        return isinstance(value, bool)
    if name in ("breakpoints", "folders", "layouts"):
        return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    return name in ("layout", "geometry") and isinstance(value, str) and value.isascii()


def _set_aside(path: Path) -> str:
    aside = path.with_name(f"settings.broken-{time.strftime('%Y%m%d-%H%M%S')}.toml")
    try:
        path.replace(aside)
    except OSError:
        return f"The settings file {path} is broken; defaults are used."
    return f"The settings file was broken and has been set aside as {aside}; defaults are used."

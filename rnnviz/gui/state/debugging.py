"""Debugging: what a person marked and watches in the run, and what a search found in its past."""

from dataclasses import dataclass, field

from rnnviz.core.stopping.marks import Marks
from rnnviz.runs.file.records import Event


@dataclass(frozen=True)
class Found:
    """Where breakpoints are met in the recorded past, as far as the search is."""

    hits: tuple[Event, ...] = ()  # in the order they were found
    done: int = 0  # training steps looked at, of `total`
    total: int = 0
    running: bool = False


@dataclass(frozen=True)
class Debugging:
    """Marks, watches and hits."""

    marks: Marks = field(default_factory=Marks)  # breakpoints and bookmarks; its watches are those of the run file
    watches: tuple[str, ...] = ()  # expressions whose values are shown
    stop_at_bookmarks: bool = False  # whether continue and reverse continue over the past stop there too
    found: Found | None = None  # by a search for breakpoints in the recorded past

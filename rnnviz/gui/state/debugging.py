"""Debugging: what a person marked and watches in the run, and what a search found in its past."""

from collections.abc import Iterable
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
    lent: tuple[str, ...] = ()  # those of them that came with the run shown, and go with it
    stop_at_bookmarks: bool = False  # whether continue and reverse continue over the past stop there too
    found: Found | None = None  # by a search for breakpoints in the recorded past

    @property
    def own_watches(self) -> tuple[str, ...]:
        """Those the person has, whatever run is shown."""
        return tuple(text for text in self.watches if text not in self.lent)

    def with_run(self, watches: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The watches while a run is shown that has these: its own first, then the person's; what came with the run
        before is gone."""
        own = self.own_watches
        came = tuple(dict.fromkeys(watches))
        shown = (*came, *(text for text in own if text not in came))
        return {"watches": shown, "lent": tuple(text for text in came if text not in own)}

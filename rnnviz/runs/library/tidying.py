"""Tidying up: which runs of the data folder are old, large or untitled, and so may go; pinned and live ones never."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rnnviz.runs.library.summary import RunSummary

DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Wish:
    """What a run must be to go, all of it; None and False: that does not matter. Without any wish none goes."""

    untitled: bool = True
    older_than_days: int | None = 30
    larger_than_bytes: int | None = None

    @property
    def empty(self) -> bool:
        return not self.untitled and self.older_than_days is None and self.larger_than_bytes is None


def untitled(run: RunSummary) -> bool:
    """Whether no person has given it a name."""
    return not run.name


def days_old(run: RunSummary, now: float) -> int:
    """Whole days since its file was last written."""
    return max(0, int((now - run.changed) // DAY))


def may_go(run: RunSummary, pinned: Collection[str], shown: str) -> bool:
    """Whether it may be tidied away at all. `shown`: the path of the run in the window."""
    return run.path not in pinned and run.path != shown and not run.live and run.kind != "broken"


def to_tidy(
    runs: Iterable[RunSummary], pinned: Collection[str], shown: str, wish: Wish, now: float
) -> list[RunSummary]:
    """Those that may go and are all that is wished, the oldest first. `runs`: of the data folder."""
    if wish.empty:
        return []
    found = [run for run in runs if may_go(run, pinned, shown) and _meets(run, wish, now)]
    return sorted(found, key=lambda run: run.changed)


def _meets(run: RunSummary, wish: Wish, now: float) -> bool:
    old = wish.older_than_days is None or days_old(run, now) >= wish.older_than_days
    large = wish.larger_than_bytes is None or run.bytes >= wish.larger_than_bytes
    return old and large and (untitled(run) or not wish.untitled)

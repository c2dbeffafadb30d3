"""Marks between state, experiment and engine."""

from collections.abc import Sequence
from dataclasses import replace

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.stopping.marks import NOT_FINITE, Breakpoint, Marks, Watch
from rnnviz.core.stopping.marks_file import check_marks
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import Event

KINDS = frozenset({"hit", "passed", "log"})  # of the events that breakpoints make
MOST_EVENTS = 1000  # kept in the state, the newest


def model_names(experiment: Experiment) -> tuple[str, ...]:
    """What the models of an experiment are called."""
    return tuple(model.name for model in experiment.models)


def marks_of(state: State, names: Sequence[str]) -> Marks:
    """The state's marks with its watches, without those that models of these names cannot have."""
    marks = replace(state.debugging.marks, watches=tuple(Watch(text) for text in state.debugging.watches))
    return Marks(
        fitting(marks.breakpoints, names),
        tuple(one for one in marks.watches if _fits(Marks(watches=(one,)), names)),
        marks.bookmarks,
    )


def fitting(breakpoints: Sequence[Breakpoint], names: Sequence[str]) -> tuple[Breakpoint, ...]:
    """Those that models of these names can have."""
    return tuple(one for one in breakpoints if _fits(Marks(breakpoints=(one,)), names))


def with_breakpoints(marks: Marks, breakpoints: Sequence[Breakpoint]) -> Marks:
    """Other breakpoints; the one for NaN and infinity is only written down where it is not as usual."""
    return replace(marks, breakpoints=tuple(one for one in breakpoints if one != NOT_FINITE))


def marked_events(known: tuple[Event, ...], new: Sequence[Event]) -> tuple[Event, ...]:
    """The known events of breakpoints and what came since; the same tuple when nothing did."""
    came = tuple(event for event in new if event.kind in KINDS)
    return (*known, *came)[-MOST_EVENTS:] if came else known


def _fits(marks: Marks, names: Sequence[str]) -> bool:
    try:
        check_marks(marks, names, "marks")
    except RnnvizError:
        return False
    return True

"""What is marked in the program of the training step shown: breakpoints at a place, what was hit, bookmarks."""

from dataclasses import dataclass
from typing import Literal

from rnnviz.debugger.bookmarks import bookmarked
from rnnviz.debugger.breakpoints import hit_at, points_of
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import Event

_HITS = frozenset({"hit", "passed", "log"})
_PHASES = {phase.value: phase for phase in Phase}


@dataclass(frozen=True)
class ProgramMark:
    """One mark at a point of the program, with what it says."""

    kind: Literal["breakpoint", "hit", "bookmark"]
    cursor: Cursor
    words: str


def program_marks(state: State) -> tuple[ProgramMark, ...]:
    """All marks of the training step shown, for the model that is stepped through."""
    name = state.run.models[state.place.model].name if state.place.model < len(state.run.models) else ""
    found: list[ProgramMark] = []
    for one in state.debugging.marks.breakpoints:
        if one.kind == "place" and one.enabled and one.model in ("", name):
            cursors = points_of(one, state.program, state.place.cursor)
            found += [ProgramMark("breakpoint", cursor, one.words) for cursor in cursors]
    here = state.place.cursor.training_step
    for event in state.recorded.events:
        if event.kind in _HITS and event.training_step == here and event.details.get("model") in ("", name):
            found.append(ProgramMark("hit", _hit(state, event), event.sentence))
    for mark in state.debugging.marks.bookmarks:
        if mark.training_step == here:
            found.append(ProgramMark("bookmark", bookmarked(mark), mark.note or "bookmark"))
    return tuple(found)


def _hit(state: State, event: Event) -> Cursor:
    """The time step that was hit, in the sweep its breakpoint names; one of the whole training step at its end."""
    time_step, table = event.details.get("time_step"), event.details.get("breakpoint")
    asked = table if isinstance(table, dict) else {}
    phase = _PHASES.get(str(asked.get("phase")), Phase.FORWARD)
    known = time_step if isinstance(time_step, int) else 0
    return hit_at(state.program, state.place.cursor, known, phase, str(asked.get("layer") or ""))

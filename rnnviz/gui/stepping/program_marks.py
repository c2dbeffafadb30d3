"""What is marked in the program of the training step shown: breakpoints at a place, what was hit, bookmarks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.state.store import State
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
    name = state.models[state.model].name if state.model < len(state.models) else ""
    found: list[ProgramMark] = []
    for one in state.marks.breakpoints:
        if one.kind == "place" and one.enabled and one.model in ("", name):
            found += [ProgramMark("breakpoint", cursor, one.words) for cursor in _places(state, one)]
    here = state.cursor.training_step
    for event in state.events:
        if event.kind in _HITS and event.training_step == here and event.details.get("model") in ("", name):
            found.append(ProgramMark("hit", _hit(state, event), event.sentence))
    for mark in state.marks.bookmarks:
        if mark.training_step == here:
            cursor = Cursor(here, Phase(mark.phase), mark.time_step, mark.layer, mark.operation)
            found.append(ProgramMark("bookmark", cursor, mark.note or "bookmark"))
    return tuple(found)


def _places(state: State, one: Breakpoint) -> Iterator[Cursor]:
    """Where a breakpoint at a place stands; none for one that is met at every time step."""
    program, phase = state.program, Phase(one.phase)
    if not phase.swept:
        yield program.at(program.first_of(phase), state.cursor)
        return
    time_step = one.time_step if one.time_step >= 0 else program.time_steps + 1 + one.time_step
    if 1 <= time_step <= program.time_steps:
        for layer in program.layers:
            if one.layer in ("", layer):
                yield replace(state.cursor, phase=phase, time_step=time_step, layer=layer, operation=one.operation)


def _hit(state: State, event: Event) -> Cursor:
    """The time step that was hit, in the sweep its breakpoint names; one of the whole training step at its end."""
    program = state.program
    time_step, table = event.details.get("time_step"), event.details.get("breakpoint")
    if not isinstance(time_step, int) or not 1 <= time_step <= program.time_steps:
        return program.at(len(program) - 1, state.cursor)
    asked = table if isinstance(table, dict) else {}
    phase = _PHASES.get(str(asked.get("phase")), Phase.FORWARD)
    layer = str(asked.get("layer") or program.layers[0])
    swept = phase if phase.swept else Phase.FORWARD
    return replace(state.cursor, phase=swept, time_step=time_step, layer=layer, operation="")

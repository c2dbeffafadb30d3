"""Breakpoints within one trace: where the cursor stops on its way through the program."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnnviz.core.stopping.marks import Bookmark, Breakpoint
from rnnviz.debugger.bookmarks import bookmarked
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program

if TYPE_CHECKING:
    from rnnviz.core.stopping.breakpoints import Armed
    from rnnviz.core.stopping.moment import Moment


@dataclass(frozen=True)
class Stop:
    """Where a walk stops, and what for."""

    cursor: Cursor
    breakpoint: Breakpoint | None = None
    bookmark: Bookmark | None = None


def breakpoint_at(cursor: Cursor) -> Breakpoint:
    """The breakpoint that a click beside this place sets; of the phases without time steps for all of the phase."""
    time_step = cursor.time_step if cursor.phase.swept else 0
    layer = cursor.layer if cursor.phase.swept else ""
    return Breakpoint("place", phase=cursor.phase.value, time_step=time_step, layer=layer, operation=cursor.operation)


def placed_at(breakpoints: Sequence[Breakpoint], cursor: Cursor) -> Breakpoint | None:
    """The one set at exactly this place, whatever else it asks."""
    wanted = _place_of(breakpoint_at(cursor))
    return next((one for one in breakpoints if _place_of(one) == wanted), None)


def stops(
    armed: "Sequence[Armed]", bookmarks: Sequence[Bookmark], program: Program, cursor: Cursor, moment: "Moment"
) -> tuple[Stop, ...]:
    """Every stop of the trace the cursor is in, in the order of the program; one for each place.

    A place stops where it is, and where its condition is yes at its time step. A condition or data breakpoint with t in
    it stops where it is met, at its layer (the one looked at) in the sweep where its values come to be: the backward
    one where it asks a gradient, else the forward one. Those without t are of the whole training step: the engine and
    the search stop at them, not a walk. `moment` is that of the cursor's model.
    """
    found: dict[int, Stop] = {}
    for one in armed:
        if one.breakpoint.enabled and one.concerns(moment.model):
            for place in _places(one, program, cursor, moment):
                found.setdefault(program.fine_point(place), Stop(place, breakpoint=one.breakpoint))
    for bookmark in bookmarks:
        if bookmark.training_step == cursor.training_step:
            place = bookmarked(bookmark)
            found.setdefault(program.fine_point(place), Stop(place, bookmark=bookmark))
    return tuple(found[point] for point in sorted(found))


def next_stop(found: Sequence[Stop], program: Program, cursor: Cursor, backwards: bool = False) -> Stop | None:
    """The nearest of `stops` after the cursor, or before it."""
    here = program.fine_point(cursor)
    if backwards:
        return next((stop for stop in reversed(found) if program.fine_point(stop.cursor) < here), None)
    return next((stop for stop in found if program.fine_point(stop.cursor) > here), None)


def points_of(breakpoint: Breakpoint, program: Program, cursor: Cursor) -> tuple[Cursor, ...]:
    """Where a breakpoint at a place stands in the cursor's training step; () for one that is met at every time step."""
    phase, time_step = Phase(breakpoint.phase), breakpoint.time_step
    if not phase.swept:
        return _resting(breakpoint, program, cursor)
    time_step = time_step if time_step >= 0 else program.time_steps + 1 + time_step
    if not 1 <= time_step <= program.time_steps:
        return ()
    layers = [layer for layer in program.layers if breakpoint.layer in ("", layer)]
    found = [Cursor(cursor.training_step, phase, time_step, layer, breakpoint.operation) for layer in layers]
    return tuple(place for place in found if _is_there(place, program))


def hit_at(program: Program, cursor: Cursor, time_step: int, phase: Phase, layer: str = "") -> Cursor:
    """Where a hit stands in the cursor's training step: its time step in its sweep (`layer` "": the first), else the
    end of the training step."""
    if not 1 <= time_step <= program.time_steps:
        return program.at(len(program) - 1, cursor)
    swept = phase if phase.swept else Phase.FORWARD
    return program.to_time_step(Cursor(cursor.training_step, swept, time_step, layer or program.layers[0]), time_step)


def _place_of(one: Breakpoint) -> tuple[object, ...]:
    return one.kind, one.phase, one.time_step, one.layer, one.operation


def _resting(breakpoint: Breakpoint, program: Program, cursor: Cursor) -> tuple[Cursor, ...]:
    """Where a place in a phase without time steps stands; () where the model has no such operation there."""
    phase = Phase(breakpoint.phase)
    if breakpoint.operation not in ("", *program.operations_in(phase)):
        return ()
    return (replace(program.at(program.first_of(phase), cursor), operation=breakpoint.operation),)


def _is_there(place: Cursor, program: Program) -> bool:
    """Whether the layer exists at the time step, with the operation."""
    return program.exists(place.layer, place.time_step) and place.operation in ("", *program.operations_at(place))


def _wants(breakpoint: Breakpoint, time_step: int, time_steps: int) -> bool:
    """Whether a place is at this time step, counted from 1."""
    return breakpoint.time_step in (0, time_step, time_step - time_steps - 1)


def _places(one: "Armed", program: Program, cursor: Cursor, moment: "Moment") -> list[Cursor]:
    from rnnviz.core.expressions.trace_scope import TraceScope  # late: the window starts without expressions
    from rnnviz.core.stopping.breakpoints import has_place, met_time_steps, scope_of

    breakpoint = one.breakpoint
    if breakpoint.kind != "place" and not one.along_time:
        return []
    scope = scope_of(one, moment)
    if not isinstance(scope, TraceScope) or (breakpoint.kind == "place" and not has_place(breakpoint, scope)):
        return []
    if breakpoint.kind != "place":
        phase = Phase.BACKWARD if one.asks_gradient else Phase.FORWARD
        layer = breakpoint.layer or cursor.layer
        met = [t for t in met_time_steps(one, scope) if program.exists(layer, t)]
        return [Cursor(cursor.training_step, phase, t, layer) for t in met]
    phase = Phase(breakpoint.phase)
    if not phase.swept:
        return list(_resting(breakpoint, program, cursor)) if met_time_steps(one, scope) else []
    last = program.time_steps
    layers = (breakpoint.layer,) if breakpoint.layer else (program.layers or (cursor.layer,))
    found = [
        Cursor(cursor.training_step, phase, t, layer, breakpoint.operation)
        for t in met_time_steps(one, scope)
        if t <= last and _wants(breakpoint, t, last)
        for layer in layers
    ]
    return [place for place in found if _is_there(place, program)]

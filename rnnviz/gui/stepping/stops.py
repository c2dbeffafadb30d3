"""Where a walk through the training step shown stops: places, conditions met along its sequence, bookmarks."""

from dataclasses import replace

from rnnviz.core.expressions import ExpressionError
from rnnviz.core.stopping.breakpoints import Armed, arm
from rnnviz.core.stopping.marks import Breakpoint, with_not_finite
from rnnviz.core.stopping.moment import Moment
from rnnviz.debugger.breakpoints import Stop, stops
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.scopes import CurveMetrics, curves_of, vocabulary_of
from rnnviz.gui.state.state import State


def trace_stops(state: State) -> tuple[Stop, ...]:
    """The stops of the model that is stepped through and the sequence shown, in the order of the program."""
    looked = looked_at(state)
    trace = looked.trace
    if trace is None:
        return ()
    model, step, program = state.run.models[state.place.model], state.place.cursor.training_step, state.program
    metrics = CurveMetrics(curves_of(state, state.place.model), step)
    moment = Moment(metrics, step, model.name, state.place.model + 1, model.network, lambda: trace)
    wanted = with_not_finite(state.debugging.marks.breakpoints)
    armed = [found for one in wanted if (found := _armed(one, state, looked.sample)) is not None]
    bookmarks = [
        one
        for one in state.debugging.marks.bookmarks
        if one.time_step <= program.time_steps and one.layer in program.layers
    ]
    return stops(armed, bookmarks, program, state.place.cursor, moment)


def stop_words(stop: Stop) -> str:
    """What a walk stopped for."""
    if stop.breakpoint is not None:
        return f"breakpoint “{stop.breakpoint.words}”"
    note = stop.bookmark.note if stop.bookmark is not None else ""
    return f"bookmark “{note}”" if note else "bookmark"


def _armed(one: Breakpoint, state: State, sample: int) -> Armed | None:
    """The breakpoint of the sequence that is walked; None for a logpoint, and where it is wrong of this run."""
    if one.logs:
        return None
    layer = one.layer if one.kind == "place" else one.layer or "l0"  # where its values are looked at
    try:
        return arm(replace(one, sequence=sample + 1, layer=layer), vocabulary_of(state))
    except ExpressionError:
        return None

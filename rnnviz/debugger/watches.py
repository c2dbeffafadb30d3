"""Watches: expressions with their value at the cursor, over the sequence and over the training steps."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.conditions import along_time, look
from rnnviz.core.errors import RnnvizError
from rnnviz.core.expressions import Expression, ExpressionError, Scope, Value, Vocabulary, parse, shown
from rnnviz.core.expressions.metric_history import RecordedMetrics
from rnnviz.core.expressions.trace_scope import TraceScope
from rnnviz.core.marks import Watch
from rnnviz.core.moment import Moment
from rnnviz.debugger.cursor import Cursor
from rnnviz.runs.reader import Run

TELL_SECONDS = 0.1  # between two lines over the training steps
MOST_TRACES = 400  # that such a line is made of; of more, some are left out evenly


@dataclass(frozen=True, eq=False)
class Watched:
    """A watch at one stop."""

    watch: Watch
    value: Value | None  # None: it has none here
    text: str  # the value in plain text; "" where there is none
    problem: str  # why there is none, a sentence
    along: Array | None  # (T,) float64 over the sequence, NaN where it has no value; None: t is not in it, or no number
    changed: bool  # since the stop before


def watched(
    watches: Sequence[Watch], moment: Moment, cursor: Cursor, sequence: int = 1, before: Sequence[Watched] = ()
) -> tuple[Watched, ...]:
    """All watches at the cursor; `before`: the same at the last stop.

    `moment` is that of the cursor's model, `sequence` counts from 1. Never raises for what an expression can cause.
    """
    last = {one.watch: one for one in before}
    return tuple(_watched(watch, moment, cursor, sequence, last.get(watch)) for watch in watches)


def over_training(
    run: Run, watch: Watch, model: str, cursor: Cursor, sequence: int = 1
) -> Iterator[tuple[Array, Array]]:
    """(K,) int64 training steps and (K,) float64 values of a watch over the recorded past, growing; the last is whole.

    What metrics answer is asked of every training step, else of captured ones, MOST_TRACES at most; t is the cursor's.
    NaN where it has no value. To cancel, take no more. Raises RnnvizError for a wrong watch and a damaged run.
    """
    names = tuple(one.name for one in run.models)
    if (watch.model or model) not in names:
        raise RnnvizError(f"{run.path} has no model {watch.model or model}; its models are {', '.join(names)}.")
    known = run.models[names.index(watch.model or model)]
    expression = parse(watch.expression, Vocabulary(models=names))
    if not expression.form.single:
        raise ExpressionError(
            f"A line is drawn of one number, not of {expression.form.words}.", 0, len(watch.expression)
        )
    needs_trace = expression.needs_trace
    metrics = RecordedMetrics(
        {name: run.curve(name, known.number) for name in run.metric_names() if name in expression.metrics}
    )
    steps = _evenly(run.captured(), MOST_TRACES) if needs_trace else run.training_steps
    values = np.full(len(steps), np.nan)
    due = time.monotonic() + TELL_SECONDS
    for place, step in enumerate(steps.tolist()):
        metrics.look_at(step)
        trace = partial(run.trace, step, known.number) if needs_trace else None
        moment = Moment(metrics, step, known.name, known.number + 1, known.structure, trace)
        try:
            value = look(expression, _scope(watch, expression, moment, cursor, sequence)).value
        except RnnvizError:
            continue  # thinned while we were looking
        values[place] = np.nan if value is None else value
        if time.monotonic() >= due:
            yield frozen(steps[: place + 1]), frozen(values[: place + 1].copy())
            due = time.monotonic() + TELL_SECONDS
    yield frozen(steps), frozen(values)


def _watched(watch: Watch, moment: Moment, cursor: Cursor, sequence: int, before: Watched | None) -> Watched:
    try:
        expression = parse(watch.expression)
        scope = _scope(watch, expression, moment, cursor, sequence)
    except RnnvizError as problem:
        return Watched(watch, None, "", str(problem), None, False)
    seen = look(expression, scope)
    along = None
    if isinstance(scope, TraceScope) and expression.form.single and expression.follows_cursor:
        along = frozen(along_time(expression, scope))
        scope.move_to(cursor.time_step)
    text = "" if seen.value is None else shown(seen.value)
    changed = before is not None and not _same(before.value, seen.value)
    return Watched(watch, seen.value, text, seen.sentence, along, changed)


def _scope(watch: Watch, expression: Expression, moment: Moment, cursor: Cursor, sequence: int) -> Scope:
    scope = moment.scope(sequence, watch.layer or cursor.layer, expression.needs_trace)
    if isinstance(scope, TraceScope):
        scope.move_to(cursor.time_step)
    return scope


def _same(one: Value | None, other: Value | None) -> bool:
    """Bit for bit; NaN is the same as NaN."""
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(np.asarray(one, np.float64), np.asarray(other, np.float64), equal_nan=True))


def _evenly(steps: Array, most: int) -> Array:
    """At most so many of them, with the first and the last."""
    if len(steps) <= most:
        return steps
    return np.asarray(steps[np.linspace(0, len(steps) - 1, most).round().astype(np.int64)])

"""All hits of breakpoints in the recorded past, found as the engine would have found them, a little at a time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnnviz.core.breakpoints import Armed, Guard, Hit, arm
from rnnviz.core.errors import RnnvizError
from rnnviz.core.expressions import Vocabulary
from rnnviz.core.expressions.metric_history import RecordedMetrics
from rnnviz.core.marks import Breakpoint, with_not_finite
from rnnviz.core.moment import Moment
from rnnviz.runs.reader import Run

TELL_SECONDS = 0.1  # between two progresses
_LOOK_EVERY = 256  # training steps without a trace between two looks at the clock


@dataclass(frozen=True)
class Progress:
    """How far a search is, and the hits since the last progress."""

    done: int  # training steps looked at, of `total`
    total: int
    hits: tuple[Hit, ...]


def search(
    run: Run,
    breakpoints: Sequence[Breakpoint],
    *,
    first: int = 1,
    last: int | None = None,
    backwards: bool = False,
) -> Iterator[Progress]:
    """Looks through the training steps `first` … `last` of `run` for hits of the breakpoints that are enabled.

    What metrics answer is asked of every training step, the rest of those that were captured. The training step before
    `first` is where data breakpoints start from, as if they had been set there; an untrained run (one capture at
    training step 0) is looked at itself. Hits come in the order of training steps, then models, then breakpoints;
    `backwards` the other way round, the newest at once unless a breakpoint has to count or remember. To cancel, take no
    more. Raises RnnvizError for a wrong breakpoint (ExpressionError for its expression) and a damaged run.
    """
    vocabulary = Vocabulary(models=tuple(model.name for model in run.models))
    armed = tuple(arm(one, vocabulary) for one in breakpoints if one.enabled)
    past = _Past(run, armed)
    steps, before = past.training_steps(first, run.last_training_step if last is None else last)
    if not backwards:
        yield from _forwards(past, Guard(armed), steps, before)
    elif any(one.remembers for one in armed):
        yield from _turned(_forwards(past, Guard(armed), steps, before))
    else:
        yield from _backwards(past, Guard(armed), steps)


def acting(run: Run) -> tuple[Breakpoint, ...]:
    """The breakpoints a person left in the run, with the one for NaN and infinity."""
    return with_not_finite(run.marks().breakpoints)


class _Past:
    """The moments of a run, for these breakpoints."""

    def __init__(self, run: Run, armed: Sequence[Armed]) -> None:
        self._run = run
        self._models = [model for model in run.models if any(one.concerns(model.name) for one in armed)]
        self._plain = any(not one.asks_trace for one in armed)
        self._traced = any(one.asks_trace for one in armed)
        self._captured = set(run.captured().tolist())
        wanted = {name for one in armed for name in one.metrics}
        recorded = [name for name in run.metric_names() if name in wanted]
        self._metrics = {
            model.number: RecordedMetrics({name: run.curve(name, model.number) for name in recorded})
            for model in self._models
        }

    def training_steps(self, first: int, last: int) -> tuple[list[int], int | None]:
        """Those to look at, ascending, and the one before them if there is any."""
        found = np.array(sorted(self._captured) if self._traced else [], np.int64)
        if self._plain:
            found = np.union1d(found, self._run.training_steps)
        if self._run.last_training_step == 0:
            return found[found <= last].tolist(), None
        earlier = found[found < first]
        before = int(earlier[-1]) if len(earlier) else (0 if 0 in self._captured else None)
        return found[(found >= max(first, 1)) & (found <= last)].tolist(), before

    def traced(self, training_step: int) -> bool:
        """Whether looking at it may take a trace's time."""
        return self._traced and training_step in self._captured

    def moments(self, training_step: int) -> Iterator[Moment]:
        """One for each model the breakpoints concern."""
        for model in self._models:
            metrics = self._metrics[model.number]
            metrics.look_at(training_step)
            captured = training_step in self._captured
            trace = partial(self._run.trace, training_step, model.number) if captured else None
            yield Moment(metrics, training_step, model.name, model.number + 1, model.structure, trace)

    def forget_if_thinned(self, training_step: int) -> bool:
        """Whether the captures of a training step are gone by now, which then counts as never captured."""
        if training_step in self._run.captured(training_step - 1)[:1]:
            return False
        self._captured.discard(training_step)
        return True


def _looked(past: _Past, guard: Guard, training_step: int) -> tuple[list[Hit], Guard]:
    """The hits of one training step, and the guard for the next."""
    hits: list[Hit] = []
    after = guard
    try:
        for moment in past.moments(training_step):
            found, after = after.examine(moment)
            hits += found
    except RnnvizError:
        if past.forget_if_thinned(training_step):  # the engine made room while we were looking
            return _looked(past, guard, training_step)
        raise
    return hits, after


def _forwards(past: _Past, guard: Guard, steps: Sequence[int], before: int | None) -> Iterator[Progress]:
    if before is not None:
        for moment in past.moments(before):
            guard = guard.primed(moment)
    hits: list[Hit] = []
    due = time.monotonic() + TELL_SECONDS
    for done, step in enumerate(steps):
        found, guard = _looked(past, guard, step)
        hits += found
        if (done % _LOOK_EVERY == 0 or past.traced(step)) and time.monotonic() >= due:
            yield Progress(done + 1, len(steps), tuple(hits))
            hits.clear()
            due = time.monotonic() + TELL_SECONDS
    yield Progress(len(steps), len(steps), tuple(hits))


def _backwards(past: _Past, guard: Guard, steps: Sequence[int]) -> Iterator[Progress]:
    """Of breakpoints that remember nothing: each training step by itself; told as soon as there is a hit."""
    due = time.monotonic() + TELL_SECONDS
    for done, step in enumerate(reversed(steps)):
        found, _ = _looked(past, guard, step)
        if found or ((done % _LOOK_EVERY == 0 or past.traced(step)) and time.monotonic() >= due):
            yield Progress(done + 1, len(steps), tuple(reversed(found)))
            due = time.monotonic() + TELL_SECONDS
    yield Progress(len(steps), len(steps), ())


def _turned(forwards: Iterator[Progress]) -> Iterator[Progress]:
    hits: list[Hit] = []
    done = 0
    for progress in forwards:
        hits += progress.hits
        done = progress.done
        yield Progress(done, progress.total, ())
    yield Progress(done, done, tuple(reversed(hits)))

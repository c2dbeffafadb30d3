"""All hits of breakpoints in the recorded past, found as the engine would have found them, a little at a time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnnviz.core.errors import RnnvizError
from rnnviz.core.expressions import Vocabulary
from rnnviz.core.expressions.metric_history import RecordedMetrics
from rnnviz.core.expressions.scope import MetricScope
from rnnviz.core.expressions.vocabulary import METRICS
from rnnviz.core.stopping.breakpoints import Armed, Guard, Hit, Memory, arm, concluded, scope_of
from rnnviz.core.stopping.marks import Breakpoint, with_not_finite
from rnnviz.core.stopping.moment import Moment
from rnnviz.runs.file.records import RunModel
from rnnviz.runs.reading.reader import Run

TELL_SECONDS = 0.1  # between two progresses
_BLOCK = 2000  # training steps that are asked of metrics in one go

Placed = tuple[
    int, int, int, Hit
]  # (training step, model, place of the breakpoint, hit): sorts as the engine finds them


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
    remembering = any(one.remembers for one in armed)
    looking = _Looking(past, armed)
    if before is not None and remembering:
        looking.prime(before)
    found = _sweep(looking, steps, backwards and not remembering)
    yield from _turned(found) if backwards and remembering else found


def vocabulary_of(run: Run) -> Vocabulary:
    """The names of this run: its models, what their cells have, and its metrics."""
    return Vocabulary(
        tuple(model.network for model in run.models),
        tuple(model.name for model in run.models),
        tuple(dict.fromkeys([*METRICS, *run.metric_names()])),
    )


def acting(run: Run) -> tuple[Breakpoint, ...]:
    """The breakpoints a person left in the run, with the one for NaN and infinity."""
    return with_not_finite(run.marks().breakpoints)


class _Past:
    """The moments of a run, for these breakpoints."""

    def __init__(self, run: Run, armed: Sequence[Armed]) -> None:
        self._run = run
        self.models = [model for model in run.models if any(one.concerns(model.name) for one in armed)]
        self._plain = any(not one.asks_trace for one in armed)
        self._traced = any(one.asks_trace for one in armed)
        self._captured = set(run.captured().tolist())
        wanted = {name for one in armed for name in one.metrics}
        recorded = [name for name in run.metric_names() if name in wanted]
        self.metrics = {
            model.number: RecordedMetrics({name: run.curve(name, model.number) for name in recorded})
            for model in self.models
        }

    def training_steps(self, first: int, last: int) -> tuple[list[int], int | None]:
        """Those to look at, ascending, and the one before them if there is any."""
        found = np.array(sorted(self._captured) if self._traced else [], np.int64)
        if self._plain:
            plain = self._run.training_steps
            found = np.union1d(found, plain) if len(found) else plain
        if self._run.last_training_step == 0:
            return found[found <= last].tolist(), None
        earlier = found[found < first]
        before = int(earlier[-1]) if len(earlier) else (0 if 0 in self._captured else None)
        return found[(found >= max(first, 1)) & (found <= last)].tolist(), before

    def captured(self, training_step: int) -> bool:
        return training_step in self._captured

    def moment(self, training_step: int, model: RunModel) -> Moment:
        metrics = self.metrics[model.number]
        metrics.look_at(training_step)
        trace = partial(self._run.trace, training_step, model.number) if self.captured(training_step) else None
        return Moment(metrics, training_step, model.name, model.number + 1, model.network, trace)

    def forget_if_thinned(self, training_step: int) -> bool:
        """Whether the captures of a training step are gone by now, which then counts as never captured."""
        if training_step in self._run.captured(training_step - 1)[:1]:
            return False
        self._captured.discard(training_step)
        return True


class _Looking:
    """A search under way: what each breakpoint remembers, those for metrics apart from those for traces."""

    def __init__(self, past: _Past, armed: Sequence[Armed]) -> None:
        self._past = past
        self._places = {one.breakpoint: index for index, one in enumerate(armed)}
        self._plain = [one for one in armed if not one.asks_trace]
        self._memories: dict[tuple[int, Breakpoint], Memory] = {}
        self._guard = Guard(tuple(one for one in armed if one.asks_trace))

    def slow(self, training_step: int) -> bool:
        """Whether a training step may take a trace's time."""
        return bool(self._guard.armed) and self._past.captured(training_step)

    def prime(self, training_step: int) -> None:
        """Looks at a training step before those that are searched."""
        for model in self._past.models:
            self._guard = self._guard.primed(self._past.moment(training_step, model))
        self.of_metrics([training_step])
        self._memories = {key: Memory(memory.answer) for key, memory in self._memories.items()}

    def of_trace(self, training_step: int) -> list[Placed]:
        """The hits of the breakpoints that need a trace, of one captured training step."""
        hits: list[Placed] = []
        guard = self._guard
        try:
            for model in self._past.models:
                found, guard = guard.examine(self._past.moment(training_step, model))
                hits += [(training_step, model.number, self._places[hit.breakpoint], hit) for hit in found]
        except RnnvizError:
            if self._past.forget_if_thinned(training_step):  # the engine made room while we were looking
                return []
            raise
        self._guard = guard
        return hits

    def of_metrics(self, training_steps: Sequence[int]) -> list[Placed]:
        """The hits of the breakpoints that metrics answer."""
        hits: list[Placed] = []
        for model in self._past.models:
            for one in self._plain:
                if one.concerns(model.name):
                    hits += self._of_metrics(one, model, training_steps)
        return hits

    def _of_metrics(self, one: Armed, model: RunModel, training_steps: Sequence[int]) -> list[Placed]:
        """A loop for 10⁵ training steps a second; what `Guard.examine` would do, without its room for traces."""
        hits: list[Placed] = []
        assert one.question is not None  # only a place has none, and that asks for a trace
        key, ask = (model.number, one.breakpoint), one.question.ask
        memory = self._memories.get(key, Memory())
        place = self._places[one.breakpoint]
        metrics, answer = self._past.metrics[model.number], memory.answer
        scope = MetricScope(metrics, 0, model.name, model.number + 1, model.structure.cell)
        for step in training_steps:
            metrics.look_at(step)
            scope.training_step = step
            answer = ask(scope, answer)
            if answer.hit:
                whole = scope_of(one, self._past.moment(step, model)) if one.message else scope
                hit, memory = concluded(one, whole, memory, answer)
                if hit is not None:
                    hits.append((step, model.number, place, hit))
        self._memories[key] = Memory(answer, memory.met)
        return hits


def _sweep(looking: _Looking, steps: Sequence[int], backwards: bool) -> Iterator[Progress]:
    """Block after block; backwards a block ends with its first hit in a trace, so that it is told at once."""
    done, hits = 0, list[Placed]()
    order = steps[::-1] if backwards else steps
    due = time.monotonic() + TELL_SECONDS
    while done < len(order):
        end = done
        while end < min(done + _BLOCK, len(order)):
            end += 1
            if not looking.slow(order[end - 1]):
                continue
            found = looking.of_trace(order[end - 1])
            hits += found
            if time.monotonic() >= due or (found and backwards):
                break
        hits += looking.of_metrics(order[done:end])
        done = end
        if time.monotonic() >= due or (hits and backwards):
            yield Progress(done, len(order), _sorted(hits, backwards))
            hits.clear()
            due = time.monotonic() + TELL_SECONDS
    yield Progress(done, len(order), _sorted(hits, backwards))


def _sorted(hits: list[Placed], backwards: bool) -> tuple[Hit, ...]:
    return tuple(placed[-1] for placed in sorted(hits, key=lambda placed: placed[:-1], reverse=backwards))


def _turned(forwards: Iterator[Progress]) -> Iterator[Progress]:
    """The hits of a search that has to go forwards, newest first, once it is through."""
    hits: list[Hit] = []
    done = 0
    for progress in forwards:
        hits += progress.hits
        done = progress.done
        yield Progress(done, progress.total, ())
    yield Progress(done, done, tuple(reversed(hits)))

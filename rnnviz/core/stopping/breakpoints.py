"""Breakpoints asked of one moment after the other: in the engine while it trains, and of the recorded past.

Both hand the same moments to `Guard.examine` in the same order, so both find the same hits. Nothing is remembered but
what stands in the value that is handed on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from rnnviz.core.equations.around import CallForm, around
from rnnviz.core.equations.operations import operation_keys
from rnnviz.core.expressions import Scope, Vocabulary, shown
from rnnviz.core.expressions.log_message import LogMessage, parse_message
from rnnviz.core.expressions.trace_scope import TraceScope
from rnnviz.core.stopping.conditions import NO, Answer, Question, change, condition, crossing, not_finite
from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.core.stopping.moment import Moment
from rnnviz.core.stopping.stop_words import hit_words
from rnnviz.core.sweeps.heads.head_operations import backward_operations, forward_operations
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import CallTrace

_NOT_FINITE = "not (isfinite(loss) and isfinite(grad_norm))"


class Hit(NamedTuple):
    """A breakpoint met: of which model, after which training step, and the values that made it."""

    breakpoint: Breakpoint
    training_step: int
    model: str
    time_step: int = 0  # counted from 1; 0: the sequence as a whole
    values: tuple[tuple[str, str], ...] = ()  # (text of an expression, its value in plain text)
    message: str = ""  # of a logpoint, filled in

    @property
    def sentence(self) -> str:
        """What was met: "Training step 812: in LSTM, loss < 0.05 (loss is 0.04)."; of a logpoint its message."""
        return self.message or hit_words(self.breakpoint, self.training_step, self.model, self.time_step, self.values)

    @property
    def stop_reason(self) -> str:
        """The same of a training that has stopped there: "Stopped at training step 812: …"."""
        return self.message or f"Stopped at t{self.sentence[1:]}"


class Memory(NamedTuple):
    """What a breakpoint remembers of one model."""

    answer: Answer | None = None  # the last one
    met: int = 0  # how often it was met, whether it stopped or not


@dataclass(frozen=True)
class Armed:
    """A breakpoint whose expressions are parsed."""

    breakpoint: Breakpoint
    question: Question | None  # None: a place without a condition
    message: LogMessage | None = None
    asks_trace: bool = field(init=False)  # metrics alone cannot answer it; a place is in a captured sequence
    along_time: bool = field(init=False)  # looks at the time steps of the sequence one by one, or at the place's

    def __post_init__(self) -> None:
        place = self.breakpoint.kind == "place"
        asked = None if self.question is None else self.question.expression
        object.__setattr__(self, "asks_trace", place or (asked is not None and asked.needs_trace))
        object.__setattr__(self, "along_time", place or (asked is not None and asked.follows_cursor))

    @property
    def metrics(self) -> frozenset[str]:
        """The metrics that its question and its message look at."""
        parts = [] if self.question is None else [self.question.expression]
        parts += [] if self.message is None else [part for part in self.message.pieces if not isinstance(part, str)]
        return frozenset(name for part in parts for name in part.metrics)

    @property
    def asks_gradient(self) -> bool:
        """Whether it looks at what only the backward sweep finds."""
        names = () if self.question is None else self.question.expression.quantities
        return any(name.startswith(("d", "share", "so_far")) for name in names)

    @property
    def remembers(self) -> bool:
        """Whether a hit depends on the training steps before it."""
        return self.breakpoint.every > 1 or (self.breakpoint.kind == "data" and not self.along_time)

    def concerns(self, model: str) -> bool:
        """Whether it is asked of the model of this name."""
        return self.breakpoint.model in ("", model)


def arm(breakpoint: Breakpoint, vocabulary: Vocabulary | None = None) -> Armed:
    """ExpressionError, with the columns to underline, where an expression is wrong or of the wrong kind."""
    text = breakpoint.expression
    question: Question | None
    match breakpoint.kind:
        case "data" if breakpoint.crosses is not None:
            question = crossing(text, breakpoint.crosses, breakpoint.direction, vocabulary)
        case "data":
            question = change(text, breakpoint.factor or 0.0, vocabulary)
        case "not finite" if text:
            question = not_finite(text, vocabulary)
        case "not finite":
            question = condition(_NOT_FINITE)
        case "place" if not text:
            question = None
        case _:
            question = condition(text, vocabulary)
    return Armed(breakpoint, question, parse_message(breakpoint.message, vocabulary) if breakpoint.message else None)


def ask(armed: Armed, scope: Scope, memory: Memory) -> tuple[Hit | None, Memory]:
    """Whether the breakpoint stops (or logs) at this moment of a model, and what it remembers from then on."""
    answer, time_step = _answer(armed, scope, memory.answer)
    if not answer.hit:
        return None, Memory(answer, memory.met)
    return concluded(armed, scope, memory, answer, time_step)


def concluded(
    armed: Armed, scope: Scope, memory: Memory, answer: Answer, time_step: int = 0
) -> tuple[Hit | None, Memory]:
    """What becomes of an answer that is yes: every n-th is a hit."""
    met = memory.met + 1
    if met % armed.breakpoint.every:
        return None, Memory(answer, met)
    values = tuple([(text, shown(value)) for text, value in answer.reasons])
    message = "" if armed.message is None else armed.message.fill(scope)
    return Hit(armed.breakpoint, int(scope.number("k")), scope.model, time_step, values, message), Memory(answer, met)


def met_time_steps(armed: Armed, scope: TraceScope) -> tuple[int, ...]:
    """The time steps of one trace, ascending and counted from 1, at which the question is met.

    A question without t in it is met at all of them or none. What a data breakpoint remembers goes from t to t + 1.
    """
    question = armed.question
    if question is None or not question.expression.follows_cursor:
        met = question is None or question.ask(scope).hit
        return tuple(range(1, scope.time_steps + 1)) if met else ()
    found, before = [], None
    for time_step in range(1, scope.time_steps + 1):
        scope.move_to(time_step)
        before = question.ask(scope, before)
        if before.hit:
            found.append(time_step)
    return tuple(found)


def has_place(breakpoint: Breakpoint, scope: Scope) -> bool:
    """Whether the model of a captured sequence has the layer and operation of a place, at the time step that it names.
    A program knows the operations of the update, and those of a loss that was not recorded."""
    if not isinstance(scope, TraceScope):
        return False
    trace, operation = scope.trace, breakpoint.operation
    if breakpoint.phase == "loss" and trace.head is not None:
        having = *forward_operations(trace.head.kind), *backward_operations(trace.head.kind)
        return operation in ("", *(one.key for one in having))
    if breakpoint.phase not in ("forward", "backward"):
        return True
    t = breakpoint.time_step + (scope.time_steps if breakpoint.time_step < 0 else -1)
    layers = [(call, layer) for call in trace.calls for layer in call.layers if breakpoint.layer in ("", layer.name)]
    found = [_steps_of(operation, call, layer) for call, layer in layers]
    return any(t in steps if breakpoint.time_step else len(steps) > 0 for steps in found)


def _steps_of(operation: str, call: CallTrace, layer: Layer) -> range:
    """The time steps, from 0, at which a layer has an operation; "": all of its own."""
    own = layer.times()
    if operation in ("", *operation_keys(call.call.structure)):
        return own
    beside = around(call.call.structure, layer.id, CallForm.of(call.call))
    if any(operation == one.key for one in beside.opening):
        return own[-1:] if layer.reverse else own[:1]
    return own if any(operation == one.key for one in (*beside.before, *beside.after)) else own[:0]


def scope_of(armed: Armed, moment: Moment) -> Scope:
    """What a breakpoint is asked of at this moment."""
    return moment.scope(armed.breakpoint.sequence, armed.breakpoint.layer or "l0", armed.along_time)


def _can_be_met(armed: Armed, moment: Moment) -> bool:
    """Whether the breakpoint is asked here at all: of this model, captured where it must be, its place there."""
    if armed.breakpoint.walked or not armed.concerns(moment.model) or (armed.asks_trace and not moment.captured):
        return False
    return armed.breakpoint.kind != "place" or has_place(armed.breakpoint, scope_of(armed, moment))


def _answer(armed: Armed, scope: Scope, before: Answer | None) -> tuple[Answer, int]:
    """The answer, and at which time step of the sequence it was given, 0: none in particular."""
    question, place = armed.question, armed.breakpoint.time_step
    if not isinstance(scope, TraceScope):
        return (NO if question is None else question.ask(scope, before)), 0
    if place:
        place += 0 if place > 0 else scope.time_steps + 1
        if not 1 <= place <= scope.time_steps:
            return NO, 0
        scope.move_to(place)
    if question is None:
        return Answer(True), place
    if place or not question.expression.follows_cursor:
        return question.ask(scope, before), place
    answer = None  # what is remembered goes along the sequence, and begins anew with each
    for time_step in range(1, scope.time_steps + 1):
        scope.move_to(time_step)
        answer = question.ask(scope, answer)
        if answer.hit:
            return answer, time_step
    return answer or NO, 0


@dataclass(frozen=True)
class Guard:
    """Armed breakpoints, and what each of them remembers of each model."""

    armed: tuple[Armed, ...] = ()
    # by model, in the order of `armed`
    memories: Mapping[str, tuple[Memory, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def examine(self, moment: Moment) -> "tuple[tuple[Hit, ...], Guard]":
        """The hits of this moment, in the order of the breakpoints, and the guard for the next one.

        A breakpoint that needs a trace is not asked where nothing was captured.
        """
        hits: list[Hit] = []
        after: list[Memory] = []
        for armed, memory in self._asked(moment.model):
            if _can_be_met(armed, moment):
                hit, memory = ask(armed, scope_of(armed, moment), memory)
                if hit is not None:
                    hits.append(hit)
            after.append(memory)
        return tuple(hits), self._with(moment.model, after)

    def primed(self, moment: Moment) -> "Guard":
        """The guard after looking at a moment that is passed already: data breakpoints know where they start from."""
        _, guard = self.examine(moment)
        seen = zip(self._asked(moment.model), guard.memories[moment.model], strict=True)
        return self._with(moment.model, [memory._replace(met=before.met) for (_, before), memory in seen])

    def rearmed(self, armed: Sequence[Armed]) -> "Guard":
        """Other breakpoints; those that stay keep what they remember."""
        places = {one.breakpoint: place for place, one in enumerate(self.armed)}
        kept = [places.get(one.breakpoint) for one in armed]
        memories = {
            model: tuple(Memory() if place is None else known[place] for place in kept)
            for model, known in self.memories.items()
        }
        return Guard(tuple(armed), MappingProxyType(memories))

    def problems(self, model: str) -> tuple[str, ...]:
        """For each breakpoint why it could not be asked of this model the last time, a sentence; mostly ""."""
        return tuple("" if memory.answer is None else memory.answer.problem for _, memory in self._asked(model))

    def _asked(self, model: str) -> "zip[tuple[Armed, Memory]]":
        return zip(self.armed, self.memories.get(model) or (Memory(),) * len(self.armed), strict=True)

    def _with(self, model: str, memories: Sequence[Memory]) -> "Guard":
        return Guard(self.armed, MappingProxyType({**self.memories, model: tuple(memories)}))

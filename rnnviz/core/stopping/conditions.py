"""What breakpoints and watches ask of a scope: the engine of live training, the debugger of the past, both the same.

A question is a frozen value. What a data breakpoint has to remember, the value when it was last asked, is part of its
answer and is handed in again with the next question; so asking again in the same order gives the same hits.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.expressions import Expression, ExpressionError, NoValueError, Scope, Value, Vocabulary, parse, shown
from rnnviz.core.expressions.trace_scope import TraceScope
from rnnviz.core.stopping.marks import Direction


class Answer(NamedTuple):
    """Whether to stop, and why."""

    hit: bool
    value: float | None = None  # what a data breakpoint remembers; stays when there was no value this time
    reasons: tuple[tuple[str, Value], ...] = ()  # of a hit: the values that made it, by their text
    problem: str = ""  # why nothing could be computed, a sentence; "" also where there just was no value

    @property
    def sentence(self) -> str:
        """ "grad_norm is 57.3, 10 * median(grad_norm, 50) is 12.1" """
        return self.problem or ", ".join(f"{text} is {shown(value)}" for text, value in self.reasons)


NO = Answer(False)  # where there is nothing to remember


class Question(Protocol):
    """What every kind of question can do."""

    @property
    def expression(self) -> Expression: ...

    def ask(self, scope: Scope, before: Answer | None = None) -> Answer:
        """The answer at `scope`; `before` is the last answer to this question, of the same model."""


@dataclass(frozen=True)
class Condition:
    """Stops wherever a yes-or-no expression is yes. Where it has no value (no such gate in this model) it is not."""

    expression: Expression

    def ask(self, scope: Scope, before: Answer | None = None) -> Answer:
        try:
            hit = bool(self.expression.evaluate(scope))
        except NoValueError:
            return NO
        except ExpressionError as problem:
            return Answer(False, problem=str(problem))
        return Answer(hit, reasons=self.expression.explain(scope)) if hit else NO


@dataclass(frozen=True)
class Crossing:
    """Stops when a number reaches `threshold` from below ("up"), falls below it ("down"), or either."""

    expression: Expression
    threshold: float
    direction: Direction = "either"

    def ask(self, scope: Scope, before: Answer | None = None) -> Answer:
        return _compare(self, scope, before)

    def stops(self, before: float, now: float) -> bool:
        """Whether going from one value to the other crosses; NaN never does."""
        up = before < self.threshold <= now and self.direction != "down"
        return up or (now < self.threshold <= before and self.direction != "up")


@dataclass(frozen=True)
class Change:
    """Stops when the size of a number has grown or shrunk by `factor` or more since it was last asked."""

    expression: Expression
    factor: float  # above 1

    def ask(self, scope: Scope, before: Answer | None = None) -> Answer:
        return _compare(self, scope, before)

    def stops(self, before: float, now: float) -> bool:
        """From 0 to anything else is a change by any factor; NaN never is."""
        small, large = sorted((abs(before), abs(now))) if before == before and now == now else (1.0, 1.0)
        return large > small and large >= small * self.factor


@dataclass(frozen=True)
class NotFinite:
    """Stops where any value of an expression is NaN or ±inf."""

    expression: Expression

    def ask(self, scope: Scope, before: Answer | None = None) -> Answer:
        try:
            value = self.expression.evaluate(scope)
        except NoValueError:
            return NO
        except ExpressionError as problem:
            return Answer(False, problem=str(problem))
        if bool(np.all(np.isfinite(value))):
            return NO
        return Answer(True, reasons=((self.expression.text, value),))


@dataclass(frozen=True)
class Look:
    """A watch's value at one scope: None where it has none, and then the sentence that says why."""

    value: Value | None
    sentence: str = ""


def condition(text: str, vocabulary: Vocabulary | None = None) -> Condition:
    """ExpressionError unless `text` is one yes or no."""
    expression = parse(text, vocabulary or Vocabulary())
    if expression.form.yes_no and expression.form.single:
        return Condition(expression)
    if expression.form.yes_no:
        hint = f"any({expression.text}) or all({expression.text}) makes one of them"
    else:
        hint = "compare it, for example loss < 0.05"
    raise ExpressionError(f"A condition is yes or no; this is {expression.form.words}: {hint}.", 0, len(text))


def crossing(
    text: str, threshold: float, direction: Direction = "either", vocabulary: Vocabulary | None = None
) -> Crossing:
    """ExpressionError unless `text` is one number and `threshold` is one too."""
    if math.isnan(threshold):
        raise ExpressionError("The threshold of a data breakpoint must be a number, not NaN.", 0, len(text))
    return Crossing(_one_number(text, vocabulary), threshold, direction)


def change(text: str, factor: float, vocabulary: Vocabulary | None = None) -> Change:
    """ExpressionError unless `text` is one number and `factor` lies above 1."""
    if not 1 < factor < math.inf:
        raise ExpressionError(f"The factor of a data breakpoint must be more than 1, not {factor:g}.", 0, len(text))
    return Change(_one_number(text, vocabulary), factor)


def not_finite(text: str = "loss", vocabulary: Vocabulary | None = None) -> NotFinite:
    """The question that is on by default: has the loss become NaN or infinite?"""
    return NotFinite(parse(text, vocabulary or Vocabulary()))


def look(expression: Expression, scope: Scope) -> Look:
    """What a watch shows at this scope; never raises for what an expression can cause."""
    try:
        return Look(expression.evaluate(scope))
    except ExpressionError as problem:
        return Look(None, str(problem))


def along_time(expression: Expression, scope: TraceScope) -> Array:
    """(T,) float64, a watch's line over the sequence: its value at each time step, NaN where it has none.

    ExpressionError if it is not one number (or yes or no, then 1 and 0). The scope's time step is moved.
    """
    if not expression.form.single:
        raise ExpressionError(f"A curve needs one number, not {expression.form.words}.", 0, len(expression.text))
    values = np.full(scope.time_steps, np.nan)
    for place in range(scope.time_steps):
        scope.move_to(place + 1)
        value = look(expression, scope).value
        if value is not None:
            values[place] = value
    return values


def _one_number(text: str, vocabulary: Vocabulary | None) -> Expression:
    expression = parse(text, vocabulary or Vocabulary())
    if expression.form.single and not expression.form.yes_no:
        return expression
    raise ExpressionError(f"A data breakpoint follows one number; this is {expression.form.words}.", 0, len(text))


def _compare(question: Crossing | Change, scope: Scope, before: Answer | None) -> Answer:
    """A number now against the number when it was last asked."""
    last = before.value if before is not None else None
    try:
        now = float(question.expression.evaluate(scope))
    except NoValueError:
        return Answer(False, last)
    except ExpressionError as problem:
        return Answer(False, last, problem=str(problem))
    if last is None or not question.stops(last, now):
        return Answer(False, now)
    text = question.expression.text
    return Answer(True, now, ((f"{text} before", last), (text, now)))

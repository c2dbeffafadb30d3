"""Closures of compiled nodes, and how their problems find the columns they are about."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.scope import Scope
from rnnviz.core.expressions.shapes import Form
from rnnviz.core.expressions.values import Operation, Value

Run = Callable[[Scope], Value]
Span = tuple[int, int]


class Compiled(NamedTuple):
    """What comes out, and the closure that computes it."""

    form: Form
    run: Run


def located(span: Span, run: Run) -> Run:
    """`run`, its problems underlined at `span` unless they say already where they arose."""

    def at_span(scope: Scope) -> Value:
        try:
            return run(scope)
        except ExpressionError as problem:
            if problem.end:
                raise
            raise problem.at(*span) from None

    return at_span


def applied(span: Span, operation: Operation, runs: Sequence[Run]) -> Run:
    """`operation` on what `runs` give; its own problems are underlined at `span`, theirs where they arose."""
    if len(runs) == 2:
        first, second = runs

        def two(scope: Scope) -> Value:
            left, right = first(scope), second(scope)
            try:
                return operation(left, right)
            except ExpressionError as problem:
                raise problem.at(*span) from None

        return two

    def several(scope: Scope) -> Value:
        values = [run(scope) for run in runs]
        try:
            return operation(*values)
        except ExpressionError as problem:
            raise problem.at(*span) from None

    return several

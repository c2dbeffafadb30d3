"""The compiler as the parts of the language see it: the closures it makes, and what it knows of text and names."""

import ast
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rnnviz.core.expressions.functions import FUNCTIONS
from rnnviz.core.expressions.phrases import share_of
from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.scope import Scope
from rnnviz.core.expressions.shapes import NUMBER, Form
from rnnviz.core.expressions.values import Operation, Value
from rnnviz.core.expressions.vocabulary import Vocabulary, cell_names

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


class Compiler:
    """Compiles the nodes of one expression; remembers the names it met."""

    def __init__(self, text: str, indent: int, vocabulary: Vocabulary) -> None:
        """`indent`: columns of `text` before the first node."""
        self.vocabulary = vocabulary
        self.quantities: set[str] = set()
        self.metrics: dict[str, int] = {}  # with how many recorded values are looked at
        self.numbers: set[str] = set()
        self.work = 1  # what is done to each value of an array, in additions
        self._text = text
        self._indent = indent
        self._bytes = text[indent:].encode()  # ast counts columns in UTF-8 bytes

    def compile(self, node: ast.expr) -> Compiled:
        """What `node` means; ExpressionError for one that is not part of the language."""
        raise self.problem(node, "This is not part of the language.")

    def number(self, node: ast.expr) -> Compiled:
        """`node` as numbers; yes counts 1 and no counts 0."""
        form, run = self.compile(node)
        if not form.yes_no:
            return Compiled(form, run)
        if form.single:
            return Compiled(NUMBER, lambda scope: float(run(scope)))
        return Compiled(Form(form.axes), lambda scope: np.asarray(run(scope), np.float64))

    def span(self, node: ast.expr) -> Span:
        """The columns of `node` in the text."""
        return self._column(node.col_offset), self._column(node.end_col_offset or 0)

    def text_of(self, node: ast.expr) -> str:
        """`node` as it was written."""
        start, end = self.span(node)
        return self._text[start:end]

    def problem(self, node: ast.expr, sentence: str) -> ExpressionError:
        """What is wrong at `node`."""
        return ExpressionError(sentence, *self.span(node))

    def unknown(self, node: ast.Name) -> ExpressionError:
        """A name that is no value, with the names that come near it."""
        name = node.id
        if name in FUNCTIONS:
            return self.problem(node, f"{name} is a function: {FUNCTIONS[name].call}.")
        if name.lower() in cell_names() or name in self.vocabulary.model_words:
            return self.problem(node, f"A model is asked for by comparing: model == {name}.")
        share = share_of(name, self.vocabulary)
        if share:
            weight = share.removeprefix("share_").replace("_l", ", layer l")
            sentence = f"Weights have no name here; {share} is the share of each time step in ∂L/∂W_{weight}."
            return self.problem(node, sentence)
        return self.problem(node, f"There is no {name} here.{self.vocabulary.close(name, FUNCTIONS)}")

    def _column(self, offset: int) -> int:
        return self._indent + len(self._bytes[:offset].decode(errors="ignore"))

"""The compiler as the parts of the language see it: what it knows of the text and the names it has met."""

import ast

import numpy as np

from rnnviz.core.expressions.closures import Compiled, Span
from rnnviz.core.expressions.functions import FUNCTIONS
from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.shapes import NUMBER, Form
from rnnviz.core.expressions.vocabulary import Vocabulary, cell_names


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
        return self.problem(node, f"There is no {name} here.{self.vocabulary.close(name, FUNCTIONS)}")

    def _column(self, offset: int) -> int:
        return self._indent + len(self._bytes[:offset].decode(errors="ignore"))

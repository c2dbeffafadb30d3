"""From text to an expression: parsed with `ast`, every node checked against a short list, compiled to closures.

Nothing is ever handed to `eval` or `exec`, and no code object is made. What the nodes mean stands in `compiling`; here
are the limits.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.arrays import frozen
from rnnviz.core.expressions.compiler import Run
from rnnviz.core.expressions.compiling import ExpressionCompiler, parts
from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.scope import Scope
from rnnviz.core.expressions.shapes import Form
from rnnviz.core.expressions.tokens import check_order, tokens
from rnnviz.core.expressions.values import Value
from rnnviz.core.expressions.vocabulary import Vocabulary

MAX_NODES = 120
MAX_DEPTH = 24
_ANYTHING = Vocabulary()
_UNCOUNTED = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


@dataclass(frozen=True)
class Part:
    """A piece of an expression whose value explains the whole's, for example the left side of a comparison."""

    text: str
    run: Run = field(compare=False, repr=False)


@dataclass(frozen=True)
class Expression:
    """A checked expression; equal to another of the same text. Ask it of any number of scopes."""

    text: str
    form: Form = field(compare=False)
    quantities: frozenset[str] = field(compare=False)  # their plain names, without a layer
    metrics: Mapping[str, int] = field(compare=False)  # with how many recorded values it looks back on, 1: only now
    numbers: frozenset[str] = field(compare=False)  # of k, t, T, H, N
    parts: tuple[Part, ...] = field(compare=False)
    _run: Run = field(compare=False, repr=False)
    _quick: bool = field(init=False, compare=False, repr=False)  # no arrays occur, so numpy's warnings need no care

    def __post_init__(self) -> None:
        object.__setattr__(self, "_quick", not self.quantities)

    @property
    def needs_trace(self) -> bool:
        """Whether metrics alone cannot answer it."""
        return bool(self.quantities or self.numbers - {"k"})

    @property
    def follows_cursor(self) -> bool:
        """Whether its value depends on the time step of the cursor."""
        return "t" in self.numbers

    def evaluate(self, scope: Scope) -> Value:
        """A float, a bool or a read-only array, as `form` says.

        NoValueError where the scope lacks what it asks for; ExpressionError for what only the values show (shapes
        that do not fit, a subscript that is not whole, an exponent or a result that is too large).
        """
        return self._run(scope) if self._quick else evaluate(self._run, scope)

    def explain(self, scope: Scope) -> tuple[tuple[str, Value], ...]:
        """The values the answer was made of, as (text, value); those without a value are left out."""
        found = []
        for part in self.parts:
            try:
                found.append((part.text, part.run(scope) if self._quick else evaluate(part.run, scope)))
            except ExpressionError:
                continue  # the other side of an "or" may have no value here
        return tuple(found)


def evaluate(run: Run, scope: Scope) -> Value:
    """Runs a compiled expression of arrays, without numpy's warnings."""
    with np.errstate(all="ignore"):
        value = run(scope)
    return frozen(value) if isinstance(value, np.ndarray) else value


def parse(text: str, vocabulary: Vocabulary = _ANYTHING) -> Expression:
    """The expression `text`; ExpressionError with the columns to underline says what is wrong with it.

    What the vocabulary knows (cells, sizes, models, metrics) is checked too; the rest is left to `evaluate`.
    """
    found = tokens(text)
    check_order(found, len(text))
    indent = found[0].start
    try:
        body = ast.parse(text[indent:].replace("\t", " "), filename="expression", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as problem:
        place = (getattr(problem, "offset", None) or 1) - 1 + indent
        raise ExpressionError(
            "This is not an expression: brackets may help, and a number has no leading zero.",
            min(place, len(text) - 1),
            len(text),
        ) from None
    _check_size(body, len(text))
    compiler = ExpressionCompiler(text, indent, vocabulary)
    form, run = compiler.compile(body)
    names = frozenset(compiler.quantities), dict(compiler.metrics), frozenset(compiler.numbers)
    again = ExpressionCompiler(
        text, indent, vocabulary
    )  # the pieces are evaluated by themselves, so their work counts apart
    pieces = tuple(Part(piece, again.compile(node).run) for piece, node in parts(compiler, body).items())
    return Expression(text.strip(), form, *names, pieces, run)


def _check_size(body: ast.expr, length: int) -> None:
    """ExpressionError for more than MAX_NODES nodes or MAX_DEPTH levels; walks without recursion."""
    level: list[ast.AST] = [body]
    count = depth = 0
    while level:
        depth += 1
        count += len(level)
        if depth > MAX_DEPTH:
            raise ExpressionError(f"An expression is at most {MAX_DEPTH} levels deep, this one is deeper.", 0, length)
        if count > MAX_NODES:
            raise ExpressionError(f"An expression has at most {MAX_NODES} parts, this one has more.", 0, length)
        level = [child for node in level for child in ast.iter_child_nodes(node) if not isinstance(child, _UNCOUNTED)]

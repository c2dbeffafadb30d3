"""Messages of logpoints: text with {expression} filled in, {{ and }} for the brackets themselves."""

import re
from dataclasses import dataclass, field

from rnnviz.core.expressions.language import Expression, parse
from rnnviz.core.expressions.problems import ExpressionError, NoValueError
from rnnviz.core.expressions.scope import Scope
from rnnviz.core.expressions.values import shown
from rnnviz.core.expressions.vocabulary import Vocabulary

MAX_MESSAGE = 512
NO_VALUE = "–"

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<inside>[^{}]*)\}|[{}]|[^{}]+")


@dataclass(frozen=True)
class LogMessage:
    """A checked message; equal to another of the same text."""

    text: str
    pieces: tuple[str | Expression, ...] = field(compare=False)

    def fill(self, scope: Scope) -> str:
        """The message with its values; "–" for what has no value here, the sentence in brackets for a problem."""
        return "".join(piece if isinstance(piece, str) else _filled(piece, scope) for piece in self.pieces)


def parse_message(text: str, vocabulary: Vocabulary | None = None) -> LogMessage:
    """The message `text`; ExpressionError with the columns in `text` says what is wrong with it."""
    if len(text) > MAX_MESSAGE:
        raise ExpressionError(
            f"A log message has at most {MAX_MESSAGE:,} characters, this one has {len(text):,}.", MAX_MESSAGE, len(text)
        )
    pieces: list[str | Expression] = []
    for match in _PIECE.finditer(text):
        piece, inside = match.group(), match["inside"]
        if inside is not None:
            pieces.append(_inside(inside, match.start() + 1, vocabulary or Vocabulary()))
        elif piece in ("{", "}"):
            partner = "}" if piece == "{" else "{"
            raise ExpressionError(
                f"This {piece} has no {partner}; a bracket of the text is written {piece}{piece}.", *match.span()
            )
        else:
            pieces.append(piece[0] if piece in ("{{", "}}") else piece)
    return LogMessage(text, tuple(pieces))


def _inside(text: str, start: int, vocabulary: Vocabulary) -> Expression:
    try:
        return parse(text, vocabulary)
    except ExpressionError as problem:
        raise problem.at(start + problem.start, start + problem.end) from None


def _filled(expression: Expression, scope: Scope) -> str:
    try:
        return shown(expression.evaluate(scope))
    except NoValueError:
        return NO_VALUE
    except ExpressionError as problem:
        return f"({problem})"

"""What can be wrong with an expression: a sentence, and the columns it is about."""

from typing import Self

from rnnviz.core.errors import RnnvizError


class ExpressionError(RnnvizError):
    """A wrong expression. `start` and `end` are the columns to underline, 0-based, `end` not included.

    `instead`: what stands right in these columns, "" where nobody knows.
    """

    def __init__(self, sentence: str, start: int = 0, end: int = 0, instead: str = "") -> None:
        super().__init__(sentence)
        self.start = start
        self.end = end
        self.instead = instead

    def at(self, start: int, end: int) -> Self:
        """The same problem at other columns."""
        return type(self)(str(self), start, end, self.instead)


class NoValueError(ExpressionError):
    """A right expression that has no value here: h[t - 1] at t = 1, a forget gate asked of a vanilla model."""

"""Operation beside the cells: one thing that the head or an update does, with equations that can be read and computed.

What a symbol stands for is a name; a record of the head or of an update gives the array of that name.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2

Read = Callable[[str], Array]  # the array of a name


@dataclass(frozen=True)
class Term:
    """One symbol of an equation and the name of what it stands for."""

    symbol: str  # markup: "W_{ho}"
    name: str
    words: str = ""
    whole: bool = False  # its entries are not those of the equation's result, so that it is given by its norm


@dataclass(frozen=True)
class Number:
    """What is written below a symbol: one entry, or the norm."""

    symbol: str
    value: float
    norm: bool


@dataclass(frozen=True)
class Equation:
    """result = template with its terms; `formula` computes the same from the terms' arrays."""

    result: Term
    template: str  # one {} for each term: "{} {} + {}"
    terms: tuple[Term, ...]
    formula: Callable[..., Array]

    def pieces(self) -> tuple[str | Term, ...]:
        """The right-hand side as it is read: text and terms in turn."""
        texts = self.template.split("{}")
        found: list[str | Term] = [texts[0]] if texts[0] else []
        for term, text in zip(self.terms, texts[1:], strict=True):
            found += [term, text] if text else [term]
        return tuple(found)

    def text(self) -> str:
        """The whole equation as markup."""
        right = "".join(piece if isinstance(piece, str) else piece.symbol for piece in self.pieces())
        return f"{self.result.symbol} = {right}"

    @np.errstate(all="ignore")
    def value(self, read: Read) -> Array:
        """What the right-hand side comes to."""
        return np.asarray(self.formula(*(read(term.name) for term in self.terms)))

    def numbers(self, read: Read, entry: tuple[int, ...] | None = None) -> tuple[Number, ...]:
        """The number of the result and of each term, in their order; `entry` is 0-based, None for norms."""
        shown = [(self.result, self.value(read)), *((term, read(term.name)) for term in self.terms)]
        return tuple(_number(term, value, entry) for term, value in shown)


@dataclass(frozen=True)
class Operation:
    """One operation to step over."""

    key: str
    symbol: str  # of what it computes, as markup
    words: str
    equations: tuple[Equation, ...]


def _number(term: Term, value: Array, entry: tuple[int, ...] | None) -> Number:
    if value.ndim == 0:
        return Number(term.symbol, float(value), norm=False)
    if entry is not None and value.ndim == len(entry) and not term.whole:
        return Number(term.symbol, float(value[entry]), norm=False)
    return Number(term.symbol, float(l2(value.reshape(-1))), norm=True)

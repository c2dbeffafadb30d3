"""Formula: an equation with symbols that can be read and computed, and the operations beside the cells made of them.

In the equations of the head and of an update what a symbol stands for is a name, of which their records give the array;
in those of the cells it is a node or a parameter (`core.equations`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2

AnyTerm = TypeVar("AnyTerm")
Read = Callable[[str], Array]  # the array of a name
Find = Callable[[str], Array | None]  # the same, None: not known


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
    known: bool = True  # False: nobody knows it, and `value` is NaN


def norm_of(symbol: str, value: Array) -> Number:
    """The norm of all entries."""
    return Number(symbol, float(l2(value.reshape(-1))), norm=True)


@dataclass(frozen=True)
class Formula(Generic[AnyTerm]):
    """result = template with its terms; `formula` computes the same from the terms' values."""

    result: AnyTerm
    template: str  # one {} for each term: "{} {} + {}"
    terms: tuple[AnyTerm, ...]
    formula: Callable[..., Array]

    def pieces(self) -> tuple[str | AnyTerm, ...]:
        """The right-hand side as it is read: text and terms in turn."""
        texts = self.template.split("{}")
        found: list[str | AnyTerm] = [texts[0]] if texts[0] else []
        for term, text in zip(self.terms, texts[1:], strict=True):
            found += [term, text] if text else [term]
        return tuple(found)

    def written(self, symbol: Callable[[AnyTerm], str]) -> str:
        """The whole as markup, with the symbol of each term."""
        right = "".join(piece if isinstance(piece, str) else symbol(piece) for piece in self.pieces())
        return f"{symbol(self.result)} = {right}"


@dataclass(frozen=True)
class Equation(Formula[Term]):
    """An equation of the head or of an update; its terms' values are arrays read by name."""

    def text(self) -> str:
        """The whole equation as markup."""
        return self.written(lambda term: term.symbol)

    @np.errstate(all="ignore")
    def value(self, read: Read) -> Array:
        """What the right-hand side comes to."""
        return np.asarray(self.formula(*(read(term.name) for term in self.terms)))

    @np.errstate(all="ignore")
    def numbers(self, find: Find, entry: tuple[int, ...] | None = None) -> tuple[Number, ...]:
        """The number of the result and of each term, in their order; `entry` is 0-based, None for norms. What follows
        from a term that is not known is not known either."""
        values = [find(term.name) for term in self.terms]
        result = None if any(value is None for value in values) else np.asarray(self.formula(*values))
        return tuple(_number(*one, entry) for one in zip((self.result, *self.terms), (result, *values), strict=True))


@dataclass(frozen=True)
class Operation:
    """One operation to step over."""

    key: str
    symbol: str  # of what it computes, as markup
    words: str
    equations: tuple[Equation, ...]


def _number(term: Term, value: Array | None, entry: tuple[int, ...] | None) -> Number:
    if value is None:
        return Number(term.symbol, math.nan, norm=False, known=False)
    if value.ndim == 0:
        return Number(term.symbol, float(value), norm=False)
    if entry is not None and value.ndim == len(entry) and not term.whole:
        return Number(term.symbol, float(value[entry]), norm=False)
    return norm_of(term.symbol, value)

"""The words of an equation's lines: pieces that are not broken, with their colours, and numbers put into symbols."""

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from rnnviz.core.formula import Formula, Number
from rnnviz.core.numbers import bound, short

AnyTerm = TypeVar("AnyTerm")
Ink = str  # "text", "muted", "gradient", or "gate:" and the family of a gate
UNKNOWN = "–"
_OPERATORS = frozenset("⊙+−·=")
_ENDS_FACTOR, _BEGINS_FACTOR = re.compile(r"(?:[\w)])\s+$|^\s+$"), re.compile(r"^\s+(?=[(‖])")


@dataclass(frozen=True)
class Word:
    """A piece of a line that is not broken: markup, its colour, and whether the cursor stands on what it says."""

    markup: str
    ink: Ink = "text"
    active: bool = False
    spaced: bool = False  # a space before it
    breaks: bool = False  # a new line may begin here


@dataclass(frozen=True)
class EquationLine:
    """One line before it is broken; `small` for numbers."""

    words: tuple[Word, ...]
    small: bool = False


def written(equation: Formula[AnyTerm], word: Callable[[AnyTerm], Word], active: bool) -> Iterator[Word]:
    """An equation in symbols; `active`: the cursor stands on it."""
    yield replace(word(equation.result), active=active)
    yield from words_of([" = ", *(piece if isinstance(piece, str) else word(piece) for piece in equation.pieces())])


def substituted(
    equation: Formula[AnyTerm],
    numbers: Sequence[Number],
    ink: Callable[[AnyTerm], Ink],
    exact: Container[AnyTerm] = (),
) -> list[Word]:
    """An equation with its numbers in the places of its terms; where symbols stand side by side they are multiplied.
    `exact`: terms whose numbers are not rounded, for they are settings."""
    result, *rest = numbers
    values = iter(rest)
    right = equation.pieces()
    pieces: list[str | Word] = [" = "]
    for place, piece in enumerate(right):
        if isinstance(piece, str):
            pieces.append(_times(piece.replace("⊙", "·"), place > 0, place < len(right) - 1))
            continue
        if place and not isinstance(right[place - 1], str):
            pieces.append(" · ")
        number, behind = next(values), right[place + 1] if place + 1 < len(right) else ""
        value = bound(number.value) if piece in exact and number.known else number_text(number)
        pieces.append(Word(_bracketed(value, str(pieces[-1]), str(behind)), ink(piece)))
    return [Word(number_text(result), ink(equation.result)), *words_of(pieces, "muted")]


def _bracketed(value: str, before: str, behind: str) -> str:
    """A number in brackets where its sign or its power of ten would belong to what is beside it."""
    signed = value.startswith("−") and not before.endswith(("(", " = "))
    product = "·" in value and (before.endswith("√") or behind.startswith("²"))
    return f"({value})" if signed or product else value


def number_text(number: Number) -> str:
    """A number as it is written, or that nobody knows it."""
    return short(number.value) if number.known else UNKNOWN


def _times(text: str, after: bool, before: bool) -> str:
    """The text between two terms with a sign of multiplication where it has none."""
    if before and (after or text.strip()) and _ENDS_FACTOR.search(text):
        text = f"{text.rstrip()} · "
    return _BEGINS_FACTOR.sub(" · ", text) if after else text


def norms(numbers: Sequence[Number]) -> list[Word]:
    """What an equation is made of, one after the other; of arrays the norm."""
    words: list[Word] = []
    for number in numbers:
        symbol = f"‖{number.symbol}‖" if number.norm else number.symbol
        words.append(Word(f"{symbol} {number_text(number)}", "muted", spaced=bool(words), breaks=bool(words)))
        if number is not numbers[-1]:
            words.append(Word(",", "muted"))
    return words


def said(sentence: str) -> EquationLine:
    """A sentence below an equation, which may be broken at each space."""
    words = [Word(word, "muted", spaced=place > 0, breaks=place > 0) for place, word in enumerate(sentence.split(" "))]
    return EquationLine(tuple(words), small=True)


def text_line(text: str) -> EquationLine:
    """A line of symbols."""
    return EquationLine(tuple(words_of([text])))


def words_of(pieces: Sequence[str | Word], ink: Ink = "text") -> list[Word]:
    """Texts cut at their spaces, with the places where a line may be broken: before an operator outside brackets."""
    words: list[Word] = []
    depth, spaced = 0, False
    for piece in pieces:
        if isinstance(piece, Word):
            words.append(replace(piece, spaced=spaced))
            spaced = False
            continue
        for space, token in re.findall(r"(\s*)(\S+)", piece):
            spaced = spaced or bool(space)
            words.append(Word(token, ink, False, spaced, spaced and not depth and token in _OPERATORS))
            depth += token.count("(") - token.count(")")
            spaced = False
        spaced = spaced or piece.endswith(" ")
    return words

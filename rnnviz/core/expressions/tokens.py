"""The first look at an expression: its tokens, what may follow what, and where a bracket is missing.

Whatever passes here is a sequence of numbers, names and operators in a possible order; nothing else reaches `ast`.
"""

import keyword
import re
import unicodedata
from typing import NamedTuple

from rnnviz.core.expressions.problems import ExpressionError

MAX_LENGTH = 512
MAX_BRACKETS = 24

WORD_OPERATORS = frozenset({"and", "or", "not"})

_TOKEN = re.compile(
    r"(?P<space>[ \t]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<operator>\*\*|//|<=|>=|==|!=|[-+*/%<>(),:\[\]])"
)
_CLOSING = {"(": ")", "[": "]"}
_HINTS = {
    "=": "compare with ==",
    "^": "a power is written **",
    "&": 'write "and"',
    "|": 'write "or"',
    "!": 'write "not", or != to compare',
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "−": "write - (the minus of the keyboard)",
    "×": "write *",
    "·": "write *",
    "÷": "write /",
    ".": "there are no attributes; a decimal point stands beside a digit",
    '"': "there are no strings; a model is a bare word, model == lstm",
    "'": "there are no strings; a model is a bare word, model == lstm",
    "`": "there are no strings; a model is a bare word, model == lstm",
    "{": "group with ( )",
    "}": "group with ( )",
    ";": "one expression at a time",
    "\n": "an expression is one line",
    "@": "multiply with *",
    "‖": "write norm(…)",
    "∂": "∂L/∂h is written dh",
    "~": "write abs(loss - 0.1) < 0.01 for nearly",
    "≈": "write abs(loss - 0.1) < 0.01 for nearly",
}


class Token(NamedTuple):
    """`kind` is "number", "name" or "operator" (also and, or, not); columns 0-based, `end` not included."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The tokens of `text`; ExpressionError at the first character that has no place in the language."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"An expression has at most {MAX_LENGTH:,} characters, this one has {len(text):,}.", MAX_LENGTH, len(text)
        )
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unknown_character(text, place)
        kind, word = str(match.lastgroup), match.group()
        if kind == "name":
            kind = _checked_word(word, place)
        if kind != "space":
            found.append(Token(kind, word, place, match.end()))
        place = match.end()
    return found


def _unknown_character(text: str, place: int) -> ExpressionError:
    character = text[place]
    shown = character if character.isprintable() else ascii(character)
    hint = _HINTS.get(character, "it has numbers, names, + - * / // % ** < <= == != >= > and ( ) [ ]")
    return ExpressionError(f"{shown} is not part of the language: {hint}.", place, place + 1)


def _checked_word(word: str, place: int) -> str:
    """The kind of `word`; Python's other keywords and look-alike letters are refused."""
    if word in WORD_OPERATORS:
        return "operator"
    if keyword.iskeyword(word):
        raise ExpressionError(f'"{word}" is not part of the language.', place, place + len(word))
    plain = unicodedata.normalize("NFKC", word)
    if plain != word or not word.isidentifier():
        hint = f"write {plain}" if plain.isidentifier() else "a name has letters, digits and _"
        raise ExpressionError(f"{word} is not a name: {hint}.", place, place + len(word))
    return "name"


def check_order(found: list[Token], length: int) -> None:
    """ExpressionError where a value, an operator or a bracket is missing; `length` is that of the whole text."""
    open_brackets: list[tuple[Token, bool]] = []  # with: does it call or subscript?
    wants_value = True
    before: Token | None = None
    for token in found:
        if wants_value:
            wants_value = _take_value(token, before, open_brackets)
        else:
            wants_value = _take_operator(token, before, open_brackets)
        if len(open_brackets) > MAX_BRACKETS:
            raise ExpressionError(f"Brackets may be {MAX_BRACKETS} deep.", token.start, token.end)
        before = token
    if wants_value and before is None:
        raise ExpressionError("An expression is wanted here, for example loss < 0.05.", 0, length)
    if wants_value and before is not None and before.text != ":":
        raise ExpressionError(f"A value is missing after {before.text}.", before.start, before.end)
    if open_brackets:
        bracket = open_brackets[-1][0]
        raise ExpressionError(
            f"This {bracket.text} is never closed: {_CLOSING[bracket.text]} is missing.", bracket.start, bracket.end
        )


def _take_value(token: Token, before: Token | None, open_brackets: list[tuple[Token, bool]]) -> bool:
    """Where a value may begin; whether one is still wanted afterwards."""
    text, after = token.text, before.text if before else ""
    if token.kind in ("number", "name"):
        return False
    if text in ("-", "+", "not"):
        return True
    if text == "(":
        open_brackets.append((token, False))
        return True
    if text == "[":
        raise ExpressionError("There are no lists; [ ] stands after a quantity, h[t].", token.start, token.end)
    in_subscript = bool(open_brackets) and open_brackets[-1][0].text == "["
    if text == ":" and in_subscript and after in ("[", ","):
        return True
    if text in (")", "]") and after in ("(", ":") and _closes(token, open_brackets, after):
        return False
    if text == "," and in_subscript and after == ":":
        return True
    where = f"between {after} and {text}" if after else f"before {text}"
    raise ExpressionError(f"A value is missing {where}.", token.start, token.end)


def _closes(token: Token, open_brackets: list[tuple[Token, bool]], after: str) -> bool:
    """Whether a bracket may close without a value before it: `name()`, whose arity is checked later, and `[1:]`."""
    if not open_brackets:
        return False
    bracket, calls = open_brackets[-1]
    if _CLOSING[bracket.text] != token.text or (after == "(" and not calls):
        return False
    open_brackets.pop()
    return True


def _take_operator(token: Token, before: Token | None, open_brackets: list[tuple[Token, bool]]) -> bool:
    """Where a value has just ended; whether one is wanted afterwards."""
    text, after = token.text, before.text if before else ""
    inside = open_brackets[-1] if open_brackets else None
    if token.kind in ("number", "name") or text == "not":
        raise ExpressionError(f"An operator is missing between {after} and {text}.", token.start, token.end)
    if text in ("(", "["):
        if before is None or before.kind != "name":
            raise ExpressionError(_not_after(text, after), token.start, token.end)
        open_brackets.append((token, True))
        return True
    if text in (")", "]"):
        if inside is None:
            raise ExpressionError(f"This {text} has no partner.", token.start, token.end)
        if _CLOSING[inside[0].text] != text:
            raise ExpressionError(f"{_CLOSING[inside[0].text]} is wanted here, not {text}.", token.start, token.end)
        open_brackets.pop()
        return False
    if text == "," and (inside is None or not inside[1]):
        raise ExpressionError("A comma separates the values of a function or subscript only.", token.start, token.end)
    if text == ":" and (inside is None or inside[0].text != "["):
        raise ExpressionError("A colon stands in a subscript only, h[1:10].", token.start, token.end)
    return True


def _not_after(text: str, after: str) -> str:
    """Why no bracket may stand here."""
    if text == "[":
        return (
            "Both subscripts stand in one bracket, h[t, 7]."
            if after == "]"
            else "Only a quantity has a subscript, h[t]."
        )
    return f"An operator is missing between {after} and (; only functions are called, norm(h[t])."

"""Parsing: from what a person typed to a value and back; a text that means nothing becomes one sentence."""

import math
import re
from collections.abc import Callable
from typing import Any

from rnnviz.core.errors import RnnvizError

Parse = Callable[[str], object]
Show = Callable[[Any], str]

_OFF = ("off", "none", "")
_DASH = r"\s*(?:–|-|\.\.|to)\s*"


def whole(words: str, low: int, high: int, off: bool = False) -> Parse:
    """Parses a whole number in low…high; `words` names the field in the sentence, `off` also takes "off" as 0."""

    def parse(text: str) -> int:
        cleaned = text.strip().replace(",", "").replace(" ", "")
        if off and cleaned.lower() in _OFF:
            return 0
        if not re.fullmatch(r"[+-]?\d{1,18}", cleaned) or not low <= int(cleaned) <= high:
            wanted = f"from {low:,} to {high:,}{' or “off”' if off else ''}"
            raise RnnvizError(f"{words} must be a whole number {wanted}, not {_quoted(text)}.")
        return int(cleaned)

    return parse


def or_last(parse: Parse) -> Parse:
    """Parses the word "last" too, as 0."""
    return lambda text: 0 if text.strip().lower() in ("last", "the last", "end") else parse(text)


def last_or_whole(value: object) -> str:
    """A time step, "last" for 0."""
    return "last" if value == 0 else f"{value:,}"


def real(words: str, low: float, high: float, off: bool = False, above: bool = False) -> Parse:
    """Parses a number in low…high; `off` also takes the word "off" as 0, `above` excludes `low` itself."""

    def parse(text: str) -> float:
        cleaned = text.strip().replace(",", ".").replace("−", "-").lower()
        if off and cleaned in _OFF:
            return 0.0
        try:
            value = float(cleaned)
        except ValueError:
            value = math.nan
        if not low <= value <= high or (above and value == low):
            wanted = f"above {low:g} and up to {high:g}" if above else f"from {low:g} to {high:g}"
            raise RnnvizError(f"{words} must be a number {wanted}{' or “off”' if off else ''}, not {_quoted(text)}.")
        return value

    return parse


def spans(words: str, count: int, low: int, high: int, example: str) -> Parse:
    """Parses `count` spans such as "10–20, 45–54" into pairs with low ≤ first ≤ last ≤ high; one pair if count is 1."""
    pattern = re.compile(r"\s*,\s*".join([rf"(\d{{1,9}})(?:{_DASH}(\d{{1,9}}))?"] * count))

    def parse(text: str) -> tuple[object, ...]:
        match = pattern.fullmatch(text.strip())
        numbers = [int(group) if group else None for group in match.groups()] if match else []
        pairs = [(a, a if b is None else b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        if not pairs or any(a is None or not low <= a <= b <= high for a, b in pairs):  # type: ignore[operator]
            raise RnnvizError(f"{words} must look like {example}, within {low:,} to {high:,}; got {_quoted(text)}.")
        return pairs[0] if count == 1 else tuple(pairs)

    return parse


def line(words: str, longest: int) -> Parse:
    """Parses one line of 1 to `longest` characters, blanks at its ends and double ones taken out."""

    def parse(text: str) -> str:
        cleaned = " ".join(text.split())
        if not 1 <= len(cleaned) <= longest:
            raise RnnvizError(f"{words} must have 1 to {longest} characters.")
        return cleaned

    return parse


def column_names(none: str) -> Parse:
    """Parses names with commas between; nothing at all, "all" and the words `none` stand for no names."""

    def parse(text: str) -> tuple[str, ...]:
        names = [name.strip() for name in text.split(",")]
        return () if text.strip() in ("", "all", none) else tuple(name for name in names if name)

    return parse


def stepped_number(value: object, direction: int) -> object:
    """The next larger or smaller value for the arrow keys: by one for whole numbers, along 1-2-5 for others."""
    if isinstance(value, int):
        return value + direction
    if not isinstance(value, float) or value <= 0:
        return value
    exponent = math.floor(math.log10(value) + 1e-9)
    ladder = [factor * 10.0 ** (exponent + shift) for shift in (-1, 0, 1) for factor in (1, 2, 5)]
    beyond = [v for v in ladder if (v > value * 1.001 if direction > 0 else v < value * 0.999)]
    chosen = min(beyond) if direction > 0 else max(beyond)
    return float(f"{chosen:.1g}")


def _quoted(text: str) -> str:
    shown = text.strip()
    return f"“{shown[:24]}{'…' if len(shown) > 24 else ''}”" if shown else "nothing"

"""What is typed on the what-if page: a number or all, a time step or the end, one number or several."""

import math
from collections.abc import Callable

from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import exact
from rnnviz.gui.widgets.parsing import whole


def all_or_whole(words: str, high: int) -> Callable[[str], int | None]:
    """Parses a whole number in 1…high, or "all" as None."""
    return _word_or_whole(words, "all", 1, high)


def end_or_whole(words: str, low: int, high: int) -> Callable[[str], int | None]:
    """Parses a time step in low…high, or "end" as None."""
    return _word_or_whole(words, "end", low, high)


def start_or_whole(words: str, high: int) -> Callable[[str], int | None]:
    """Parses a time step in 1…high, or "start" as None."""
    return _word_or_whole(words, "start", 1, high)


def numbers(words: str, count: int) -> Callable[[str], tuple[float, ...]]:
    """Parses one number, or `count` of them with commas or spaces between."""

    def parse(text: str) -> tuple[float, ...]:
        parts = text.replace("−", "-").replace(",", " ").split()
        try:
            found = tuple(float(part) for part in parts)
        except ValueError:
            found = ()
        if len(found) not in (1, count) or not all(math.isfinite(value) for value in found):
            wanted = "a number" if count == 1 else f"one number for all, or {count:,} with commas between"
            raise RnnvizError(f"{words} must be {wanted}, not “{text.strip()[:24]}”.")
        return found

    return parse


def show_all(value: object) -> str:
    return "all" if value is None else str(value)


def show_end(value: object) -> str:
    return "end" if value is None else str(value)


def show_start(value: object) -> str:
    return "start" if value is None else str(value)


def show_numbers(value: object) -> str:
    """Several with commas between."""
    return ", ".join(exact(each) for each in value) if isinstance(value, tuple) else exact(value)


def _word_or_whole(words: str, word: str, low: int, high: int) -> Callable[[str], int | None]:
    parse_whole = whole(words, low, high)

    def parse(text: str) -> int | None:
        if text.strip().lower() in ("", word):
            return None
        try:
            value = parse_whole(text)
        except RnnvizError as error:
            raise RnnvizError(f"{str(error).rstrip('.')}, nor “{word}”.") from None
        assert isinstance(value, int)
        return value

    return parse

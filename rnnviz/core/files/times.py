"""Times of a table's rows: dates and counts as numbers, and whether they go forward, backward or neither."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.files.cells import Numbers

Course = Literal["forward", "backward", "neither"]

TIME_NAMES = frozenset(
    {
        *("year", "month", "day", "date", "dates", "time", "datetime", "timestamp", "index", "t"),
        *("jahr", "monat", "tag", "datum", "zeit", "zeitstempel"),
    }
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_OTHER_MONTHS = {"mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12}
_DATE = re.compile(
    r"(?:[^\W\d]{2,9}\.?,?\s+)?"  # the day of the week
    r"(?P<a>\d{1,4}|[^\W\d]{3,9})\.?(?P<between>[-./\s])\s*(?P<b>\d{1,4}|[^\W\d]{3,9})(?:[-./,\s]+(?P<c>\d{1,4}))?"
    r"(?:[T,\s]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[ap]\.?m\.?)?"
    r"\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_ORDERS = ("ymd", "dmy", "mdy")


@dataclass(frozen=True)
class TimeOrder:
    """Which way the times of a column go."""

    course: Course = "neither"
    step_back: int | None = None  # the first row whose time lies before that of the row above it, where most go forward


def time_order(cells: Sequence[str], numbers: Numbers) -> TimeOrder:
    """Of the times in a column, with its numbers: whether they never go back or never go forward."""
    times = _times(cells, numbers)
    if times is None or len(times) < 2:
        return TimeOrder()
    steps = np.diff(times)
    if not steps.any():
        return TimeOrder()
    if (steps >= 0).all():
        return TimeOrder("forward")
    if (steps <= 0).all():
        return TimeOrder("backward")
    back = np.flatnonzero(steps < 0) + 1
    return TimeOrder("neither", int(back[0]) if 2 * len(back) < len(cells) else None)


def counts_evenly(values: Array) -> bool:
    """Whether numbers (R,) go up or down by the same step each time, as the numbers of rows do."""
    if len(values) < 3 or not np.isfinite(values).all():
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.diff(values)
        return bool(steps[0] != 0 and np.allclose(steps, steps[0], rtol=1e-6, atol=0))


def _times(cells: Sequence[str], numbers: Numbers) -> Array | None:
    """(R,) numbers, or days; None where a cell is neither. Of the orders of day and month the one that is in order."""
    if numbers.count == len(cells):
        return numbers.values
    first = None
    for order in _ORDERS:
        days = _days(cells, order)
        if days is not None and _in_order(days):
            return days
        first = days if first is None else first
    return first


def _in_order(days: Array) -> bool:
    steps = np.diff(days)
    return bool((steps >= 0).all() or (steps <= 0).all())


def _days(cells: Sequence[str], order: str) -> Array | None:
    """(R,) days, with their time as a part of one; None where a cell is no date in this order."""
    days = np.empty(len(cells))
    for row, cell in enumerate(cells):
        day = _day(cell, order)
        if day is None:
            return None
        days[row] = day
    return days


def _day(cell: str, order: str) -> float | None:
    match = _DATE.fullmatch(cell) if len(cell) <= 40 else None
    if match is None:
        return None
    parts = [_part(match[name]) for name in ("a", "b", "c")]
    names = [bool(text) and not text.isdigit() for text in (match["a"], match["b"])]
    year, month, day = _ordered(parts, names, order, len(match["a"]))
    try:
        date = datetime.date(year if year >= 100 else year + (2000 if year < 70 else 1900), month, day)
    except (ValueError, TypeError):
        return None
    hour = int(match["hour"] or 0)
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"][0] in "pP")
    seconds = 3600 * hour + 60 * int(match["minute"] or 0) + int(match["second"] or 0)
    return date.toordinal() + seconds / 86400


def _ordered(parts: Sequence[int], names: Sequence[bool], order: str, digits: int) -> tuple[int, int, int]:
    """Year, month and day; a month's name and a year of four digits say where they stand."""
    a, b, c = parts
    if c < 0:  # month and year
        if names[0] or (digits <= 2 and not names[1]):
            return b, a, 1
        return a, b, 1
    if names[0]:
        return c, a, b
    if names[1]:
        return (a, b, c) if digits == 4 else (c, b, a)
    if digits == 4 or order == "ymd":
        return a, b, c
    return (c, b, a) if order == "dmy" else (c, a, b)


def _part(text: str | None) -> int:
    """A number, or the number of the month; −1 for none, 0 for a name that is no month."""
    if text is None:
        return -1
    if text.isdigit():
        return int(text)
    start = text[:3].lower()
    return _MONTHS.index(start) + 1 if start in _MONTHS else _OTHER_MONTHS.get(start, 0)

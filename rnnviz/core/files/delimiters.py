"""Delimiters: what parts the cells of a line, how lines are split, and that all rows are equally long."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.cells import is_gap, is_number

BLANKS = " "  # any number of blanks and tabs
_DELIMITERS = ("\t", ";", "|", ",")  # the comma last: beside another delimiter it is a decimal comma
_SEVERAL_BLANKS = re.compile(r"[ \t]+")


def delimiter_of(lines: Sequence[str]) -> str:
    """The first delimiter that splits all of the first lines into equally many cells, else the one in most of them."""
    filled = [line for line in lines if line.strip()]
    if _parted_by_blanks(filled):
        return BLANKS
    for delimiter in _DELIMITERS:
        widths = {len(row) for row in _lenient(filled, delimiter)}
        if len(widths) == 1 and widths != {1}:
            return delimiter
    return max(reversed(_DELIMITERS), key=lambda delimiter: sum(delimiter in line for line in filled))


def split(lines: Sequence[str], delimiter: str) -> Any:
    """A strict reader of CSV over `lines`; raises csv.Error while it is iterated."""
    if delimiter == BLANKS:
        lines = [_SEVERAL_BLANKS.sub(" ", line.strip()) for line in lines]
    return csv.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True)


def check_widths(path: str, rows: Sequence[list[str]], lines: Sequence[int], delimiter: str) -> list[list[str]]:
    """The rows, all as long as the first; empty cells at the end of a line, after a last delimiter, are let go of."""
    width, filled = len(rows[0]), _filled(rows[0])
    if all(_filled(row) <= filled for row in rows):
        width = max(filled, min(len(row) for row in rows))
    equal = []
    for row, line in zip(rows, lines, strict=True):
        if len(row) < width or _filled(row) > width:
            by = "blanks" if delimiter == BLANKS else repr(delimiter)
            raise RnnvizError(
                f"{path}, line {line}: wanted {width:,} cells separated by {by} as in line "
                f"{lines[0]}, got {len(row):,}."
            )
        equal.append(row[:width])
    return _without_empty_end(equal)


def _without_empty_end(rows: list[list[str]]) -> list[list[str]]:
    """Without a last column that has neither a name nor a value."""
    while len(rows[0]) > 1 and not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    return rows


def _filled(row: Sequence[str]) -> int:
    """The cells up to the last that holds something."""
    if row and row[-1]:
        return len(row)
    return next((place for place in range(len(row), 0, -1) if row[place - 1]), 0)


def _parted_by_blanks(lines: Sequence[str]) -> bool:
    """Whether blanks part each line into as many cells, of which at least a column holds numbers."""
    rows = [_SEVERAL_BLANKS.split(line.strip()) for line in lines]
    if len(rows) < 2 or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return False
    if any(delimiter in line for line in lines for delimiter in ("\t", ";", "|")):
        return False
    numbers = [all(_number(cell) or is_gap(cell) for cell in column) for column in zip(*rows[1:], strict=True)]
    return all(numbers) if any("," in line for line in lines) else any(numbers)


def _number(cell: str) -> bool:
    return not cell.endswith(",") and (is_number(cell, ".") or is_number(cell, ","))


def _lenient(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        yield []  # an unequal width: this delimiter is not taken, and the strict reading names the line

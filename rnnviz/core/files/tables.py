"""Tables: a strict reader of CSV: delimiter, decimal style and header are found, a gap in a number column is refused.

No torch here, so that looking into a table stays quick.
"""

import csv
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.text_file import read_text_file

LARGEST_TABLE = 16 * 2**20  # bytes
LARGEST_COLUMNS = 1024
LARGEST_CELLS = 1_000_000  # judged in a few seconds; more make no difference to a network of this size

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_DELIMITERS = ("\t", ";", "|", ",")  # the comma last: beside another delimiter it is a decimal comma
_TIME_NAMES = {"year", "date", "time", "month", "day", "datetime", "timestamp", "jahr", "datum", "zeit", "index"}


@dataclass(frozen=True)
class Column:
    """One column as it stands in the file; `numeric`: more than half of its cells are numbers."""

    name: str
    cells: tuple[str, ...]
    numeric: bool


@dataclass(frozen=True)
class Table:
    """A CSV file with rows of equal length. `lines` are the 1-based file lines of the rows."""

    path: str
    columns: tuple[Column, ...]
    lines: tuple[int, ...]
    decimal: str  # "." or ","
    time_column: str | None = field(default=None)  # its cells label the time steps; not a value unless asked for

    def column(self, name: str) -> Column:
        """The column called `name`; RnnvizError listing the names there are."""
        for column in self.columns:
            if column.name == name:
                return column
        there = ", ".join(f'"{column.name}"' for column in self.columns[:20])
        raise RnnvizError(f'{self.path}: wanted a column "{name}", came columns {there}.')

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The columns used when none is chosen: all numeric ones but the time column."""
        numeric = [column.name for column in self.columns if column.numeric]
        return tuple(name for name in numeric if name != self.time_column) or tuple(numeric)

    @property
    def time_labels(self) -> tuple[str, ...]:
        """One label for each row, from the time column; () where there is none."""
        return self.column(self.time_column).cells if self.time_column is not None else ()

    def numbers(self, names: Sequence[str] = ()) -> Array:
        """(R, C) float64, the chosen columns (all value columns if none is named).

        Raises RnnvizError for a gap, a text or an infinite number in one of them, naming line and column.
        """
        names = tuple(names) or self.value_columns
        if not names:
            raise RnnvizError(f"{self.path}: wanted at least one column of numbers, came only text.")
        return np.stack([self._column_numbers(self.column(name)) for name in names], axis=1)

    def _column_numbers(self, column: Column) -> Array:
        values = np.empty(len(column.cells))
        for row, cell in enumerate(column.cells):
            value = _number(cell, self.decimal)
            if value is None or not math.isfinite(value):
                came = _short(cell) if cell else "an empty cell"
                raise RnnvizError(
                    f'{self.path}, line {self.lines[row]}, column "{column.name}": wanted a number, came {came}.'
                )
            values[row] = value
        return values


def read_table(file: str | Path) -> Table:
    """Reads `file`: UTF-8, any of the delimiters comma, semicolon, tab and bar, with or without a header.

    Lines that begin with # before the table are comments. Raises RnnvizError naming file and line for anything that is
    no such table.
    """
    path = str(file)
    rows, lines, delimiter = _rows(path, read_text_file(Path(file), LARGEST_TABLE))
    _check_widths(path, rows, lines, delimiter)
    decimal = _decimal(rows, delimiter)
    names = _header(rows, decimal)
    if names is not None:
        rows, lines = rows[1:], lines[1:]
    else:
        names = [f"column {number + 1}" for number in range(len(rows[0]))]
    if not rows:
        raise RnnvizError(f"{path}: wanted a table of numbers, came only a header line.")
    cells = tuple(zip(*rows, strict=True))
    columns = tuple(
        Column(name, column, 2 * sum(_number(cell, decimal) is not None for cell in column) > len(column))
        for name, column in zip(_unique(names), cells, strict=True)
    )
    return Table(path, columns, tuple(lines), decimal, _time_column(columns, decimal))


def _rows(path: str, text: str) -> tuple[list[list[str]], list[int], str]:
    lines = text.split("\n")
    skipped = 0
    while skipped < len(lines) and (lines[skipped].startswith("#") or not lines[skipped].strip()):
        skipped += 1
    if skipped == len(lines):
        raise RnnvizError(f"{path}: wanted a table, came {'an empty file' if not text else 'no line of data'}.")
    delimiter = _delimiter(lines[skipped : skipped + 50])
    reader = csv.reader((line + "\n" for line in lines[skipped:]), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    cells = 0
    try:
        for row in reader:
            cells += len(row)
            if cells > LARGEST_CELLS:
                raise RnnvizError(f"{path}: wanted a table of at most {LARGEST_CELLS} cells, came more.")
            stripped = [cell.strip() for cell in row]
            if any(stripped):
                rows.append(stripped)
                numbers.append(skipped + reader.line_num)
    except csv.Error as error:
        raise RnnvizError(f"{path}, line {skipped + reader.line_num}: wanted a line of CSV, came: {error}.") from None
    return rows, numbers, delimiter


def _delimiter(lines: Sequence[str]) -> str:
    """The first delimiter that splits all of the first lines into equally many cells, else the one in most of them."""
    filled = [line for line in lines if line.strip()]
    for delimiter in _DELIMITERS:
        widths = {len(row) for row in _lenient(filled, delimiter)}
        if len(widths) == 1 and widths != {1}:
            return delimiter
    return max(reversed(_DELIMITERS), key=lambda delimiter: sum(delimiter in line for line in filled))


def _lenient(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        yield []  # an unequal width: this delimiter is not taken, and the strict reading names the line


def _check_widths(path: str, rows: Sequence[Sequence[str]], lines: Sequence[int], delimiter: str) -> None:
    width = len(rows[0])
    if width > LARGEST_COLUMNS:
        raise RnnvizError(f"{path}, line {lines[0]}: wanted at most {LARGEST_COLUMNS} columns, came {width}.")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width:
            raise RnnvizError(
                f"{path}, line {line}: wanted {width} cells separated by {delimiter!r} as in line {lines[0]}, "
                f"came {len(row)}."
            )


def _decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    if delimiter == ",":
        return "."
    cells = [cell for row in rows for cell in row]
    commas = any(_DECIMAL_COMMA.fullmatch(cell) for cell in cells)
    return "," if commas and not any(_DECIMAL_POINT.fullmatch(cell) for cell in cells) else "."


def _number(cell: str, decimal: str) -> float | None:
    if decimal == ",":
        cell = cell.replace(",", ".") if "." not in cell else "text"
    return float(cell) if _NUMBER.fullmatch(cell) else None


def _header(rows: Sequence[Sequence[str]], decimal: str) -> list[str] | None:
    """The names in the first row, None where it is data: a header has text over a number, or text only."""
    first = [_number(cell, decimal) is None for cell in rows[0]]
    if len(rows) == 1:
        return list(rows[0]) if all(first) else None
    second = [_number(cell, decimal) is None for cell in rows[1]]
    over_number = any(text and cell and not below for text, cell, below in zip(first, rows[0], second, strict=True))
    return list(rows[0]) if all(first) or over_number else None


def _unique(names: Sequence[str]) -> list[str]:
    unique: list[str] = []
    for number, name in enumerate(names, start=1):
        wanted = name or f"column {number}"
        while wanted in unique:
            wanted = f"{wanted} ({number})"
        unique.append(wanted)
    return unique


def _time_column(columns: Sequence[Column], decimal: str) -> str | None:
    """A column named like a time, else the first one if it counts up evenly or holds different texts."""
    if len(columns) < 2:
        return None
    for column in columns:
        if column.name.lower() in _TIME_NAMES:
            return column.name
    first, *others = columns
    if not any(column.numeric for column in others):
        return None
    if not first.numeric:
        return first.name if len(set(first.cells)) == len(first.cells) else None
    values = [_number(cell, decimal) for cell in first.cells]
    steps = {b - a for a, b in itertools.pairwise(values) if a is not None and b is not None}
    even = None not in values and len(values) > 2 and len(steps) == 1 and steps.pop() == 1
    return first.name if even else None


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:39] + "…")

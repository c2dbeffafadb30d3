"""Tables: a strict reader of CSV: delimiter, decimal style, header and time column are found; gaps are filled if asked.

No torch here, so that looking into a table stays quick.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.cells import Numbers, column_numbers, decimal_sign, is_number
from rnnviz.core.files.delimiters import check_widths, delimiter_of, split
from rnnviz.core.files.text_file import Encoding, read_text_file
from rnnviz.core.files.times import TIME_NAMES, Course, TimeOrder, counts_evenly, time_order

LARGEST_TABLE = 16 * 2**20  # bytes
LARGEST_COLUMNS = 1024
LARGEST_CELLS = 1_000_000  # judged in a few seconds; more make no difference to a network of this size

Gaps = Literal["refuse", "repeat", "line", "leave out"]
GAP_WORDS: Mapping[Gaps, str] = {
    "refuse": "refused",
    "repeat": "last value again",
    "line": "straight line between",
    "leave out": "rows left out",
}

Order = Literal["oldest first", "as in the file", "turned round"]
ORDER_WORDS: Mapping[Order, str] = {
    "oldest first": "oldest first",
    "as in the file": "as in the file",
    "turned round": "turned round",
}


@dataclass(frozen=True)
class Column:
    """One column as it stands in the file; `numeric`: more than half of its cells that hold something are numbers."""

    name: str
    cells: tuple[str, ...]
    numbers: Numbers

    @property
    def numeric(self) -> bool:
        return 2 * self.numbers.count > len(self.cells) - self.numbers.gaps

    @cached_property
    def constant(self) -> float | None:
        """The one value that stands in several rows, None where there are others or fewer."""
        values = self.numbers.values[np.isfinite(self.numbers.values)]
        return float(values[0]) if len(values) > 1 and (values == values[0]).all() else None

    def problem(self, lines: Sequence[int]) -> str:
        """Why it cannot be learned, empty if it can; `lines` are those of the rows in the file."""
        row = self.numbers.wrong
        if row is not None:
            return f"line {lines[row]}: {_short(self.cells[row])} is {self.numbers.why or 'no number'}"
        if self.cells and not self.numbers.count:
            return "no value in any row"
        return spread_problem(self.numbers.values)


@dataclass(frozen=True)
class Series:
    """Chosen columns in the order of time, without gaps, and what had to be done for that."""

    values: Array  # (R, C) float64
    labels: tuple[str, ...]  # one for each row, from the time column; () where there is none
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A CSV file with rows of equal length. `lines` are the 1-based file lines of the rows."""

    path: str
    columns: tuple[Column, ...]
    lines: tuple[int, ...]
    decimal: str  # "." or ","
    time_column: str | None = None  # its cells label the time steps; not a value unless asked for
    times: TimeOrder = field(default_factory=TimeOrder)  # which way the time column goes
    notes: tuple[str, ...] = ()  # how the file was read, where a person should know

    def column(self, name: str) -> Column:
        """The column called `name`; RnnvizError listing the names there are."""
        for column in self.columns:
            if column.name == name:
                return column
        there = ", ".join(f'"{column.name}"' for column in self.columns[:20])
        raise RnnvizError(f'{self.path}: wanted a column "{name}", got columns {there}.')

    @property
    def course(self) -> Course:
        """Which way the times go."""
        return self.times.course

    @property
    def newest_first(self) -> bool:
        """Whether the times go backward."""
        return self.course == "backward"

    def turns(self, order: Order) -> bool:
        """Whether the last row of the file comes first in this order."""
        return order == "turned round" or (order == "oldest first" and self.newest_first)

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
        """(R, C) float64, the chosen columns (all value columns if none is named), in the order of the file.

        Raises RnnvizError for a gap, a text or an infinite number in one of them, naming line and column.
        """
        return self.series(names, "refuse", "as in the file").values

    def series(self, names: Sequence[str], gaps: Gaps, order: Order, advice: str = "") -> Series:
        """The chosen columns (all value columns if none is named) with their gaps filled or left out.

        "oldest first" turns a table round whose times go backward. RnnvizError for what is no number, and for a gap
        that is refused; `advice` ends that sentence.
        """
        columns = self._chosen(names)
        for column in columns:
            self._check(column, refuse_gaps=gaps == "refuse", advice=advice)
        values = np.stack([column.numbers.values for column in columns], axis=1)  # (R, C)
        turned = self.turns(order)
        rows = np.arange(len(values))[::-1] if turned else np.arange(len(values))
        values, notes = _without_gaps(values[rows], [column.name for column in columns], gaps)
        whole = np.isfinite(values).all(axis=1)
        labels = self.time_labels
        kept = tuple(labels[row] for row in rows[whole]) if labels else ()
        notes = [*self.order_notes(order), *self._column_notes(columns), *notes]
        return Series(values[whole], kept, (*self.notes, *notes))

    def order_notes(self, order: Order) -> list[str]:
        """What should be said of the order of the rows and of its times."""
        turned = self.turns(order)
        if turned and not self.newest_first:
            return ["the table is turned round, its last row comes first"]
        if self.newest_first:
            done = "the table is turned round, its oldest row comes first" if turned else "left as it stands"
            return [f"“{self.time_column}” goes backward: {done}"]
        row = self.times.step_back
        if row is not None:
            return [f"“{self.time_column}” goes back at line {self.lines[row]}: the rows are left in their order"]
        return []

    def _check_named_once(self, names: Sequence[str]) -> None:
        """RnnvizError for a name that is there twice."""
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise RnnvizError(f'{self.path}: wanted each column once, got "{twice}" twice.')

    def _chosen(self, names: Sequence[str]) -> list[Column]:
        if not self.lines:
            raise RnnvizError(f"{self.path}: wanted a table of numbers, got only a header line.")
        self._check_named_once(names)
        columns = [self.column(name) for name in tuple(names) or self.value_columns]
        if not columns:
            first = next((problem for one in self.columns if (problem := one.problem(self.lines))), "")
            raise RnnvizError(f"{self.path}: wanted at least one column of numbers, got only text ({first}).")
        return columns

    def _check(self, column: Column, refuse_gaps: bool, advice: str) -> None:
        numbers = column.numbers
        missing = np.flatnonzero(np.isnan(numbers.values) & refuse_gaps)
        gap = int(missing[0]) if len(missing) else None
        row = numbers.wrong if gap is None or (numbers.wrong is not None and numbers.wrong <= gap) else gap
        if row is not None:
            empty = not column.cells[row]
            more = f", {numbers.why}" if numbers.why and row == numbers.wrong else ""
            if row != numbers.wrong:
                more = f", the first of {numbers.gaps} gaps" if numbers.gaps > 1 else ""
                more += advice
            where = f'{self.path}, line {self.lines[row]}, column "{column.name}"'
            came = "the cell is empty" if empty else f"wanted a number, got {_short(column.cells[row])}"
            raise RnnvizError(f"{where}: {came}{more}.")
        if problem := column.problem(self.lines):
            raise RnnvizError(f'{self.path}, column "{column.name}": {problem}.')

    def _column_notes(self, columns: Sequence[Column]) -> list[str]:
        return [f"“{column.name}”: {', '.join(column.numbers.words)}" for column in columns if column.numbers.words]


def read_table(file: str | Path, encoding: Encoding = "unicode") -> Table:
    """Reads `file`: any of the delimiters comma, semicolon, tab, bar and blanks, with or without a header.

    Lines that begin with # before the table are comments. Raises RnnvizError naming file and line for anything that is
    no such table, NotUnicodeError for bytes that are none.
    """
    path = str(file)
    text = read_text_file(Path(file), LARGEST_TABLE, encoding)
    rows, lines, delimiter = _rows(path, text.text)
    rows = check_widths(path, rows, lines, delimiter)
    if len(rows[0]) > LARGEST_COLUMNS:
        raise RnnvizError(f"{path}, line {lines[0]}: wanted at most {LARGEST_COLUMNS:,} columns, got {len(rows[0]):,}.")
    decimal = decimal_sign([cell for row in rows for cell in row], delimiter)
    names = _header(rows, decimal)
    if names is not None:
        rows, lines = rows[1:], lines[1:]
    else:
        names = [f"column {number + 1}" for number in range(len(rows[0]))]
    cells = tuple(zip(*rows, strict=True)) or ((),) * len(names)
    columns = tuple(
        Column(name, column, column_numbers(column, decimal))
        for name, column in zip(_unique(names), cells, strict=True)
    )
    time = _time_column(columns)
    order = time_order(time.cells, time.numbers) if time is not None else TimeOrder()
    notes = text.notes + (("a comma is the decimal sign",) if decimal == "," else ())
    return Table(path, columns, tuple(lines), decimal, time.name if time else None, order, notes)


def spread_problem(values: Array) -> str:
    """Why numbers (R,) cannot be brought to mean 0 and spread 1 in float64, empty where they can; NaN is left out."""
    values = values[np.isfinite(values)]
    if not len(values) or (values == values[0]).all():
        return ""  # none, or constant, which is another thing to say
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        spread, largest = float(values.std()), float(np.abs(values).max())
    if not math.isfinite(spread):
        return "its spread is beyond float64's range"
    if spread < np.finfo(np.float64).tiny or spread < 1e-13 * largest:
        return "its spread is below what float64 can tell apart"
    return ""


def _without_gaps(values: Array, names: Sequence[str], gaps: Gaps) -> tuple[Array, list[str]]:
    """`values` (R, C) with gaps filled where there is something to fill them from, and the words for that."""
    values = values.copy()
    notes: list[str] = []
    missing = np.isnan(values)
    if not missing.any():
        return values, notes
    if gaps == "leave out":
        return values, [f"{_counted(int(missing.any(axis=1).sum()), 'row')} with a gap left out"]
    for column, name in enumerate(names):
        count = int(missing[:, column].sum())
        if count:
            values[:, column] = filled(values[:, column], gaps)
            notes.append(f"“{name}”: {_counted(count, 'gap')}, {GAP_WORDS[gaps]}")
    outside = int(np.isnan(values).any(axis=1).sum())
    if outside:
        notes.append(f"{_counted(outside, 'row')} before the first or after the last value left out")
    return values, notes


def filled(values: Array, gaps: Gaps) -> Array:
    """(R,) values in the order of time with their gaps filled, NaN where there is nothing to fill them from."""
    known = np.flatnonzero(~np.isnan(values))
    whole = values.copy()
    if gaps not in ("repeat", "line") or not len(known):
        return whole
    inside = np.arange(known[0], len(values) if gaps == "repeat" else known[-1] + 1)
    if gaps == "repeat":
        whole[inside] = values[known[np.searchsorted(known, inside, side="right") - 1]]
    else:
        whole[inside] = np.interp(inside, known, values[known])
    return whole


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _rows(path: str, text: str) -> tuple[list[list[str]], list[int], str]:
    lines = text.split("\n")
    skipped = 0
    while skipped < len(lines) and (lines[skipped].startswith("#") or not lines[skipped].strip()):
        skipped += 1
    if skipped == len(lines):
        raise RnnvizError(f"{path}: wanted a table, got {'an empty file' if not text else 'no line of data'}.")
    said = lines[skipped].strip().lower()
    if said.startswith("sep=") and len(said) == 5:  # as Excel writes it
        delimiter, skipped = said[4], skipped + 1
    else:
        delimiter = delimiter_of(lines[skipped : skipped + 50])
    reader = split(lines[skipped:], delimiter)
    rows: list[list[str]] = []
    numbers: list[int] = []
    cells = 0
    try:
        for row in reader:
            cells += len(row)
            if cells > LARGEST_CELLS:
                raise RnnvizError(f"{path}: wanted a table of at most {LARGEST_CELLS:,} cells, got more.")
            stripped = [cell.strip() for cell in row]
            if any(stripped):
                rows.append(stripped)
                numbers.append(skipped + reader.line_num)
    except csv.Error as error:
        raise RnnvizError(f"{path}, line {skipped + reader.line_num}: cannot be read as CSV: {error}.") from None
    if not rows:
        raise RnnvizError(f"{path}: wanted a table, got no line of data.")
    return rows, numbers, delimiter


def _header(rows: Sequence[Sequence[str]], decimal: str) -> list[str] | None:
    """The names in the first row, None where it is data: a header has text over a number, or text only."""
    first = [not is_number(cell, decimal) for cell in rows[0]]
    if len(rows) == 1:
        return list(rows[0]) if all(first) else None
    second = [not is_number(cell, decimal) for cell in rows[1]]
    over_number = any(text and cell and not below for text, cell, below in zip(first, rows[0], second, strict=True))
    return list(rows[0]) if all(first) or over_number else None


def _unique(names: Sequence[str]) -> list[str]:
    unique: list[str] = []
    for place, name in enumerate(names, start=1):
        wanted, count = name or f"column {place}", 1
        while wanted in unique:
            count += 1
            wanted = f"{name} ({count})"
        unique.append(wanted)
    return unique


def _time_column(columns: Sequence[Column]) -> Column | None:
    """A column named like a time, else the first one if it counts evenly or holds different texts."""
    if len(columns) < 2:
        return None
    for column in columns:
        if column.name.lower() in TIME_NAMES and (len(column.name) > 1 or counts_evenly(column.numbers.values)):
            return column
    first, *others = columns
    if not any(column.numeric for column in others):
        return None
    if not first.numeric:
        return first if len(set(first.cells)) == len(first.cells) else None
    return first if counts_evenly(first.numbers.values) else None


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:39] + "…")

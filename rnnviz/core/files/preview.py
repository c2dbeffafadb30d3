"""Preview: a few rows of a table as they are understood: their numbers, and what would stand in their gaps."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.files.tables import Column, Table, filled

MOST_COLUMNS = 64
_FIRST, _LAST, _AROUND = 5, 4, 1  # rows at either end, and on either side of the first gap
_LONGEST = 40  # characters of a cell


def preview(table: Table) -> dict[str, Any]:
    """The first and last rows and those around the first gap, of the first columns, as plain values of JSON.

    Each row says its `line` in the file, its place `row` in the table and its `cells` as written; `numbers` is what
    they are read as, null where that is none. `fills` has, for each column with a gap in these rows, what stands in
    each row with that gap filled: "repeat" and "line" in the order of the file, "repeat turned" in the other.
    """
    columns = table.columns[:MOST_COLUMNS]
    rows = _rows(columns, len(table.lines))
    fills = {str(place): _fills(one, rows) for place, one in enumerate(columns) if _gap_in(one, rows)}
    return {
        "columns": [column.name for column in columns],
        "rows": [
            {
                "row": row,
                "line": table.lines[row],
                "cells": [_short(column.cells[row]) for column in columns],
                "numbers": [_plain(float(column.numbers.values[row])) for column in columns],
                "fills": {
                    place: {way: _plain(float(values[number])) for way, values in ways.items()}
                    for place, ways in fills.items()
                },
            }
            for number, row in enumerate(rows)
        ],
    }


def _rows(columns: Sequence[Column], count: int) -> list[int]:
    gaps = [np.flatnonzero(np.isnan(one.numbers.values)) for one in columns if one.numeric and one.numbers.gaps]
    first = min((int(rows[0]) for rows in gaps if len(rows)), default=None)
    wanted = {*range(_FIRST), *range(count - _LAST, count)}
    if first is not None:
        wanted |= set(range(first - _AROUND, first + _AROUND + 1))
    return sorted(row for row in wanted if 0 <= row < count)


def _gap_in(column: Column, rows: Sequence[int]) -> bool:
    return column.numeric and column.numbers.wrong is None and bool(np.isnan(column.numbers.values[rows]).any())


def _fills(column: Column, rows: Sequence[int]) -> dict[str, Array]:
    values = column.numbers.values
    return {
        "repeat": filled(values, "repeat")[rows],
        "repeat turned": filled(values[::-1], "repeat")[::-1][rows],
        "line": filled(values, "line")[rows],
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _short(cell: str) -> str:
    return cell if len(cell) <= _LONGEST else cell[: _LONGEST - 1] + "…"

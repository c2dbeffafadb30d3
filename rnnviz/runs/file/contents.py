"""Contents of a run file: how many rows belong to what, and their checksums, so that a lost one is noticed.

A row's own checksum says nothing of a row that a damaged file no longer finds.
"""

import sqlite3
from dataclasses import dataclass

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.checksums import row_crc32

PROBE, STATUS, EVENTS, NAMES = "probe", "status", "events", "metric names"
CAPTURES, OPTIMISERS = "captures", "optimisers"

SELECT = "SELECT count, crc32s, crc32 FROM contents WHERE what = ?"


def blocks_of(model: int, name: int) -> str:
    """What the blocks of a metric, its number in the table of names, are called."""
    return f"metric {name} of model {model}"


@dataclass(frozen=True)
class Tally:
    """Some rows: how many, and their checksums where their values are covered by no other one."""

    count: int = 0
    crc32s: int = 0  # their sum, so in any order; an exclusive or would miss what changes two rows alike

    def with_row(self, *values: object) -> "Tally":
        return Tally(self.count + 1, (self.crc32s + row_crc32(*values)) % (1 << 32))

    def without_row(self, *values: object) -> "Tally":
        return Tally(self.count - 1, (self.crc32s - row_crc32(*values)) % (1 << 32))


def write_tally(connection: sqlite3.Connection, what: str, tally: Tally) -> None:
    """Within the caller's transaction."""
    row = (what, tally.count, tally.crc32s)
    connection.execute("INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?)", (*row, row_crc32(*row)))


def read_tally(what: str, rows: list[tuple[object, ...]]) -> Tally:
    """The tally in what `SELECT` finds; none is one of nothing. Raises RnnvizError (without the file)."""
    if not rows:
        return Tally()
    count, crc32s, crc32 = rows[0]
    if not isinstance(count, int) or not isinstance(crc32s, int) or row_crc32(what, count, crc32s) != crc32:
        raise RnnvizError(f"what it says of its {what} does not match its checksum")
    return Tally(count, crc32s)

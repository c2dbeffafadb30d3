"""The marks of a run file: watches, breakpoints and bookmarks as they are now, in one row with a checksum."""

import json
import sqlite3
from collections.abc import Sequence

from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.stopping.marks_file import check_marks, marks_table, read_marks
from rnnviz.runs.file.checksums import row_crc32

SELECT = "SELECT revision, marks, crc32 FROM marks"


def write_marks(connection: sqlite3.Connection, marks: Marks) -> int:
    """Replaces the marks within the caller's transaction, or in one of its own; returns their revision."""
    known = connection.execute("SELECT revision FROM marks").fetchone()
    revision = known[0] + 1 if known is not None and isinstance(known[0], int) else 1
    text = json.dumps(marks_table(marks))
    row = (1, revision, text, row_crc32(revision, text))
    connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?)", row)
    return revision


def parse_marks_row(row: tuple[object, ...], models: Sequence[str], source: str) -> Marks:
    """The marks of a row (revision, marks, crc32), everything checked. Raises RnnvizError."""
    revision, text, crc32 = row
    if not isinstance(text, str) or not isinstance(revision, int) or row_crc32(revision, text) != crc32:
        raise RnnvizError(f"{source} is damaged: its marks do not match their checksum.")
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        raise RnnvizError(f"{source} is damaged: its marks are not a JSON table.")
    marks = read_marks(table, source)
    check_marks(marks, models, source)
    return marks

"""Given name: what a person calls a run, in a row of its table about that is not part of the header's checksum."""

import json
import sqlite3

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.checksums import row_crc32

KEY = "name"
LONGEST = 200  # characters


def write_name(connection: sqlite3.Connection, name: str) -> None:
    """Calls the run `name`, within the caller's transaction; "" takes the name away. RnnvizError for one that is too
    long or has characters nobody sees."""
    if len(name) > LONGEST:
        raise RnnvizError(f"A name of at most {LONGEST} characters was wanted, not one of {len(name)}.")
    if not name.isprintable():
        raise RnnvizError("A name of letters, digits and signs was wanted, not one with characters nobody sees.")
    connection.execute("DELETE FROM about WHERE key = ?", (KEY,))
    if name:
        text = json.dumps([name, row_crc32(name)])
        connection.execute("INSERT INTO about VALUES (?, ?)", (KEY, text))


def read_name(connection: sqlite3.Connection) -> str:
    """What a person called the run; "" where they did not, or what is there makes no sense. sqlite3.Error."""
    row = connection.execute("SELECT value FROM about WHERE key = ?", (KEY,)).fetchone()
    try:
        name, crc32 = json.loads(row[0]) if row is not None and isinstance(row[0], str) else ("", row_crc32(""))
    except (ValueError, TypeError, RecursionError):
        return ""
    fits = isinstance(name, str) and len(name) <= LONGEST and name.isprintable()
    return name if fits and row_crc32(name) == crc32 else ""

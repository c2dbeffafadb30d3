"""Merging: what SQLite keeps beside a run goes into it once nobody writes it; that it is missing there is noticed.

A run that is written is two files: NAME and NAME-wal, with the newest records. They become one when the writer ends;
where it was killed, or others were reading then, whoever opens or closes the run next does it.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from rnnviz.runs.file.opening import beside, open_to_write, side_bytes
from rnnviz.runs.file.process import FRESH_SECONDS, NOTHING_YET, WriterProcess

_WRITER = "SELECT process, started, host, heartbeat FROM writer"


def read_writer(connection: sqlite3.Connection) -> tuple[WriterProcess, float] | None:
    """Who writes the run, and the last sign of life; None where the row makes no sense. sqlite3.Error."""
    row = connection.execute(_WRITER).fetchone()
    kinds = (int, int, str, float)
    if row is None or not all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True)):
        return None
    return WriterProcess(*row[:3]), row[3]


def lacks_newest(connection: sqlite3.Connection, path: Path, wal_bytes: int) -> bool:
    """Whether the newest records are in a -wal that is not here: the run was copied alone while it was written, or
    after its writer was killed. `wal_bytes`: of that file before anything was connected. sqlite3.Error."""
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal" or wal_bytes:
        return False
    found = read_writer(connection)
    if found is None or found[0].number <= 0:
        return False
    writer, heartbeat = found
    if heartbeat == NOTHING_YET:
        return False
    just_begun = time.time() - heartbeat < FRESH_SECONDS  # and its -wal perhaps not made yet
    return not (writer.alive(heartbeat) and just_begun)


def is_apart(path: Path) -> bool:
    """Whether SQLite keeps anything beside the run."""
    return any(beside(path, ending).exists() for ending in ("-wal", "-shm"))


def merge(path: Path) -> None:
    """Makes one plain file of a run that nobody writes or reads; anything in its way is left."""
    try:
        merge_and_close(open_to_write(path))
    except sqlite3.Error:
        return


def merge_and_close(connection: sqlite3.Connection) -> None:
    """As `merge`, with a connection that was used to write.

    The last one to close would merge in any case; the run has to say that it is not being written, or its newest
    records would seem to be elsewhere.
    """
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        found = read_writer(connection)
        if found is not None and not found[0].alive(found[1]):
            if found[0].number:
                connection.execute("UPDATE writer SET process = 0")
            make_plain(connection)
    except sqlite3.Error:  # then it stays as it is: readable, with its -wal beside it
        return
    finally:
        connection.close()


def remove_empty_side_files(path: Path) -> None:
    """Has SQLite remove what it made beside a run only to read it; the run itself is not touched."""
    if is_apart(path) and not side_bytes(path):
        try:
            with closing(open_to_write(path)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:  # they stay
            return


def make_plain(connection: sqlite3.Connection) -> None:
    """Leaves WAL, so that the run is one file that opens anywhere; others may be reading, then it stays as it is."""
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise

"""Beginning a run: a new file appears whole or not at all, and a file somebody still writes is refused."""

import contextlib
import os
import sqlite3
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.whole import new_file
from rnnviz.runs.file.header import Header, write_header
from rnnviz.runs.file.opening import SIDE_FILES, check_file, open_to_write
from rnnviz.runs.file.process import WriterProcess, own_process
from rnnviz.runs.file.reasons import reason
from rnnviz.runs.file.records import Probe
from rnnviz.runs.file.schema import VERSION, check_tables, read_version
from rnnviz.runs.writing.claim import TakenError, claimed, there


def begin_run(path: Path, header: Header, probe: Probe | None) -> None:
    """Makes `path` a run that holds the header and is claimed by this process.

    An earlier run there is replaced only within `claimed(path, replace=True)`, and if nobody writes it any more. Raises
    RnnvizError if there is one all the same, if the file is something else, or if it cannot be written.
    """
    try:
        with claimed(path) as claim:
            claim.refuse_existing()  # also what came since the name was claimed
            if there(path):
                _take_over(path, header, probe)
            else:
                _create(path, header, probe)
            claim.release()
    except sqlite3.Error as error:
        raise RnnvizError(f"{path} cannot be written: {reason(error)}.") from None
    except OSError as error:
        raise RnnvizError(f"{path} cannot be written: {reason(error)}.") from None


def _create(path: Path, header: Header, probe: Probe | None) -> None:
    """Writes the run under another name and links it, so that whoever sees `path` sees a run, and only one wins."""
    with new_file(path, SIDE_FILES, private=True) as new:  # what it was trained on is in it
        connection = open_to_write(new)
        try:
            connection.execute("BEGIN IMMEDIATE")
            write_header(connection, header, probe, own_process())
            connection.execute("COMMIT")
            # Before anybody sees it: killed while it changes to WAL, a run could not be opened for reading.
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        finally:
            connection.close()
        if not _link(new, path):
            raise TakenError(f"{path} exists already: another program wrote it meanwhile; wanted a new file.")


def _link(new: Path, path: Path) -> bool:
    """Gives `new` the name `path`; False if something got there first."""
    try:
        os.link(new, path)
    except FileExistsError:
        if path.stat().st_size:
            return False
        os.replace(new, path)
    except OSError:  # a file system without links
        if path.exists():
            return False
        os.replace(new, path)
    return True


def _take_over(path: Path, header: Header, probe: Probe | None) -> None:
    check_file(path)
    connection = open_to_write(path)
    try:
        try:
            connection.execute("BEGIN IMMEDIATE")
            if read_version(connection, path) == VERSION:
                check_tables(connection, path)
            row = connection.execute("SELECT process, started, host, heartbeat FROM writer").fetchone()
        except sqlite3.DatabaseError as error:
            raise RnnvizError(f"{path} cannot be replaced: {reason(error)}.") from None
        if row is not None and WriterProcess(*row[:3]).alive(row[3]):
            raise RnnvizError(
                f"{path} is being written by another rnnviz (process {row[0]}); wanted a file of its own."
            )
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        for (name,) in connection.execute(tables).fetchall():
            connection.execute('DROP TABLE "' + name.replace('"', '""') + '"')
        write_header(connection, header, probe, own_process())
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
    with contextlib.suppress(OSError):  # another's file that we may write
        path.chmod(0o600)

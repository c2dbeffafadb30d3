"""Opening a run file: to read, so that a stranger's file can do nothing, or to write."""

import os
import sqlite3
import stat
from pathlib import Path
from urllib.parse import quote

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.magic import HEAD_BYTES, SQLITE, looks_like
from rnnviz.runs.file.reasons import reason

LARGEST_ROW = 4 << 20  # bytes; our own rows stay below 1 MiB
SIDE_FILES = ("-wal", "-shm", "-journal")  # what SQLite may leave beside a run


def open_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection that runs nothing of the file's own. Raises RnnvizError for what is no SQLite file."""
    check_file(path)
    try:
        connection = _connect(path, "mode=ro")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise RnnvizError(f"{path} cannot be read: {reason(error)}.") from None
        for other in (beside(path, "-wal"), beside(path, "-journal")):
            if _size(other):
                raise RnnvizError(
                    f"{path} lies in a folder that cannot be written, with unmerged records in {other.name}; "
                    "copy both into a folder of your own and open the run there."
                ) from None
        connection = _connect(path, "mode=ro&immutable=1")  # nobody writes it, and no -shm can be made for it
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite quotes what it cannot read
        raise RnnvizError(f"{path} is damaged: {reason(error)}.") from None
    return connection


def open_to_write(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode that waits up to a second for others. Raises sqlite3.Error."""
    connection = _connect(path, "mode=rw")
    connection.execute("PRAGMA busy_timeout = 1000")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


_connected: set[tuple[int, int]] = set()  # device and inode of what this process has had connections to


def check_file(path: Path) -> None:
    """Raises RnnvizError unless `path` is a regular file that begins like SQLite and is not cut short.

    Only files new to this process are read: closing a file drops the POSIX locks of every connection to it.
    """
    try:
        facts = path.stat()
        if (facts.st_dev, facts.st_ino) in _connected:
            return
        if not stat.S_ISREG(facts.st_mode):
            raise RnnvizError(
                f"{path} is {'a folder' if stat.S_ISDIR(facts.st_mode) else 'no file'}; wanted an rnnviz run."
            )
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        facts = path.stat()  # after its head was read: a file that is being written only grows
    except FileNotFoundError:
        raise RnnvizError(f"{path} does not exist; wanted an rnnviz run.") from None
    except (OSError, ValueError) as error:
        raise RnnvizError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if not head:
        raise RnnvizError(f"{path} is empty; wanted an rnnviz run.")
    if looks_like(head) != SQLITE:
        raise RnnvizError(f"{path} is {looks_like(head)}; wanted an rnnviz run.")
    page_size = int.from_bytes(head[16:18], "big")
    wanted = int.from_bytes(head[28:32], "big") * (65536 if page_size == 1 else page_size)
    if len(head) < 100 or (facts.st_size < wanted and not _size(beside(path, "-wal"))):
        raise RnnvizError(f"{path} is cut short: wanted {max(wanted, 100):,} bytes, got {facts.st_size:,}.")


def beside(path: Path, ending: str) -> Path:
    """SQLite's own file beside the run: "-wal", "-shm" or "-journal"."""
    return path.with_name(path.name + ending)


def file_bytes(path: Path) -> int:
    """Bytes the run takes on disk, with what is not merged yet."""
    return _size(path) + side_bytes(path)


def side_bytes(path: Path) -> int:
    """Bytes of the records that are not merged into the run yet."""
    return _size(beside(path, "-wal"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _connect(path: Path, options: str) -> sqlite3.Connection:
    facts = path.stat() if path.exists() else None
    connection = sqlite3.connect(
        f"file:{quote(os.fspath(path.absolute()))}?{options}",
        uri=True,
        timeout=5.0,
        isolation_level=None,  # transactions are begun by hand
        check_same_thread=False,  # each user holds its own lock
    )
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_ROW)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    if facts is not None:
        _connected.add((facts.st_dev, facts.st_ino))
    return connection

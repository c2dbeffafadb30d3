"""A copy of a run, taken while it may still be written, that appears whole or not at all."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.opening import open_to_write


def copy_run(source: sqlite3.Connection, source_path: Path, path: Path) -> None:
    """Copies the database behind `source` to `path` as one plain file that nobody writes. Raises RnnvizError."""
    path = path.absolute()
    if path.exists() and os.path.samefile(path, source_path):
        raise RnnvizError(f"{path} is the run itself; wanted another file to save it in.")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
        os.close(handle)
        new = Path(name)
        try:
            new.chmod(0o644)
            _copy(source, new)
            os.replace(new, path)
        finally:
            for ending in ("", "-journal", "-wal", "-shm"):
                new.with_name(new.name + ending).unlink(missing_ok=True)
    except sqlite3.Error as error:
        raise RnnvizError(f"{source_path} cannot be saved as {path}: {error}.") from None
    except OSError as error:
        raise RnnvizError(f"{source_path} cannot be saved as {path}: {error.strerror or error}.") from None


def _copy(source: sqlite3.Connection, new: Path) -> None:
    with closing(open_to_write(new)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        copy.execute("UPDATE writer SET process = 0")
        copy.execute("DELETE FROM commands")
    with new.open("rb") as stream:
        os.fsync(stream.fileno())

"""A copy of a run, taken while it may still be written, that appears whole or not at all."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.whole import new_file, put_in_place
from rnnviz.core.stopping.marks import Marks
from rnnviz.runs.file.marks_row import write_marks
from rnnviz.runs.file.opening import SIDE_FILES, open_to_write
from rnnviz.runs.file.reasons import reason
from rnnviz.runs.writing.tables import Transaction


def copy_run(source: sqlite3.Connection, source_path: Path, path: Path, marks: Marks | None = None) -> None:
    """Copies the database behind `source` to `path` as one plain file that nobody writes. Raises RnnvizError.

    `marks`: those of the copy, where they are others than the run's.
    """

    def fill(copy: sqlite3.Connection) -> None:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        with Transaction(copy):
            copy.execute("UPDATE writer SET process = 0")
            copy.execute("DELETE FROM commands")
            if marks is not None:
                write_marks(copy, marks)

    _copy(source_path, path, fill)


def write_copy(source_path: Path, path: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
    """A new run file at `path`, filled by `fill` within one transaction. Raises RnnvizError."""

    def transacted(copy: sqlite3.Connection) -> None:
        with Transaction(copy):
            fill(copy)

    _copy(source_path, path, transacted)


def _copy(source_path: Path, path: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
    path = path.absolute()
    if path.exists() and os.path.samefile(path, source_path):
        raise RnnvizError(f"{path} is the run itself; wanted another file to save it to.")
    try:
        with new_file(path, SIDE_FILES, private=True) as new:
            with closing(open_to_write(new)) as copy:
                fill(copy)
            put_in_place(new, path)
    except sqlite3.Error as error:
        raise RnnvizError(f"{source_path} cannot be saved as {path}: {reason(error)}.") from None
    except OSError as error:
        raise RnnvizError(f"{source_path} cannot be saved as {path}: {reason(error)}.") from None

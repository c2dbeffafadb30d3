"""Commands, marks and a name on their way from the window to the engine, through the run file."""

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks import Marks
from rnnviz.runs.file import given_name, marks_row
from rnnviz.runs.file.engine_commands import EngineCommand, TakenCommand, command_name, command_row, read_command
from rnnviz.runs.file.merging import lacks_newest, merge_and_close
from rnnviz.runs.file.opening import check_file, open_to_write, side_bytes
from rnnviz.runs.file.reasons import reason
from rnnviz.runs.file.schema import VERSION, check_tables, read_version

FIRST_REVISION = 1  # of the marks a run begins with


class CommandSender:
    """The window's side: a connection for nothing but commands."""

    def __init__(self, path: str | Path) -> None:
        """Raises RnnvizError if `path` is no run of this format, or cannot be written."""
        self._path = Path(path)
        self._connection = _open(self._path, "accepts no commands from this one")

    def send(self, command: EngineCommand) -> int:
        """Writes one command and returns its number. Raises RnnvizError if it cannot be written."""
        try:
            cursor = self._connection.execute(
                "INSERT INTO commands (name, arguments) VALUES (?, ?)", command_row(command)
            )
        except sqlite3.Error as error:
            name = command_name(command)
            raise RnnvizError(f"The command {name} could not be written to {self._path}: {reason(error)}.") from None
        return int(cursor.lastrowid or 0)

    def answer(self, number: int) -> str | None:
        """What the engine said to command `number`: None while it is not done, "" when it went well."""
        try:
            row = self._connection.execute("SELECT done, sentence FROM commands WHERE number = ?", (number,)).fetchone()
        except sqlite3.Error as error:
            raise RnnvizError(f"The commands of {self._path} could not be read: {reason(error)}.") from None
        return str(row[1]) if row is not None and row[0] else None

    def close(self) -> None:
        """Closes the connection; a run that nobody writes any more becomes one plain file."""
        merge_and_close(self._connection)


def save_marks(path: str | Path, marks: Marks) -> None:
    """Makes `marks` those of the run at `path`, in one short transaction, whether it is being trained or finished.

    Raises RnnvizError where the file is of an older format, or cannot be written.
    """
    _write(path, "accepts no marks from this one", lambda connection: marks_row.write_marks(connection, marks))


def save_name(path: str | Path, name: str) -> None:
    """Calls the run at `path` by the name a person gave it, "" for none, whether it is being trained or finished.

    When it was written last stays as it is. Raises RnnvizError where the file is of an older format, or cannot be
    written.
    """
    written = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
    _write(path, "accepts no name from this one", lambda connection: given_name.write_name(connection, name))
    with contextlib.suppress(OSError):  # a name is no reason to stand among the newest
        if not side_bytes(Path(path)):
            os.utime(path, ns=(os.stat(path).st_atime_ns, written))


def _write(path: str | Path, refusal: str, write: Callable[[sqlite3.Connection], object]) -> None:
    """One short transaction in the run at `path`; `refusal`: what a file of an older format does not do."""
    from rnnviz.runs.writing.tables import Transaction  # late: the window starts without

    connection = _open(Path(path), refusal)
    try:
        with Transaction(connection):
            write(connection)
    except sqlite3.Error as error:
        raise RnnvizError(f"{path} cannot be written: {reason(error)}.") from None
    finally:
        merge_and_close(connection)


class CommandInbox:
    """The engine's side. Nothing here raises after the constructor: a training outlives a bad disk or a bad command."""

    def __init__(self, path: str | Path, models: tuple[str, ...] = ()) -> None:
        """`models`: the names marks may speak of. Raises RnnvizError if `path` is no run."""
        self._path, self._models = path, models
        self._connection = _open(Path(path), "accepts no commands from this one")
        self._connection.execute("PRAGMA busy_timeout = 100")
        self._version = -1  # what PRAGMA data_version said last
        self._taken = 0  # the number of the last command taken
        self._answers: dict[int, str] = {}  # not yet written
        self._revision = FIRST_REVISION  # of the marks taken last
        self._marks_row: tuple[object, ...] | None = None  # of newer ones, not taken yet

    def take(self) -> list[TakenCommand]:
        """The commands that came since the last call; cheap enough to be asked at every training step.

        The marks that came meanwhile are to be taken before these commands are obeyed: `take_marks`.
        """
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return []
            sql = "SELECT number, name, arguments FROM commands WHERE number > ? AND done = 0 ORDER BY number"
            rows = self._connection.execute(sql, (self._taken,)).fetchall()
            # after the commands, so that marks written before a command are seen before it is obeyed
            marks = self._connection.execute(marks_row.SELECT).fetchone()
        except sqlite3.Error:  # asked again at the next training step, since the version is not remembered
            return []
        self._version = version
        if marks is not None and marks[0] != self._revision:
            self._revision, self._marks_row = marks[0], marks
        if rows:
            self._taken = rows[-1][0]
        self._write_answers()
        return [command for row in rows if (command := self._read(row)) is not None]

    def take_marks(self) -> Marks | None:
        """The marks the window has written since the last call; None: no others. Raises RnnvizError for wrong ones."""
        row, self._marks_row = self._marks_row, None
        return None if row is None else marks_row.parse_marks_row(row, self._models, str(self._path))

    def done(self, number: int, sentence: str = "") -> None:
        """Says that a command was carried out, or in a sentence why it was not."""
        self._answers[number] = sentence
        self._write_answers()

    def close(self) -> None:
        self._write_answers()
        self._connection.close()

    def _read(self, row: tuple[int, object, object]) -> TakenCommand | None:
        """The command in a row; one that makes no sense is answered and left out."""
        number, name, arguments = row
        try:
            return TakenCommand(number, read_command(name, arguments))
        except RnnvizError as error:
            self.done(number, str(error))
            return None

    def _write_answers(self) -> None:
        for number, sentence in list(self._answers.items()):
            try:
                self._connection.execute(
                    "UPDATE commands SET done = 1, sentence = ? WHERE number = ?", (sentence, number)
                )
            except sqlite3.Error:  # kept, and written at a later call
                return
            del self._answers[number]


def _open(path: Path, refusal: str) -> sqlite3.Connection:
    """A connection to a run of this format; `refusal` says what one of an older format does."""
    check_file(path)
    connection, wal_bytes = None, side_bytes(path)
    try:
        connection = open_to_write(path)
        version = read_version(connection, path)
        if version < VERSION:
            raise RnnvizError(f"{path} is a run of an older rnnviz (format {version}), which {refusal}.")
        check_tables(connection, path)
        if lacks_newest(connection, path, wal_bytes):
            raise RnnvizError(f"{path} lacks its newest records, and so {refusal}.")
    except (sqlite3.Error, RnnvizError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, RnnvizError):
            raise
        raise RnnvizError(f"{path} cannot be written: {reason(error)}.") from None
    return connection

"""Commands: wishes the window writes into the run file and the engine takes between two training steps."""

import json
import sqlite3
from pathlib import Path
from typing import get_args

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.opening import check_file, open_to_write
from rnnviz.runs.file.process import WriterProcess
from rnnviz.runs.file.records import Command, CommandName
from rnnviz.runs.file.schema import check_tables
from rnnviz.runs.writing.tables import make_plain

NAMES: tuple[str, ...] = get_args(CommandName)


class CommandSender:
    """The window's side: a connection for nothing but the commands table."""

    def __init__(self, path: str | Path) -> None:
        """Raises RnnvizError if `path` is no run, or cannot be written."""
        self._path = Path(path)
        self._connection = _open(self._path)

    def send(self, name: CommandName, **arguments: object) -> int:
        """Writes one command and returns its number. Raises RnnvizError if it cannot be written."""
        if name not in NAMES:
            raise RnnvizError(f"{name} is no command; wanted one of {', '.join(NAMES)}.")
        row = (name, json.dumps(arguments))
        try:
            cursor = self._connection.execute("INSERT INTO commands (name, arguments) VALUES (?, ?)", row)
        except sqlite3.Error as error:
            raise RnnvizError(f"The command {name} could not be written to {self._path}: {error}.") from None
        return int(cursor.lastrowid or 0)

    def answer(self, number: int) -> str | None:
        """What the engine said to command `number`: None while it is not done, "" when it went well."""
        try:
            row = self._connection.execute("SELECT done, sentence FROM commands WHERE number = ?", (number,)).fetchone()
        except sqlite3.Error as error:
            raise RnnvizError(f"The commands of {self._path} could not be read: {error}.") from None
        return str(row[1]) if row is not None and row[0] else None

    def close(self) -> None:
        """Closes the connection; a run that nobody writes any more becomes one plain file."""
        try:
            row = self._connection.execute("SELECT process, started, host, heartbeat FROM writer").fetchone()
            if row is None or not WriterProcess(*row[:3]).alive(row[3]):
                make_plain(self._connection)
        except sqlite3.Error:  # then it stays as it is: readable, with its -wal beside it
            return
        finally:
            self._connection.close()


class CommandInbox:
    """The engine's side. Nothing here raises after the constructor: a training outlives a bad disk or a bad command."""

    def __init__(self, path: str | Path) -> None:
        """Raises RnnvizError if `path` is no run."""
        self._connection = _open(Path(path))
        self._connection.execute("PRAGMA busy_timeout = 100")
        self._version = -1  # what PRAGMA data_version said last
        self._taken = 0  # the number of the last command taken
        self._answers: dict[int, str] = {}  # not yet written

    def take(self) -> list[Command]:
        """The commands that came since the last call; cheap enough to be asked at every training step."""
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return []
            sql = "SELECT number, name, arguments FROM commands WHERE number > ? AND done = 0 ORDER BY number"
            rows = self._connection.execute(sql, (self._taken,)).fetchall()
        except sqlite3.Error:  # asked again at the next training step, since the version is not remembered
            return []
        self._version = version
        if rows:
            self._taken = rows[-1][0]
        self._write_answers()
        return [command for row in rows if (command := self._read(row)) is not None]

    def done(self, number: int, sentence: str = "") -> None:
        """Says that a command was carried out, or in a sentence why it was not."""
        self._answers[number] = sentence
        self._write_answers()

    def close(self) -> None:
        self._write_answers()
        self._connection.close()

    def _read(self, row: tuple[int, object, object]) -> Command | None:
        """The command in a row; one that makes no sense is answered and left out."""
        number, name, text = row
        try:
            arguments = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            arguments = None
        if name not in NAMES or not isinstance(arguments, dict):
            self.done(number, f"{str(name)[:40]} with {str(text)[:40]} is no command of this rnnviz.")
            return None
        return Command(number, name, arguments)  # type: ignore[arg-type]

    def _write_answers(self) -> None:
        for number, sentence in list(self._answers.items()):
            try:
                self._connection.execute(
                    "UPDATE commands SET done = 1, sentence = ? WHERE number = ?", (sentence, number)
                )
            except sqlite3.Error:  # kept, and written at a later call
                return
            del self._answers[number]


def _open(path: Path) -> sqlite3.Connection:
    check_file(path)
    connection = None
    try:
        connection = open_to_write(path)
        check_tables(connection, path)
    except (sqlite3.Error, RnnvizError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, RnnvizError):
            raise
        raise RnnvizError(f"{path} takes no commands: {error}.") from None
    return connection

"""Questions to a run file that may be damaged, hostile or being written: bounded in time and rows, bytes verified."""

import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.merging import is_apart, lacks_newest, merge, read_writer, remove_empty_side_files
from rnnviz.runs.file.opening import file_bytes, open_to_read, side_bytes
from rnnviz.runs.file.reasons import reason, tells_damage
from rnnviz.runs.file.schema import CHUNK_BYTES

LONGEST_QUERY_SECONDS = 10.0
LARGEST_PAYLOAD = 4 << 30  # bytes
MOST_METRICS = 1000  # of one run
MOST_CURVES = 4000  # metrics times models
LONGEST_NAME = 200  # characters of a metric's
MOST_CAPTURES = 100_000
SMALLEST_ROW = 4  # bytes a row takes at least; a file cannot hold more rows than that
LOOK_EVERY = 1_000_000  # instructions of SQLite's machine between two looks at the clock

Row = tuple[Any, ...]


class Queries:
    """A read-only connection. Every method may raise RnnvizError, naming the file and `what` was wanted of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._deadline = 0.0
        self._wal_bytes = side_bytes(path)
        self._connect()
        self._merging = False  # it is a run, and may be made one file
        self.lacks_newest = False  # its newest records are in a -wal that is not beside it

    def settle(self, merging: bool) -> None:
        """Makes one file of a run that a killed writer left as two, if it may be touched (`merging`), or notices that
        the other one is missing; to be asked once it is known to be a run."""
        with self.bounded("its writer"):
            self.lacks_newest = lacks_newest(self.connection, self.path, self._wal_bytes)
            self._merging = merging
            if not merging or not is_apart(self.path) or self.lacks_newest:
                return
            found = read_writer(self.connection)
            if found is None or found[0].alive(found[1]):
                return
            self.connection.close()
            merge(self.path)
            self._connect()

    def close(self) -> None:
        """The last one to close a run that nobody writes leaves one file."""
        with self._lock:
            self.connection.close()
        if self.lacks_newest:
            remove_empty_side_files(self.path)
        elif self._merging and is_apart(self.path):
            merge(self.path)

    def _connect(self) -> None:
        self.connection = open_to_read(self.path)
        self.connection.set_progress_handler(self._too_late, LOOK_EVERY)

    def rows(self, what: str, sql: str, *arguments: object) -> list[Row]:
        """All rows of one question."""
        most = file_bytes(self.path) // SMALLEST_ROW + 1
        with self.bounded(what):
            rows = self.connection.execute(sql, arguments).fetchmany(most + 1)
        if len(rows) > most:
            if not self.path.exists():
                raise RnnvizError(f"{self.path} was deleted or moved away.")
            raise RnnvizError(f"{self.path} is damaged: {what} has more rows than the file has room for.")
        return rows

    def count(self, table: str, what: str, most: int) -> int:
        """The rows of a table. Raises RnnvizError where it has more than `most`, before any of them is read."""
        count = self.rows(what, f"SELECT count(*) FROM {table}")[0][0]
        if count > most:
            raise RnnvizError(f"{self.path} has {count:,} {what}; wanted at most {most:,}.")
        return int(count)

    def metric_names(self, models: int) -> list[tuple[int, str]]:
        """Number and name of each metric, in the order they appeared."""
        self.count("metric_names", "metrics", min(MOST_METRICS, MOST_CURVES // models))
        rows = self.rows("metric_names", "SELECT number, name FROM metric_names ORDER BY number")
        for _, name in rows:
            if not isinstance(name, str) or len(name) > LONGEST_NAME:
                raise RnnvizError(
                    f"{self.path} is damaged: a metric has no name, or one of over {LONGEST_NAME:,} characters."
                )
        return [(number, name) for number, name in rows]

    def payload(self, what: str, number: int) -> bytes:
        """The bytes of payload `number`, its size and every checksum verified."""
        sizes = self.rows(what, "SELECT size FROM payloads WHERE number = ?", number)
        stored = self.rows(what, "SELECT count(*), sum(length(bytes)) FROM chunks WHERE payload = ?", number)
        size = sizes[0][0] if sizes else None
        if not isinstance(size, int) or not 0 < size <= LARGEST_PAYLOAD or stored[0][1] != size:
            raise RnnvizError(f"{self.path} is damaged: {what} should have {size} bytes, has {stored[0][1]}.")
        pieces = []
        for place in range(stored[0][0]):
            sql = "SELECT crc32, bytes FROM chunks WHERE payload = ? AND place = ?"
            for crc32, piece in self.rows(what, sql, number, place)[:1]:
                if not isinstance(piece, bytes) or len(piece) > CHUNK_BYTES or zlib.crc32(piece) != crc32:
                    raise RnnvizError(f"{self.path} is damaged: {what} does not match its checksum.")
                pieces.append(piece)
        payload = b"".join(pieces)
        if len(payload) != size:
            raise RnnvizError(f"{self.path} is damaged: {what} should have {size:,} bytes, has {len(payload):,}.")
        return payload

    def found_payload(self, what: str, sql: str, *arguments: object) -> bytes | None:
        """The bytes of the payload whose number `sql` finds; None: it finds none."""
        with self.moment(what):  # thinning must not come between the row and its chunks
            rows = self.rows(what, sql, *arguments)
            return self.payload(what, rows[0][0]) if rows else None

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Says of which file, and of `what` in it, an RnnvizError inside is, unless it says so itself."""
        try:
            yield
        except RnnvizError as error:
            if str(error).startswith(str(self.path)):
                raise
            raise RnnvizError(f"{self.path} is damaged: {what}{error}.") from None

    @contextmanager
    def moment(self, what: str) -> Iterator[None]:
        """All questions inside see the file at one moment; a moment within a moment is the same one."""
        with self.bounded(what):
            if self.connection.in_transaction:
                yield
                return
            self.connection.execute("BEGIN")
            try:
                yield
            finally:
                self.connection.execute("ROLLBACK")

    @contextmanager
    def bounded(self, what: str) -> Iterator[None]:
        """Alone, within the time limit, and with SQLite's errors as sentences."""
        with self._lock:
            self._deadline = time.monotonic() + LONGEST_QUERY_SECONDS
            try:
                yield
            except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
                damage = "is damaged: " if tells_damage(error) else ""
                raise RnnvizError(f"{self.path} {damage}{what} could not be read: {reason(error)}.") from None

    def _too_late(self) -> bool:
        """Asked by SQLite now and then: ends a query that a damaged file has sent round in circles."""
        return time.monotonic() > self._deadline


def bound(after: int) -> int:
    """What to ask for as "later than": where all are wanted (−1), also training steps that are none, to be refused."""
    return after if after >= 0 else -(1 << 63)


def steps_in(rows: list[Row], what: str) -> Array:
    """(R,) int64, the training steps in the first column. Raises RnnvizError (without the file) for what is none."""
    for row in rows:
        check_step(row[0], what)
    return frozen(np.array([row[0] for row in rows], np.int64))


def check_step(step: object, what: str) -> int:
    """A training step. Raises RnnvizError (without the file) for anything else."""
    if not isinstance(step, int) or step < 0:
        raise RnnvizError(f"a training step of its {what} is {str(step)[:40]}")
    return step

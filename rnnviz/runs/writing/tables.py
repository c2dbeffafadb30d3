"""The writer's side of the tables: each method is one short transaction, or a few."""

import json
import os
import sqlite3
import time
from dataclasses import dataclass, replace
from pathlib import Path

from rnnviz.core.plain_records import plain
from rnnviz.runs.file.checksums import row_crc32
from rnnviz.runs.file.contents import (
    CAPTURES,
    EVENTS,
    NAMES,
    OPTIMISERS,
    STATUS,
    Tally,
    blocks_of,
    write_tally,
)
from rnnviz.runs.file.events import event_row
from rnnviz.runs.file.header import write_payload
from rnnviz.runs.file.merging import make_plain
from rnnviz.runs.file.opening import open_to_write
from rnnviz.runs.file.process import HEARTBEAT_SECONDS
from rnnviz.runs.file.schema import PROBE_PAYLOAD
from rnnviz.runs.writing.growing_blocks import GrowingBlocks
from rnnviz.runs.writing.pending import PendingCapture, PendingOptimiser, Values
from rnnviz.runs.writing.thinning import thin

LARGEST_WAL = 4 << 20  # bytes it is cut back to after a checkpoint
_CAPTURES = "SELECT training_step, model, kind, payload, keep FROM captures"


@dataclass
class _Stored:
    """The captures of one training step on disk."""

    size: int = 0
    keep: bool = False


class RunTables:
    """Writes a run that `begin_run` made. Methods may raise sqlite3.Error or OSError and can then be tried again."""

    def __init__(self, path: Path, budget_bytes: int) -> None:
        self._path = path
        self._budget = budget_bytes
        self._names: dict[str, int] = {}
        self._blocks = GrowingBlocks()
        self._next_event = 1
        self._stored: dict[int, _Stored] = {}
        self._captures, self._optimisers = Tally(), Tally()
        self._next_payload = PROBE_PAYLOAD + 1
        self._beat = time.time()
        self._connection = self._open()
        self._say_begun()
        self._file = self._facts()

    def write_values(self, values: Values) -> None:
        """Metrics, events, status and a heartbeat when it is due."""
        beat_due = abs(time.time() - self._beat) >= HEARTBEAT_SECONDS
        if not (values.metrics or values.events or values.status or beat_due):
            return
        self._look_for_file()
        with Transaction(self._connection) as connection:
            names = dict(self._names)
            for name in dict.fromkeys(row[2] for row in values.metrics if row[2] not in names):
                names[name] = len(names)
                connection.execute("INSERT INTO metric_names VALUES (?, ?)", (names[name], name))
            blocks, rows = self._blocks.with_values(values.metrics, names)
            connection.executemany("INSERT OR REPLACE INTO metric_blocks VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            events = [replace(one, number=self._next_event + place) for place, one in enumerate(values.events)]
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", map(event_row, events))
            if values.status is not None:
                text = json.dumps(plain(values.status))
                connection.execute("INSERT OR REPLACE INTO status VALUES (1, ?, ?)", (text, row_crc32(text)))
            if beat_due:
                connection.execute("UPDATE writer SET heartbeat = ?", (time.time(),))
            self._count(connection, values, names, blocks)
        self._names, self._blocks = names, blocks
        self._next_event += len(events)
        if beat_due:
            self._beat = time.time()

    def _count(
        self, connection: sqlite3.Connection, values: Values, names: dict[str, int], blocks: GrowingBlocks
    ) -> None:
        """Says how many rows there are by now of what became more."""
        if len(names) > len(self._names):
            write_tally(connection, NAMES, Tally(len(names)))
        for key, count in blocks.counts.items():
            if count != self._blocks.counts.get(key):
                write_tally(connection, blocks_of(key[0], names[key[1]]), Tally(count))
        if values.events:
            write_tally(connection, EVENTS, Tally(self._next_event - 1 + len(values.events)))
        if values.status is not None:
            write_tally(connection, STATUS, Tally(1))

    def write_captures(self, captures: tuple[PendingCapture, ...]) -> None:
        """All captures of one training step, after making room for them within the budget."""
        step = captures[0].training_step
        size = sum(len(capture.payload) for capture in captures)
        self._make_room(step, size)
        stored, tally = self._stored.get(step, _Stored()), self._captures
        number = self._next_payload
        with Transaction(self._connection) as connection:
            for capture in captures:
                forgotten, tally = self._forget(tally, step, capture.model, capture.kind)
                stored = _Stored(stored.size - forgotten, stored.keep or capture.keep)
                write_payload(connection, number, capture.payload)
                row = (step, capture.model, capture.kind, number, int(capture.keep))
                connection.execute("INSERT INTO captures VALUES (?, ?, ?, ?, ?)", row)
                tally = tally.with_row(*row)
                number += 1
            write_tally(connection, CAPTURES, tally)
        self._next_payload, self._captures = number, tally
        self._stored[step] = _Stored(stored.size + size, stored.keep)

    def write_optimisers(self, snapshots: tuple[PendingOptimiser, ...]) -> None:
        """What optimisers had gathered; never thinned."""
        number, tally = self._next_payload, self._optimisers
        with Transaction(self._connection) as connection:
            for one in snapshots:
                where = (one.training_step, one.model)
                sql = "SELECT payload FROM optimisers WHERE training_step = ? AND model = ?"
                for (old,) in connection.execute(sql, where).fetchall():
                    self._delete_payload(old)
                    tally = tally.without_row(*where, old)
                write_payload(connection, number, one.payload)
                connection.execute("INSERT OR REPLACE INTO optimisers VALUES (?, ?, ?)", (*where, number))
                tally = tally.with_row(*where, number)
                number += 1
            write_tally(connection, OPTIMISERS, tally)
        self._next_payload, self._optimisers = number, tally

    def keep(self, training_steps: tuple[int, ...]) -> None:
        """Saves captures that are on disk from thinning."""
        for step in training_steps:
            if step not in self._stored or self._stored[step].keep:
                continue
            tally = self._captures
            with Transaction(self._connection) as connection:
                for row in connection.execute(f"{_CAPTURES} WHERE training_step = ?", (step,)).fetchall():
                    tally = tally.without_row(*row).with_row(*row[:-1], 1)
                connection.execute("UPDATE captures SET keep = 1 WHERE training_step = ?", (step,))
                write_tally(connection, CAPTURES, tally)
            self._captures = tally
            self._stored[step].keep = True

    def finish(self) -> None:
        """Gives the run up: nobody writes it, and where no reader is in the way it is one plain file."""
        with Transaction(self._connection) as connection:
            connection.execute("UPDATE writer SET process = 0, heartbeat = ?", (time.time(),))
        self._connection.execute("PRAGMA busy_timeout = 200")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        make_plain(self._connection)

    def reopen(self) -> None:
        """A new connection, after an error that may have left the old one unusable; to the same file, or none."""
        self._look_for_file()  # before SQLite, closing, mends what was cut off with what it still has
        self.close()
        self._connection = self._open()

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = open_to_write(self._path)
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute(f"PRAGMA journal_size_limit = {LARGEST_WAL}").fetchone()
        connection.execute("PRAGMA secure_delete = OFF").fetchone()
        return connection

    def _say_begun(self) -> None:
        """From now on the run says, in its own file too, that there may be records which are not in it yet."""
        with Transaction(self._connection) as connection:
            connection.execute("UPDATE writer SET heartbeat = ?", (self._beat,))
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _facts(self) -> os.stat_result:
        return os.stat(self._path)

    def _look_for_file(self) -> None:
        """Raises OSError where the file is not the one that was begun, or was cut short: ours never shrinks."""
        try:
            facts = self._facts()
        except FileNotFoundError:
            raise FileNotFoundError("it was deleted or moved away") from None
        if not os.path.samestat(facts, self._file):
            raise FileNotFoundError("another file has been put in its place")
        if facts.st_size < self._file.st_size:
            raise OSError("another program has cut it short")
        self._file = facts

    def _make_room(self, newest: int, size: int) -> None:
        """Thins until `size` more bytes fit, as far as there is something to drop; one training step a transaction, so
        that a window that sends a command never waits long."""
        while sum(stored.size for stored in self._stored.values()) + size > self._budget:
            kept = {step for step, stored in self._stored.items() if stored.keep}
            dropped = thin(sorted({*self._stored, newest}), kept)
            if not dropped:
                return
            for step in dropped:
                with Transaction(self._connection) as connection:
                    _, tally = self._forget(self._captures, step)
                    write_tally(connection, CAPTURES, tally)
                self._captures = tally
                del self._stored[step]

    def _forget(self, tally: Tally, training_step: int, model: int | None = None, kind: str = "") -> tuple[int, Tally]:
        """Deletes captures within the caller's transaction; their bytes, and the tally without them. Their pages are
        used again."""
        where = "training_step = ?" + ("" if model is None else " AND model = ? AND kind = ?")
        arguments = (training_step,) if model is None else (training_step, model, kind)
        size = 0
        for row in self._connection.execute(f"{_CAPTURES} WHERE {where}", arguments).fetchall():
            size += self._delete_payload(row[3])
            tally = tally.without_row(*row)
        self._connection.execute(f"DELETE FROM captures WHERE {where}", arguments)
        return size, tally

    def _delete_payload(self, payload: int) -> int:
        """Its bytes."""
        size = self._connection.execute("SELECT size FROM payloads WHERE number = ?", (payload,)).fetchone()[0]
        self._connection.execute("DELETE FROM payloads WHERE number = ?", (payload,))
        self._connection.execute("DELETE FROM chunks WHERE payload = ?", (payload,))
        return int(size)


class Transaction:
    """BEGIN IMMEDIATE … COMMIT, or a rollback if anything was raised."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
        if self._connection.in_transaction:  # not when SQLite itself has rolled back
            self._connection.execute("ROLLBACK")

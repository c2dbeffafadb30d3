"""Run format 2: its tables as values, every checksum verified."""

import json

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import read_record
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.sweeps.capture import Capture, CaptureKind
from rnnviz.runs.file import contents, marks_row
from rnnviz.runs.file.capture_payload import from_payload
from rnnviz.runs.file.checksums import row_crc32
from rnnviz.runs.file.contents import Tally, read_tally
from rnnviz.runs.file.events import read_event_row
from rnnviz.runs.file.header import Header, read_header
from rnnviz.runs.file.metric_blocks import read_block
from rnnviz.runs.file.payload import read_optimiser, read_probe
from rnnviz.runs.file.records import EngineStatus, Event, OptimiserSnapshot, Probe, RunModel
from rnnviz.runs.file.schema import PROBE_PAYLOAD, check_tables
from rnnviz.runs.reading import format_1
from rnnviz.runs.reading.queries import MOST_CAPTURES, Queries, bound, check_step, steps_in

MOST_BLOCKS = 1 << 16  # 16 million values in all, 270 MB


class Format2:
    """A `RunFormat`."""

    def __init__(self, queries: Queries) -> None:
        """Raises RnnvizError unless the tables are those of this format."""
        self._queries = queries
        self._source = str(queries.path)
        self._models = 1
        check_tables(queries.connection, queries.path)
        sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'contents'"
        self._counted = bool(queries.rows("its tables", sql)[0][0])  # written since that table is

    def header(self) -> Header:
        header = read_header(self._queries.connection, self._source)
        self._models = len(header.models)
        self._queries.count("metric_blocks", "blocks of metrics", MOST_BLOCKS)
        self._queries.count("captures", "captures", MOST_CAPTURES)
        self.metric_names()
        return header

    def probe(self) -> Probe | None:
        if not self._queries.rows("the probe", "SELECT number FROM payloads WHERE number = ?", PROBE_PAYLOAD):
            self._check(contents.PROBE, Tally())
            return None
        payload = self._queries.payload("the probe", PROBE_PAYLOAD)
        with self._queries.told(""):
            return read_probe(payload)

    def status(self) -> EngineStatus | None:
        with self._queries.moment("status"):
            rows = self._queries.rows("status", "SELECT status, crc32 FROM status")
            self._check(contents.STATUS, Tally(len(rows)))
        if not rows:
            return None
        text, crc32 = rows[0]
        if not isinstance(text, str) or row_crc32(text) != crc32:
            raise RnnvizError(f"{self._source} is damaged: status does not match its checksum.")
        try:
            return read_record(EngineStatus, json.loads(text), self._source, "status")
        except (TypeError, ValueError, RecursionError):
            raise RnnvizError(f"{self._source} is damaged: status is not a JSON table.") from None

    def events(self, after: int, most: int = -1) -> list[Event]:
        sql = "SELECT number, training_step, kind, sentence, details, crc32 FROM events WHERE number > ? "
        with self._queries.moment("events"), self._queries.told(""):
            rows = self._queries.connection.execute(sql + "ORDER BY number LIMIT ?", (after, most))
            events = [read_event_row(row) for row in rows]  # row by row: each may be as large as it is wrong
            for number, event in enumerate(events, max(after, 0) + 1):
                check_step(event.training_step, "events")
                if event.number != number:
                    raise RnnvizError(f"event {number} is missing")
            if len(events) != most and (events or after <= 0):
                self._check(contents.EVENTS, Tally(events[-1].number if events else 0))
        return events

    def metric_names(self) -> list[tuple[int, str]]:
        with self._queries.moment("its metrics"):
            names = self._queries.metric_names(self._models)
            self._check(contents.NAMES, Tally(len(names)))
        return names

    def marks(self, header: Header) -> Marks:
        rows = self._queries.rows("its marks", marks_row.SELECT)
        if not rows:
            raise RnnvizError(f"{self._source} is damaged: its marks are missing.")
        return marks_row.parse_marks_row(rows[0], [model.name for model in header.models], self._source)

    def curve(self, model: int, number: int, name: str, after: int) -> tuple[Array, Array]:
        sql = (
            "SELECT first_step, last_step, crc32, data FROM metric_blocks WHERE model = ? AND name = ? AND first_step "
            ">= coalesce((SELECT max(first_step) FROM metric_blocks WHERE model = ? AND name = ? AND first_step <= ?), "
            "?) ORDER BY first_step"
        )
        key = model, number
        with self._queries.moment("metrics"):
            rows = self._queries.rows("metrics", sql, *key, *key, after, after)
            self._count_blocks(model, number)
        with self._queries.told(f"{name} of model {model} "):
            blocks = [read_block(model, name, row) for row in rows]
        if not blocks:
            return frozen(np.zeros(0, np.int64)), frozen(np.zeros(0))
        steps, values = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
        new = int(np.searchsorted(steps, after, side="right"))
        return frozen(steps[new:].astype(np.int64, copy=False)), frozen(values[new:].astype(np.float64, copy=False))

    def newest_metric(self, model: int, number: int, name: str) -> int:
        sql = (
            "SELECT first_step, last_step, crc32, data FROM metric_blocks WHERE model = ? AND name = ? "
            "ORDER BY first_step DESC LIMIT 1"
        )
        with self._queries.moment("metrics"):
            rows = self._queries.rows("metrics", sql, model, number)
            self._count_blocks(model, number)
        with self._queries.told(f"{name} of model {model} "):
            return int(read_block(model, name, rows[0])[0][-1]) if rows else 0

    def captured(self, after: int, models: int, kind: CaptureKind) -> Array:
        sql = (
            "SELECT training_step FROM captures WHERE training_step > ? AND kind = ? GROUP BY training_step "
            "HAVING count(*) = ? ORDER BY training_step"
        )
        with self._queries.moment("captures"), self._queries.told(""):
            if after < 0:  # of a list that grows, the beginning has been checked
                self._check_captures()
            return steps_in(self._queries.rows("captures", sql, bound(after), kind, models), "captures")

    def newest_capture(self) -> int:
        with self._queries.moment("captures"):
            self._check_captures()
            newest = self._queries.rows("captures", "SELECT max(training_step) FROM captures")[0][0]
        return newest if isinstance(newest, int) else 0

    def capture(self, training_step: int, model: RunModel, probe: Probe | None, kind: CaptureKind) -> Capture | None:
        what = f"the capture of {model.name} at training step {training_step:,}"
        sql = "SELECT payload FROM captures WHERE training_step = ? AND model = ? AND kind = ?"
        payload = self._queries.found_payload(what, sql, training_step, model.number, kind)
        if payload is None:
            return None
        with self._queries.told(f"{what}: "):
            if format_1.wrote(payload):
                return format_1.read_capture(payload, training_step, model, probe)
            return from_payload(payload, training_step, model, probe, kind)

    def optimiser(self, training_step: int, model: RunModel) -> OptimiserSnapshot | None:
        what = f"the optimiser of {model.name} at training step {training_step:,}"
        sql = "SELECT payload FROM optimisers WHERE training_step = ? AND model = ?"
        with self._queries.moment(what):
            self._check_rows(contents.OPTIMISERS, "SELECT training_step, model, payload FROM optimisers")
            payload = self._queries.found_payload(what, sql, training_step, model.number)
        if payload is None:
            return None
        with self._queries.told(f"{what}: "):
            return read_optimiser(payload, training_step, model.number)

    def _check_captures(self) -> None:
        self._check_rows(contents.CAPTURES, "SELECT training_step, model, kind, payload, keep FROM captures")

    def _check_rows(self, what: str, sql: str) -> None:
        """Raises RnnvizError where rows were changed or lost since they were written."""
        if self._counted:
            tally = Tally()
            for row in self._queries.rows(what, sql):
                tally = tally.with_row(*row)
            self._check(what, tally)

    def _count_blocks(self, model: int, number: int) -> None:
        sql = "SELECT count(*) FROM metric_blocks WHERE model = ? AND name = ?"
        count = self._queries.rows("metrics", sql, model, number)[0][0] if self._counted else 0
        self._check(contents.blocks_of(model, number), Tally(count))

    def _check(self, what: str, came: Tally) -> None:
        """Raises RnnvizError where rows are lost; nothing is known of that in a run without the table contents."""
        if not self._counted:
            return
        with self._queries.told(""):
            wanted = read_tally(what, self._queries.rows(what, contents.SELECT, what))
            if came.count != wanted.count:
                raise RnnvizError(f"{came.count:,} rows of its {what} are there, wanted {wanted.count:,}")
            if came != wanted:
                raise RnnvizError(f"its {what} do not match their checksum")

"""A run of an older format as one of the present: its records rewritten, its payloads to the last byte."""

import json
import sqlite3
from dataclasses import dataclass

from rnnviz.core.plain_records import plain
from rnnviz.core.stopping.marks import Marks
from rnnviz.runs.file.checksums import row_crc32
from rnnviz.runs.file.contents import CAPTURES, EVENTS, NAMES, PROBE, STATUS, Tally, blocks_of, write_tally
from rnnviz.runs.file.events import event_row
from rnnviz.runs.file.header import Header, write_header
from rnnviz.runs.file.marks_row import write_marks
from rnnviz.runs.file.process import NOBODY
from rnnviz.runs.file.schema import PROBE_PAYLOAD
from rnnviz.runs.reading.queries import Queries
from rnnviz.runs.reading.run_format import RunFormat
from rnnviz.runs.writing.growing_blocks import GrowingBlocks


@dataclass(frozen=True)
class Upgraded:
    """What `header`, `tables` and `queries` say of a run, for a new file."""

    header: Header
    tables: RunFormat
    queries: Queries

    def write(self, copy: sqlite3.Connection, marks: Marks | None) -> None:
        """Everything into an empty database, within the caller's transaction; `marks`: None, those of the run."""
        write_header(copy, self.header, None, NOBODY)
        write_marks(copy, self.tables.marks(self.header) if marks is None else marks)
        status = self.tables.status()
        if status is not None:
            text = json.dumps(plain(status))
            copy.execute("INSERT INTO status VALUES (1, ?, ?)", (text, row_crc32(text)))
            write_tally(copy, STATUS, Tally(1))
        events = self.tables.events(0)
        copy.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", map(event_row, events))
        write_tally(copy, EVENTS, Tally(events[-1].number if events else 0))
        self._write_metrics(copy)
        self._write_payloads(copy)

    def _write_metrics(self, copy: sqlite3.Connection) -> None:
        names = self.tables.metric_names()
        copy.executemany("INSERT INTO metric_names VALUES (?, ?)", names)
        write_tally(copy, NAMES, Tally(len(names)))
        blocks = GrowingBlocks()
        for model in self.header.models:
            for number, name in names:
                steps, values = self.tables.curve(model.number, number, name, -1)
                rows = [
                    (int(step), model.number, name, float(value)) for step, value in zip(steps, values, strict=True)
                ]
                blocks, written = blocks.with_values(rows, {name: number})
                copy.executemany("INSERT INTO metric_blocks VALUES (?, ?, ?, ?, ?, ?, ?)", written)
                write_tally(copy, blocks_of(model.number, number), Tally(blocks.counts.get((model.number, name), 0)))

    def _write_payloads(self, copy: sqlite3.Connection) -> None:
        captures = self.queries.rows("captures", "SELECT training_step, model, payload, keep FROM captures")
        for number in (PROBE_PAYLOAD, *(row[2] for row in captures)):
            pieces = self.queries.rows("payloads", "SELECT * FROM chunks WHERE payload = ? ORDER BY place", number)
            sizes = self.queries.rows("payloads", "SELECT * FROM payloads WHERE number = ?", number)
            copy.executemany("INSERT INTO payloads VALUES (?, ?)", sizes)
            copy.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?)", pieces)
        tally = Tally()
        for step, model, payload, keep in captures:
            row = (step, model, "probe", payload, keep)
            copy.execute("INSERT INTO captures VALUES (?, ?, ?, ?, ?)", row)
            tally = tally.with_row(*row)
        write_tally(copy, CAPTURES, tally)
        write_tally(copy, PROBE, Tally(1))

"""Run format 2: the tables of a run file, and the check that a file has exactly these.

A run file is one SQLite database (WAL while it is written, one plain file afterwards) with `application_id`
0x726E6E76 ("rnnv") and `user_version` 2. A reader refuses a newer version and ignores tables it does not know. Format 1
is read by `runs.reading.format_1` and never written.

about          key → text: "source" (JSON of core.source), "task" (JSON of TaskInfo: how to read the numbers),
               "environment" (JSON), "created" (ISO, UTC), "crc32" (of these, the models and the modules); and where a
               person gave the run a name, "name" (JSON of the name and its own CRC32), which the window writes
models         one row a model: number (0-based), name, parameter_count
modules        the recurrent modules of each model: number (0-based), name, structure (JSON of Structure), parameters
               (JSON list of torch's names)
writer         one row: who writes. process 0 means nobody; started is its start time where the system tells
status         one row: JSON of EngineStatus, as the engine last said it, and its CRC32
metric_names   number → name ("loss", "accuracy", "grad_norm", …)
metric_blocks  up to 256 values of one metric of one model: `data` is their training steps (int64), then the values
               (float64), little-endian. The block written last of a metric grows until it is full. crc32: of model,
               name, first and last step and data
payloads       tensors: safetensors bytes of `size` bytes, cut into chunks; payload 0 is the probe, absent without one
chunks         at most 512 KiB of a payload each, with the CRC32 of just these bytes
captures       which payload is the capture of which model, training step and kind ("probe", "batch", "generated");
               keep: thinning leaves it alone
optimisers     which payload is what the optimiser of a model had gathered after a training step
events         the log, with details as JSON ("" for none) and the CRC32 of the row
marks          one row: watches, breakpoints and bookmarks as they are now (JSON of core.stopping.marks_file), their
               CRC32, and a revision that grows with every change. The window writes it, the engine reads it
commands       records of runs.file.engine_commands for the engine; done once it has carried them out, with a sentence
               when it could not
contents       how many rows belong to what (runs.file.contents): "captures" and "optimisers" with the sum of the CRC32
               of each row (modulo 2³²), "probe", "status", "events", "metric names" and "metric 0 of model 1" (its
               blocks) by count; crc32: of the row. Runs of rnnviz 0.2 before it had the table lack it: lost rows are
               not missed in them

A checksum in words: CRC32 of the JSON list of what it covers (runs.file.checksums).

Tensors of payload 0: any names; "inputs", "lengths", "targets" and "loss_weight" are the usual ones.

Tensors of an optimiser's payload: those it has gathered, by its own names, and details: JSON {"training_step", "model",
"name", "settings": {name: number}}.

Tensors of a capture (runs.file.capture_payload):
details                          JSON of CaptureDetails as bytes, so that the checksums cover it: whose capture it is,
                                 its kind, whether the models were in training mode, notes, labels of the time steps,
                                 and its calls
weights.<module>.<parameter>     of each module that is called, once
grads.<module>.<parameter>       torch's own ∂L/∂parameter, the sum over the module's calls
<call>.<array>                   the arrays of each call: inputs, lengths, initial.h and the other initial states,
                                 grad_output, output, masks of dropout, cut, bridge.weight.h and bridge.bias.h,
                                 embedding.symbols and embedding.table, convolution.pictures and convolution.kernel,
                                 told of a decoder, and of its head: head.weight, head.bias (or neither),
                                 head.targets, head.loss_weight, head.attention.score and .combine. The
                                 details say for each which tensor it is; one equal to an array of the probe is not
                                 stored but named "probe.<name>". T and N may differ from those of other captures.
                                 Initial states may be the final ones of an earlier call instead.
Payloads copied from a run of format 1 are as that format had them; their details have no calls.
"""

import sqlite3
from functools import cache

from rnnviz.core.errors import RnnvizError

APPLICATION_ID = 0x726E6E76  # "rnnv"
VERSION = 2
CHUNK_BYTES = 512 * 1024
PROBE_PAYLOAD = 0
MOST_TABLES = 1000  # of a file, with those of others

SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE models (number INTEGER PRIMARY KEY, name TEXT NOT NULL, parameter_count INTEGER NOT NULL);
CREATE TABLE modules (model INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, structure TEXT NOT NULL,
  parameters TEXT NOT NULL, PRIMARY KEY (model, number)) WITHOUT ROWID;
CREATE TABLE writer (number INTEGER PRIMARY KEY CHECK (number = 1), process INTEGER NOT NULL, started INTEGER NOT NULL,
  host TEXT NOT NULL, heartbeat REAL NOT NULL);
CREATE TABLE status (number INTEGER PRIMARY KEY CHECK (number = 1), status TEXT NOT NULL, crc32 INTEGER NOT NULL);
CREATE TABLE metric_names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE metric_blocks (number INTEGER PRIMARY KEY, model INTEGER NOT NULL, name INTEGER NOT NULL,
  first_step INTEGER NOT NULL, last_step INTEGER NOT NULL, crc32 INTEGER NOT NULL, data BLOB NOT NULL,
  UNIQUE (model, name, first_step));
CREATE TABLE payloads (number INTEGER PRIMARY KEY, size INTEGER NOT NULL);
CREATE TABLE chunks (payload INTEGER NOT NULL, place INTEGER NOT NULL, crc32 INTEGER NOT NULL, bytes BLOB NOT NULL,
  UNIQUE (payload, place));
CREATE TABLE captures (training_step INTEGER NOT NULL, model INTEGER NOT NULL, kind TEXT NOT NULL,
  payload INTEGER NOT NULL, keep INTEGER NOT NULL, PRIMARY KEY (training_step, model, kind)) WITHOUT ROWID;
CREATE TABLE optimisers (training_step INTEGER NOT NULL, model INTEGER NOT NULL, payload INTEGER NOT NULL,
  PRIMARY KEY (training_step, model)) WITHOUT ROWID;
CREATE TABLE events (number INTEGER PRIMARY KEY, training_step INTEGER NOT NULL, kind TEXT NOT NULL,
  sentence TEXT NOT NULL, details TEXT NOT NULL, crc32 INTEGER NOT NULL);
CREATE TABLE marks (number INTEGER PRIMARY KEY CHECK (number = 1), revision INTEGER NOT NULL, marks TEXT NOT NULL,
  crc32 INTEGER NOT NULL);
CREATE TABLE commands (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, arguments TEXT NOT NULL,
  done INTEGER NOT NULL DEFAULT 0, sentence TEXT NOT NULL DEFAULT '');
"""
CONTENTS = """CREATE TABLE contents (what TEXT PRIMARY KEY, count INTEGER NOT NULL, crc32s INTEGER NOT NULL,
  crc32 INTEGER NOT NULL) WITHOUT ROWID"""


def create_tables(connection: sqlite3.Connection) -> None:
    """Makes the empty tables; the caller holds the transaction."""
    _create(connection, SCHEMA)
    _create(connection, CONTENTS)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def read_version(connection: sqlite3.Connection, path: object) -> int:
    """The format the file says it has, 1 to VERSION. Raises RnnvizError for another program's file or another one."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        raise RnnvizError(
            f"{path} is an SQLite file of another program (application id 0x{application_id & 0xFFFFFFFF:08x}); "
            "wanted an rnnviz run."
        )
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise RnnvizError(
            f"{path} was written by a newer rnnviz (run format {version}); this one reads up to {VERSION}."
        )
    if version < 1:
        raise RnnvizError(f"{path} says run format {version}; wanted 1 to {VERSION}.")
    return int(version)


def check_tables(connection: sqlite3.Connection, path: object, schema: str = SCHEMA) -> None:
    """Raises RnnvizError unless the tables of the file are those of `schema`, and `CONTENTS` if any, word for word.

    Word for word, so that no view, generated column, virtual table or trigger of a stranger's file is ever run.
    """
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchmany(MOST_TABLES))
    expected = _expected(schema)
    if "contents" in found and schema == SCHEMA:
        expected = expected | _expected(CONTENTS)
    for name, sql in expected.items():
        if found.get(name) != sql:
            what = "has a changed" if name in found else "lacks the"
            raise RnnvizError(f"{path} {what} table {name}; wanted the tables of an rnnviz run.")
    others = "SELECT type, name, tbl_name FROM sqlite_master WHERE type != 'table' AND sql IS NOT NULL"
    for kind, name, table in connection.execute(others):
        if str(table).lower() in expected:
            raise RnnvizError(f"{path} has a foreign {kind} {str(name)[:60]} on its table {table}; wanted none.")


def _create(connection: sqlite3.Connection, schema: str) -> None:
    for statement in schema.split(";\n"):
        if statement.strip():
            connection.execute(statement)


@cache
def _expected(schema: str) -> dict[str, str]:
    """Table name → SQL, as SQLite itself keeps it."""
    connection = sqlite3.connect(":memory:")
    _create(connection, schema)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    connection.close()
    return dict(rows)

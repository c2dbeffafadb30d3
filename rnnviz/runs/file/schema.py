"""The tables of a run file, and the check that a file has exactly these.

A run file is one SQLite database (WAL while it is written, one plain file afterwards) with `application_id`
0x726E6E76 ("rnnv") and `user_version` 1. A reader refuses a newer version and ignores tables it does not know.

about         key → text: "experiment" (TOML), "task" (JSON of TaskInfo), "environment" (JSON), "created" (ISO, UTC),
              "crc32" (of these and the models)
models        one row a model: number (0-based), name, structure (JSON of Structure), parameter_count
writer        one row: who writes. process 0 means nobody; started is its start time where the system tells
status        one row: JSON of EngineStatus, as the engine last said it
metric_names  number → name ("loss", "accuracy", "grad_norm", …)
metrics       one value a row; NaN is stored as NULL, ±inf as they are
payloads      tensors: safetensors bytes of `size` bytes, cut into chunks; payload 0 is the probe
chunks        at most 512 KiB of a payload each, with the CRC32 of just these bytes
captures      which payload is the capture of which model at which training step; keep: thinning leaves it alone
events        the log; sentence: a text, or JSON {"sentence", "details"} of what has details
commands      wishes of the window; done once the engine has carried them out, with a sentence when it could not

Tensors of payload 0: inputs, lengths, targets, loss_weight. Tensors of a capture: weights.<torch's name>, h0, c0,
grad_output, output, grads.<parameter>, readout.weight, readout.bias, those of the probe that differ from payload 0, and
details: JSON {"training_step", "model", "loss": name or null, "notes": [sentence, …], "sequences": [which of the
probe's names the capture has]} as bytes, so that the checksums cover it.
"""

import sqlite3
from functools import cache

from rnnviz.core.errors import RnnvizError

APPLICATION_ID = 0x726E6E76  # "rnnv"
VERSION = 1
CHUNK_BYTES = 512 * 1024
PROBE_PAYLOAD = 0

SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE models (number INTEGER PRIMARY KEY, name TEXT NOT NULL, structure TEXT NOT NULL,
  parameter_count INTEGER NOT NULL);
CREATE TABLE writer (number INTEGER PRIMARY KEY CHECK (number = 1), process INTEGER NOT NULL, started INTEGER NOT NULL,
  host TEXT NOT NULL, heartbeat REAL NOT NULL);
CREATE TABLE status (number INTEGER PRIMARY KEY CHECK (number = 1), status TEXT NOT NULL);
CREATE TABLE metric_names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE metrics (model INTEGER NOT NULL, name INTEGER NOT NULL, training_step INTEGER NOT NULL, value REAL,
  PRIMARY KEY (model, name, training_step)) WITHOUT ROWID;
CREATE TABLE payloads (number INTEGER PRIMARY KEY, size INTEGER NOT NULL);
CREATE TABLE chunks (payload INTEGER NOT NULL, place INTEGER NOT NULL, crc32 INTEGER NOT NULL, bytes BLOB NOT NULL,
  UNIQUE (payload, place));
CREATE TABLE captures (training_step INTEGER NOT NULL, model INTEGER NOT NULL, payload INTEGER NOT NULL,
  keep INTEGER NOT NULL, PRIMARY KEY (training_step, model)) WITHOUT ROWID;
CREATE TABLE events (number INTEGER PRIMARY KEY, training_step INTEGER NOT NULL, kind TEXT NOT NULL,
  sentence TEXT NOT NULL);
CREATE TABLE commands (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, arguments TEXT NOT NULL,
  done INTEGER NOT NULL DEFAULT 0, sentence TEXT NOT NULL DEFAULT '');
"""


def create_tables(connection: sqlite3.Connection) -> None:
    """Makes the empty tables; the caller holds the transaction."""
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def check_tables(connection: sqlite3.Connection, path: object) -> None:
    """Raises RnnvizError unless the file is a run of this version whose tables are those above, word for word.

    Word for word, so that no view, generated column, virtual table or trigger of a stranger's file is ever run.
    """
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
    if version != VERSION:
        raise RnnvizError(f"{path} says run format {version}; wanted {VERSION}.")
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    for name, sql in _expected().items():
        if found.get(name) != sql:
            what = "has a changed" if name in found else "lacks the"
            raise RnnvizError(f"{path} {what} table {name}; wanted the tables of an rnnviz run.")
    others = "SELECT type, name, tbl_name FROM sqlite_master WHERE type != 'table' AND sql IS NOT NULL"
    for kind, name, table in connection.execute(others):
        if str(table).lower() in _expected():
            raise RnnvizError(f"{path} has a foreign {kind} {str(name)[:60]} on its table {table}; wanted none.")


@cache
def _expected() -> dict[str, str]:
    """Table name → SQL, as SQLite itself keeps it."""
    connection = sqlite3.connect(":memory:")
    create_tables(connection)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    connection.close()
    return dict(rows)

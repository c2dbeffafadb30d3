"""Run format 1, of rnnviz 0.1.0: its tables and payloads as values. Such files are read and never written.

about      "experiment" (TOML), "task", "environment" (JSON), "created", "crc32" (of these and the models)
models     number, name, structure (JSON of Structure), parameter_count
metrics    one value a row; NaN is stored as NULL
captures   of the probe only
events     the log; sentence: a text, or JSON {"sentence", "details"} of what has details
commands   wishes of the window; the last one named breakpoints has the marks as TOML

Tensors of a capture: weights.<torch's name>, h0, c0, grad_output, output, grads.<parameter>, readout.weight,
readout.bias, those of the probe that differ from payload 0, and details: JSON {"training_step", "model", "loss",
"notes", "sequences": [which of the probe's names the capture has]} as bytes.
"""

import json
import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array, frozen, frozen_mapping
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import read_record
from rnnviz.core.source import parse_source
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.stopping.marks_file import parse_marks
from rnnviz.core.structure import read_structure
from rnnviz.core.sweeps.capture import Capture, CaptureKind, Head
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.runs.file import header as header_2
from rnnviz.runs.file.events import check_length
from rnnviz.runs.file.payload import DETAILS, PROBE_NAMES, check_whose, load_details, load_tensors, read_probe
from rnnviz.runs.file.records import EngineStatus, Event, OptimiserSnapshot, Probe, RunModel
from rnnviz.runs.file.schema import PROBE_PAYLOAD, check_tables
from rnnviz.runs.reading.queries import MOST_CAPTURES, Queries, Row, bound, check_step, steps_in

VERSION = 1
MOST_VALUES = 2_000_000  # one a row, so they are read slowly
CHECKED = ("experiment", "task", "environment", "created")
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
WITH_DETAILS = '{"sentence":'  # how the column of an event with details begins; no sentence does


class Format1:
    """A `RunFormat`."""

    def __init__(self, queries: Queries) -> None:
        """Raises RnnvizError unless the tables are those of this format."""
        self._queries = queries
        self._source = str(queries.path)
        self._models = 1
        check_tables(queries.connection, queries.path, SCHEMA)

    def header(self) -> header_2.Header:
        connection, source = self._queries.connection, self._source
        about = header_2.read_about(connection, source, CHECKED)
        rows = header_2.read_models(connection, "number, name, structure, parameter_count", source)
        checked = [*(about[key] for key in CHECKED), [list(row) for row in rows]]
        if about["crc32"] != f"{zlib.crc32(json.dumps(checked).encode()):08x}":
            raise RnnvizError(f"{source} is damaged: its experiment, task or models do not match their checksum.")
        self._models = len(rows)
        self._queries.count("metrics", "values of metrics", MOST_VALUES)
        self._queries.count("captures", "captures", MOST_CAPTURES)
        self.metric_names()
        return header_2.Header(
            parse_source(about["experiment"], source),
            header_2.read_task(about["task"], source),
            tuple(_read_model(row, source) for row in rows),
            header_2.read_environment(about["environment"], source),
            about["created"],
        )

    def probe(self) -> Probe | None:
        payload = self._queries.payload("the probe", PROBE_PAYLOAD)
        with self._queries.told(""):
            probe = read_probe(payload)
            if probe.more:
                raise RnnvizError(f"its probe holds {sorted(probe.more)[:6]}, wanted {list(PROBE_NAMES)}")
        return probe

    def status(self) -> EngineStatus | None:
        rows = self._queries.rows("status", "SELECT status FROM status")
        if not rows:
            return None
        try:
            return read_record(EngineStatus, json.loads(rows[0][0]), self._source, "status")
        except (TypeError, ValueError, RecursionError):
            raise RnnvizError(f"{self._source} is damaged: status is not a JSON table.") from None

    def events(self, after: int, most: int = -1) -> list[Event]:
        sql = "SELECT number, training_step, kind, sentence FROM events WHERE number > ? ORDER BY number LIMIT ?"
        with self._queries.bounded("events"), self._queries.told(""):
            return [_read_event(row) for row in self._queries.connection.execute(sql, (after, most))]

    def metric_names(self) -> list[tuple[int, str]]:
        return self._queries.metric_names(self._models)

    def marks(self, header: header_2.Header) -> Marks:
        sql = "SELECT arguments FROM commands WHERE name = 'breakpoints' ORDER BY number DESC LIMIT 1"
        rows = self._queries.rows("its commands", sql)
        try:
            return parse_marks(json.loads(rows[0][0])["toml"], self._source, [model.name for model in header.models])
        except (IndexError, TypeError, ValueError, KeyError, RecursionError, RnnvizError):
            return header.source.marks  # nothing changed, or only nonsense came

    def curve(self, model: int, number: int, name: str, after: int) -> tuple[Array, Array]:
        sql = (
            "SELECT training_step, value FROM metrics WHERE model = ? AND name = ? AND training_step > ? "
            "ORDER BY training_step"
        )
        with self._queries.bounded("metrics"), self._queries.told(""):
            rows = self._queries.connection.execute(sql, (model, number, bound(after)))
            pairs = np.fromiter(map(_step_and_value, rows), [("step", np.int64), ("value", np.float64)])
        return frozen(pairs["step"].copy()), frozen(pairs["value"].copy())

    def newest_metric(self, model: int, number: int, name: str) -> int:
        sql = "SELECT max(training_step) FROM metrics WHERE model = ? AND name = ?"
        newest = self._queries.rows("metrics", sql, model, number)[0][0]
        return newest if isinstance(newest, int) else 0

    def newest_capture(self) -> int:
        newest = self._queries.rows("captures", "SELECT max(training_step) FROM captures")[0][0]
        return newest if isinstance(newest, int) else 0

    def captured(self, after: int, models: int, kind: CaptureKind) -> Array:
        sql = (
            "SELECT training_step FROM captures WHERE training_step > ? GROUP BY training_step "
            "HAVING count(*) = ? ORDER BY training_step"
        )
        with self._queries.told(""):
            return steps_in(
                self._queries.rows("captures", sql, bound(after), models) if kind == "probe" else [], "captures"
            )

    def capture(self, training_step: int, model: RunModel, probe: Probe | None, kind: CaptureKind) -> Capture | None:
        what = f"the capture of {model.name} at training step {training_step:,}"
        sql = "SELECT payload FROM captures WHERE training_step = ? AND model = ?"
        payload = self._queries.found_payload(what, sql, training_step, model.number) if kind == "probe" else None
        if payload is None:
            return None
        with self._queries.told(f"{what}: "):
            return read_capture(payload, training_step, model, probe)

    def optimiser(self, training_step: int, model: RunModel) -> OptimiserSnapshot | None:
        return None


def wrote(payload: bytes) -> bool:
    """Whether a capture's payload is as this format has them: copied from such a run into one of a later format."""
    try:
        details = load_details(load_tensors(payload))
    except RnnvizError:
        return False
    return "calls" not in details and "sequences" in details


def read_capture(payload: bytes, training_step: int, model: RunModel, probe: Probe | None) -> Capture:
    """The capture in `payload`, everything checked. Raises RnnvizError (what is wrong, without the file)."""
    tensors = load_tensors(payload)
    loss, notes, sequences = _read_details(tensors, training_step, model.number)
    known = {} if probe is None else probe.arrays
    for name in sequences:
        tensors[name] = _tensor(tensors if name in tensors else known, name)
    head = None
    if loss is not None:
        wanted = ("readout.weight", "readout.bias", "targets", "loss_weight")
        weight, bias, targets, loss_weight = (_tensor(tensors, name) for name in wanted)
        head = Head(weight, bias, loss, targets, loss_weight)
    capture = Capture.of_one(
        frozen_mapping({name[8:]: array for name, array in tensors.items() if name.startswith("weights.")}),
        structure=model.structure,
        inputs=_tensor(tensors, "inputs"),
        lengths=tensors.get("lengths"),
        initial=frozen_mapping({state: tensors[f"{state}0"] for state in ("h", "c") if f"{state}0" in tensors}),
        grad_output=_tensor(tensors, "grad_output"),
        output=tensors.get("output"),
        grads=frozen_mapping({name[6:]: array for name, array in tensors.items() if name.startswith("grads.")}),
        head=head,
        notes=notes,
    )
    check_shapes(capture)
    return capture


def _read_details(
    tensors: Mapping[str, Array], training_step: int, model: int
) -> tuple[Any, tuple[str, ...], list[str]]:
    table = load_details(tensors)
    loss, notes, sequences = table.get("loss"), table.get("notes"), table.get("sequences")
    texts = isinstance(notes, list) and all(isinstance(note, str) for note in notes)
    known = isinstance(sequences, list) and all(name in PROBE_NAMES for name in sequences)
    if loss not in (None, "cross entropy", "mean squared error") or not texts or not known:
        raise RnnvizError(f"the {DETAILS} of its capture are not as rnnviz writes them")
    check_whose(table, training_step, model)
    return loss, tuple(notes or ()), sequences or []


def _tensor(tensors: Mapping[str, Array], name: str) -> Array:
    if name not in tensors:
        raise RnnvizError(f"its capture lacks {name}")
    return tensors[name]


def _read_model(row: Row, source: str) -> RunModel:
    number, name, text, parameter_count = row
    key = f"models[{number}]"
    if not isinstance(name, str) or not isinstance(parameter_count, int):
        raise RnnvizError(f"{source} is damaged: {key} has no name or no number of parameters.")
    structure = read_structure(header_2.read_json(text, source, key), source, f"{key}.structure")
    return RunModel(number, name, structure, parameter_count)


def _read_event(row: Row) -> Event:
    """The event of a row (number, training step, kind, column). Raises RnnvizError for a wrong training step."""
    check_length(row)
    number, step, kind, column = row
    sentence, details = _parts(str(column))
    return Event(number, check_step(step, "events"), str(kind), sentence, details)


def _parts(text: str) -> tuple[str, dict[str, Any]]:
    if not text.startswith(WITH_DETAILS):
        return text, {}
    try:
        read = json.loads(text)
        sentence, details = read["sentence"], read["details"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return text, {}
    return (sentence, details) if isinstance(sentence, str) and isinstance(details, dict) else (text, {})


def _step_and_value(row: Row) -> tuple[int, float]:
    """NULL is NaN. Raises RnnvizError (without the file) for what is no training step or no number."""
    step, value = row
    if value is not None and not isinstance(value, int | float):
        raise RnnvizError(f"a value of its metrics is {str(value)[:40]}")
    return check_step(step, "metrics"), math.nan if value is None else value

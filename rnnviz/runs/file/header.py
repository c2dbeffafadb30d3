"""The unchanging part of a run: source, task, models, environment and probe, into the tables and out of them."""

import json
import sqlite3
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import plain, read_record
from rnnviz.core.source import Source, parse_source_json, source_json
from rnnviz.core.structure import read_structure
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.runs.file.contents import PROBE, Tally, write_tally
from rnnviz.runs.file.marks_row import write_marks
from rnnviz.runs.file.payload import chunks, probe_payload
from rnnviz.runs.file.process import NOTHING_YET, WriterProcess
from rnnviz.runs.file.records import FIRST_MODULE, Module, Probe, RunModel
from rnnviz.runs.file.schema import PROBE_PAYLOAD, create_tables

MOST_MODELS = 64
MOST_MODULES = 64  # of one model
CHECKED = ("source", "task", "environment", "created")

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Header:
    """What a run is about, fixed when it begins."""

    source: Source
    task: TaskInfo
    models: tuple[RunModel, ...]
    environment: Mapping[str, str]
    created: str = ""  # ISO 8601, UTC


def write_header(connection: sqlite3.Connection, header: Header, probe: Probe | None, process: WriterProcess) -> None:
    """Tables, header, probe, first marks and the claim of `process`, within the caller's transaction."""
    create_tables(connection)
    about = {
        "source": source_json(header.source),
        "task": json.dumps(plain(header.task)),
        "environment": json.dumps(dict(header.environment)),
        "created": header.created or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    models = [(model.number, model.name, model.parameter_count) for model in header.models]
    modules = [
        (model.number, number, module.name, json.dumps(plain(module.structure)), json.dumps(module.parameters))
        for model in header.models
        for number, module in enumerate(model.modules)
    ]
    about["crc32"] = header_checksum(about, models, modules)
    connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
    connection.executemany("INSERT INTO models VALUES (?, ?, ?)", models)
    connection.executemany("INSERT INTO modules VALUES (?, ?, ?, ?, ?)", modules)
    claim = (1, process.number, process.started, process.host, NOTHING_YET)
    connection.execute("INSERT INTO writer VALUES (?, ?, ?, ?, ?)", claim)
    write_marks(connection, header.source.marks)
    if probe is not None:
        write_payload(connection, PROBE_PAYLOAD, probe_payload(probe))
        write_tally(connection, PROBE, Tally(1))


def write_payload(connection: sqlite3.Connection, number: int, payload: bytes) -> None:
    """`payload` in chunks, within the caller's transaction."""
    connection.execute("INSERT INTO payloads VALUES (?, ?)", (number, len(payload)))
    connection.executemany(
        "INSERT INTO chunks VALUES (?, ?, ?, ?)",
        ((number, place, crc32, piece) for place, crc32, piece in chunks(payload)),
    )


def read_header(connection: sqlite3.Connection, source: str) -> Header:
    """The header of the run called `source` in errors. Raises RnnvizError, or sqlite3.Error for a damaged file."""
    about = read_about(connection, source, CHECKED)
    rows = read_models(connection, "number, name, parameter_count", source)
    most = MOST_MODELS * MOST_MODULES
    modules = connection.execute("SELECT * FROM modules ORDER BY model, number").fetchmany(most + 1)
    if about["crc32"] != header_checksum(about, rows, modules):
        raise RnnvizError(f"{source} is damaged: its source, task or models do not match their checksum.")
    return Header(
        source=parse_source_json(about["source"], source),
        task=read_task(about["task"], source),
        models=tuple(_read_model(row, [one for one in modules if one[0] == row[0]], source) for row in rows),
        environment=read_environment(about["environment"], source),
        created=about["created"],
    )


def read_about(connection: sqlite3.Connection, source: str, wanted: Sequence[str]) -> dict[str, str]:
    """The texts of the table about. Raises RnnvizError where one that is wanted is missing."""
    about = dict(connection.execute("SELECT key, value FROM about LIMIT 100"))
    for key in (*wanted, "crc32"):
        if not isinstance(about.get(key), str):
            raise RnnvizError(f"{source} is damaged: its table about lacks {key}.")
    return about


def read_models(connection: sqlite3.Connection, columns: str, source: str) -> list[Row]:
    """The rows of the table models. Raises RnnvizError unless they are numbered from 0."""
    rows = connection.execute(f"SELECT {columns} FROM models ORDER BY number").fetchmany(MOST_MODELS + 1)
    if [row[0] for row in rows] != list(range(len(rows))) or not 1 <= len(rows) <= MOST_MODELS:
        raise RnnvizError(f"{source} is damaged: its models are not numbered from 0 to {MOST_MODELS - 1} at most.")
    return rows


def read_task(text: object, source: str) -> TaskInfo:
    return read_record(TaskInfo, read_json(text, source, "task"), source, "task")


def read_environment(text: object, source: str) -> dict[str, str]:
    return {str(key): str(value) for key, value in read_json(text, source, "environment").items()}


def read_json(text: object, source: str, key: str) -> dict[str, Any]:
    """The JSON table in `text`. Raises RnnvizError."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RnnvizError(f"{source} is damaged: {key} is not a JSON table.")
    return value


def header_checksum(about: Mapping[str, object], *tables: Sequence[Sequence[object]]) -> str:
    """CRC32 over everything that is not in a payload and never changes, as text."""
    checked: list[object] = [about[key] for key in CHECKED]
    checked += [[list(row) for row in table] for table in tables]
    return f"{zlib.crc32(json.dumps(checked).encode()):08x}"


def _read_model(row: Row, rows: list[Row], source: str) -> RunModel:
    number, name, parameter_count = row
    key = f"models[{number}]"
    if not isinstance(name, str) or not isinstance(parameter_count, int):
        raise RnnvizError(f"{source} is damaged: {key} has no name or no number of parameters.")
    if [one[1] for one in rows] != list(range(len(rows))) or not 1 <= len(rows) <= MOST_MODULES:
        raise RnnvizError(f"{source} is damaged: the modules of {key} are not numbered from 0 to {MOST_MODULES - 1}.")
    modules = [
        Module(str(title), read_structure(read_json(text, source, key), source, f"{key}.structure"))
        for _, _, title, text, _ in rows
    ]
    for module, (*_, parameters) in zip(modules, rows, strict=True):
        if parameters != json.dumps(module.parameters):
            raise RnnvizError(f"{source} is damaged: {key} has other parameters than its structure.")
    if modules[0].name != FIRST_MODULE or len({module.name for module in modules}) < len(modules):
        raise RnnvizError(f"{source} is damaged: the modules of {key} are not named as rnnviz names them.")
    return RunModel(number, name, modules[0].structure, parameter_count, tuple(modules[1:]))

"""The unchanging part of a run: experiment, task, models, environment and probe, into the tables and out of them."""

import json
import sqlite3
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml, parse_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.plain_records import plain, read_record
from rnnviz.core.structure import Structure
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.runs.file.payload import chunks, probe_payload
from rnnviz.runs.file.process import WriterProcess
from rnnviz.runs.file.records import Probe, RunModel
from rnnviz.runs.file.schema import PROBE_PAYLOAD, create_tables

MOST_MODELS = 64
LARGEST_SIZE = 1 << 20  # units, inputs or layers a stranger's file may claim
CHECKED = ("experiment", "task", "environment", "created")


@dataclass(frozen=True)
class Header:
    """What a run is about, fixed when it begins."""

    experiment: Experiment
    task: TaskInfo
    models: tuple[RunModel, ...]
    environment: Mapping[str, str]
    created: str = ""  # ISO 8601, UTC


def write_header(connection: sqlite3.Connection, header: Header, probe: Probe, process: WriterProcess) -> None:
    """Tables, header, probe and the claim of `process`, within the caller's transaction."""
    create_tables(connection)
    about = {
        "experiment": experiment_toml(header.experiment),
        "task": json.dumps(plain(header.task)),
        "environment": json.dumps(dict(header.environment)),
        "created": header.created or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    models = [(m.number, m.name, json.dumps(plain(m.structure)), m.parameter_count) for m in header.models]
    about["crc32"] = _checksum(about, models)
    connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
    connection.executemany("INSERT INTO models VALUES (?, ?, ?, ?)", models)
    claim = (1, process.number, process.started, process.host, time.time())
    connection.execute("INSERT INTO writer VALUES (?, ?, ?, ?, ?)", claim)
    write_payload(connection, PROBE_PAYLOAD, probe_payload(probe))


def write_payload(connection: sqlite3.Connection, number: int, payload: bytes) -> None:
    """`payload` in chunks, within the caller's transaction."""
    connection.execute("INSERT INTO payloads VALUES (?, ?)", (number, len(payload)))
    connection.executemany(
        "INSERT INTO chunks VALUES (?, ?, ?, ?)",
        ((number, place, crc32, piece) for place, crc32, piece in chunks(payload)),
    )


def read_header(connection: sqlite3.Connection, source: str) -> Header:
    """The header of the run called `source` in errors. Raises RnnvizError, or sqlite3.Error for a damaged file."""
    about = dict(connection.execute("SELECT key, value FROM about LIMIT 100"))
    for key in (*CHECKED, "crc32"):
        if not isinstance(about.get(key), str):
            raise RnnvizError(f"{source} is damaged: its table about lacks {key}.")
    rows = connection.execute("SELECT number, name, structure, parameter_count FROM models ORDER BY number").fetchmany(
        MOST_MODELS + 1
    )
    if [row[0] for row in rows] != list(range(len(rows))) or not 1 <= len(rows) <= MOST_MODELS:
        raise RnnvizError(f"{source} is damaged: its models are not numbered from 0 to {MOST_MODELS - 1} at most.")
    if about["crc32"] != _checksum(about, rows):
        raise RnnvizError(f"{source} is damaged: its experiment, task or models do not match their checksum.")
    environment = _json(about["environment"], source, "environment")
    return Header(
        experiment=parse_experiment(about["experiment"], source),
        task=read_record(TaskInfo, _json(about["task"], source, "task"), source, "task"),
        models=tuple(_read_model(row, source) for row in rows),
        environment={str(key): str(value) for key, value in environment.items()},
        created=about["created"],
    )


def _checksum(about: Mapping[str, object], models: Sequence[Sequence[object]]) -> str:
    """CRC32 over everything that is not in a payload, as text."""
    checked = [*(about[key] for key in CHECKED), [list(model) for model in models]]
    return f"{zlib.crc32(json.dumps(checked).encode()):08x}"


def _read_model(row: tuple[int, object, object, object], source: str) -> RunModel:
    number, name, structure_json, parameter_count = row
    key = f"models[{number}]"
    if not isinstance(name, str) or not isinstance(parameter_count, int):
        raise RnnvizError(f"{source} is damaged: {key} has no name or no number of parameters.")
    structure = read_record(Structure, _json(structure_json, source, key), source, f"{key}.structure")
    sizes = (structure.input_size, structure.hidden_size, structure.num_layers)
    if not all(1 <= size <= LARGEST_SIZE for size in sizes) or not 0 <= structure.proj_size <= LARGEST_SIZE:
        raise RnnvizError(f"{source}: {key}.structure has sizes {sizes}; wanted 1 to {LARGEST_SIZE}.")
    if structure.num_layers > 1000:
        raise RnnvizError(f"{source}: {key}.structure has {structure.num_layers} layers; wanted at most 1000.")
    return RunModel(number, name, structure, parameter_count)


def _json(text: object, source: str, key: str) -> dict[str, object]:
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RnnvizError(f"{source} is damaged: {key} is no JSON table.")
    return value

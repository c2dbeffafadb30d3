"""Run summary: what a run is about at a glance, read from its header and a few of its metrics; nothing is written."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.source import Given, Trained
from rnnviz.runs.file.given_name import read_name
from rnnviz.runs.file.merging import is_apart, lacks_newest, read_writer, remove_empty_side_files
from rnnviz.runs.file.metric_blocks import read_block
from rnnviz.runs.file.opening import file_bytes, side_bytes
from rnnviz.runs.file.process import NOBODY, WriterProcess
from rnnviz.runs.file.schema import VERSION, read_version
from rnnviz.runs.reading import format_1
from rnnviz.runs.reading.format_2 import Format2
from rnnviz.runs.reading.queries import Queries
from rnnviz.runs.reading.run_format import RunFormat

MOST_BLOCKS = 32  # of one metric that are read for its picture
MOST_POINTS = 96  # of one model's curve
_SHOWN_METRIC = "loss"

Kind = Literal["trained", "given", "recorded", "broken"]


@dataclass(frozen=True)
class ModelSummary:
    """One model, and its loss as a few points: training steps ascending, values finite."""

    name: str
    cell: str
    hidden_size: int
    steps: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()


@dataclass(frozen=True)
class RunSummary:
    """One run of the library. `problem` says why it is "broken": no run, damaged, gone, of a newer rnnviz."""

    path: str
    kind: Kind
    bytes: int = 0
    changed: float = 0.0  # when its file was last written, seconds since the epoch
    name: str = ""  # a person gave it; "": none did
    title: str = ""  # of the experiment, checkpoint or script
    created: str = ""  # ISO 8601, UTC
    models: tuple[ModelSummary, ...] = ()
    training_step: int = 0  # the last one of which anything is recorded
    running: bool = False  # as its engine last said
    writer: tuple[int, int, str] = (0, 0, "")  # process, its start, host
    heartbeat: float = 0.0
    problem: str = ""

    @property
    def words(self) -> str:
        """What the run is called: its given name, else what its experiment is, else its file."""
        return self.name or self.title or Path(self.path).stem

    @property
    def live(self) -> bool:
        """Whether an engine stands behind it right now."""
        return self.kind != "broken" and WriterProcess(*self.writer).alive(self.heartbeat)

    @property
    def training_now(self) -> bool:
        return self.running and self.live


@dataclass(frozen=True)
class Stamp:
    """By what it is seen that a file was written since it was read."""

    path: str
    nanoseconds: int  # when it, or what SQLite keeps beside it, was written
    bytes: int
    exists: bool = True
    touched: int = 0  # when anything of it was changed, its times too

    @staticmethod
    def of(path: Path) -> "Stamp":
        try:
            facts = path.stat()
            wal = path.with_name(path.name + "-wal")
        except (OSError, ValueError):  # a name that no file can have
            return Stamp(str(path), 0, 0, False)
        try:
            newest = max(facts.st_mtime_ns, wal.stat().st_mtime_ns)
        except OSError:
            newest = facts.st_mtime_ns
        return Stamp(str(path), newest, file_bytes(path), True, facts.st_ctime_ns)


def read_summary(path: Path) -> RunSummary:
    """The run at `path` at a glance; one that cannot be read is a broken one with its sentence."""
    stamp = Stamp.of(path)
    known = RunSummary(str(path), "broken", stamp.bytes, stamp.nanoseconds / 1e9)
    if not stamp.exists:
        return replace(known, problem="It is not there any more.")
    was_apart = is_apart(path)
    try:
        queries = Queries(path)
    except RnnvizError as error:
        return replace(known, problem=_without_path(error, path))
    try:
        return _read(queries, known)
    except RnnvizError as error:
        return replace(known, problem=_without_path(error, path))
    finally:
        queries.close()
        if not was_apart and is_apart(path):
            remove_empty_side_files(path)  # what SQLite made only to read it


def _read(queries: Queries, known: RunSummary) -> RunSummary:
    wal_bytes = side_bytes(queries.path)
    with queries.bounded("its header"):
        version = read_version(queries.connection, queries.path)
        form: RunFormat = Format2(queries) if version == VERSION else format_1.Format1(queries)
        header = form.header()
        writer = read_writer(queries.connection)
        name = read_name(queries.connection) if version == VERSION else ""
        lacking = lacks_newest(queries.connection, queries.path, wal_bytes)
    process, heartbeat = writer if writer is not None and not lacking else (NOBODY, 0.0)
    status = form.status()
    names = form.metric_names()
    newest = [form.newest_metric(0, number, metric) for number, metric in names]
    number = next((number for number, metric in names if metric == _SHOWN_METRIC), None)
    models = tuple(
        ModelSummary(
            model.name, model.structure.cell, model.structure.hidden_size, *_curve(queries, form, model.number, number)
        )
        for model in header.models
    )
    source = header.source
    return replace(
        known,
        kind="trained" if isinstance(source, Trained) else "given" if isinstance(source, Given) else "recorded",
        name=name,
        title=source.title,
        created=header.created,
        models=models,
        training_step=max(form.newest_capture(), *newest, 0),
        running=status is not None and status.state == "running",
        writer=(process.number, process.started, process.host),
        heartbeat=heartbeat,
    )


def _curve(
    queries: Queries, form: RunFormat, model: int, number: int | None
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """A few points of the loss of one model, its first and its last among them."""
    if number is None:
        return (), ()
    if isinstance(form, Format2):
        steps, values = _sampled(queries, model, number)
    else:
        steps, values = form.curve(model, number, _SHOWN_METRIC, -1)
    finite = np.isfinite(values)
    steps, values = steps[finite], values[finite]
    if not len(steps):
        return (), ()
    chosen = np.unique(np.linspace(0, len(steps) - 1, MOST_POINTS).round().astype(int))
    return tuple(steps[chosen].tolist()), tuple(values[chosen].tolist())


def _sampled(queries: Queries, model: int, number: int) -> tuple[Array, Array]:
    """Values of blocks that lie evenly over the training; of a short one all."""
    sql = "SELECT first_step FROM metric_blocks WHERE model = ? AND name = ? ORDER BY first_step"
    firsts = [row[0] for row in queries.rows("metrics", sql, model, number)]
    places = sorted({round(place) for place in np.linspace(0, len(firsts) - 1, MOST_BLOCKS)}) if firsts else []
    one = "SELECT first_step, last_step, crc32, data FROM metric_blocks WHERE model = ? AND name = ? AND first_step = ?"
    blocks = []
    with queries.told("its loss "):
        for place in places:
            rows = queries.rows("metrics", one, model, number, firsts[place])
            blocks += [read_block(model, _SHOWN_METRIC, row) for row in rows[:1]]
    if not blocks:
        return np.zeros(0, np.int64), np.zeros(0)
    steps, values = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
    return steps, values


def _without_path(error: RnnvizError, path: Path) -> str:
    """Its sentence as it stands beside the file's name: "It is damaged: …"."""
    sentence = str(error)
    return f"It{sentence.removeprefix(str(path))}" if sentence.startswith(f"{path} ") else sentence

"""Answers of `rnnviz search`, `check` and `inspect` to programs: records out of the JSON they print."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import read_record

Record = TypeVar("Record")


@dataclass(frozen=True)
class FoundHit:
    """A hit of a breakpoint in the recorded past."""

    breakpoint: int  # its place among those searched for
    training_step: int
    model: str
    time_step: int
    values: tuple[tuple[str, str], ...]  # text and value of each expression
    sentence: str


@dataclass(frozen=True)
class SearchLine:
    """One line of a search: a hit, how far it is, or the number of hits at its end."""

    hit: FoundHit | None = None
    progress: tuple[int, int] | None = None  # training steps looked at, of so many
    finished: int | None = None


@dataclass(frozen=True)
class JacobiansLine:
    """One line of what is asked of the engine: how far it is."""

    progress: tuple[int, int]


@dataclass(frozen=True)
class Verdict:
    """What a check of all gradients of one model came to."""

    model: str
    verdict: str
    right: bool


def search_line(line: bytes) -> SearchLine:
    """The record in a line. Raises RnnvizError for anything else."""
    return read_record(SearchLine, _json(line, "rnnviz search"), "rnnviz search", "")


def jacobians_share(line: bytes) -> float:
    """How much of it is done, 0 to 1. Raises RnnvizError."""
    done, total = read_record(JacobiansLine, _json(line, "rnnviz jacobians"), "rnnviz jacobians", "").progress
    return done / max(total, 1)


def verdicts(output: bytes) -> tuple[Verdict, ...]:
    """One for each model that was checked, at least one; their numbers are left out. Raises RnnvizError."""
    reports = _json(output, "rnnviz check")
    if not isinstance(reports, list) or not reports:
        raise RnnvizError("rnnviz check: wanted a list of reports, got something else.")
    return tuple(_known(Verdict, report, "rnnviz check") for report in reports)


def inspected(output: bytes) -> Mapping[str, Any]:
    """What a file holds, as `engine.inspection` says it; with at least its kind and path. Raises RnnvizError."""
    report = _json(output, "rnnviz inspect")
    if not isinstance(report, dict) or not all(isinstance(report.get(key), str) for key in ("kind", "path")):
        raise RnnvizError("rnnviz inspect: wanted a table with kind and path, got something else.")
    return report


def _json(text: bytes, source: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RnnvizError(f"{source}: wanted JSON, got something else.") from None


def _known(kind: type[Record], value: object, source: str) -> Record:
    """A record from the fields it knows of a table with more."""
    if isinstance(value, dict):
        names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        value = {key: entry for key, entry in value.items() if key in names}
    return read_record(kind, value, source, "")

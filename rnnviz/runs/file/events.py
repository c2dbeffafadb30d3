"""Events: the lines of the log as rows with a checksum."""

import json
from collections.abc import Mapping
from typing import Any

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.checksums import row_crc32
from rnnviz.runs.file.records import Event

Row = tuple[Any, ...]
LONGEST_EVENT = 1 << 16  # characters of sentence and details


def event_row(event: Event) -> Row:
    """Number, training step, kind, sentence, details as JSON, checksum; what is too long is cut short."""
    details = json.dumps(dict(event.details)) if event.details else ""
    details = details if len(details) <= LONGEST_EVENT // 2 else ""
    row = (event.number, event.training_step, event.kind, event.sentence[: LONGEST_EVENT // 2], details)
    return (*row, row_crc32(*row))


def read_event_row(row: Row) -> Event:
    """The event of a row. Raises RnnvizError (what is wrong, without the file)."""
    check_length(row)
    *values, crc32 = row
    plain = all(isinstance(value, int | str) for value in values)
    if not plain or row_crc32(*values) != crc32:
        raise RnnvizError(f"event {str(row[0])[:20]} does not match its checksum")
    number, step, kind, sentence, text = values
    return Event(number, step, kind, sentence, _details(text))


def check_length(row: Row) -> None:
    """Raises RnnvizError where an event (its number, …, texts) is longer than any of ours."""
    length = sum(len(value) for value in row if isinstance(value, str | bytes))
    if length > LONGEST_EVENT + 100:
        raise RnnvizError(f"event {str(row[0])[:20]} has {length:,} characters, wanted at most {LONGEST_EVENT:,}")


def _details(text: str) -> Mapping[str, Any]:
    try:
        details = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        details = {}
    return details if isinstance(details, dict) else {}

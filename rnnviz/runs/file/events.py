"""Lines of the log with details: both in the one column the table has, the details as JSON around the sentence."""

import json
from collections.abc import Mapping
from typing import Any

from rnnviz.runs.file.records import Event

_WITH_DETAILS = '{"sentence":'  # how such a column begins; no sentence does


def stored_event(sentence: str, details: Mapping[str, Any]) -> str:
    """What stands in the column."""
    return json.dumps({"sentence": sentence, "details": details}) if details else sentence


def read_event(row: tuple[Any, ...]) -> Event:
    """The event of a row (number, training step, kind, column), whatever stands in it."""
    number, step, kind, text = row
    sentence, details = _parts(str(text))
    return Event(number, step if isinstance(step, int) else 0, str(kind), sentence, details)


def _parts(text: str) -> tuple[str, dict[str, Any]]:
    if not text.startswith(_WITH_DETAILS):
        return text, {}
    try:
        read = json.loads(text)
        sentence, details = read["sentence"], read["details"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return text, {}
    return (sentence, details) if isinstance(sentence, str) and isinstance(details, dict) else (text, {})

"""Tasks: what networks learn. Each is one file, with settings, words, ranges and sequences, and one line here."""

from rnnviz.core.tasks.adding import Adding
from rnnviz.core.tasks.date_formats import DateFormats
from rnnviz.core.tasks.glyphs import Glyphs
from rnnviz.core.tasks.next_character import NextCharacter
from rnnviz.core.tasks.next_value import NextValue
from rnnviz.core.tasks.parity import Parity
from rnnviz.core.tasks.source import Batch, TaskSource
from rnnviz.core.tasks.task import DataTask, TaskSettings
from rnnviz.core.tasks.temporal_order import TemporalOrder

__all__ = [
    "TASKS",
    "Adding",
    "Batch",
    "DataTask",
    "DateFormats",
    "Glyphs",
    "NextCharacter",
    "NextValue",
    "Parity",
    "TaskSettings",
    "TaskSource",
    "TemporalOrder",
    "data_task",
]

_KINDS: tuple[type[TaskSettings], ...] = (
    TemporalOrder,
    Adding,
    Parity,
    NextValue,
    NextCharacter,
    DateFormats,
    Glyphs,
)  # in the order of the form

# by the name in experiment files; each has defaults for all its settings
TASKS = {kind.name: kind for kind in _KINDS}


def data_task(data: str) -> DataTask | None:
    """The task, with its defaults, that learns from a file `rnnviz inspect` calls by this word; None if none does."""
    for kind in TASKS.values():
        if issubclass(kind, DataTask) and kind.data == data:
            return kind()
    return None

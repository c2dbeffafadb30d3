"""Tasks: where training sequences come from. numpy only, so that a table or text is judged without torch."""

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Adding, NextCharacter, NextValue, Task, TemporalOrder
from rnnviz.engine.tasks.adding import AddingSource
from rnnviz.engine.tasks.next_character import NextCharacterSource
from rnnviz.engine.tasks.next_value import NextValueSource
from rnnviz.engine.tasks.source import Batch, TaskSource
from rnnviz.engine.tasks.temporal_order import TemporalOrderSource

__all__ = ["Batch", "TaskSource", "open_task"]


def open_task(task: Task, seed: int) -> TaskSource:
    """The source of `task`; its probe is drawn from `seed`. Raises RnnvizError for impossible settings or files."""
    match task:
        case TemporalOrder():
            return TemporalOrderSource(task, seed)
        case Adding():
            return AddingSource(task, seed)
        case NextValue():
            return NextValueSource(task, seed)
        case NextCharacter():
            return NextCharacterSource(task, seed)
        case _:
            raise RnnvizError(f'task.name: wanted a task that can be trained, came "{task.name}".')

"""An experiment in a few words, for title and toolbar."""

from pathlib import Path

from rnnviz.core.experiment.settings import (
    Adding,
    Experiment,
    GivenInput,
    NextCharacter,
    NextValue,
    Task,
    TemporalOrder,
)


def task_words(task: Task) -> str:
    """The task with what makes it hard: "temporal order, length 60–80"."""
    match task:
        case TemporalOrder(length=(shortest, longest)):
            return (
                f"temporal order, length {shortest}–{longest}"
                if shortest < longest
                else f"temporal order, length {longest}"
            )
        case Adding(length=length):
            return f"adding, length {length}"
        case NextValue(file=file):
            return f"next value of {Path(file).name or 'the yearly sunspot numbers'}"
        case NextCharacter(file=file):
            return f"next character of {Path(file).name or 'the Python help texts'}"
        case GivenInput(source=source):
            return {"text": "a given text", "csv": "given values", "random": "random input"}[source]


def experiment_words(experiment: Experiment) -> tuple[str, str]:
    """Title and subtitle."""
    return experiment.name, task_words(experiment.task)

"""An experiment in a few words, for title and toolbar."""

from pathlib import Path

from rnnviz.core.experiment.settings import (
    Adding,
    NextCharacter,
    NextValue,
    Task,
    TemporalOrder,
)
from rnnviz.core.source import Given, Recorded, Source, Trained


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


def source_words(source: Source) -> tuple[str, str]:
    """Title and subtitle of a run, by where it comes from."""
    match source:
        case Trained(experiment):
            return source.title, task_words(experiment.task)
        case Given(input=asked):
            words = {"text": "a given text", "csv": "given values", "random": "random input"}
            return source.title, words[asked.source]
        case Recorded(script=script):
            return source.title, f"recorded by {Path(script).name}"

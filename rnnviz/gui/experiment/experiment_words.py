"""Experiment words: an experiment in a few of them, for title and toolbar."""

from pathlib import Path

from rnnviz.core.source import Given, Recorded, Source, Trained


def source_words(source: Source) -> tuple[str, str]:
    """Title and subtitle of a run, by where it comes from."""
    match source:
        case Trained(experiment):
            return source.title, experiment.task.words
        case Given(input=asked):
            words = {"text": "a given text", "csv": "given values", "random": "random input"}
            return source.title, words[asked.source]
        case Recorded(script=script):
            return source.title, f"recorded by {Path(script).name}"

"""Experiment words: an experiment in a few of them, for title and toolbar."""

from rnnviz.core.experiment.settings import Experiment, GivenInput


def experiment_words(experiment: Experiment) -> tuple[str, str]:
    """Title and subtitle: the task with what makes it hard."""
    task = experiment.task
    if isinstance(task, GivenInput):
        words = {"text": "a given text", "csv": "given values", "random": "random input"}[task.source]
        return experiment.name, words
    return experiment.name, task.words

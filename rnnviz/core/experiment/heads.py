"""Heads of an experiment: which pooling, loss and reduction fit a task, and its sequences as they are asked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rnnviz.core.experiment.forms import fitted_forms
from rnnviz.core.experiment.settings import Experiment, Task
from rnnviz.core.plain_records import refuse
from rnnviz.core.sweeps.heads.losses import LOSSES
from rnnviz.core.sweeps.heads.pooling import POOLINGS
from rnnviz.core.tasks.asked import asked_source
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.core.tasks.source import TaskSource


def choices(task: Task) -> Mapping[str, tuple[str, ...]]:
    """The values that fit a task, by setting, the usual one first; a setting of one value is nothing to choose."""
    return {
        "pooling": tuple(POOLINGS) if task.last_only else ("last",),
        "loss": ("", *task.losses[1:]),
        "reduction": ("mean",) if task.last_only or task.form == "one to one" else ("mean", "sum"),
    }


def fitted(experiment: Experiment) -> Experiment:
    """The experiment with what does not fit its task as usual again."""
    fit = choices(experiment.task)
    models = tuple(
        model if model.pooling in fit["pooling"] else replace(model, pooling="last") for model in experiment.models
    )
    training = experiment.training
    if training.loss not in (*fit["loss"], *experiment.task.losses):
        training = replace(training, loss="")
    if training.reduction not in fit["reduction"]:
        training = replace(training, reduction="mean")
    return fitted_forms(replace(experiment, models=models, training=training))


def check_heads(experiment: Experiment, source: str) -> None:
    """RnnvizError with the first pooling, loss or reduction that does not fit the task."""
    task, fit = experiment.task, choices(experiment.task)
    asks = "asks at the last time step alone" if task.last_only else "asks at every time step"
    if task.form == "one to one":
        asks = "has one time step"
    for number, model in enumerate(experiment.models):
        if model.pooling not in fit["pooling"]:
            raise refuse(source, f"models[{number}].pooling", _wanted(("last",), task, asks), model.pooling)
    training = experiment.training
    if training.loss and training.loss not in task.losses:
        raise refuse(source, "training.loss", _wanted(task.losses, task, "has no such answers"), training.loss)
    if training.reduction not in fit["reduction"]:
        raise refuse(source, "training.reduction", _wanted(("mean",), task, asks), training.reduction)


def _wanted(values: tuple[Any, ...], task: Task, why: str) -> str:
    return f'{" or ".join(f"{chr(34)}{value}{chr(34)}" for value in values)} for the task "{task.name}", which {why}'


def total_words(experiment: Experiment) -> str:
    """What the loss of a training curve is: "cross entropy, mean over the time steps and sequences of a batch"."""
    training, task = experiment.training, experiment.task
    over = "mean over the sequences of a batch"
    if training.truncation == "windows":
        new = f"the {training.new_steps:,} new time step{'s' * (training.new_steps != 1)} of a window"
        total = training.reduction == "sum"
        over = f"sum over {new}, mean over the streams" if total else f"mean over {new} and the streams"
    elif training.reduction == "sum":
        over = f"sum over the time steps, {over}"
    elif not task.last_only and task.form != "one to one":
        over = "mean over the time steps and sequences of a batch"
    return f"{LOSSES[training.loss or task.losses[0]].words}, {over}"


def open_source(experiment: Experiment) -> TaskSource:
    """The sequences of the task, asked as the experiment says. RnnvizError for a file or settings it cannot be of."""
    task, training = experiment.task, experiment.training
    summed = training.new_steps if training.truncation == "windows" else None
    return asked_source(task.open(experiment.seed), task, training.loss or task.losses[0], training.reduction, summed)


def recorded_info(experiment: Experiment, source: TaskSource) -> TaskInfo:
    """What is said of the task in a run, with the metrics that the training adds to its own."""
    training, info = experiment.training, source.info
    more = [] if training.constant else ["learning_rate"]
    if training.validated:
        more += ["test_loss", *(f"test_{name}" for name in info.metrics if name == "accuracy")]
    return replace(info, metrics=tuple(dict.fromkeys((*info.metrics, *more))))

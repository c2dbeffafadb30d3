"""The ranges of an experiment: which values can be trained, checked in one place for files, window and engine."""

import math

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import (
    Adding,
    Experiment,
    ModelSettings,
    NextCharacter,
    NextValue,
    TemporalOrder,
)
from rnnviz.core.plain_records import came, refuse
from rnnviz.core.stopping.marks_file import check_marks

LONGEST = 10_000  # time steps
MOST_MODELS = 8


def check_experiment(experiment: Experiment, source: str = "experiment") -> None:
    """Raises RnnvizError with the first value that is out of range; `source` names the file in its sentence."""
    _text(experiment.name, source, "name")
    _whole(experiment.seed, 0, 2**63 - 1, source, "seed")
    _check_task(experiment, source)
    _check_models(experiment, source)
    training = experiment.training
    _number(training.learning_rate, source, "training.learning_rate", above=0.0)
    _number(training.clip_norm, source, "training.clip_norm", at_least=0.0)
    _whole(training.batch_size, 1, 4096, source, "training.batch_size")
    _whole(training.training_steps, 0, 10**9, source, "training.training_steps")
    check_marks(experiment.marks, [model.name for model in experiment.models], source)


def _check_task(experiment: Experiment, source: str) -> None:
    task = experiment.task
    if isinstance(task, TemporalOrder):
        _check_temporal_order(task, source)
        return
    _whole(task.length, 2 if isinstance(task, Adding) else 1, LONGEST, source, "task.length")
    if isinstance(task, NextValue | NextCharacter):
        if not 0.0 < task.train_share < 1.0:
            raise refuse(source, "task.train_share", "between 0 and 1, both excluded", task.train_share)
        _path(task.file, source, "task.file")
    if isinstance(task, NextValue):
        for place, column in enumerate(task.columns):
            if not column or not _encodable(column) or column in task.columns[:place]:
                raise refuse(source, f"task.columns[{place}]", "a column name that is not empty or named twice", column)


def _check_temporal_order(task: TemporalOrder, source: str) -> None:
    pairs = (("length", task.length, 1), ("first_mark", task.first_mark, 0), ("second_mark", task.second_mark, 0))
    for key, (low, high), least in pairs:
        if not least <= low <= high <= LONGEST:
            wanted = f"two whole numbers from {least} to {LONGEST}, the smaller first"
            raise refuse(source, f"task.{key}", wanted, [low, high])
    if task.second_mark[0] <= task.first_mark[1]:
        wanted = f"after first_mark, which ends at {task.first_mark[1]}"
        raise refuse(source, "task.second_mark", wanted, list(task.second_mark))
    if task.second_mark[1] >= task.length[0]:
        wanted = f"within the shortest sequence (0 to {task.length[0] - 1})"
        raise refuse(source, "task.second_mark", wanted, list(task.second_mark))


def _check_models(experiment: Experiment, source: str) -> None:
    models = experiment.models
    if not 1 <= len(models) <= MOST_MODELS:
        raise RnnvizError(f"{source}: models must be 1 to {MOST_MODELS} tables, not {len(models)}.")
    for number, model in enumerate(models):
        key = f"models[{number}]"
        _text(model.name, source, f"{key}.name")
        if model.name in (other.name for other in models[:number]):
            raise refuse(source, f"{key}.name", "a name no other model has", model.name)
        _check_model(model, experiment, source, key)


def _check_model(model: ModelSettings, experiment: Experiment, source: str, key: str) -> None:
    _whole(model.hidden_size, 1, 4096, source, f"{key}.hidden_size")
    _whole(model.num_layers, 1, 8, source, f"{key}.num_layers")
    if not -100.0 <= model.forget_bias <= 100.0:
        raise refuse(source, f"{key}.forget_bias", "a number from -100 to 100", model.forget_bias)
    if model.bidirectional and isinstance(experiment.task, NextValue | NextCharacter):
        wanted = f'false for the task "{experiment.task.name}", whose answer a backward direction would see'
        raise refuse(source, f"{key}.bidirectional", wanted, True)


def _whole(value: int, low: int, high: int, source: str, key: str) -> None:
    if not low <= value <= high:
        raise refuse(source, key, f"a whole number from {low} to {high}", value)


def _number(value: float, source: str, key: str, above: float = -math.inf, at_least: float = -math.inf) -> None:
    if not (math.isfinite(value) and value > above and value >= at_least):
        bound = f"above {above:g}" if above > -math.inf else f"of at least {at_least:g}"
        raise refuse(source, key, f"a finite number {bound}", value)


def _text(value: str, source: str, key: str) -> None:
    if not value.strip() or not value.isprintable() or len(value) > 200:
        raise RnnvizError(f"{source}: {key} must be one line of 1 to 200 characters, not {came(value)!s}.")


def _path(value: str, source: str, key: str) -> None:
    if "\0" in value or not _encodable(value):
        raise refuse(source, key, "a path in UTF-8 without a zero character", ascii(value))


def _encodable(text: str) -> bool:
    """Not so for half a character, as in file names that are not UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)

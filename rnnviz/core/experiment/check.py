"""Check of an experiment: which values can be trained, in one place for files, window and engine."""

from rnnviz.core.cells import OWN, cell_kind
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.estimate import check_estimate
from rnnviz.core.experiment.forms import check_forms, reads_whole
from rnnviz.core.experiment.heads import check_heads
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import MOST_MODELS, Experiment
from rnnviz.core.plain_records import refuse
from rnnviz.core.setting import check_settings, settings_of
from rnnviz.core.stopping.marks_file import check_marks
from rnnviz.core.tasks import TaskSettings


def check_experiment(experiment: Experiment, source: str = "experiment") -> None:
    """Raises RnnvizError with the first value that is out of range; `source` names the file in its sentence."""
    check_settings(experiment, source)
    _check_task(experiment.task, source)
    _check_models(experiment, source)
    for record in (experiment.training, experiment.training.own, experiment.training.scheduled):
        check_settings(record, source, "training")
    check_heads(experiment, source)
    check_forms(experiment, source)
    check_estimate(experiment, source)
    unknown = any(model.cell == OWN.name for model in experiment.models)
    check_marks(experiment.marks, [model.name for model in experiment.models], source, unknown)


def check_number_of_models(number: int, source: str) -> None:
    """RnnvizError where an experiment may not have so many."""
    if not 1 <= number <= MOST_MODELS:
        raise RnnvizError(f"{source}: models must be 1 to {MOST_MODELS} tables, not {number}.")


def _check_task(task: TaskSettings, source: str) -> None:
    check_settings(task, source, "task")
    if conflict := task.conflict:
        value = getattr(task, conflict.setting)
        came = list(value) if isinstance(value, tuple) else value
        raise refuse(source, f"task.{conflict.setting}", conflict.wanted, came)


def _check_models(experiment: Experiment, source: str) -> None:
    models = experiment.models
    check_number_of_models(len(models), source)
    for number, model in enumerate(models):
        key = f"models[{number}]"
        settings_of(ModelSettings)["name"].range.check(model.name, source, f"{key}.name")
        if model.name in (other.name for other in models[:number]):
            raise refuse(source, f"{key}.name", "a name no other model has", model.name)
        _check_model(model, experiment, source, key)


def _check_model(model: ModelSettings, experiment: Experiment, source: str, key: str) -> None:
    check_settings(model, source, key)
    check_settings(model.own, source, key)
    kind = cell_kind(model.cell)
    if model.cell == OWN.name:
        _check_own_cell(model, experiment, source, key)
    if model.num_layers > 1 and kind.one_layer:
        raise refuse(source, f"{key}.num_layers", f"1 for the cell {model.cell}, {kind.one_layer}", model.num_layers)
    if model.bidirectional and kind.one_direction:
        raise refuse(source, f"{key}.bidirectional", f"false for the cell {model.cell}, {kind.one_direction}", True)
    if model.bidirectional and experiment.task.predicts_next:
        wanted = f'false for the task "{experiment.task.name}", whose answer a backward direction would see'
        raise refuse(source, f"{key}.bidirectional", wanted, True)


def _check_own_cell(model: ModelSettings, experiment: Experiment, source: str, key: str) -> None:
    """A user's own cell has a file, and reads whole sequences alone."""
    if not model.own.file:
        raise refuse(source, f"{key}.file", 'the path of a Python file for the cell "own"', model.own.file)
    if reads_whole(experiment.task):
        wanted = f'another cell for the task "{experiment.task.name}", whose encoder and decoder are cells of ours'
        raise refuse(source, f"{key}.cell", wanted, model.cell)

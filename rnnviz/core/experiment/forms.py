"""Forms of an experiment: which settings mean something for a task and a model, and which values fit together."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from rnnviz.core.cells import OWN, cell_kind
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment, Task
from rnnviz.core.experiment.training_settings import TRUNCATIONS, TrainingSettings, Truncation
from rnnviz.core.plain_records import refuse

_OF_TASK = ("embedding", "convolution", "attention")  # settings of a model that a task may not have
_HANDING_OVER = "gru"  # the cell in place of one that cannot


def reads_whole(task: Task) -> bool:
    """Whether an encoder reads the sequence before a decoder writes."""
    return task.written > 0


def no_decoder(model: ModelSettings) -> str:
    """Why no encoder and decoder can be of a model's cell; "": they can."""
    kind = cell_kind(model.cell)
    if kind.reads_out:
        return "has the prediction as its output"
    if model.cell == OWN.name:
        return "is known to torch alone"
    return "" if model.structure(1, 1).equations.states else "has no state"


def truncations(task: Task) -> tuple[Truncation, ...]:
    """How the gradient may be cut, the usual one first."""
    if task.form == "one to one":
        return ("off",)
    return tuple(name for name in TRUNCATIONS if name != "windows" or task.stream)


def meaningless(task: Task, record: ModelSettings | TrainingSettings) -> Mapping[str, str]:
    """The settings of a model or of the training that say nothing for a task and beside its other settings, with the
    reason: they are not offered, and a model is trained as if they were as usual."""
    found: dict[str, str] = {}
    if isinstance(record, ModelSettings):
        if not task.symbols:
            found["embedding"] = "its inputs are no symbols"
        if task.picture is None:
            found["convolution"] = "its inputs are no pictures"
        if not reads_whole(task):
            found["attention"] = "there is no encoder to look back at"
        if record.num_layers == 1:
            found |= dict.fromkeys(("residual", "dropout"), "there is one layer only")
        return found
    if not reads_whole(task):
        found["teacher_forcing"] = "there is no decoder"
    if len(truncations(task)) == 1:
        found["truncation"] = "there is one time step only"
    if record.truncation == "off":
        found["reach"] = "nothing is cut"
    if record.truncation != "windows":
        found |= dict.fromkeys(("new_steps", "carried"), "training does not go along windows")
    return found


class Said(NamedTuple):
    """What a setting is called in a form, and its tooltip."""

    label: str
    tooltip: str


def said_otherwise(task: Task, training: TrainingSettings) -> Mapping[str, Said]:
    """The settings that mean something else than they say, by their key: along windows the batch is of streams, and a
    task's own length is that of the probe and the test part."""
    if training.truncation != "windows" or "windows" not in truncations(task):
        return {}
    return {
        "batch_size": Said(
            "Streams",
            "Training goes along windows: the data is parted into so many streams, which are gone along in parallel, "
            "one window of each in a training step; needs a restart",
        ),
        "length": Said(
            "Probe length",
            "Time steps of each sequence of the probe and of the test part alone: how far training goes in a training "
            "step is set by its truncation; needs a restart",
        ),
    }


def edited(training: TrainingSettings, key: str, value: Any) -> TrainingSettings:
    """With another value of one setting, as a form sets it: where windows would go on by more time steps than the
    gradient goes back, it goes back as many. One that is itself set too low stays, and `reach_problem` says so."""
    found = training.with_value(key, value)
    if key in ("truncation", "new_steps") and reach_problem(found):
        return replace(found, reach=found.new_steps)
    return found


def reach_problem(training: TrainingSettings) -> str:
    """What is wrong with how far the gradient goes back, in one sentence; "": nothing."""
    if training.truncation != "windows" or training.reach >= training.new_steps:
        return ""
    return f"The gradient goes back over the {training.new_steps:,} new time steps of a window at least."


def fitted_forms(experiment: Experiment) -> Experiment:
    """The experiment with what its task does not have as usual again."""
    task, training = experiment.task, experiment.training
    models = []
    for model in experiment.models:
        changed: dict[str, Any] = {}
        without = meaningless(task, model)
        changed |= {key: getattr(ModelSettings, key) for key in _OF_TASK if key in without}
        model = replace(model, **changed)
        models.append(model.with_cell(_HANDING_OVER) if reads_whole(task) and no_decoder(model) else model)
    if training.truncation not in truncations(task):
        training = replace(training, truncation="off")
    return replace(experiment, models=tuple(models), training=training)


def check_forms(experiment: Experiment, source: str) -> None:
    """RnnvizError with the first setting that the task does not have, or that does not go with another one."""
    task, training = experiment.task, experiment.training
    for number, model in enumerate(experiment.models):
        for key, reason in meaningless(task, model).items():
            value, usual = getattr(model, key), getattr(ModelSettings, key)
            if key in _OF_TASK and value != usual:
                wanted = f'left out for the task "{task.name}" ({reason})'
                raise refuse(source, f"models[{number}].{key}", wanted, value)
        if reads_whole(task) and (why := no_decoder(model)):
            wanted = f'one that hands its state over to a decoder, for the task "{task.name}" ({model.cell} {why})'
            raise refuse(source, f"models[{number}].cell", wanted, model.cell)
    fit = truncations(task)
    if training.truncation not in fit:
        listed = " or ".join(f'"{one}"' for one in fit)
        raise refuse(source, "training.truncation", f'{listed} for the task "{task.name}"', training.truncation)
    if reach_problem(training):
        wanted = f"at least new_steps, which is {training.new_steps}"
        raise refuse(source, "training.reach", wanted, training.reach)

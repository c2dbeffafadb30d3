"""Experiment file: the experiment in TOML: strict reading, and writing that a person can read and edit."""

import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomli_w

from rnnviz.core.cells import OWN, cell_kind, cell_kinds
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.check import check_experiment, check_number_of_models
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment, Task
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.files.toml_text import read_toml
from rnnviz.core.files.whole import write_whole
from rnnviz.core.optimising.optimisers import OPTIMISERS
from rnnviz.core.optimising.schedules import SCHEDULES
from rnnviz.core.plain_records import came, closest, listed, plain, read_record, refuse
from rnnviz.core.setting import DataFile, settings_of
from rnnviz.core.stopping import marks_file
from rnnviz.core.tasks import TASKS

FORMAT = 1  # the key `rnnviz` of every experiment file
LARGEST_FILE = 1 << 20  # bytes

TOP_KEYS = ("rnnviz", "name", "seed", "task", "models", "training", *marks_file.KEYS)

_OF_FORMS_IN_MODELS = ("pooling", "residual", "dropout", "embedding", "convolution", "attention")
_OF_FORMS_IN_TASKS = ("padding",)
_OF_FORMS_IN_TRAINING = ("loss", "reduction", "truncation", "new_steps", "reach", "carried", "teacher_forcing")
NUMBER_PAIR = re.compile(r"\[\n +(\d+),\n +(\d+),\n\]")  # tomli_w gives each number its own line; texts hold no newline


def read_experiment(path: str | os.PathLike[str]) -> Experiment:
    """The experiment in the TOML file at `path`; data files named relatively are found beside it.

    Raises RnnvizError with one sentence for a file that cannot be read, an unknown key, a wrong type or a value out of
    range.
    """
    path = Path(path)
    return parse_experiment(experiment_text(path), str(path), path.absolute().parent)


def experiment_text(path: Path) -> str:
    """The text of an experiment's file, not yet read as TOML. Raises RnnvizError."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise RnnvizError(f"{path} is not a file; wanted an experiment in TOML.")
        if facts.st_size > LARGEST_FILE:
            raise RnnvizError(
                f"{path} holds {facts.st_size:,} bytes; wanted an experiment in TOML of at most {LARGEST_FILE:,}."
            )
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise RnnvizError(f"{path} does not exist; wanted an experiment in TOML.") from None
    except UnicodeDecodeError as error:
        raise RnnvizError(
            f"{path} is not UTF-8 text (byte {error.start} is 0x{error.object[error.start]:02x}); "
            "wanted an experiment in TOML."
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file can have this name"
        raise RnnvizError(f"{path} cannot be read: {reason}.") from None


def parse_experiment(text: str, source: str, folder: Path | None = None) -> Experiment:
    """The experiment in `text`. `source` names where it came from in every error; relative data files are taken from
    `folder`, or left as they are without one. Raises RnnvizError."""
    return experiment_of(read_toml(text, source), source, folder)


def experiment_of(table: dict[str, Any], source: str, folder: Path | None = None) -> Experiment:
    """The experiment in the tables of a TOML text, as `parse_experiment` says."""
    _check_format(table, source)
    for key in table:
        if key not in TOP_KEYS:
            raise RnnvizError(f"{source}: unknown key {came(key)[1:-1]}, {closest(key, TOP_KEYS)}")
    experiment = Experiment(
        name=_top(table, "name", str, source),
        task=_read_task(table.get("task"), source, folder),
        models=_with_cell_files(_read_models(table.get("models", []), source), _found_in(folder)),
        training=_read_training(table.get("training", {}), source),
        seed=_top(table, "seed", int, source, default=Experiment.seed),
        marks=marks_file.read_marks(table, source),
    )
    check_experiment(experiment, source)
    return experiment


def experiment_toml(experiment: Experiment) -> str:
    """`experiment` as TOML text; keys that do not apply to a model's cell are left out."""
    models = []
    for model in experiment.models:
        table = _without_usual(plain(model), ModelSettings, _OF_FORMS_IN_MODELS)
        models.append(table | _meaning_something(table.pop("own"), model.own))
    table = {
        "rnnviz": FORMAT,
        "name": experiment.name,
        "seed": experiment.seed,
        "task": _without_usual(plain(experiment.task), type(experiment.task), _OF_FORMS_IN_TASKS),
        "training": _training_table(experiment.training),
        "models": models,
        **marks_file.marks_table(experiment.marks),
    }
    return NUMBER_PAIR.sub(r"[\1, \2]", tomli_w.dumps(table))


def write_experiment(experiment: Experiment, path: str | os.PathLike[str]) -> None:
    """Writes `experiment` to `path`, whole or not at all; data files below its folder are named relatively.

    Raises RnnvizError for an experiment out of range or a place that cannot be written.
    """
    path = Path(path).absolute()
    check_experiment(experiment, str(path))

    def named(name: str) -> str:
        return _named(name, path.parent)

    models = _with_cell_files(experiment.models, named)
    text = experiment_toml(replace(experiment, task=_with_paths(experiment.task, named), models=models))
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError:
        raise RnnvizError(f"{path} cannot be written: a name holds a character that UTF-8 cannot store.") from None
    write_whole(path, content)


def _check_format(table: dict[str, Any], source: str) -> None:
    version = table.get("rnnviz")
    if version is None:
        raise RnnvizError(
            f"{source} has no key rnnviz; wanted an rnnviz experiment, which begins with rnnviz = {FORMAT}."
        )
    if type(version) is not int or version < 1:
        raise refuse(source, "rnnviz", str(FORMAT), version)
    if version > FORMAT:
        raise RnnvizError(f"{source} was written by a newer rnnviz (rnnviz = {version}); this one reads {FORMAT}.")


def _top(table: dict[str, Any], key: str, kind: type, source: str, default: object = None) -> Any:
    value = table.get(key, default)
    if value is None:
        raise RnnvizError(f"{source}: {key} is missing.")
    if type(value) is not kind:
        raise refuse(source, key, "a text" if kind is str else "a whole number", value)
    return value


def _read_task(table: object, source: str, folder: Path | None) -> Task:
    if table is None:
        raise RnnvizError(f"{source}: the table task is missing; wanted one with name = " + _task_names())
    if not isinstance(table, dict):
        raise refuse(source, "task", "a table", table)
    name = table.get("name")
    if not isinstance(name, str) or name not in TASKS:
        raise RnnvizError(
            f"{source}: task.name is missing; wanted {_task_names()}"
            if name is None
            else str(refuse(source, "task.name", _task_names().rstrip("."), name))
        )
    return _with_paths(read_record(TASKS[name], table, source, "task"), _found_in(folder))


def _found_in(folder: Path | None) -> Callable[[str], str]:
    """Where a file named in an experiment lies: relatively to `folder`, without one as it is."""
    return (lambda name: name) if folder is None else (lambda name: os.path.normpath(folder / name))


def _task_names() -> str:
    return "one of " + ", ".join(f'"{name}"' for name in TASKS) + "."


def _read_models(tables: object, source: str) -> tuple[ModelSettings, ...]:
    if not isinstance(tables, list):
        raise refuse(source, "models", "a list of tables ([[models]])", tables)
    check_number_of_models(len(tables), source)  # before each is read
    models = []
    for number, table in enumerate(tables):
        models.append(_read_model(table, source, f"models[{number}]"))
    return tuple(models)


def _read_model(table: object, source: str, key: str) -> ModelSettings:
    """The keys every model has and those of its cell, which stand beside each other."""
    if not isinstance(table, dict):
        raise refuse(source, key, "a table", table)
    others = _own_keys()
    common = {name: value for name, value in table.items() if name not in others}
    known = settings_of(ModelSettings)
    for name in common:
        if name not in known:  # "own" among them, a field and no key
            raise RnnvizError(f"{source}: unknown key {key}.{came(name)[1:-1]}, {closest(name, [*known, *others])}")
    model = read_record(ModelSettings, common, source, key)
    known["cell"].range.check(model.cell, source, f"{key}.cell")
    kind = cell_kind(model.cell).settings
    own_known = settings_of(kind)
    for name in table:
        cells = others.get(name, ())
        if cells and name not in own_known:
            value = table[name]
            if value == getattr(cell_kind(cells[0]).settings, name):
                continue  # as usual where it says something
            wanted = f"left out for the cell {model.cell} (it belongs to {listed(cells)})"
            raise refuse(source, f"{key}.{name}", wanted, value)
    own = {name: value for name, value in table.items() if name in own_known}
    return replace(model, own=read_record(kind, own, source, key))


def _training_table(training: TrainingSettings) -> dict[str, Any]:
    """The settings that apply, beside each other."""
    table = {key: plain(training.value(key)) for key in training.applying}
    return _without_usual(table, TrainingSettings, _OF_FORMS_IN_TRAINING)


def _without_usual(table: dict[str, Any], record: type[Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Without the settings of head and form that are as usual: few tasks have a choice there."""
    return {name: value for name, value in table.items() if name not in keys or value != getattr(record, name)}


def _read_training(table: object, source: str) -> TrainingSettings:
    """The keys every training has, those of its optimiser and those of its schedule, which stand beside each other."""
    if not isinstance(table, dict):
        raise refuse(source, "training", "a table", table)
    common = {key: value for key, value in table.items() if key in settings_of(TrainingSettings)}
    training = read_record(TrainingSettings, common, source, "training")
    for key, value in table.items():
        if key not in training.applying:
            raise _not_of_training(training, source, key, value)
    for part in ("own", "scheduled"):
        record = getattr(training, part)
        given = {key: value for key, value in table.items() if key in settings_of(type(record))}
        rate = {"learning_rate": training.learning_rate} if part == "own" else {}
        made = read_record(type(record), given | rate, source, "training")
        training = replace(training, **{part: made})
    return training


def _not_of_training(training: TrainingSettings, source: str, key: str, value: object) -> RnnvizError:
    """The sentence about a key that does not apply: it is of another optimiser or schedule, or of nothing."""
    for setting, kinds in (("optimiser", OPTIMISERS), ("schedule", SCHEDULES)):
        names = [f'"{name}"' for name, kind in kinds.items() if key in settings_of(kind)]
        if names:
            wanted = f'left out for the {setting} "{getattr(training, setting)}" (it belongs to {listed(names)})'
            return refuse(source, f"training.{key}", wanted, value)
    return RnnvizError(f"{source}: unknown key training.{came(key)[1:-1]}, {closest(key, [*training.applying])}")


def _meaning_something(table: dict[str, Any], record: Any) -> dict[str, Any]:
    """The table of a record without what is as usual and means nothing beside its other settings."""
    known, usual = settings_of(type(record)), type(record)()
    return {key: value for key, value in table.items() if known[key].applies(record) or value != getattr(usual, key)}


def _own_keys() -> dict[str, tuple[str, ...]]:
    """The keys that only some cells have, with the names of those."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in cell_kinds().values():
        for name in settings_of(kind.settings):
            found[name] = (*found.get(name, ()), kind.name)
    return found


def data_files(task: Task) -> tuple[str, ...]:
    """The paths of the files that the task reads."""
    return tuple(path for name in _path_settings(task) if (path := getattr(task, name)))


def cell_files(experiment: Experiment) -> tuple[str, ...]:
    """The paths of the Python files that training runs, each once."""
    files = (model.own.file for model in experiment.models if model.cell == OWN.name)
    return tuple(dict.fromkeys(file for file in files if file))


def _with_cell_files(models: tuple[ModelSettings, ...], change: Callable[[str], str]) -> tuple[ModelSettings, ...]:
    """`models` with `change` applied to the file of each user's own cell."""
    return tuple(
        model.with_own("file", change(model.own.file)) if model.cell == OWN.name and model.own.file else model
        for model in models
    )


def _with_paths(task: Task, change: Callable[[str], str]) -> Task:
    """`task` with `change` applied to each path in it that is not empty."""
    changed: dict[str, Any] = {name: change(path) for name in _path_settings(task) if (path := getattr(task, name))}
    return replace(task, **changed)


def _path_settings(task: Task) -> list[str]:
    return [name for name, one in settings_of(type(task)).items() if isinstance(one.range, DataFile)]


def _named(name: str, folder: Path) -> str:
    """How a file in `folder` names the data file `name`."""
    data = Path(os.path.normpath(Path(name).absolute()))
    return data.relative_to(folder).as_posix() if data.is_relative_to(folder) else str(data)

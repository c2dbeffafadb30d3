"""Source: where a run comes from: trained here, one given input to a loaded checkpoint, or recorded by a script."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any, Literal

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_of, experiment_text, experiment_toml, parse_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.files.toml_text import read_toml
from rnnviz.core.plain_records import plain, read_record, refuse
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.structure import Activation

OLD_TASK = "given input"  # as experiments named it while a given input was a task
LARGEST_WHOLE = 10**9
GIVEN_LOSS = "L = ‖h‖, the norm of the top layer's output at one time step; there is no target"


@dataclass(frozen=True)
class GivenInput:
    """The one sequence a loaded module reads, and where its loss L = ‖h_t‖ stands."""

    source: Literal["text", "csv", "random"] = "random"
    text: str = ""  # source "text": one character a time step, one-hot over `alphabet`
    alphabet: str = ""
    file: str = ""  # source "csv"
    columns: tuple[str, ...] = ()
    length: int = 50  # source "random": time steps, drawn from the seed
    loss_time_step: int = 0  # 1-based; 0: the last one


@dataclass(frozen=True)
class Trained:
    """Trained here, as the experiment says."""

    experiment: Experiment

    @property
    def title(self) -> str:
        return self.experiment.name

    @property
    def seed(self) -> int | None:
        return self.experiment.seed

    @property
    def training(self) -> TrainingSettings | None:
        return self.experiment.training

    @property
    def trainable(self) -> bool:
        """Whether a training can go on from it, or begin again."""
        return True

    @property
    def marks(self) -> Marks:
        """The marks it began with."""
        return self.experiment.marks


@dataclass(frozen=True)
class Given:
    """One sweep of a loaded module over an input a person gives."""

    checkpoint: str
    input: GivenInput = field(default_factory=GivenInput)
    module: str | None = None  # its prefix in the checkpoint, None: the only one
    activation: Activation | None = None  # of a vanilla RNN, None: as the checkpoint says, else tanh
    drawn_from: int = 1  # the seed of a random input
    name: str = ""  # as it is shown, "": after the checkpoint
    guess: str = ""  # what neither file nor person said and the trace assumes ("tanh is a guess"), "": nothing

    @property
    def title(self) -> str:
        return self.name or PurePath(self.checkpoint).stem or "loaded model"

    @property
    def seed(self) -> int | None:
        return self.drawn_from

    @property
    def training(self) -> TrainingSettings | None:
        return None

    @property
    def trainable(self) -> bool:
        return False

    @property
    def marks(self) -> Marks:
        return Marks()


@dataclass(frozen=True)
class Recorded:
    """Recorded by a person's own script."""

    script: str
    name: str = ""  # as it is shown, "": after the script

    @property
    def title(self) -> str:
        return self.name or PurePath(self.script).stem or "recorded"

    @property
    def seed(self) -> int | None:
        return None

    @property
    def training(self) -> TrainingSettings | None:
        return None

    @property
    def trainable(self) -> bool:
        return False

    @property
    def marks(self) -> Marks:
        return Marks()


Source = Trained | Given | Recorded


def source_json(source: Source) -> str:
    """`source` as JSON: {"trained": TOML of the experiment}, {"given": table} or {"recorded": table}."""
    match source:
        case Trained(experiment):
            return json.dumps({"trained": experiment_toml(experiment)})
        case Given():
            return json.dumps({"given": plain(source)})
        case Recorded():
            return json.dumps({"recorded": plain(source)})


def parse_source_json(text: str, where: str) -> Source:
    """The source in `text`, everything checked; `where` names it in every error. Raises RnnvizError."""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict) or len(table) != 1:
        raise RnnvizError(f"{where}: source is not a JSON table of rnnviz.")
    kind, value = next(iter(table.items()))
    if kind == "trained" and isinstance(value, str):
        return Trained(parse_experiment(value, where))
    if kind == "given":
        return read_given(value, where, "source")
    if kind == "recorded":
        recorded = read_record(Recorded, value, where, "source")
        for key in ("script", "name"):
            _text(getattr(recorded, key), where, f"source.{key}")
        return recorded
    raise refuse(where, "source", '"trained", "given" or "recorded"', kind)


def read_given(value: object, where: str, key: str) -> Given:
    """A given input from its table, as `plain` makes it; errors as of `read_record`."""
    given = read_record(Given, value, where, key)
    check_given(given, where, key)
    return given


def check_given(given: Given, where: str, key: str) -> None:
    """RnnvizError with the first value that is out of range, whatever the checkpoint holds."""
    asked = given.input
    texts = {"checkpoint": given.checkpoint, "module": given.module or "", "name": given.name, "guess": given.guess}
    texts |= {"input.text": asked.text, "input.alphabet": asked.alphabet, "input.file": asked.file}
    texts |= {f"input.columns[{place}]": column for place, column in enumerate(asked.columns)}
    for name, text in texts.items():
        _text(text, where, f"{key}.{name}")
    for name in ("checkpoint", "input.file"):
        if "\0" in texts[name]:
            raise refuse(where, f"{key}.{name}", "a path without a zero character", ascii(texts[name]))
    for name, number in (("length", asked.length), ("loss_time_step", asked.loss_time_step)):
        least = 1 if name == "length" else 0
        if not least <= number <= LARGEST_WHOLE:
            raise refuse(where, f"{key}.input.{name}", f"a whole number from {least} to {LARGEST_WHOLE}", number)
    if not 0 <= given.drawn_from < 2**63:
        raise refuse(where, f"{key}.drawn_from", "a whole number from 0 on", given.drawn_from)


def read_source(path: str | os.PathLike[str]) -> Trained | Given:
    """What the TOML file at `path` asks for: an experiment, or a given input in the form experiments once had."""
    path = Path(path)
    return parse_source(experiment_text(path), str(path), path.absolute().parent)


def parse_source(text: str, where: str, folder: Path | None = None) -> Trained | Given:
    """As `parse_experiment`, also for an experiment of the task "given input", which older versions wrote."""
    table = read_toml(text, where)
    task = table.get("task")
    if isinstance(task, dict) and task.get("name") == OLD_TASK:
        return _old_given(table, task, where, folder)
    return Trained(experiment_of(table, where, folder))


def _old_given(table: Mapping[str, Any], task: Mapping[str, Any], where: str, folder: Path | None) -> Given:
    """Its models say the activation, which an older task did not."""
    asked = {key: value for key, value in task.items() if key not in ("name", "checkpoint")}
    activation = None
    models = table.get("models")
    if isinstance(models, list) and models and isinstance(models[0], dict) and models[0].get("cell") == "vanilla":
        activation = models[0].get("activation", "tanh")
    seed, name = table.get("seed", 1), table.get("name", "")
    value = {"checkpoint": task.get("checkpoint", ""), "input": asked, "drawn_from": seed, "name": name}
    given = read_given(value | {"activation": activation}, where, "task")
    if folder is None:
        return given
    file = os.path.normpath(folder / given.input.file) if given.input.file else ""
    checkpoint = os.path.normpath(folder / given.checkpoint) if given.checkpoint else ""
    return replace(given, checkpoint=checkpoint, input=replace(given.input, file=file))


def _text(text: str, where: str, key: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):  # half a character, as in odd file names
        raise refuse(where, key, "text that UTF-8 can hold", ascii(text))

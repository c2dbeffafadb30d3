"""Branches: a new run that trains on from a training step of another one, with weights as they were or changed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.check import check_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.progress import Progress
from rnnviz.core.optimising.schedules import OnPlateau
from rnnviz.core.plain_records import closest
from rnnviz.engine.checkpoints.export import exported_tensors
from rnnviz.engine.training.trainer import Start, Training
from rnnviz.runs.file.records import ANEW, OPTIMISERS, OptimiserSnapshot
from rnnviz.runs.reading.reader import Run

LIVE_NUMBERS = ("learning_rate", "clip_norm")  # that a running training takes, as its events name them


@dataclass(frozen=True)
class Branch:
    """Where a branch begins, and what its run's header says about it (keys as in `runs.records.Origin`)."""

    start: Start
    about: Mapping[str, str]
    sentence: str  # for the log


def branch_of_training(training: Training, path: Path) -> tuple[Experiment, Branch]:
    """From where `training`, recorded in `path`, is now, with what its optimisers have gathered."""
    settings = replace(
        training.experiment.training,
        learning_rate=training.learning_rate,
        clip_norm=training.clip_norm,
        training_steps=training.training_steps,
        patience=training.patience,
    )
    start = Start(
        training.training_step,
        [{name: value.detach().clone() for name, value in model.state_dict().items()} for model in training.models],
        [_copied(training.optimiser_snapshot(number)) for number in range(len(training.models))],
    )
    return replace(training.experiment, training=settings), _branch(start, path, settings)


def branch_of_run(run: Run, training_step: int) -> tuple[Experiment, Branch]:
    """From a captured training step of a run, with the settings that held there.

    Exactly as that training would have gone on, where what its optimisers had gathered is recorded; else they begin
    anew. Raises RnnvizError where nothing was captured or trained.
    """
    states = []
    for model in run.models:
        tensors = exported_tensors(run.capture(training_step, model.number))
        states.append({name: torch.from_numpy(array.copy()) for name, array in tensors.items()})
    settings = run.experiment.training
    found = [run.optimiser(training_step, model.number) for model in run.models]
    optimisers = [one for one in found if one is not None and one.name == settings.optimiser]
    whole = len(optimisers) == len(run.models)
    live = _live_settings(run, training_step)
    progress = () if whole else _progress(run, training_step, live.get("learning_rate", settings.learning_rate))
    start = Start(training_step, states, optimisers if whole else (), progress)
    return replace(run.experiment, training=replace(settings, **live)), _branch(start, run.path, settings)


def with_weights(branch: Branch, experiment: Experiment, model: str, weights: Mapping[str, Array]) -> Branch:
    """The branch with some weights of one model replaced.

    Names as in an exported file ("recurrent.weight_ih_l0", "head.bias"); of recurrent ones also torch's bare name.
    Raises RnnvizError for an unknown model or name, a wrong shape, and values that are not finite.
    """
    names = [settings.name for settings in experiment.models]
    if model not in names:
        raise RnnvizError(f"branch: there is no model {model}, {closest(model, names)}")
    number = names.index(model)
    state = dict(branch.start.states[number])
    for name, value in weights.items():
        known = name if name in state else f"recurrent.{name}"
        if known not in state:
            raise RnnvizError(f"branch: {model} has no weight {name[:60]}, {closest(name, list(state))}")
        state[known] = _checked(name, value, state[known])
    states = [*branch.start.states]
    states[number] = state
    return replace(
        branch,
        start=replace(branch.start, states=states),
        about={**branch.about, "branch changes": model},
        sentence=f"{branch.sentence[:-1]}, with changed weights of {model}.",
    )


def with_settings(experiment: Experiment, wanted: Mapping[str, float | None]) -> Experiment:
    """The experiment with other settings of its training, by name; None: as it is. RnnvizError for impossible ones."""
    given = {name: value for name, value in wanted.items() if value is not None}
    changed = replace(experiment, training=replace(experiment.training, **given))  # type: ignore[arg-type]
    check_experiment(changed, "branch")
    return changed


def _branch(start: Start, path: Path, settings: TrainingSettings) -> Branch:
    about = {"branch of": str(path), "branch at training step": str(start.training_step)}
    optimisers, carries = "with the optimisers as they were", settings.truncation == "windows" and settings.carried
    if not start.optimisers:
        about[OPTIMISERS] = ANEW
        optimisers = "with new optimisers, since their state is not recorded there"
        if carries:
            optimisers += "; the states that windows carry on are not recorded either and begin at 0"
    return Branch(start, about, f"Continues from training step {start.training_step:,} of {path}, {optimisers}.")


def _live_settings(run: Run, training_step: int) -> dict[str, Any]:
    """Learning rate and clip norm as they were set while the run was trained, up to that training step."""
    found: dict[str, Any] = {}
    for event in run.events():
        if event.kind == "setting" and event.training_step <= training_step:
            for name in LIVE_NUMBERS:
                change = event.details.get(name)
                value = change[-1] if isinstance(change, list) and change else None
                if isinstance(value, int | float) and math.isfinite(value) and (value > 0 or name == "clip_norm"):
                    found[name] = abs(float(value))
    return found


def _progress(run: Run, training_step: int, base: float) -> tuple[Progress, ...]:
    """What the validation losses up to a training step made of each model's progress; () where none was recorded."""
    names, schedule = run.metric_names(), run.experiment.training.scheduled
    if "test_loss" not in names:
        return ()
    found = []
    for model in run.models:
        progress = Progress()
        if isinstance(schedule, OnPlateau):
            rates = run.metrics("learning_rate", model.number)
            progress = Progress(reductions=schedule.reductions(run.experiment.training.learning_rate, rates[0]))
        for look, loss in zip(*run.curve("test_loss", model.number), strict=True):
            if look <= training_step:
                progress = progress.after(int(look), float(loss), schedule, base)
        found.append(progress)
    return tuple(found)


def _copied(snapshot: OptimiserSnapshot) -> OptimiserSnapshot:
    return replace(snapshot, state={name: array.copy() for name, array in snapshot.state.items()})


def _checked(name: str, value: Array, old: Tensor) -> Tensor:
    if value.shape != tuple(old.shape) or value.dtype.kind != "f":
        raise RnnvizError(f"branch: {name[:60]}: wanted numbers {tuple(old.shape)}, got {value.dtype} {value.shape}.")
    if not np.isfinite(value).all():
        raise RnnvizError(f"branch: {name[:60]}: wanted finite numbers, got NaN or infinite ones.")
    return torch.from_numpy(value.astype(np.float32)).to(old.dtype)

"""Folders of seeds made of curves that a test chooses, without any training."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.source import Trained
from rnnviz.core.structure import Structure
from rnnviz.core.tasks import Adding
from rnnviz.runs.file.process import NOBODY
from rnnviz.runs.file.records import EngineState, EngineStatus, RunModel
from rnnviz.runs.seeds.folder import SeedRun, begin, experiment_of, seed_runs
from rnnviz.runs.seeds.index import SeedIndex
from rnnviz.runs.writing.writer import RunWriter

Metrics = dict[str, Array]  # by name, (K,) values of training steps 1…K


def experiment(name: str = "Adding", steps: int = 60, **changes: object) -> Experiment:
    models = (ModelSettings("Vanilla", "vanilla", 6), ModelSettings("LSTM", "lstm", 5))
    training = TrainingSettings(batch_size=4, training_steps=steps)
    wanted = Experiment(name, Adding(length=12), models, training, seed=7)
    return replace(wanted, **changes)  # type: ignore[arg-type]


def accuracies(number: int, steps: int, solved_at: int | None) -> Metrics:
    """A metric that goes up at a training step, if at all, and a loss that falls."""
    values = np.full(steps, 0.25 + 0.01 * number)
    if solved_at is not None:
        values[solved_at - 1 :] = 1.0
    return {"loss": 1.0 / np.arange(1, steps + 1) + 0.1 * number, "accuracy": values}


def write_run(
    index: SeedIndex, run: SeedRun, metrics: Sequence[Metrics], state: EngineState = "finished", sentence: str = ""
) -> None:
    """The run of one seed with the metrics of each model; nobody writes it any more."""
    wanted = experiment_of(index, run)
    models = [
        RunModel(number, one.name, Structure(one.cell, 2, one.hidden_size), 10)
        for number, one in enumerate(wanted.models)
    ]
    writer = RunWriter(run.path, Trained(wanted), wanted.task.open(wanted.seed).info, models, None)
    last = 0
    for number, of_model in enumerate(metrics):
        last = max(last, *(len(values) for values in of_model.values()))
        for step in range(last):
            there = {name: float(values[step]) for name, values in of_model.items() if step < len(values)}
            writer.metrics(step + 1, number, there)
        writer.flush()
    writer.status(EngineStatus(state, last, 1.0, os.getpid(), time.time(), sentence))
    writer.close()


def write_folder(
    folder: Path,
    experiments: Sequence[Experiment],
    seeds: Sequence[int],
    solved_at: Callable[[SeedRun, int], int | None],
    solved: str = "accuracy >= 0.99 over 5",
) -> SeedIndex:
    """A folder of which every seed is trained; `solved_at`: of a run and the number of a model."""
    index = begin(folder, experiments, seeds, solved)
    for run in seed_runs(folder, index):
        wanted = experiments[run.experiment]
        steps = wanted.training.training_steps
        write_run(
            index, run, [accuracies(run.seed, steps, solved_at(run, model)) for model in range(len(wanted.models))]
        )
    assert index.trainer == NOBODY
    return index

"""Training without a window: a progress bar on standard error and a line about each model at the end."""

import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.engine.training.branching import branch_of_run, with_settings, with_weights
from rnnviz.engine.training.pipe import Pipe
from rnnviz.engine.training.serve import run_training
from rnnviz.progress_bar import ProgressBar
from rnnviz.runs.reading.reader import open_run


def train_headless(experiment: Experiment, path: Path, batches: bool = False) -> int:
    """Trains `experiment` into the run file `path` and returns the exit status. Raises RnnvizError.

    `batches`: as of `run_training`.
    """
    with closing(_Bar(experiment)) as bar:
        status = run_training(experiment, path, progress=bar.progress, tell=bar.say, batches=batches)
        with open_run(path) as run:
            bar.show(run.last_training_step)
    print(summary(path), file=sys.stderr)
    return status


def branch_headless(
    parent: Path,
    training_step: int | None,
    changed: tuple[str, Mapping[str, Array]] | None,
    path: Path,
    settings: Mapping[str, float | None],
    *,
    live: bool = False,
    paused: bool = False,
    check: Callable[[Experiment], None] = lambda experiment: None,
    pipe: Pipe | None = None,
) -> int:
    """Trains on from a captured training step of `parent` (None: the last) into the run file `path`.

    `changed`: a model and its changed weights. `settings`: of the training, by name, instead of the run's own where not
    None. `check` refuses an experiment. `pipe`: as of `run_training`. Raises RnnvizError.
    """
    with open_run(parent) as run:
        captured = run.captured()
        if not captured.size:
            raise RnnvizError(f"{parent} holds no capture, so training cannot continue from it.")
        experiment, branch = branch_of_run(run, int(captured[-1]) if training_step is None else training_step)
        experiment = with_settings(replace(experiment, marks=run.marks()), settings)
        check(experiment)
    planned, begin = settings.get("training_steps"), branch.start.training_step
    if planned is not None and planned <= begin and not live:
        raise RnnvizError(
            f"branch: training would end at training step {planned:,}, but continues from {begin:,}; "
            "wanted a later end."
        )
    if changed is not None:
        branch = with_weights(branch, experiment, *changed)
    if live:
        return run_training(experiment, path, live=True, paused=paused, branch=branch, pipe=pipe)
    with closing(_Bar(experiment)) as bar:
        if not branch.start.optimisers:
            bar.say(branch.sentence)
        status = run_training(experiment, path, progress=bar.progress, branch=branch, tell=bar.say)
    print(summary(path), file=sys.stderr)
    return status


class _Bar(ProgressBar):
    """The bar of one experiment, with the first metric of each model beside it."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment.name, experiment.training.training_steps)

    def progress(self, training_step: int, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """What the engine tells of a training step: the metrics of each model by its name."""
        first = {name: next(iter(values.items())) for name, values in metrics.items() if values}
        words = (f"{name} {metric} {value:.4g}" for name, (metric, value) in first.items())
        self.show(training_step, ", ".join(words))


def record_first_lesson(path: Path) -> None:
    """Trains the first lesson into the run file `path`, with a progress bar. Raises RnnvizError."""
    lesson = first_lesson()
    with closing(_Bar(lesson)) as bar:
        run_training(lesson, path, progress=bar.progress)


def summary(path: Path) -> str:
    """How its file was read; one line a model: how far it was trained, and its last metrics; then where the run is."""
    with open_run(path) as run:
        lines = [f"note: {note}" for note in run.task.notes]
        for model in run.models:
            last = {name: run.metrics(name, model.number) for name in run.metric_names()}
            words = [f"{name} {values[-1]:.4g}" for name, values in last.items() if np.size(values)]
            lines.append(
                f"{model.name}: {', '.join(words) or 'no metrics'} after training step {run.last_training_step:,}"
            )
    return "\n".join([*lines, f"The run is {path}"])

"""The lesson and the examples that ship do what is said of them, headless, with the seed they ship with."""

from pathlib import Path

import numpy as np
import pytest

from rnnviz.core.experiment import Experiment, first_lesson
from rnnviz.core.experiment_file import read_experiment
from rnnviz.core.resources import resource
from rnnviz.engine.serve import run_training
from rnnviz.runs.reader import open_run

LAST = 100  # training steps that are averaged


def trained(experiment: Experiment, folder: Path, metric: str) -> dict[str, float]:
    """The mean of each model's last values of `metric`."""
    path = folder / "run.rnnviz"
    assert run_training(experiment, path) == 0
    with open_run(path) as run:
        return {model.name: float(np.mean(run.metrics(metric, model.number)[-LAST:])) for model in run.models}


def example(name: str) -> Experiment:
    return read_experiment(resource(f"experiments/{name}.toml"))


def test_in_the_first_lesson_the_lstm_solves_what_the_vanilla_network_does_not(tmp_path):
    accuracy = trained(first_lesson(), tmp_path, "accuracy")
    assert accuracy["LSTM"] >= 0.99
    assert accuracy["Vanilla"] <= 0.35


def test_on_the_sunspots_both_models_beat_the_same_as_last_year(tmp_path):
    experiment = example("sunspots")
    losses = trained(experiment, tmp_path, "test_loss")
    with open_run(tmp_path / "run.rnnviz") as run:
        baseline = next(line.value for line in run.task.baselines if line.label == "same as last year")
    assert all(loss < baseline for loss in losses.values()), (losses, baseline)


def test_adding_is_learnt_by_the_lstm_alone(tmp_path):
    losses = trained(example("adding"), tmp_path, "loss")
    assert losses["LSTM"] < 0.01
    assert losses["Vanilla"] > 0.12


@pytest.mark.parametrize("name", ["next-character", "forget-bias"])
def test_the_longer_examples_are_experiments(name):
    assert len(example(name).models) >= 2

"""Estimates: what an experiment takes is judged before anything is built, by size, depth, length, batch and number."""

from dataclasses import replace
from typing import Any

import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.check import check_experiment
from rnnviz.core.experiment.estimate import check_estimate, estimate
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.tasks import Adding, DateFormats, NextCharacter, Parity


def of(cell: str = "lstm", length: int = 1000, batch: int = 256, models: int = 1, **sizes: Any) -> Experiment:
    sizes = {"hidden_size": 64} | sizes
    named = tuple(ModelSettings(f"m{number}", cell, **sizes) for number in range(models))
    return Experiment("x", Adding(length=length), named, TrainingSettings(batch_size=batch))


@pytest.mark.parametrize(
    ("experiment", "measured"),  # MB that two training steps added to the process, torch 2.13.0
    [
        (of(), 1067),
        (of("vanilla"), 456),
        (of("gru"), 967),
        (of(length=20, batch=8, hidden_size=1024, num_layers=2), 394),
        (of(length=200, batch=64, hidden_size=256, num_layers=2, bidirectional=True), 765),
    ],
)
def test_it_is_right_within_a_factor_of_two(experiment: Experiment, measured: float) -> None:
    assert 0.5 < estimate(experiment, 2, 1).bytes / 2**20 / measured < 2


def test_ordinary_experiments_are_not_asked_about() -> None:
    assert not estimate(first_lesson()).asked
    assert not estimate(of("gru", length=100, batch=64, hidden_size=128, models=3)).asked


@pytest.mark.parametrize(
    "experiment",
    [
        of(hidden_size=3300, length=10, batch=1),
        of("vanilla", length=10_000, batch=128),
        of("vanilla", length=500, batch=64, hidden_size=2000),  # the time
    ],
)
def test_large_ones_are_asked_about(experiment: Experiment) -> None:
    assert estimate(experiment).asked
    check_experiment(experiment)


@pytest.mark.parametrize(
    "experiment",
    [
        of(length=2, batch=1, hidden_size=4096, num_layers=8),
        of(length=2, batch=1, hidden_size=3500, models=8),
        of(length=10_000, batch=4096),
        of("gru", length=10_000, batch=64, hidden_size=512, num_layers=2, bidirectional=True),
    ],
)
def test_those_too_large_for_anybody_are_refused(experiment: Experiment) -> None:
    with pytest.raises(RnnvizError, match=r"^lesson\.toml: the models together would take about .* GB of memory and"):
        check_experiment(experiment, "lesson.toml")


def test_columns_count_once_the_task_is_opened() -> None:
    experiment = replace(of("vanilla", batch=2048), task=NextCharacter(length=1000))
    check_estimate(experiment, "x")
    with pytest.raises(RnnvizError, match="GB"):
        check_estimate(experiment, "x", 256, 256)


def test_a_decoder_and_what_it_attends_to_are_counted() -> None:
    dates = replace(of("gru", batch=64, hidden_size=32), task=DateFormats())
    (model,) = dates.models
    attending = replace(dates, models=(replace(model, attention=True),))
    reading = replace(dates, task=Parity(length=(1, dates.task.longest)))
    one, without, alone = (estimate(each, 40, 11) for each in (attending, dates, reading))
    assert one.bytes > without.bytes > 1.2 * alone.bytes
    assert one.seconds > without.seconds > 1.2 * alone.seconds

"""Networks that carry nothing, MLP and TDNN: trained, checked, saved and opened again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnviz.core.cells.feed_forward import MlpSettings, TdnnSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml, parse_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks import Adding, NextValue, TemporalOrder
from rnnviz.engine.networks import build
from rnnviz.engine.tracing.checking import check_run, report_table
from rnnviz.engine.training.serve import run_training
from rnnviz.runs.reading.reader import open_run

MODELS = (
    ModelSettings("Each alone", "mlp", 5, own=MlpSettings("relu")),
    ModelSettings("Window", "tdnn", 4, num_layers=2, own=TdnnSettings(3, "sigmoid")),
)
TASKS = {
    "at the end": TemporalOrder(length=(8, 10), first_mark=(1, 2), second_mark=(4, 5)),
    "each": NextValue(length=9),
}


@pytest.mark.parametrize("task", TASKS)
def test_they_train_and_their_runs_are_right(tmp_path: Path, task: str) -> None:
    experiment = Experiment("stateless", TASKS[task], MODELS, TrainingSettings(training_steps=12, batch_size=4), seed=7)
    run_training(experiment, tmp_path / "a.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run:
        assert run.models[1].structure.window == 3
        for report in check_run(run):
            assert report.right, report_table(report)
        for model in MODELS:
            taken = run.capture(12, model.name)
            assert taken.initial == {}
            assert rebuild(taken).verdict.right
    experiment_again = parse_experiment(experiment_toml(experiment), "again")
    assert experiment_again == experiment


def test_a_window_is_of_the_raw_inputs() -> None:
    model = build(MODELS[1], 2, 1, seed=3)
    assert model.recurrent.get_parameter("weight_ih_l0").shape == (4, 6)
    assert model.recurrent.get_parameter("weight_ih_l1").shape == (4, 4)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.cell)
def test_both_directions_are_refused(model: ModelSettings) -> None:
    experiment = Experiment("stateless", Adding(length=6), (replace(model, bidirectional=True),))
    with pytest.raises(RnnvizError, match=f"false for the cell {model.cell}, which has no state to carry, not true"):
        parse_experiment(experiment_toml(experiment), "a file")
    both = ModelSettings("LSTM", "lstm", 4, bidirectional=True)
    assert not both.with_cell(model.cell).bidirectional
    assert both.with_cell("gru").bidirectional


def test_a_window_out_of_range_is_refused() -> None:
    experiment = Experiment("stateless", Adding(length=6), (ModelSettings("W", "tdnn", own=TdnnSettings(201)),))
    with pytest.raises(RnnvizError, match=r"models\[0\].window must be a whole number from 1 to 200, not 201"):
        parse_experiment(experiment_toml(experiment), "a file")


def test_the_same_numbers_come_back(tmp_path: Path) -> None:
    experiment = Experiment("again", Adding(length=7), MODELS, TrainingSettings(training_steps=3, batch_size=4), seed=9)
    for name in "ab":
        run_training(experiment, tmp_path / f"{name}.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as one, open_run(tmp_path / "b.rnnviz") as other:
        for model in MODELS:
            ours, theirs = rebuild(one.capture(3, model.name)), rebuild(other.capture(3, model.name))
            for layer, again in zip(ours.layers, theirs.layers, strict=True):
                np.testing.assert_array_equal(layer.hidden_grad, again.hidden_grad)
                np.testing.assert_array_equal(layer.input_grad, again.input_grad)

"""The lesson and the examples that ship do what is said of them, headless, with the seed they ship with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnviz.core.experiment.file import read_experiment
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.core.resources import resource
from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.debugger.search import search
from rnnviz.engine.training.serve import run_training
from rnnviz.runs.reading.reader import open_run

LAST = 100  # values that are averaged


def trained(experiment: Experiment, folder: Path, metric: str, last: int = LAST) -> dict[str, float]:
    """The mean of each model's last values of `metric`."""
    path = folder / "run.rnnviz"
    assert run_training(experiment, path) == 0
    with open_run(path) as run:
        return {model.name: float(np.mean(run.metrics(metric, model.number)[-last:])) for model in run.models}


def example(name: str) -> Experiment:
    return read_experiment(resource(f"experiments/{name}.toml"))


def test_in_the_first_lesson_the_lstm_solves_what_the_vanilla_network_does_not(tmp_path):
    lesson = first_lesson()
    shorter = replace(lesson.training, training_steps=700)  # of 1,000: it is so by then
    accuracy = trained(replace(lesson, training=shorter), tmp_path, "accuracy")
    assert accuracy["LSTM"] >= 0.99
    assert accuracy["Vanilla"] <= 0.35


def test_on_the_sunspots_both_models_beat_the_same_as_last_year(tmp_path):
    experiment = example("sunspots")
    losses = trained(experiment, tmp_path, "test_loss")
    with open_run(tmp_path / "run.rnnviz") as run:
        tested = [line for line in run.task.baselines if line.metric == "test_loss"]
        baseline = next(line.value for line in tested if line.label == "same as last year")
    assert all(loss < baseline for loss in losses.values()), (losses, baseline)


def test_adding_is_learnt_by_the_lstm_alone(tmp_path):
    losses = trained(example("adding"), tmp_path, "loss")
    assert losses["LSTM"] < 0.01
    assert losses["Vanilla"] > 0.12


def test_what_lies_further_back_than_a_cut_is_not_learnt(tmp_path):
    """Both marks lie at least 14 time steps before the answer, and the gradient is let back over 5."""
    experiment = example("truncation")
    cut = replace(experiment, training=replace(experiment.training, training_steps=250))
    assert trained(cut, tmp_path, "loss")["LSTM"] > 1.37  # ln 4 is a guess
    (tmp_path / "run.rnnviz").unlink()
    whole = replace(experiment, training=replace(experiment.training, truncation="off"))
    assert trained(whole, tmp_path, "accuracy", last=50)["LSTM"] > 0.97


def test_parity_is_learnt_for_sequences_of_any_length_by_all_but_the_linear_recurrence(tmp_path):
    accuracy = trained(example("parity"), tmp_path, "test_accuracy", last=1)
    assert {name for name, share in accuracy.items() if share == 1} == {"Vanilla", "GRU", "LSTM"}
    assert 0.47 < accuracy["minGRU"] < 0.53


def test_the_gate_opens_where_the_breakpoint_says_and_the_search_names_the_unit(tmp_path):
    """The second lesson: its breakpoint is met while the loss is still high, and one unit's gate rose before that."""
    lesson = example("the-gate-opens")
    lesson = replace(lesson, training=replace(lesson.training, training_steps=1200))
    assert run_training(lesson, tmp_path / "run.rnnviz", capture_rate=12) == 0
    with open_run(tmp_path / "run.rnnviz") as run:
        stop = next(event for event in run.events() if event.details.get("breakpoint")).training_step
        assert 700 <= stop <= 1150
        loss = run.metrics("loss")
        assert np.mean(loss[stop - 50 : stop]) > 0.1
        assert np.mean(loss[-20:]) < 0.02
        unit = Breakpoint("data", "argmax(f[50])", factor=1.001)
        changed = [hit.training_step for told in search(run, (unit,), last=stop, backwards=True) for hit in told.hits]
        assert 0 <= stop - changed[0] < 100, changed  # at the stop itself where nothing was captured shortly before

        def gates(training_step):
            return run.trace(training_step, 0).sample(0).layers[0].gates["f"][49, 0]

        opened = int(gates(stop).argmax())
        assert gates(stop)[opened] > 0.9
        before = run.captured()[run.captured() < stop - 100][-1]
        assert gates(before)[opened] < 0.5
        captured = run.captured()
        shown = int(captured[abs(captured - 900).argmin()])  # by the card that sends the person to training step 900
        assert gates(shown)[opened] < 0.4
        assert f"f[50, {opened + 1}]" in [watch.expression for watch in lesson.marks.watches]
        assert abs(gates(stop).mean() - gates(before).mean()) < 0.1  # which is why a mean would not have shown it


def test_dates_come_out_right_with_attention_and_seldom_without(tmp_path):
    dates = example("date-formats")
    shorter = replace(dates.training, training_steps=150)  # of 400: it is so by then
    exact = trained(replace(dates, training=shorter), tmp_path, "exact", last=1)
    assert exact["With attention"] >= 0.95
    assert exact["Without"] <= 0.05


@pytest.mark.parametrize("name", ["next-character", "forget-bias"])
def test_the_longer_examples_are_experiments(name):
    assert len(example(name).models) >= 2

"""Training with every setting: against plain torch, and a branch that goes on as the unbroken training."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from live_engine import SMALL, live, losses, until

from rnnviz.command_line import main
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.noise import deviation, drawn
from rnnviz.core.optimising.optimisers import AdamW, Momentum, Nesterov, Optimiser, RmsProp, Sgd
from rnnviz.core.optimising.schedules import Cosine, Exponential, OnPlateau, StepDecay, WarmUp
from rnnviz.core.tasks import Adding, NextCharacter, TemporalOrder
from rnnviz.engine.networks import build
from rnnviz.engine.training.serve import run_training
from rnnviz.engine.training.trainer import Training
from rnnviz.runs.file.engine_commands import Set, Step, Train
from rnnviz.runs.reading.reader import Run, open_run

torch.set_num_threads(1)
MODELS = (ModelSettings("GRU", "gru", 3), ModelSettings("Vanilla", "vanilla", 4))
SETTINGS = {  # nothing is the default
    "momentum": TrainingSettings(
        "momentum", own=Momentum(1.0, 0.6, 0.01), schedule="step", scheduled=StepDecay(20, 0.5),
        gradient_noise=0.02, clip_value=0.1,
    ),
    "nesterov": TrainingSettings(
        "nesterov", own=Nesterov(1.0, 0.8), schedule="warm-up", scheduled=WarmUp(70, 0.3), clip_value=0.1,
    ),
    "adamw": TrainingSettings(
        "adamw", own=AdamW(1.0, 0.7, 0.98, 1e-4, 0.2), schedule="cosine", scheduled=Cosine(90, 0.001),
    ),
    "rmsprop": TrainingSettings(
        "rmsprop", own=RmsProp(1.0, 0.8, 1e-4, 0.02), schedule="exponential", scheduled=Exponential(0.97),
        clip_value=0.05,
    ),
    "sgd": TrainingSettings(
        "sgd", own=Sgd(1.0, 0.03), schedule="plateau", scheduled=OnPlateau(25, 0.5, 0.3), gradient_noise=0.2,
    ),
}  # fmt: skip


def experiment(name: str, steps: int = 75) -> Experiment:
    common = {"learning_rate": 0.03, "clip_norm": 0.4, "batch_size": 5, "training_steps": steps}
    return Experiment("small", Adding(length=7), MODELS, replace(SETTINGS[name], **common), seed=6)  # type: ignore[arg-type]


def of_torch(made: Optimiser, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    of = torch.optim
    match made:
        case Nesterov(rate, momentum, decay):
            return of.SGD(parameters, rate, momentum=momentum, weight_decay=decay, nesterov=True)
        case Momentum(rate, momentum, decay):
            return of.SGD(parameters, rate, momentum=momentum, weight_decay=decay)
        case AdamW(rate, one, two, epsilon, decay):
            return of.AdamW(parameters, rate, betas=(one, two), eps=epsilon, weight_decay=decay)
        case RmsProp(rate, alpha, epsilon, decay):
            return of.RMSprop(parameters, rate, alpha=alpha, eps=epsilon, weight_decay=decay)
        case Sgd(rate, decay):
            return of.SGD(parameters, rate, weight_decay=decay)
    raise AssertionError(made)


@pytest.mark.parametrize("name", SETTINGS)
def test_training_is_what_plain_torch_does(name: str) -> None:
    wanted = experiment(name)
    training = Training(wanted)
    settings, sizes = wanted.training, (training.source.input_size, training.source.output_size)
    twins = [build(model, *sizes, wanted.seed) for model in MODELS]
    optimisers = [of_torch(settings.own, list(twin.parameters())) for twin in twins]
    for step in range(1, 8):
        batch = training.source.batch(np.random.default_rng([6, 2, step - 1]), 5)
        rate = settings.scheduled.rate(0.03, step - 1)
        metrics = training.advance()
        for number, (twin, optimiser) in enumerate(zip(twins, optimisers, strict=True)):
            optimiser.zero_grad()
            prediction = twin(torch.from_numpy(batch.inputs))[-1]
            torch.nn.functional.mse_loss(prediction, torch.from_numpy(batch.targets[-1])).backward()
            norm = torch.nn.utils.clip_grad_norm_(twin.parameters(), 0.4).item()
            if settings.clip_value:
                torch.nn.utils.clip_grad_value_(twin.parameters(), settings.clip_value)
            if settings.gradient_noise:
                for parameter_name, parameter in twin.named_parameters():
                    short = parameter_name.removeprefix("recurrent.")
                    xi = torch.from_numpy(drawn(6, step, number, short, tuple(parameter.shape)))
                    parameter.grad += deviation(settings.gradient_noise, step) * xi
            optimiser.param_groups[0]["lr"] = rate
            optimiser.step()
            assert metrics[number]["grad_norm"] == pytest.approx(norm, rel=1e-3)
            assert metrics[number]["learning_rate"] == pytest.approx(rate, rel=1e-12)
    for ours, theirs in zip(training.models, twins, strict=True):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-4)


def recorded(run: Run, metric: str) -> np.ndarray:
    return np.stack([run.metrics(metric, number) for number in range(len(run.models))])


@pytest.mark.parametrize("name", SETTINGS)
def test_a_branch_goes_on_exactly_as_the_unbroken_training(tmp_path: Path, name: str) -> None:
    begin, end = (60, 160) if name == "sgd" else (30, 80)  # a plateau takes its time
    first, second = tmp_path / "a.rnnviz", tmp_path / "b.rnnviz"
    run_training(experiment(name, begin), first)
    run_training(experiment(name, end), second)
    path = tmp_path / "c.rnnviz"
    assert main(["branch", str(first), "--run", str(path), "--training-steps", str(end)]) == 0
    with open_run(second) as straight, open_run(path) as branch:
        np.testing.assert_array_equal(losses(straight)[:, begin:], losses(branch))
        rates = recorded(straight, "learning_rate")[:, begin:]
        np.testing.assert_array_equal(rates, recorded(branch, "learning_rate"))
        assert len(np.unique(rates)) > 2
        if name == "sgd":  # each model has reduced its own
            tested = recorded(straight, "test_loss")
            np.testing.assert_array_equal(tested[:, 2:], recorded(branch, "test_loss"))
            assert rates[0, -1] < 0.03
        snapshots = [run.optimiser(end, 1) for run in (straight, branch)]
        assert snapshots[0].settings == snapshots[1].settings
        assert all(np.array_equal(value, snapshots[1].state[key]) for key, value in snapshots[0].state.items())


def test_a_branch_from_where_no_optimiser_is_recorded_keeps_the_rate_of_the_plateau(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, path = tmp_path / "a.rnnviz", tmp_path / "b.rnnviz"
    run_training(experiment("sgd", 160), whole)
    with open_run(whole) as run:
        rates = recorded(run, "learning_rate")
        bare = [int(step) for step in run.captured() if 0 < step < 160 and run.optimiser(int(step), 1) is None]
        start = next(step for step in bare if rates[0, step] < 0.03)
    assert main(["branch", str(whole), "--training-step", str(start), "--run", str(path)]) == 0
    assert f"Continues from training step {start} of {whole}, with new optimisers" in capsys.readouterr().err
    with open_run(path) as branch, open_run(whole) as run:
        np.testing.assert_array_equal(rates[:, start:], recorded(branch, "learning_rate"))
        np.testing.assert_array_equal(losses(run)[:, start:], losses(branch))  # SGD gathers nothing
        second = tmp_path / "c.rnnviz"
        later = next(int(step) for step in branch.captured() if step > start and branch.optimiser(int(step), 1) is None)
    assert main(["branch", str(path), "--training-step", str(later), "--run", str(second)]) == 0
    with open_run(second) as branch:  # of a branch, which holds no validation loss before its beginning
        np.testing.assert_array_equal(rates[:, later : later + 20], recorded(branch, "learning_rate")[:, :20])


def test_the_noise_is_of_seed_training_step_and_model() -> None:
    noisy = experiment("momentum")
    twins = replace(noisy, models=(replace(MODELS[0], name="A"), replace(MODELS[0], name="B")))
    training, again = Training(twins), Training(twins)
    assert training.advance() == again.advance()
    first, second = training.advance()
    assert first["loss"] != second["loss"]  # each model has its own
    quiet = replace(twins, training=replace(twins.training, gradient_noise=0.0))
    training = Training(quiet)
    for _ in range(3):
        first, second = training.advance()
        assert first == second


@pytest.mark.parametrize(
    ("task", "accuracy"), [(Adding(length=7), True), (SMALL.task, True), (NextCharacter(length=6), True)]
)
def test_the_validation_is_of_a_fixed_set_apart_from_the_batches(task: Any, accuracy: bool) -> None:
    settings = TrainingSettings(batch_size=7, learning_rate=1e-30, validation=True)
    training = Training(Experiment("x", task, MODELS, settings, seed=9))
    found = [training.advance() for _ in range(50)]
    looked = [number for number, metrics in enumerate(found, 1) if "test_loss" in metrics[0]]
    assert looked == [25, 50]
    assert found[24][1]["test_loss"] == pytest.approx(found[49][1]["test_loss"], rel=1e-6)
    assert ("test_accuracy" in found[24][0]) == accuracy
    assert {"test_loss", "test_accuracy"} <= set(training.info.metrics)
    if isinstance(task, TemporalOrder | Adding):
        fresh = training.source.batch(np.random.default_rng([9, 4]), 7)
        model = training.models[1]
        prediction = model(torch.from_numpy(fresh.inputs))[-1]
        target = torch.from_numpy(fresh.targets[-1])
        of = torch.nn.functional
        loss = of.cross_entropy(prediction, target) if target.dtype == torch.int64 else of.mse_loss(prediction, target)
        assert found[24][1]["test_loss"] == pytest.approx(loss.item(), rel=1e-5)
        plain = Training(Experiment("x", task, MODELS, replace(settings, validation=False), seed=9))
        assert "test_loss" not in [plain.advance() for _ in range(25)][-1][0]


STOPPING = replace(
    SMALL, training=TrainingSettings("sgd", 1e-30, batch_size=6, training_steps=400, patience=60), seed=5
)


def test_training_stops_early_says_so_and_keeps_the_best(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    told: list[str] = []
    run_training(STOPPING, path, tell=told.append)
    sentence = "Stopped early at training step 100: no better validation loss for 75 training steps; best at 25."
    with open_run(path) as run:
        assert run.status.training_step == 100
        assert told == [sentence]
        assert (run.status.state, run.status.sentence) == ("finished", sentence)
        events = [event for event in run.events() if event.kind == "early stop"]
        assert [(event.training_step, event.sentence) for event in events] == [(100, sentence)]
        assert 25 in run.captured()
        for model in (0, 1):
            kept = run.optimiser(25, model).settings
            losses = run.metrics("test_loss", model)
            assert (kept["validation.best_step"], len(losses)) == (25, 4)
            assert kept["validation.best"] == pytest.approx(losses[0])
    never = replace(STOPPING, training=replace(STOPPING.training, patience=0, training_steps=125))
    run_training(never, tmp_path / "b.rnnviz")
    with open_run(tmp_path / "b.rnnviz") as run:
        assert run.status.training_step == 125


def test_a_live_training_pauses_early_and_may_go_on(tmp_path: Path) -> None:
    unhurried = replace(STOPPING, training=replace(STOPPING.training, patience=0))
    with live(tmp_path / "a.rnnviz", unhurried) as window:
        window.send(Step(40))
        until(lambda: window.state() == ("paused", 40))
        window.send(Set(patience=60))
        until(lambda: "early stop 0 → 60 training steps" in window.run.events()[-1].sentence)
        window.send(Train())
        until(lambda: window.state() == ("paused", 125))  # 50 is the first look, 60 after it
        assert window.run.status.sentence.startswith("Stopped early at training step 125: ")
        assert [event.kind for event in window.run.events()].count("early stop") == 1
        window.send(Train())
        until(lambda: window.state() == ("paused", 200))
        assert window.run.status.sentence.endswith("for 75 training steps; best at 50.")
        window.send(Set(patience=0))
        window.send(Train())
        until(lambda: window.state() == ("paused", 400))

"""Training in lock-step: the same batches, the same bits, and no update after a number that is not finite."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.optimisers import OptimiserName
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks import Adding, NextCharacter, NextValue, Parity, TemporalOrder
from rnnviz.core.tasks.info import to_beat
from rnnviz.core.tasks.task import TaskSettings
from rnnviz.engine.networks import build
from rnnviz.engine.training.trainer import NotFiniteError, Training

torch.set_num_threads(1)
MODELS = (
    ModelSettings("Vanilla", "vanilla", 4),
    ModelSettings("Sigmoid", "vanilla", 4, own=VanillaSettings("sigmoid")),
    ModelSettings("LSTM", "lstm", 4, num_layers=2),
    ModelSettings("GRU", "gru", 4),
)
SMALL = Experiment(
    "small",
    TemporalOrder(length=(8, 10), first_mark=(1, 2), second_mark=(4, 5)),
    MODELS,
    TrainingSettings(batch_size=4),
)
TASKS = [SMALL.task, Adding(length=9), Parity(length=(3, 8)), NextValue(length=7), NextCharacter(length=6)]


def weights(training: Training) -> list[torch.Tensor]:
    return [parameter.detach().clone() for model in training.models for parameter in model.parameters()]


def same(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_captures_and_tests_change_no_number_and_leave_nothing_behind(task: object) -> None:
    experiment = replace(SMALL, task=task)
    plain, watched = Training(experiment), Training(experiment)
    generator = torch.get_rng_state()
    for _ in range(4):
        ours = plain.advance()
        watched.captures()
        watched.test_losses()
        assert watched.advance() == ours
    gradients = [None if p.grad is None else p.grad.clone() for m in watched.models for p in m.parameters()]
    captures = watched.captures()
    after = [p.grad for m in watched.models for p in m.parameters()]
    assert same(gradients, after)
    assert same(weights(plain), weights(watched))
    assert torch.equal(torch.get_rng_state(), generator)
    for model, capture in zip(watched.models, captures, strict=True):
        assert capture.structure.hidden_size == 4
        trace = rebuild(capture)
        assert trace.faithful, trace.fidelity
        assert np.array_equal(capture.weights["weight_hh_l0"], model.recurrent.weight_hh_l0.detach().numpy())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_capture_holds_the_probe_and_the_loss_of_the_whole_model(task: object) -> None:
    training = Training(replace(SMALL, task=task))
    model, capture = training.models[2], training.captures()[2]
    x, y = torch.from_numpy(training.probe.inputs), torch.from_numpy(training.probe.targets)
    prediction = model(x)
    if training.experiment.task.last_only:
        prediction, y = prediction[-1], y[-1]
    criterion = torch.nn.CrossEntropyLoss() if y.dtype == torch.int64 else torch.nn.MSELoss()
    loss = criterion(prediction.flatten(0, -2), y.flatten() if y.dtype == torch.int64 else y.flatten(0, -2))
    loss.backward()
    for name, parameter in model.recurrent.named_parameters():
        assert np.allclose(capture.grads[name], parameter.grad.numpy(), atol=1e-7)
    assert rebuild(capture).head.losses.sum() == pytest.approx(loss.item(), rel=1e-5)


def test_all_models_see_the_same_batches() -> None:
    twins = replace(SMALL, models=(ModelSettings("A", "lstm", 4), ModelSettings("B", "lstm", 4)))
    training = Training(twins)
    for _ in range(3):
        first, second = training.advance()
        assert first == second
    alone = Training(replace(SMALL, models=(MODELS[3],)))
    beside = Training(SMALL)
    for _ in range(3):
        assert alone.advance()[0] == beside.advance()[3]


@pytest.mark.parametrize(
    ("name", "optimiser"), [("adam", torch.optim.Adam), ("sgd", torch.optim.SGD), ("rmsprop", torch.optim.RMSprop)]
)
@pytest.mark.parametrize("task", [SMALL.task, Adding(length=9)], ids=["classes", "values"])
def test_a_training_step_is_what_plain_torch_does(
    name: OptimiserName, optimiser: Callable[..., torch.optim.Optimizer], task: TaskSettings
) -> None:
    settings = TrainingSettings(name, learning_rate=0.003, clip_norm=0.02, batch_size=5)  # nothing is the default
    experiment = replace(SMALL, task=task, training=settings, seed=7, models=MODELS[2:])
    training = Training(experiment)
    twins = [build(model, training.source.input_size, training.source.output_size, 7) for model in MODELS[2:]]
    optimisers = [optimiser(twin.parameters(), 0.003) for twin in twins]
    for step in range(3):
        batch = training.source.batch(np.random.default_rng([7, 2, step]), 5)
        inputs, targets = torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets[-1])
        for twin, one, metrics in zip(twins, optimisers, training.advance(), strict=True):
            prediction = twin(inputs)[-1]
            if task is SMALL.task:
                loss = torch.nn.functional.cross_entropy(prediction, targets)
                right = prediction.argmax(dim=-1) == targets
            else:
                loss = torch.nn.functional.mse_loss(prediction, targets)
                right = ((prediction - targets).abs() < 0.04).all(dim=-1)
            one.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(twin.parameters(), 0.02)
            one.step()
            assert metrics["loss"] == pytest.approx(loss.item(), rel=1e-5)
            assert metrics["accuracy"] == pytest.approx(right.float().mean().item())
            assert metrics["grad_norm"] == pytest.approx(norm.item(), rel=1e-4)
            assert metrics["grad_norm"] > 0.02  # as it was before the clip
    for ours, theirs in zip(training.models, twins, strict=True):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(a, b, atol=1e-5)


def test_the_seed_is_in_weights_batches_and_probe() -> None:
    ours, theirs = (Training(replace(SMALL, task=Adding(length=9), seed=seed)) for seed in (7, 8))
    assert not any(torch.equal(a, b) for a, b in zip(weights(ours), weights(theirs), strict=True) if a.any())
    assert not np.array_equal(ours.probe.inputs, theirs.probe.inputs)
    ours.models = theirs.models
    assert ours.advance() != theirs.advance()


@pytest.mark.parametrize(("error", "share"), [(0.03, 1.0), (0.05, 0.0), (-0.03, 1.0), (-0.05, 0.0)])
def test_an_answer_is_right_within_the_tolerance_of_the_task(error: float, share: float) -> None:
    one = replace(SMALL, task=Adding(length=9), models=MODELS[3:], seed=7, training=TrainingSettings(batch_size=1))
    training = Training(one)
    (target,) = training.source.batch(np.random.default_rng([7, 2, 0]), 1).targets[-1, 0]
    for parameter in training.models[0].parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.constant_(training.models[0].head.bias, float(target) + error)
    assert training.advance()[0]["accuracy"] == share


def test_the_test_loss_is_of_what_is_held_back() -> None:
    training = Training(replace(SMALL, task=NextCharacter(length=6), seed=7))
    assert training.source.test() is not None
    held = {name: getattr(training.source, name)() for name in ("test", "probe")}
    for model, found in zip(training.models, training.test_losses(), strict=True):
        of = {}
        for name, batch in held.items():
            prediction, targets = model(torch.from_numpy(batch.inputs)), torch.from_numpy(batch.targets)
            of[name] = torch.nn.functional.cross_entropy(prediction.flatten(0, -2), targets.flatten()).item()
        assert found == pytest.approx(of["test"], rel=1e-5)
        assert found != pytest.approx(of["probe"], rel=1e-4)


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "rmsprop"])
def test_every_optimiser_lowers_the_loss(optimiser: str) -> None:
    settings = TrainingSettings(optimiser, learning_rate=0.01 if optimiser != "sgd" else 0.3, batch_size=16)
    training = Training(Experiment("x", Adding(length=4), (ModelSettings("GRU", "gru", 8),), settings))
    losses = [training.advance()[0]["loss"] for _ in range(80)]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])


def test_rate_and_clip_norm_act_from_the_next_training_step_on() -> None:
    training = Training(replace(SMALL, training=replace(SMALL.training, optimiser="sgd")))
    before = weights(training)
    training.learning_rate = 0.0
    training.advance()
    assert same(before, weights(training))
    training.learning_rate, training.clip_norm = 1.0, 1e-3
    training.advance()
    for model, start in zip(training.models, [before[: len(list(training.models[0].parameters()))]], strict=False):
        moved = sum(float((p.detach() - b).square().sum()) for p, b in zip(model.parameters(), start, strict=True))
        assert moved**0.5 == pytest.approx(1e-3, rel=1e-2)
    assert training.learning_rate == 1.0


def test_without_clipping_the_gradients_stay() -> None:
    free, wide = (Training(replace(SMALL, training=replace(SMALL.training, clip_norm=norm))) for norm in (0.0, 1e9))
    for _ in range(3):
        assert free.advance() == wide.advance()


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("number", [0, 3])
def test_no_model_is_updated_when_one_is_not_finite(broken: float, number: int) -> None:
    training = Training(SMALL)
    training.advance()
    with torch.no_grad():
        training.models[number].head.weight.fill_(broken)
        training.models[number].head.weight[0].neg_()
    before = weights(training)
    training.clip_norm = 2.5 if number else 0.0
    remedy = "learning rate or clip norm" if number else "learning rate or with clipping"
    told = f"Stopped at training step 2: in {MODELS[number].name}, .* became .* {remedy}"
    with pytest.raises(NotFiniteError, match=told):
        training.advance()
    after = weights(training)
    assert training.training_step == 1
    assert all(np.array_equal(a.numpy(), b.numpy(), equal_nan=True) for a, b in zip(before, after, strict=True))


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(RnnvizError, match="learning_rate"):
        Training(replace(SMALL, training=replace(SMALL.training, learning_rate=-1.0)))


def test_sunspots_are_predicted_better_than_by_the_last_year() -> None:
    experiment = replace(first_lesson(), task=NextValue(), training=replace(first_lesson().training, batch_size=16))
    training = Training(experiment)
    for _ in range(120):
        training.advance()
    info = training.source.info
    naive = next(line for line in info.baselines if line.metric == "test_loss" and line.label == "same as last year")
    tested = training.test_metrics()
    assert [one["test_loss"] for one in tested] == training.test_losses()
    assert max(training.test_losses()) < 0.7 * naive.value
    assert to_beat(info.baselines, "test_loss") == naive
    for one in tested:
        assert one["skill"] == pytest.approx(1 - one["test_loss"] / naive.value)
        assert one["lag"] == 0


def test_on_a_random_walk_there_is_no_skill_and_a_lag_of_one(tmp_path: Path) -> None:
    walk = 100 + np.cumsum(np.random.default_rng(7).normal(size=800))
    (tmp_path / "walk.csv").write_text("t,close\n" + "".join(f"{n},{value:.2f}\n" for n, value in enumerate(walk)))
    base = first_lesson()
    task = NextValue(file=str(tmp_path / "walk.csv"), length=17)
    settings = replace(base.training, batch_size=16)
    training = Training(replace(base, task=task, seed=4, models=base.models[:1], training=settings))
    for _ in range(200):
        training.advance()
    for one in training.test_metrics():
        assert one["skill"] < 0.1
        assert one["lag"] == 1


def test_tasks_that_never_repeat_have_no_test_part(tmp_path: Path) -> None:
    assert Training(SMALL).test_losses() == []

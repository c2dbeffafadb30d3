"""Training in lock-step: the same batches, the same bits, and no update after a number that is not finite."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment, ModelSettings, TrainingSettings, first_lesson
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks import Adding, NextCharacter, NextValue, TemporalOrder
from rnnviz.core.tasks.info import to_beat
from rnnviz.engine.networks import SequenceModel
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
TASKS = [SMALL.task, Adding(length=9), NextValue(length=7), NextCharacter(length=6)]


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
    if training.source.last_only:
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


def test_a_training_step_is_what_plain_torch_does() -> None:
    training = Training(replace(SMALL, models=(MODELS[2],)))
    model: SequenceModel = training.models[0]
    twin = Training(replace(SMALL, models=(MODELS[2],))).models[0]
    optimiser = torch.optim.Adam(twin.parameters(), 0.01)
    for step in range(3):
        batch = training.source.batch(np.random.default_rng([1, 2, step]), 4)
        prediction = twin(torch.from_numpy(batch.inputs))[-1]
        loss = torch.nn.functional.cross_entropy(prediction, torch.from_numpy(batch.targets[-1]))
        optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
        optimiser.step()
        (metrics,) = training.advance()
        assert metrics["loss"] == pytest.approx(loss.item(), rel=1e-5)
        assert metrics["grad_norm"] == pytest.approx(norm.item(), rel=1e-4)
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


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
    with pytest.raises(NotFiniteError, match=f'Training step 2: .* "{MODELS[number].name}" became'):
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

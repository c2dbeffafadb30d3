"""Heads in training: every pooling, loss and reduction against torch's own functions, and what is recorded of them."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from rnnviz.core.experiment.heads import choices, open_source
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks import Adding, NextCharacter, NextValue, Parity, TemporalOrder
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.core.tasks.source import Batch
from rnnviz.core.tasks.task import LOSSES_OF_CLASSES, TaskSettings
from rnnviz.engine.networks import build
from rnnviz.engine.training.trainer import Training

torch.set_num_threads(1)
TASKS = [
    TemporalOrder(length=(8, 10), first_mark=(1, 2), second_mark=(4, 5)),
    Adding(length=9),
    Parity(length=(5, 5), test_length=8),
    NextCharacter(length=6),
    NextValue(length=7),
]
HEADS = [
    (task, loss, pooling, reduction)
    for task in TASKS
    for loss in choices(task)["loss"]
    for pooling in choices(task)["pooling"]
    for reduction in choices(task)["reduction"]
]


def experiment_of(task: TaskSettings, loss: str, pooling: str, reduction: str) -> Experiment:
    model = ModelSettings("a", "gru", 5, num_layers=2, pooling=pooling)  # type: ignore[arg-type]
    training = TrainingSettings(clip_norm=0.0, batch_size=6, loss=loss, reduction=reduction)  # type: ignore[arg-type]
    return Experiment("heads", task, (model,), training, seed=7)


def torch_loss(prediction: torch.Tensor, targets: torch.Tensor, loss: str) -> torch.Tensor:
    """The mean over all of (…, V) predictions and (…) classes or (…, V) values."""
    if not loss or loss == "cross entropy":
        if targets.is_floating_point():
            return torch.nn.functional.mse_loss(prediction, targets)
        return torch.nn.functional.cross_entropy(prediction.flatten(0, -2), targets.flatten())
    if not targets.is_floating_point():
        targets = torch.nn.functional.one_hot(targets, prediction.shape[-1]).float()
    if loss == "mean squared error":
        return torch.nn.functional.mse_loss(prediction, targets)
    return torch.nn.functional.binary_cross_entropy_with_logits(prediction, targets)


@pytest.mark.parametrize(("task", "loss", "pooling", "reduction"), HEADS, ids=str)
def test_a_training_step_and_its_trace_are_torchs(task: TaskSettings, loss: str, pooling: str, reduction: str) -> None:
    experiment = experiment_of(task, loss, pooling, reduction)
    training, plain = Training(experiment), task.open(7)
    twin = build(replace(experiment.models[0], pooling="last"), plain.input_size, plain.output_size, 7)
    batch = plain.batch(np.random.default_rng([7, 2, 0]), 6)
    output, targets = twin.states(torch.from_numpy(batch.inputs)), torch.from_numpy(batch.targets)
    if task.last_only:
        read = {"last": output[-1], "mean": output.mean(dim=0), "max": output.max(dim=0).values}[pooling]
        targets = targets[-1]
    else:
        read = output
    prediction = twin.head(read)
    wanted = torch_loss(prediction, targets, loss) * (len(output) if reduction == "sum" else 1)
    wanted.backward()
    (metrics,) = training.advance()
    assert metrics["loss"] == pytest.approx(wanted.item(), rel=1e-5)
    for (name, ours), theirs in zip(training.models[0].named_parameters(), twin.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6), name
    if not targets.is_floating_point():
        assert metrics["accuracy"] == pytest.approx((prediction.argmax(dim=-1) == targets).float().mean().item())
    capture = training.capture(0)
    trace = rebuild(capture)
    assert trace.verdict.kind == "right"
    assert trace.head is not None
    assert (trace.head.kind.loss, trace.head.kind.pooling) == (training.source.info.loss, pooling)
    assert trace.head.reduction == training.source.info.reduction == reduction
    np.testing.assert_allclose(trace.head.output_grad, capture.grad_output, rtol=1e-4, atol=1e-7)
    assert set(training.models[0].state_dict()) == set(twin.state_dict())


def test_what_pools_is_the_same_at_every_time_step_as_it_is_at_the_end() -> None:
    model = Training(experiment_of(TASKS[0], "", "max", "mean")).models[0]
    states = torch.relu(torch.randn(7, 3, 5, generator=torch.Generator().manual_seed(3)) - 0.5)  # many are equal
    for pooling in ("last", "mean", "max"):
        model.pooling = pooling
        for t in range(1, 8):
            one, other = (states.clone().requires_grad_() for _ in range(2))
            torch.testing.assert_close(model.predictions(one)[t - 1], model.last_prediction(other[:t]))
            model.predictions(one)[t - 1].sum().backward()
            model.last_prediction(other[:t]).sum().backward()
            torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize(("cell", "both"), [("gru", True), ("peephole_lstm", True), ("vanilla", False)])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_sequences_padded_at_the_end_are_read_as_if_each_were_alone(cell: str, both: bool, pooling: str) -> None:
    task = TemporalOrder(length=(8, 14), first_mark=(1, 2), second_mark=(4, 5), padding="at the end")
    model = ModelSettings("a", cell, 5, num_layers=2, bidirectional=both, pooling=pooling)  # type: ignore[arg-type]
    experiment = Experiment("heads", task, (model,), TrainingSettings(clip_norm=0.0, batch_size=6), seed=7)
    training, twin = Training(experiment), Training(experiment).models[0]
    batch = task.open(7).batch(np.random.default_rng([7, 2, 0]), 6)
    front = replace(task, padding="in front").open(7).batch(np.random.default_rng([7, 2, 0]), 6)
    assert batch.lengths is not None
    assert len(set(batch.lengths)) > 2
    total, right = torch.zeros(()), []
    for n, length in enumerate(batch.lengths):
        np.testing.assert_array_equal(batch.inputs[:length, n], front.inputs[len(front.inputs) - length :, n])
        assert not batch.inputs[length:, n].any()
        states = twin.states(torch.from_numpy(batch.inputs[:length, n : n + 1]))
        answer = torch.tensor([front.targets[-1, n]])
        prediction = twin.last_prediction(states)
        total = total + torch.nn.functional.cross_entropy(prediction, answer) / 6
        right.append(bool(prediction.argmax() == answer))
    total.backward()
    (metrics,) = training.advance()
    assert metrics["loss"] == pytest.approx(total.item(), rel=1e-5)
    assert metrics["accuracy"] == pytest.approx(np.mean(right))
    for (name, ours), theirs in zip(training.models[0].named_parameters(), twin.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6), name
    capture = training.capture(0)
    trace = rebuild(capture)
    assert trace.verdict.kind == "right"
    assert capture.lengths is not None
    assert sorted(capture.lengths) == [8, 10, 12, 14]
    assert all(not capture.grad_output[length:, n].any() for n, length in enumerate(capture.lengths))


@dataclass(frozen=True)
class Masked(TaskSettings):
    """Asks some time steps of some sequences, and counts them differently."""

    losses = LOSSES_OF_CLASSES
    name: str = "masked"

    @property
    def longest(self) -> int:
        return 4

    def open(self, seed: int) -> "MaskedSource":
        return MaskedSource()


class MaskedSource:
    input_size, output_size, tolerance = 2, 3, None
    info = TaskInfo("masked", "values", ("a", "b"), "classes", ("x", "y", "z"), "cross entropy", ("loss",))

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        inputs = generator.normal(size=(4, batch_size, 2)).astype(np.float32)
        targets = generator.integers(0, 3, (4, batch_size))
        asked = np.arange(4 * batch_size).reshape(4, batch_size) % 3
        return Batch(inputs, targets, (asked / asked.sum()).astype(np.float32))

    def probe(self) -> Batch:
        return self.batch(np.random.default_rng(1), 2)

    def test(self) -> None:
        return None

    def baselines(self, loss: str) -> tuple[()]:
        return ()


def test_answers_that_count_differently_are_weighed() -> None:
    training = Training(experiment_of(Masked(), "", "last", "mean"))
    batch = MaskedSource().batch(np.random.default_rng([7, 2, 0]), 6)
    prediction = training.models[0](torch.from_numpy(batch.inputs)).detach()
    each = torch.nn.functional.cross_entropy(
        prediction.flatten(0, 1), torch.from_numpy(batch.targets).flatten(), reduction="none"
    )
    weight = torch.from_numpy(batch.loss_weight).flatten()
    right = (prediction.argmax(dim=-1).numpy() == batch.targets)[batch.loss_weight > 0]
    (metrics,) = training.advance()
    assert metrics["loss"] == pytest.approx(float((each * weight).sum()), rel=1e-5)
    assert metrics["accuracy"] == pytest.approx(right.mean())


@pytest.mark.parametrize("task", [TASKS[0], TASKS[2], TASKS[3]], ids=lambda task: task.name)
@pytest.mark.parametrize("loss", LOSSES_OF_CLASSES)
def test_a_baseline_is_of_the_loss_that_is_asked(task: TaskSettings, loss: str) -> None:
    source = open_source(experiment_of(task, loss, "last", "mean"))
    found = [base for base in source.info.baselines if base.metric == "loss"]
    if isinstance(task, NextCharacter):
        inputs = task.open(7).batch(np.random.default_rng(0), 4000)
        counts = np.bincount(inputs.targets.ravel(), minlength=source.output_size) + 1e-9
        chances = counts / counts.sum()  # the best a constant can do comes near to it
    else:
        chances = np.full(source.output_size, 1 / source.output_size)
    logits = np.log(chances / (1 - chances)) if loss == "binary cross-entropy" else np.log(chances)
    values = torch.tensor(chances if loss == "mean squared error" else logits)
    each = [torch_loss(values[None], torch.tensor([k]), loss).item() for k in range(len(chances))]
    assert found[0].value == pytest.approx(float(np.dot(chances, each)), rel=0.02)
    assert {base.value for base in source.info.baselines if base.metric == "accuracy"} == {
        base.value for base in task.open(7).info.baselines if base.metric == "accuracy"
    }


def test_the_baseline_of_a_sum_is_drawn_where_all_sequences_are_as_long() -> None:
    even = {base.metric: base.value for base in open_source(experiment_of(TASKS[2], "", "last", "sum")).info.baselines}
    assert even["loss"] == pytest.approx(5 * np.log(2))
    assert even["test_loss"] == pytest.approx(8 * np.log(2))
    assert even["accuracy"] == 0.5
    odd = open_source(experiment_of(Parity(length=(2, 5), test_length=8), "", "last", "sum")).info.baselines
    assert {base.metric for base in odd} == {"accuracy", "test_loss", "test_accuracy"}


def test_the_test_part_is_asked_as_the_training_is() -> None:
    summed = Training(experiment_of(TASKS[2], "mean squared error", "last", "sum"))
    mean = Training(experiment_of(TASKS[2], "mean squared error", "last", "mean"))
    (one,), (other,) = summed.test_metrics(), mean.test_metrics()
    assert one["test_loss"] == pytest.approx(8 * other["test_loss"], rel=1e-5)
    assert one["skill"] == pytest.approx(other["skill"], rel=1e-4)
    assert one["test_accuracy"] == other["test_accuracy"]

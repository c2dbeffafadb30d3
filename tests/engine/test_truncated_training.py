"""Truncated training: gradients are torch's with the same states detached, windows go on through branches and pauses,
and captures are cut where training cuts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from live_engine import losses

from rnnviz.command_line import main
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks import NextCharacter, NextValue, TemporalOrder
from rnnviz.core.tasks.stream import Streams, Window
from rnnviz.engine.training.branching import branch_of_training
from rnnviz.engine.training.serve import run_training
from rnnviz.engine.training.trainer import Training
from rnnviz.runs.reading.reader import open_run

MODELS = (
    ModelSettings("LSTM", "lstm", hidden_size=5, num_layers=2),
    ModelSettings("GRU", "gru", hidden_size=4),
    ModelSettings("Min", "mingru", hidden_size=4),
)
WINDOWS = TrainingSettings(
    "sgd", 0.05, clip_norm=0.0, batch_size=3, training_steps=9, truncation="windows", new_steps=11, reach=27
)
STREAM = Experiment("windows", NextValue(length=40), MODELS, WINDOWS, seed=5)


def by_hand(model: torch.nn.Module, inputs: torch.Tensor, first: list[torch.Tensor], detached_after: set[int]):
    """Outputs (T, N, ·), and the states after each time step: one call of the module for each."""
    outputs, states, after = [], first, []
    for t, x in enumerate(inputs):
        given = states[0] if len(states) == 1 else tuple(states)
        output, found = model.recurrent(x[None], given)
        states = [found] if isinstance(found, torch.Tensor) else list(found)
        if t in detached_after:
            states = [state.detach() for state in states]
        outputs.append(output[0])
        after.append(states)
    return torch.stack(outputs), after


def same_gradients(model: torch.nn.Module, loss: torch.Tensor, theirs: list[torch.Tensor]) -> None:
    for ours, other in zip(torch.autograd.grad(loss, list(model.parameters())), theirs, strict=True):
        assert float((ours - other).abs().max()) <= 2e-5 * float(other.abs().max())


@pytest.mark.parametrize(("carried", "reach"), [(True, 27), (False, 27), (True, 11)])
def test_the_gradient_of_a_window_is_torchs(carried: bool, reach: int) -> None:
    """The states that a window carries on are those of then, its older part is read again with today's weights."""
    training = Training(replace(STREAM, training=replace(WINDOWS, carried=carried, reach=reach)))
    shadow = Training(STREAM)  # whose modules the hand has
    rows = training.windows.streams.length
    assert training.windows.streams.windows == 7
    whole = training.source.along(np.arange(3) * rows, 77, 77)
    inputs, targets = torch.from_numpy(whole.inputs), torch.from_numpy(whole.targets)
    zeros = [
        [torch.zeros(len(model.structure.layer_ids), 3, model.structure.units(state)) for state in states]
        for model in training.models
        for states in [model.structure.equations.states]
    ]
    known = [{0: first} for first in zeros]  # by time step, the state before it, of when it was read last
    for step in range(10):
        place = step % 7 * 11
        begin = max(0, place - (reach - 11))
        for model, own, seen, zero in zip(shadow.models, training.models, known, zeros, strict=True):
            model.load_state_dict(own.state_dict())
            first = seen[begin] if carried and begin else zero
            outputs, after = by_hand(model, inputs[begin : place + 11], first, set())
            error = ((model.head(outputs[place - begin :]) - targets[place : place + 11]) ** 2).mean()
            model.found = error
            for t, states in enumerate(after, begin + 1):
                seen[t] = [state.detach() for state in states]
        metrics = training.advance()
        for model, own, one in zip(shadow.models, training.models, metrics, strict=True):
            assert one["loss"] == pytest.approx(model.found.item(), rel=1e-5)
            same_gradients(model, model.found, [parameter.grad for parameter in own.parameters()])


@pytest.mark.parametrize("task", [TemporalOrder(length=(9, 9), first_mark=(1, 2), second_mark=(4, 5)), STREAM.task])
def test_a_gradient_cut_inside_a_sequence_is_torchs(task: object) -> None:
    settings = replace(WINDOWS, truncation="detached", reach=4)
    training = Training(replace(STREAM, task=task, training=settings))
    shadow, batch = Training(training.experiment), training.next_batch()
    probe = training.probe
    for number, model in enumerate(shadow.models):
        shape = len(model.structure.layer_ids), 3
        first = [torch.zeros(*shape, model.structure.units(state)) for state in model.structure.equations.states]
        outputs, _ = by_hand(model, torch.from_numpy(batch.inputs), first, set(range(3, 100, 4)))
        prediction, weight = model.head(outputs), torch.from_numpy(batch.loss_weight)
        targets = torch.from_numpy(batch.targets)
        if task is STREAM.task:
            each = ((prediction - targets) ** 2).mean(dim=-1)
        else:
            each = torch.nn.functional.cross_entropy(prediction.permute(0, 2, 1), targets, reduction="none")
        model.found = (each * weight).sum()
        trace = rebuild(training.capture(number))
        assert trace.verdict.kind == "right"
        assert trace.calls[0].call.cut.tolist() == [
            (t + 1) % 4 == 0 and t < len(probe.inputs) - 1 for t in range(len(probe.inputs))
        ]
    training.advance()
    for model, own in zip(shadow.models, training.models, strict=True):
        same_gradients(model, model.found, [parameter.grad for parameter in own.parameters()])


def test_captures_are_truncated_as_training_is() -> None:
    """The probe asks what the last window of it asks; the training batch begins with what was carried there."""
    training = Training(replace(STREAM, training=replace(WINDOWS, reduction="sum")))
    for _ in range(3):
        training.advance()
    assert training.windows.streams.at(3) == Window(17, 16, 11)
    for number in range(3):
        probe, batch = rebuild(training.capture(number)), rebuild(training.batch_capture(number))
        for trace in (probe, batch):
            assert trace.verdict.kind == "right"
        flow = probe.sample(1).layers[-1].gradient_flow()
        assert not flow[:, :13].any(), "nothing before the edge"
        assert not flow[:29].any(), "nothing is asked in the older part"
        assert (flow[29:, 13] > 0).all()
        assert probe.head.loss_weight[29:, 1] == pytest.approx(0.25)
        assert batch.time_steps == 27
        assert all(array.any() for array in batch.calls[0].call.initial.values())
        assert not batch.head.loss_weight[:16].any()
    assert training.probe.loss_weight.sum() == pytest.approx(11)
    tested = training.test_metrics()[0]["test_loss"]
    plain = Training(replace(STREAM, training=replace(WINDOWS, truncation="off", reduction="sum")))
    for model, other in zip(plain.models, training.models, strict=True):
        model.load_state_dict(other.state_dict())
    assert plain.test_metrics()[0]["test_loss"] == tested, "tested on whole sequences"


def test_a_branch_of_windows_goes_on_to_the_last_bit(tmp_path: Path) -> None:
    experiment = replace(STREAM, models=MODELS[:2], training=replace(WINDOWS, optimiser="adam", training_steps=9))
    run_training(experiment, tmp_path / "a.rnnviz")
    long = replace(experiment, training=replace(experiment.training, training_steps=18))
    run_training(long, tmp_path / "b.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run:
        without = next(int(step) for step in run.captured()[1:] if run.optimiser(step, 0) is None)
        snapshot = run.optimiser(9, 0)
    assert {name: array.shape for name, array in snapshot.carried.items()} == {"h": (2, 3, 5), "c": (2, 3, 5)}
    assert not any(name.startswith("carried") for name in snapshot.gathered)
    for name, step in {"c": 9, "d": without}.items():
        arguments = ["--training-step", str(step), "--run", str(tmp_path / f"{name}.rnnviz")]
        assert main(["branch", str(tmp_path / "a.rnnviz"), *arguments]) == 0
    with open_run(tmp_path / "b.rnnviz") as straight, open_run(tmp_path / "c.rnnviz") as branch:
        assert list(branch.training_steps) == list(range(10, 19))
        assert np.array_equal(losses(straight)[:, 9:], losses(branch))
        words = "Trained along 3 parallel streams of 82 time steps, 11 new ones in each training step; after every 7 "
        assert any(event.sentence.startswith(words) for event in straight.events())
        assert "begin at 0" not in branch.events()[0].sentence
    with open_run(tmp_path / "d.rnnviz") as anew:
        assert "the states that windows carry on are not recorded either and begin at 0" in anew.events()[0].sentence


def test_a_training_branched_off_where_it_stands_goes_on_too(tmp_path: Path) -> None:
    training = Training(STREAM)
    for _ in range(4):
        training.advance()
    experiment, branch = branch_of_training(training, tmp_path / "a.rnnviz")
    other = Training(experiment)
    other.go_on_from(branch.start)
    for _ in range(5):  # over the end of the streams
        assert other.advance() == training.advance()


def test_streams_that_hold_no_window_are_refused() -> None:
    with pytest.raises(RnnvizError, match="wanted at most 82, because 246 time steps in 3 streams make 82 in each, "):
        Training(replace(STREAM, training=replace(WINDOWS, new_steps=83, reach=90)))
    assert Streams(100, 4, 25, 60).at(7) == Window(0, 0, 25)
    assert Streams(100, 1, 20, 55).at(2) == Window(5, 35, 20)
    assert Streams(100, 1, 20, 20).at(8) == Window(60, 0, 20)


def test_a_text_is_gone_along_in_order() -> None:
    training = Training(replace(STREAM, task=NextCharacter(length=30), models=MODELS[1:2]))
    read = []
    for _ in range(4):
        batch = training.next_batch()
        read.append(batch.inputs[-11:, 2].argmax(axis=-1))
        assert np.array_equal(batch.targets[:-1], batch.inputs[1:].argmax(axis=-1))
        assert batch.loss_weight[-11:] == pytest.approx(1 / 33)
        training.advance()
    whole = training.source.along(training.windows.streams.starts, 44, 44).inputs[:, 2].argmax(axis=-1)
    assert np.array_equal(np.concatenate(read), whole)

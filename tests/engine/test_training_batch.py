"""The training batch as a capture: which update it is of, what it is a part of, and where a run has one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from live_engine import SMALL, live, until

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.engine.training.serve import run_training
from rnnviz.engine.training.trainer import Training
from rnnviz.runs.file.engine_commands import RecordBatches, Step
from rnnviz.runs.reading.reader import open_run


def trained(batch_size: int) -> Training:
    settings = replace(SMALL.training, optimiser="sgd", learning_rate=0.5, batch_size=batch_size, clip_norm=0.0)
    training = Training(replace(SMALL, training=settings, seed=7))
    for _ in range(3):
        training.advance()
    return training


def parameters(training: Training, number: int) -> dict[str, np.ndarray]:
    module = training.models[number].recurrent
    return {name: one.detach().numpy().copy() for name, one in module.named_parameters()}


def test_its_gradient_makes_the_next_update() -> None:
    training = trained(batch_size=3)
    captures = [training.batch_capture(number) for number in range(2)]
    before = [parameters(training, number) for number in range(2)]
    loss = training.advance()[1]["loss"]
    for number, capture in enumerate(captures):
        for name, gradient in capture.grads.items():
            after = parameters(training, number)[name]
            np.testing.assert_allclose(after, before[number][name] - 0.5 * gradient, atol=1e-6)
    trace = rebuild(captures[1])
    assert (trace.kind, trace.batch_size, trace.verdict.kind) == ("batch", 3, "right")
    assert trace.head is not None
    assert np.sum(trace.head.losses) == pytest.approx(loss, rel=1e-5)


def test_of_a_larger_batch_it_is_a_part_that_counts_as_in_the_whole() -> None:
    training, alone = trained(batch_size=6), trained(batch_size=6)
    batch, capture = training.next_batch(), training.batch_capture(0)
    np.testing.assert_array_equal(capture.inputs, batch.inputs[:, :4])
    assert capture.head is not None
    assert capture.head.loss_weight.sum() == pytest.approx(4 / 6)
    assert rebuild(capture).batch_size == 6
    training.advance()
    alone.advance()  # without a capture
    for one, other in zip(training.models[0].parameters(), alone.models[0].parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_run_has_it_where_training_rests_and_with_each_capture_where_asked(tmp_path: Path) -> None:
    short = replace(SMALL, training=replace(SMALL.training, training_steps=4))
    for batches in (False, True):
        path = tmp_path / f"{batches}.rnnviz"
        run_training(short, path, batches=batches, capture_rate=1e9)
        with open_run(path) as run:
            assert list(run.captured()) == [0, 1, 2, 3, 4]
            assert list(run.captured(kind="batch")) == ([0, 1, 2, 3, 4] if batches else [0, 4])
            trace = run.trace(4, "LSTM", kind="batch")
            assert (trace.kind, trace.batch_size) == ("batch", 4)
            assert not np.array_equal(trace.layers[0].h, run.trace(4, "LSTM").layers[0].h[:, :4])
            if not batches:
                with pytest.raises(RnnvizError, match="no training batch of LSTM at training step 3; the nearest is 4"):
                    run.trace(3, "LSTM", kind="batch")


def test_a_live_training_records_it_from_when_it_is_asked_to(tmp_path: Path) -> None:
    with live(tmp_path / "live.rnnviz") as window:
        assert window.send(Step(2)) == ""
        until(lambda: window.state() == ("paused", 2))
        until(lambda: list(window.run.captured(kind="batch")) == [0, 2])
        assert window.send(RecordBatches()) == ""
        assert window.send(Step(7)) == ""
        until(lambda: list(window.run.captured(kind="batch"))[-1:] == [9])
        assert len(window.run.captured(kind="batch")) > 3  # round training steps were captured on the way

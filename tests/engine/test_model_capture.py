"""The capture of a model's reading of a batch: under which conditions it was read, and what is left behind."""

import numpy as np
import pytest
import torch

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.core.tasks.source import Batch
from rnnviz.engine.networks import build
from rnnviz.engine.passes import Conditions
from rnnviz.engine.tracing.capture import captured

INFO = TaskInfo("made up", "values", ("a", "b", "c"), "classes", ("x", "y"), "cross entropy", ("loss",))


@pytest.mark.parametrize("cell", ["vanilla", "lstm"])
def test_a_batch_is_captured_as_it_was_read(cell: str) -> None:
    random = np.random.default_rng(5)
    lengths = np.array([6, 2, 4])
    asked = np.arange(6)[:, None] < lengths
    batch = Batch(
        random.normal(size=(6, 3, 3)).astype(np.float32),
        random.integers(0, 2, (6, 3)),
        (asked / asked.sum()).astype(np.float32),
        lengths,
    )
    model = build(ModelSettings("m", cell, hidden_size=5, num_layers=2, bidirectional=True), 3, 2, 7)
    states = model.structure.equations.states
    initial = tuple(torch.from_numpy(random.normal(size=(4, 3, 5)).astype(np.float32)) for _ in states)
    generator = torch.get_rng_state()
    capture = captured(model, batch, INFO, Conditions(initial=initial), "batch")
    assert torch.equal(generator, torch.get_rng_state())
    assert all(one.grad is None for one in model.parameters())
    trace = rebuild(capture)
    assert capture.kind == "batch"
    assert trace.verdict.kind == "right"
    for state, given in zip(states, initial, strict=True):
        np.testing.assert_array_equal(capture.initial[state], given)
    assert not capture.output[~asked].any()
    assert capture.output[asked].all()
    assert not np.array_equal(capture.output, captured(model, batch, INFO).output)

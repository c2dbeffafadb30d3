"""Dropout in training: masks that nothing but seed, training step and model decides, and what is read without."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from live_engine import SMALL

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.engine.dropout import Where, masks
from rnnviz.engine.training.trainer import Training

DEEP = ModelSettings("deep", "gru", hidden_size=5, num_layers=3, dropout=0.4, residual=True)


def experiment(*models: ModelSettings) -> Experiment:
    settings = replace(SMALL.training, optimiser="sgd", learning_rate=0.5, batch_size=4, clip_norm=0.0)
    return replace(SMALL, models=models, training=settings, seed=17)


def test_masks_are_torchs_kind_and_of_one_place_alone() -> None:
    structure, at = Structure("lstm", 3, 6, 3, True), Where(5, 9, 1)
    first = masks(structure, 0.3, at, 0, 20, 7)
    assert first.shape == (2, 20, 7, 12)
    assert set(first.unique().tolist()) == {0.0, np.float32(1) / np.float32(0.7)}
    assert float(first.mean()) == pytest.approx(1, abs=0.06)
    assert torch.equal(first, masks(structure, 0.3, at, 0, 20, 7))
    others = [masks(structure, 0.3, Where(*one), 0, 20, 7) for one in ((6, 9, 1), (5, 8, 1), (5, 9, 0))]
    others.append(masks(structure, 0.3, at, 1, 20, 7))
    assert not any(torch.equal(first, other) for other in others)
    assert not torch.equal(first[0], first[1])


def test_captures_draw_nothing_and_a_further_model_changes_no_other() -> None:
    alone, watched = (
        Training(experiment(DEEP)),
        Training(experiment(DEEP, replace(DEEP, name="more", cell="vanilla", own=None))),
    )
    for _ in range(3):
        torch.rand(3)  # nothing of torch's own generator is in it
        loss = alone.advance()[0]["loss"]
        watched.batch_capture(1), watched.captures(), watched.test_metrics()
        assert watched.advance()[0]["loss"] == loss
    for one, other in zip(alone.models[0].parameters(), watched.models[0].parameters(), strict=True):
        assert torch.equal(one, other)
    without = Training(experiment(replace(DEEP, dropout=0.0)))
    assert without.advance()[0]["loss"] != Training(experiment(DEEP)).advance()[0]["loss"]


def test_the_training_batch_has_its_masks_and_the_probe_none() -> None:
    training = Training(experiment(DEEP))
    training.advance()
    (probe,), batch = training.captures(), training.batch_capture(0)
    assert probe.calls[0].masks is None
    (call,) = batch.calls
    assert call.masks is not None
    found = rebuild(batch)
    assert found.verdict.kind == rebuild(probe).verdict.kind == "right"
    wanted = masks(training.models[0].structure, 0.4, Where(17, 1, 0), 0, *call.inputs.shape[:2])
    np.testing.assert_array_equal(call.masks, wanted.numpy())
    np.testing.assert_array_equal(found.layers[1].mask, call.masks[1])
    before = {name: one.detach().clone() for name, one in training.models[0].recurrent.named_parameters()}
    assert found.head is not None
    assert float(np.sum(found.head.losses)) == pytest.approx(training.advance()[0]["loss"], rel=1e-5)
    for name, gradient in batch.grads.items():
        after = training.models[0].recurrent.get_parameter(name).detach()
        np.testing.assert_allclose(after, before[name] - 0.5 * torch.from_numpy(gradient.copy()), atol=1e-6)

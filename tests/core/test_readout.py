"""Prediction, loss and readout gradients against torch's own loss functions."""

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Readout
from rnnviz.core.sweeps.trace import rebuild


def with_readout(autograd, loss, lengths=None):
    capture = autograd.random_capture(Structure("gru", 2, 3), time_steps=4, sequences=2, lengths=lengths)
    generator = np.random.default_rng(5)
    weight = generator.standard_normal((5, 3))
    targets = generator.integers(0, 5, (4, 2)) if loss == "cross entropy" else generator.standard_normal((4, 2, 5))
    asked = np.array([[0, 1], [1, 0], [1, 1], [0, 0]], float) / 4
    return capture.with_call(readout=Readout(weight, generator.standard_normal(5), loss, targets, asked))


@pytest.mark.parametrize("loss", ["cross entropy", "mean squared error"])
def test_losses_and_gradients_are_torchs(autograd, loss):
    torch = autograd.torch
    capture = with_readout(autograd, loss)
    readout, trace = capture.readout, rebuild(capture)
    weight = torch.tensor(readout.weight, requires_grad=True)
    bias = torch.tensor(readout.bias, requires_grad=True)
    prediction = torch.tensor(trace.layers[0].h.copy()) @ weight.T + bias
    targets = torch.tensor(readout.targets)
    if loss == "cross entropy":
        each = torch.nn.functional.cross_entropy(prediction.reshape(8, 5), targets.reshape(8), reduction="none")
        each = each.reshape(4, 2)
    else:
        each = ((prediction - targets) ** 2).mean(dim=-1)
    losses = each * torch.tensor(readout.loss_weight)
    losses.sum().backward()
    np.testing.assert_allclose(trace.readout.prediction, prediction.detach(), rtol=1e-12)
    np.testing.assert_allclose(trace.readout.losses, losses.detach(), rtol=1e-12)
    np.testing.assert_allclose(trace.readout.weight_grads["weight"], weight.grad, rtol=1e-9)
    np.testing.assert_allclose(trace.readout.weight_grads["bias"], bias.grad, rtol=1e-9)
    if loss == "cross entropy":
        np.testing.assert_allclose(trace.readout.probabilities, prediction.detach().softmax(-1), rtol=1e-12)
    else:
        assert trace.readout.probabilities is None


def test_a_target_nobody_asks_for_may_be_anything(autograd):
    capture = with_readout(autograd, "cross entropy", lengths=[4, 3])
    targets = np.where(capture.readout.loss_weight == 0, -100, capture.readout.targets)
    trace = rebuild(capture.with_call(readout=replace(capture.readout, targets=targets)))
    np.testing.assert_array_equal(trace.readout.losses, rebuild(capture).readout.losses)
    assert not trace.readout.losses[capture.readout.loss_weight == 0].any()


def test_large_logits_do_not_overflow(autograd):
    capture = with_readout(autograd, "cross entropy")
    readout = replace(capture.readout, weight=capture.readout.weight * 1e4)
    trace = rebuild(capture.with_call(readout=readout))
    assert np.isfinite(trace.readout.losses).all()
    np.testing.assert_allclose(trace.readout.probabilities.sum(axis=-1), 1)


def test_a_sample_has_its_own_readout(autograd):
    trace = rebuild(with_readout(autograd, "mean squared error", lengths=[2, 4]))
    alone = trace.sample(0).readout
    assert alone.prediction.shape == (2, 1, 5)
    np.testing.assert_array_equal(alone.losses[:, 0], trace.readout.losses[:2, 0])
    assert not alone.losses.flags.writeable

"""Prediction, loss and head gradients against torch's own loss functions."""

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Head
from rnnviz.core.sweeps.trace import rebuild


def with_head(autograd, loss, lengths=None):
    capture = autograd.random_capture(Structure("gru", 2, 3), time_steps=4, sequences=2, lengths=lengths)
    generator = np.random.default_rng(5)
    weight = generator.standard_normal((5, 3))
    targets = generator.integers(0, 5, (4, 2)) if loss == "cross entropy" else generator.standard_normal((4, 2, 5))
    asked = np.array([[0, 1], [1, 0], [1, 1], [0, 0]], float) / 4
    return capture.with_call(head=Head(weight, generator.standard_normal(5), loss, targets, asked))


@pytest.mark.parametrize("loss", ["cross entropy", "mean squared error"])
def test_losses_and_gradients_are_torchs(autograd, loss):
    torch = autograd.torch
    capture = with_head(autograd, loss)
    head, trace = capture.head, rebuild(capture)
    weight = torch.tensor(head.weight, requires_grad=True)
    bias = torch.tensor(head.bias, requires_grad=True)
    prediction = torch.tensor(trace.layers[0].h.copy()) @ weight.T + bias
    targets = torch.tensor(head.targets)
    if loss == "cross entropy":
        each = torch.nn.functional.cross_entropy(prediction.reshape(8, 5), targets.reshape(8), reduction="none")
        each = each.reshape(4, 2)
    else:
        each = ((prediction - targets) ** 2).mean(dim=-1)
    losses = each * torch.tensor(head.loss_weight)
    losses.sum().backward()
    np.testing.assert_allclose(trace.head.prediction, prediction.detach(), rtol=1e-12)
    np.testing.assert_allclose(trace.head.losses, losses.detach(), rtol=1e-12)
    np.testing.assert_allclose(trace.head.weight_grads["weight"], weight.grad, rtol=1e-9)
    np.testing.assert_allclose(trace.head.weight_grads["bias"], bias.grad, rtol=1e-9)
    if loss == "cross entropy":
        np.testing.assert_allclose(trace.head.probabilities, prediction.detach().softmax(-1), rtol=1e-12)
    else:
        assert trace.head.probabilities is None


def test_a_target_nobody_asks_for_may_be_anything(autograd):
    capture = with_head(autograd, "cross entropy", lengths=[4, 3])
    targets = np.where(capture.head.loss_weight == 0, -100, capture.head.targets)
    trace = rebuild(capture.with_call(head=replace(capture.head, targets=targets)))
    np.testing.assert_array_equal(trace.head.losses, rebuild(capture).head.losses)
    assert not trace.head.losses[capture.head.loss_weight == 0].any()


def test_large_logits_do_not_overflow(autograd):
    capture = with_head(autograd, "cross entropy")
    head = replace(capture.head, weight=capture.head.weight * 1e4)
    trace = rebuild(capture.with_call(head=head))
    assert np.isfinite(trace.head.losses).all()
    np.testing.assert_allclose(trace.head.probabilities.sum(axis=-1), 1)


def test_a_sample_has_its_own_head(autograd):
    trace = rebuild(with_head(autograd, "mean squared error", lengths=[2, 4]))
    alone = trace.sample(0).head
    assert alone.prediction.shape == (2, 1, 5)
    np.testing.assert_array_equal(alone.losses[:, 0], trace.head.losses[:2, 0])
    assert not alone.losses.flags.writeable


def test_a_sum_over_time_is_said_and_is_the_sequences_own(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 3), time_steps=4, sequences=3)
    generator = np.random.default_rng(8)
    targets = generator.integers(0, 5, (4, 3))
    head = Head(generator.normal(size=(5, 3)), np.zeros(5), "cross entropy", targets, np.full((4, 3), 1 / 3))
    trace = rebuild(capture.with_call(head=replace(head, reduction="sum")))
    chances = trace.head.probabilities
    for n in range(3):
        one = trace.sample(n).head
        assert one.divided_by() == "3 sequences"
        assert one.reduction_words() == "sum over 4 time steps, mean over 3 sequences"
        assert one.own_loss() == pytest.approx(-np.log(chances[range(4), n, targets[:, n]]).sum())
    alone = rebuild(capture.with_call(head=replace(head, loss_weight=np.ones((4, 3)), reduction="sum")))
    assert (alone.head.divided_by(), alone.head.reduction_words()) == ("", "sum over 4 time steps")


def test_one_hot_targets_are_of_classes(autograd):
    capture = with_head(autograd, "mean squared error")
    assert rebuild(capture).head.classes is None
    wanted = np.arange(8).reshape(4, 2) % 5
    hot = np.eye(5)[wanted]
    hot[0, 0] = -3.0  # where nothing is asked
    found = rebuild(capture.with_call(head=replace(capture.head, targets=hot))).head
    assert found.classes[1:].tolist() == wanted[1:].tolist()
    assert found.asked_output(1) == 2
    np.testing.assert_array_equal(found.scores, found.prediction)


@pytest.mark.parametrize(("asked", "words"), [("last", "3 sequences"), ("all", "12 time steps"), ("one", "")])
def test_a_sequences_loss_is_its_part_of_the_batchs_mean(autograd, asked, words):
    capture = autograd.random_capture(Structure("gru", 2, 3), time_steps=4, sequences=3)
    generator = np.random.default_rng(7)
    weight = {"last": np.eye(4)[:, [3] * 3] / 3, "all": np.full((4, 3), 1 / 12), "one": np.eye(4)[:, [2] * 3]}[asked]
    head = Head(generator.normal(size=(5, 3)), np.zeros(5), "cross entropy", generator.integers(0, 5, (4, 3)), weight)
    trace = rebuild(capture.with_call(head=head))
    each = [trace.sample(n).head for n in range(3)]
    assert {one.divided_by() for one in each} == {trace.head.divided_by(1)} == {words}
    total = {"last": "mean over 3 sequences", "all": "mean over 4 time steps and 3 sequences", "one": ""}[asked]
    assert {one.reduction_words() for one in each} == {trace.head.reduction_words(2)} == {total}
    own = [-np.log(trace.head.probabilities[range(4), n, head.targets[:, n]]) for n in range(3)]
    for n, one in enumerate(each):
        expected = own[n].mean() if asked == "all" else own[n][{"last": 3, "one": 2}[asked]]
        assert one.own_loss() == pytest.approx(expected) == trace.head.own_loss(n)
    assert np.isnan(rebuild(capture.with_call(head=replace(head, loss_weight=0 * weight))).head.own_loss())

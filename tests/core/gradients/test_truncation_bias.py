"""Truncation bias against torch: the gradients of the same losses with and without the states detached."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.gradients.truncation import ALL, biases, truncated
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Head
from rnnviz.core.sweeps.trace import rebuild

CUT = np.array([False, False, True, False, False])


def angle_and_ratio(one, other):
    """As a textbook has it, of tensors of torch's."""
    one, other = (grad.ravel() for grad in (one, other))
    cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    return math.degrees(math.acos(min(cosine, 1.0))), np.linalg.norm(one) / np.linalg.norm(other)


@pytest.mark.parametrize(("cell", "both"), [("lstm", True), ("gru", False), ("minlstm", False)])
@pytest.mark.parametrize("sample", [None, 1])
def test_of_each_parameter_against_torch(autograd, cell, both, sample):
    structure = Structure(cell, 3, 4, num_layers=2, bidirectional=both)
    capture = autograd.random_capture(structure, time_steps=5, lengths=[5, 4], seed=11, with_torch=False)
    draw = np.random.default_rng(2)
    width = structure.directions * 4
    head = Head(draw.normal(size=(2, width)), np.ones(2), "cross entropy", np.ones((5, 2), np.int64), np.zeros((5, 2)))
    head.loss_weight[:, 0], head.loss_weight[3, 1] = 0.3, 0.7
    capture = capture.with_call(head=head)
    shown = rebuild(capture).head
    capture = capture.with_call(grad_output=shown.output_grad)
    cuts = frozenset((name, 2 + name.endswith("_reverse")) for name in structure.layer_names)
    alone = capture if sample is None else capture.sample(sample)
    with_cut, without = (autograd.reference(alone, cuts=one, with_head=True) for one in (cuts, frozenset()))
    found = biases(capture.with_call(cut=CUT), sample)
    assert [one.parameter for one in found] == [ALL, *structure.parameter_shapes()]
    for one in found[1:]:
        grads = (each.weight_grads[one.parameter] for each in (with_cut, without))
        angle, ratio = angle_and_ratio(*grads)
        assert one.known
        assert one.angle == pytest.approx(angle, abs=2e-6)
        assert one.ratio == pytest.approx(ratio, rel=1e-10)
    together = [
        np.concatenate([each.weight_grads[one.parameter].ravel() for one in found[1:]]) for each in (with_cut, without)
    ]
    assert (found[0].angle, found[0].ratio) == pytest.approx(angle_and_ratio(*together))
    assert found[0].angle > 1, "there is a bias at all"


def test_what_is_not_known_is_said(autograd):
    capture = autograd.random_capture(Structure("vanilla", 3, 4), time_steps=5, with_torch=False)
    assert not truncated(capture)
    assert not truncated(capture.with_call(cut=np.arange(5) == 4)), "nothing comes after the last time step"
    assert [(one.angle, one.ratio) for one in biases(capture)] == [(0, 1)] * 5
    nothing = biases(capture.with_call(cut=CUT, grad_output=np.zeros((5, 2, 4))))
    assert {one.unknown for one in nothing} == {"both gradients are 0"}
    assert all(math.isnan(one.angle) and math.isnan(one.ratio) for one in nothing)
    last = np.zeros((5, 2, 4))
    last[4] = 1e-200  # whose square is lost
    found = {one.parameter: one for one in biases(capture.with_call(cut=np.arange(5) == 3, grad_output=last))}
    assert 0 < found["weight_hh_l0"].ratio < 3
    assert found["weight_hh_l0"].angle > 0
    inputs = np.array(capture.inputs)
    inputs[4] = 0
    late = capture.with_call(cut=np.arange(5) == 3, grad_output=last, inputs=inputs)
    found = {one.parameter: one for one in biases(late)}
    assert found["weight_ih_l0"].ratio == 0
    assert found["weight_ih_l0"].unknown == "the truncated gradient is 0, which has no direction"
    assert found["bias_ih_l0"].known
    bad = replace(late, weights={**late.weights, "bias_ih_l0": np.full(4, np.nan)})
    assert {one.unknown for one in biases(bad)} == {"a gradient is not finite"}

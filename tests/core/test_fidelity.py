"""A trace checks itself: what torch's numbers contradict is not faithful; a capture that does not fit is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.cells import CELLS
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.verdicts.fidelity import relative_difference


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_weight_that_is_not_the_one_torch_used_is_noticed(autograd, cell, num_layers):
    capture = autograd.random_capture(Structure(cell, 2, 3, num_layers=num_layers), dtype="float32")
    assert rebuild(capture).faithful
    for name, weight in capture.weights.items():
        wrong = weight.copy()
        wrong.flat[0] += 0.5
        trace = rebuild(replace(capture, weights={**capture.weights, name: wrong}))
        assert not trace.faithful, name


def test_an_unfaithful_trace_follows_from_its_weights(autograd):
    capture = autograd.random_capture(Structure("lstm", 2, 3), time_steps=8)
    weights = {name: weight * 1.5 for name, weight in capture.weights.items()}
    trace = rebuild(replace(capture, weights=weights))
    own = rebuild(replace(capture.with_call(output=None), weights=weights, grads={}))
    np.testing.assert_array_equal(trace.layers[0].h, own.layers[0].h)


def test_wrong_parameter_gradients_are_noticed(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 3))
    grads = {**capture.grads, "bias_hh_l0": capture.grads["bias_hh_l0"] * 1.001}
    assert rebuild(replace(capture, grads=grads)).fidelity == pytest.approx(1e-3, rel=1e-2)


def test_without_torchs_numbers_there_is_nothing_to_be_faithful_to(autograd):
    trace = rebuild(autograd.random_capture(Structure("gru", 2, 3), with_torch=False))
    assert math.isnan(trace.fidelity)
    assert not trace.faithful


@pytest.mark.parametrize(("time_steps", "sequences"), [(2, 1), (1, 2)])
def test_shares_that_cancel_widen_the_limit(autograd, time_steps, sequences):
    size = {"time_steps": time_steps, "sequences": sequences}
    capture = autograd.random_capture(Structure("vanilla", 1, 2), **size, dtype="float32", scale=0.1)
    zero = {"h": np.zeros_like(capture.initial["h"])}
    inputs, weights = np.ones_like(capture.inputs), {name: np.zeros_like(w) for name, w in capture.weights.items()}
    grad_output = np.array([[1, 1], [-1, -1 + 2e-3]], np.float32).reshape(time_steps, sequences, 2)
    capture = capture.with_call(inputs=inputs, initial=zero, grad_output=grad_output, output=None)
    capture = replace(capture, weights=weights, grads={})
    capture = autograd.with_torch_numbers(capture)
    assert rebuild(capture).faithful
    for factor, faithful in ((1 + 1e-4, True), (1 + 0.03, False)):  # a limit of 1e-5, 1,000 times as large here
        grads = {name: grad * np.float32(factor) for name, grad in capture.grads.items()}
        rounded = rebuild(replace(capture, grads=grads))
        assert rounded.fidelity == pytest.approx(factor - 1, rel=0.1)
        assert rounded.faithful is faithful


@np.errstate(invalid="ignore")
def test_relative_difference():
    one = np.array([1.0, -2.0])
    assert relative_difference(one, one) == 0
    assert relative_difference(np.zeros(3), np.zeros(3)) == 0
    assert relative_difference(np.ones(3), np.zeros(3)) == math.inf
    assert relative_difference(np.array([1.0, -2.5]), one) == 0.25
    assert relative_difference(np.zeros((0, 2)), np.zeros((0, 2))) == 0
    broken = np.array([math.nan, math.inf, 4.0])
    assert relative_difference(broken, broken) == 0
    assert relative_difference(np.array([math.nan, math.inf, 5.0]), broken) == 0.25
    assert relative_difference(np.array([0.0, math.inf, 4.0]), broken) == math.inf


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"inputs": np.zeros((5, 2, 4))}, r"capture.inputs: wanted float64 \(5, 2, 3\), got float64 \(5, 2, 4\)"),
        ({"inputs": np.zeros((0, 2, 3))}, r"capture.inputs: .*at least 1, got \(0, 2, 3\)"),
        ({"inputs": np.zeros((5, 2, 3), np.float16)}, "capture.inputs: wanted float32 or float64, got float16"),
        (
            {"initial": {"h": np.zeros((1, 2, 4), np.float32), "c": np.zeros((1, 2, 4))}},
            "capture.h0: wanted float64 .* got float32",
        ),
        ({"initial": {"h": np.zeros((1, 2, 4))}}, "capture.c0: .* got nothing"),
        ({"weights": {}}, r"capture.weights\[weight_ih_l0\]: .* got nothing"),
        ({"output": np.zeros((5, 2, 5))}, "capture.output: "),
        ({"grad_output": np.zeros((4, 2, 4))}, "capture.grad_output: "),
        ({"grads": {"bias_hh_l0": np.zeros(3)}}, r"capture.grads\[bias_hh_l0\]: "),
        ({"lengths": np.array([5, 6])}, r"capture.lengths: wanted 2 numbers from 1 to 5, got \[5, 6\]"),
        ({"lengths": np.array([5])}, "capture.lengths: "),
        ({"lengths": np.array([0, 5])}, "capture.lengths: "),
    ],
)
def test_a_capture_that_does_not_fit_is_refused_in_one_sentence(autograd, change, sentence):
    capture = autograd.random_capture(Structure("lstm", 3, 4))
    whole = {name: value for name, value in change.items() if name in ("weights", "grads")}
    capture = replace(capture.with_call(**{name: change[name] for name in change.keys() - whole.keys()}), **whole)
    with pytest.raises(RnnvizError, match=sentence):
        rebuild(capture)

"""NaN, ±∞, huge, subnormal and zero in every field of a capture: no crash and no warning."""

import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from rnnviz.core.cells import CELLS
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Head
from rnnviz.core.sweeps.scans import flow
from rnnviz.core.sweeps.trace import rebuild

BAD = [np.nan, np.inf, -np.inf, 1e38, 1e-45, 0.0]
FIELDS = ["weight_ih_l0", "weight_hh_l0", "bias_hh_l1_reverse", "inputs", "h0", "grad_output", "head", "output"]


def structure_of(cell):
    activation = "relu" if cell == "vanilla" else "tanh"
    return Structure(cell, 2, 3, num_layers=2, bidirectional=True, activation=activation)


CASES = [
    (cell, field)
    for cell in CELLS
    for field in FIELDS
    if not field.startswith(("weight", "bias")) or field in structure_of(cell).parameter_shapes()
    if field != "h0" or "h" in structure_of(cell).equations.states
]


@pytest.fixture(scope="module")
def capture_of(autograd):
    """Each cell's capture is made once: the tests spoil their own copy."""
    return cache(
        lambda cell: autograd.random_capture(
            structure_of(cell), time_steps=4, sequences=2, lengths=[4, 2], dtype="float32"
        )
    )


@pytest.mark.parametrize(("cell", "field"), CASES)
@pytest.mark.parametrize("bad", BAD)
def test_any_number_anywhere(capture_of, cell, bad, field):
    capture = capture_of(cell)
    weight = np.ones((3, 6), np.float32)
    head = Head(weight, weight[:, 0], "cross entropy", np.zeros((4, 2), np.int64), np.full((4, 2), 0.125))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace = rebuild(spoilt(capture.with_call(head=head), field, np.float32(bad)))
        for layer in trace.layers:
            for sample in range(2):
                assert layer.gradient_flow(sample).shape == (4, 4)
            flow.spectral_radius(flow.step_jacobian(layer, 1))
            flow.geometric_bound(flow.geometric_rate(layer), 4)
            for name in layer.weight_grads:
                assert layer.weight_grad_shares[name].shape == layer.weight_grad_so_far[name].shape == (4,)
            assert layer.input_grad.shape == layer.x.shape
        assert trace.head.weight_grads["weight"].shape == (3, 6)
        assert trace.sample(1).faithful in (True, False)


def spoilt(capture, field, bad):
    """The capture with one number of `field` replaced."""

    def changed(array):
        array = np.array(array)
        array.flat[0] = bad
        return array

    if field in capture.weights:
        return replace(capture, weights={**capture.weights, field: changed(capture.weights[field])})
    if field == "head":
        return capture.with_call(head=replace(capture.head, weight=changed(capture.head.weight)))
    if field == "h0":
        return capture.with_call(initial={**capture.initial, "h": changed(capture.initial["h"])})
    return capture.with_call(**{field: changed(getattr(capture, field))})


def test_a_saturated_gate_keeps_its_smallness(autograd):
    """A closed gate lets 1e-26 through, not 0: a vanishing gradient must not vanish earlier than it does in torch."""
    capture = autograd.random_capture(Structure("lstm", 1, 1), time_steps=2, sequences=1, dtype="float32")
    weights = {**capture.weights, "bias_ih_l0": np.array([-60, -60, 0, -60], np.float32)}
    layer = rebuild(autograd.with_torch_numbers(replace(capture, weights=weights))).layers[0]
    for gate in "ifo":
        exact = 1 / (1 + np.exp(-layer.pre_activations[gate].astype(np.float64)))
        assert 0 < exact.max() < 1e-24
        np.testing.assert_allclose(layer.gates[gate], exact, rtol=1e-4)

"""Lyapunov exponents where they are known exactly, and where order turns into chaos."""

from itertools import repeat
from math import log

import numpy as np
import pytest

from rnnviz.core.gradients.lyapunov import layer_lyapunov, lyapunov
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import rebuild


def _digamma(x: float) -> float:
    """ψ(x), by its recurrence and its asymptotic series."""
    below = 0.0
    while x < 20:
        below, x = below - 1 / x, x + 1
    return below + log(x) - 1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4) - 1 / (252 * x**6)


def _last(found):
    *_, last = found
    return last


def _network(weight, time_steps, activation="tanh", inputs=0.0, first=0.0) -> Layer:
    """A vanilla layer without biases that reads the same at each time step."""
    size = len(weight)
    structure = Structure("vanilla", 1, size, bias=False, activation=activation)
    capture = Capture.of_one(
        {"weight_ih_l0": np.ones((size, 1)), "weight_hh_l0": weight},
        structure=structure,
        inputs=np.full((time_steps, 1, 1), inputs),
        initial={"h": np.broadcast_to(first, (1, 1, size)).astype(float)},
        grad_output=np.zeros((time_steps, 1, size)),
    )
    return rebuild(capture).layers[0]


def _gaussian(size, gain, seed):
    return gain / np.sqrt(size) * np.random.default_rng(seed).standard_normal((size, size))


def test_an_orthogonal_linear_network_neither_forgets_nor_grows():
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((24, 24)))[0]
    found = _last(lyapunov(repeat(turn, 200), left_out=20))
    assert np.abs(found.exponents).max() < 1e-12
    assert (found.counted, found.left_out) == (180, 20)
    shifted = np.roll(np.eye(7), 1, axis=0)  # a ReLU network whose units are all open
    assert np.abs(_last(layer_lyapunov(_network(shifted, 50, "relu", inputs=0.3))).exponents).max() < 1e-12


@pytest.mark.parametrize(("gain", "every"), [(0.5, 4), (0.9, 1)])
def test_at_the_zero_fixed_point_of_tanh_they_are_the_logarithms_of_the_eigenvalues(gain, every):
    weight = _gaussian(20, gain, 8)
    expected = np.sort(np.log(np.abs(np.linalg.eigvals(weight))))[::-1]
    found = _last(layer_lyapunov(_network(weight, 3000), every=every))
    np.testing.assert_allclose(found.exponents, expected, atol=1e-3)


def test_a_product_of_gaussian_matrices():
    size, gain, generator = 8, 1.3, np.random.default_rng(5)
    factors = (gain / np.sqrt(size) * generator.standard_normal((size, size)) for _ in range(6000))
    expected = [(log(2 * gain**2 / size) + _digamma((size - i) / 2)) / 2 for i in range(size)]
    np.testing.assert_allclose(_last(lyapunov(factors, left_out=100)).exponents, expected, atol=0.03)


def test_order_turns_into_chaos_between_a_gain_of_09_and_15():
    first = np.random.default_rng(4).standard_normal(80)
    largest = [
        _last(layer_lyapunov(_network(_gaussian(80, gain, 4), 400, first=first), transient=0.25)).exponents[0]
        for gain in (0.9, 1.5)
    ]
    assert largest[0] < -0.005 < 0.02 < largest[1]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_linear_recurrence_has_those_of_its_eigenvalues_in_either_direction(autograd, reverse):
    capture = autograd.random_capture(
        Structure("lru", 2, 3, bidirectional=True), time_steps=40, seed=2, lengths=[40, 30]
    )
    layer = rebuild(capture).layers[int(reverse)]
    expected = np.repeat(-np.exp(layer.weights["nu_log"]), 2)
    np.testing.assert_allclose(_last(layer_lyapunov(layer, 1)).exponents, -np.sort(-expected), atol=1e-9)


def test_what_is_lost_and_what_is_not_finite():
    dead = np.random.default_rng(6).standard_normal((4, 4))
    dead[2] = 0
    found = _last(lyapunov(repeat(dead, 30), left_out=3))
    assert np.isneginf(found.exponents[3])
    expected = np.sort(np.abs(np.linalg.eigvals(dead)))[::-1][:3]
    assert found.exponents[:3].sum() == pytest.approx(np.log(expected).sum(), abs=0.1)
    parts = list(lyapunov([np.eye(3), np.full((3, 3), np.nan), np.eye(3)], left_out=2))
    assert len(parts) == 2
    assert np.isnan(parts[-1].exponents).all()
    assert list(lyapunov([])) == []


def test_before_the_transient_is_over_nothing_is_known():
    parts = list(lyapunov(repeat(np.diag([0.5, 2.0]), 10), left_out=5, every=2))
    assert [part.counted for part in parts] == [0, 0, 0, 2, 4, 5]
    assert [part.left_out for part in parts] == [2, 4, 5, 5, 5, 5]
    assert np.isnan(parts[2].exponents).all()
    np.testing.assert_allclose(parts[3].exponents, np.log([2.0, 0.5]))

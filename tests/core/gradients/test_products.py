"""Singular values of products of step Jacobians, far below what a plain product keeps."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest

from rnnviz.core.gradients import products as products_module
from rnnviz.core.gradients.jacobians import step_jacobians
from rnnviz.core.gradients.products import product_spectra, products
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import rebuild


def _rotation(generator, size):
    return np.linalg.qr(generator.standard_normal((size, size)))[0]


KINDS = {
    "gaussian": lambda generator: generator.standard_normal((5, 5)),
    "tiny": lambda generator: generator.standard_normal((5, 5)) * 1e-30,
    "rows of many sizes": lambda generator: 10.0 ** -np.arange(5)[:, None] * generator.standard_normal((5, 5)),
    "columns of many sizes": lambda generator: generator.standard_normal((5, 5)) * 10.0 ** -np.arange(5),
    "diagonal": lambda generator: np.diag(10.0 ** generator.uniform(-20, 2, 5)),
    "orthogonal": lambda generator: _rotation(generator, 5),
    "shears": lambda generator: np.triu(np.ones((5, 5))),
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_product_against_many_digits(kind):
    generator = np.random.default_rng(6)
    factors = [KINDS[kind](generator) for _ in range(16)]
    with mpmath.workdps(600):
        exact = mpmath.eye(5)
        for factor, found in zip(factors, products(factors, np.eye(5)), strict=True):
            exact = exact * mpmath.matrix(factor.tolist())
            expected = [float(mpmath.log(one)) for one in mpmath.svd_r(exact, compute_uv=False)]
            np.testing.assert_allclose(found.logs, expected, rtol=1e-12, atol=1e-8)
            assert np.linalg.norm(found.direction) == pytest.approx(1)
            stretched = exact * mpmath.matrix(found.direction.tolist())
            assert float(mpmath.log(mpmath.norm(stretched))) == pytest.approx(expected[0], abs=1e-8)


def test_thousands_of_decades_lie_between_the_first_and_the_last():
    generator = np.random.default_rng(4)
    turns, sizes = [_rotation(generator, 6) for _ in range(301)], np.array([3.0, 1.0, 0.9, 1e-4, 2e-9, 1e-12])
    factors = [left * sizes @ right.T for left, right in pairwise(turns)]
    *_, last = products(factors, np.eye(6))
    np.testing.assert_allclose(last.logs[:4], 300 * np.log(sizes[:4]), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(last.logs[4:], 300 * np.log(sizes[4:]), rtol=1e-4)  # what a factor's own digits give
    np.testing.assert_allclose(np.abs(last.direction @ turns[300][:, 0]), 1)


def test_what_is_lost_is_0_and_what_is_not_finite_is_not_known():
    generator = np.random.default_rng(2)
    factors = [generator.standard_normal((7, 7)) for _ in range(6)]
    factors[1][2:5] = 0  # three dead units
    factors[3][:, 1] = factors[3][:, 4]  # and one combination of units that is lost
    factors[5][0, 0] = np.inf
    found = list(products(factors, np.eye(7)))
    assert [int(np.isneginf(one.logs).sum()) for one in found] == [0, 3, 3, 3, 3, 0]
    product = np.linalg.multi_dot(factors[:5])
    np.testing.assert_allclose(np.exp(found[4].logs[:4]), np.linalg.svd(product, compute_uv=False)[:4], rtol=1e-9)
    assert np.isnan(found[5].logs).all()
    assert np.isnan(found[5].direction).all()
    *_, nothing = products([np.zeros((3, 3)), np.eye(3)], np.eye(3))
    assert np.isneginf(nothing.logs).all()
    assert (nothing.direction == 0).all()


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", ["vanilla", "lstm", "gru", "lru"])
def test_products_of_a_layer_are_those_of_its_step_jacobians(autograd, cell, reverse):
    structure = Structure(cell, 2, 3, bidirectional=True)
    capture = autograd.random_capture(structure, time_steps=9, lengths=[9, 7], seed=8, with_torch=False)
    layer = rebuild(capture).layers[int(reverse)]
    jacobians = step_jacobians(layer, 1)
    own = jacobians[::-1] if reverse else jacobians  # along the layer's own direction
    parts = list(product_spectra(layer, 1))
    assert [part.known for part in parts] == [2, 3, 4, 5, 6, 7, 7]
    *_, whole = parts
    assert [part.whole for part in parts] == [False] * (len(parts) - 1) + [True]
    for part in parts[:-1]:
        known = part.log10_values[: part.known] if reverse else part.log10_values[7 - part.known :]
        assert np.isfinite(known).all()
        assert np.isnan(part.log10_values).sum() == (7 - part.known) * len(own[0])
    product = np.eye(len(own[0]))
    for count in range(1, 7):
        product = product @ own[7 - count]
        at = count if reverse else 6 - count
        values = np.linalg.svd(product, compute_uv=False)
        np.testing.assert_allclose(10 ** whole.log10_values[at], values, rtol=1e-9, atol=1e-14)
        assert whole.log10_largest[at] == pytest.approx(np.log10(values[0]))
        assert np.linalg.norm(whole.directions[at]) == pytest.approx(1)
        assert np.linalg.norm(product @ whole.directions[at]) == pytest.approx(values[0])
    first = np.linalg.svd(product @ own[0], compute_uv=False)
    np.testing.assert_allclose(10**whole.log10_initial, first, rtol=1e-9, atol=1e-14)
    assert (whole.log10_values[0 if reverse else 6] == 0).all()


@pytest.mark.parametrize("reverse", [False, True])
def test_of_some_time_steps_they_are_the_same_as_of_all(autograd, reverse):
    structure = Structure("gru", 2, 3, bidirectional=True)
    layer = rebuild(autograd.random_capture(structure, time_steps=12, sequences=1)).layers[int(reverse)]
    *_, every = product_spectra(layer)
    *parts, some = product_spectra(layer, every=4)
    assert some.time_steps.tolist() == ([0, 4, 8, 11] if reverse else [0, 3, 7, 11])
    assert [part.time_steps.tolist() for part in parts] == [
        sorted(some.time_steps, reverse=not reverse)[: n + 2][:: -1 if not reverse else 1] for n in range(3)
    ]
    for name in ("log10_values", "directions"):
        found, wanted = getattr(some, name), getattr(every, name)
        np.testing.assert_array_equal(found[some.time_steps], wanted[some.time_steps])
        assert np.isnan(np.delete(found, some.time_steps, axis=0)).all()
    np.testing.assert_array_equal(some.log10_initial, every.log10_initial)


def test_one_state_alone_is_a_block_of_the_whole(autograd):
    layer = rebuild(autograd.random_capture(Structure("lstm", 2, 4, proj_size=3), time_steps=6, sequences=1)).layers[0]
    product = np.linalg.multi_dot(step_jacobians(layer)[:2:-1])  # of time steps 5, 4, 3: by the states at 2
    for state, rows in (("h", slice(0, 3)), ("c", slice(3, 7))):
        *_, found = product_spectra(layer, state=state)
        np.testing.assert_allclose(
            10 ** found.log10_values[2], np.linalg.svd(product[rows, rows], compute_uv=False), rtol=1e-9
        )
    *_, stateless = product_spectra(rebuild(autograd.random_capture(Structure("mlp", 2, 4))).layers[0])
    assert stateless.whole
    assert stateless.log10_values.shape == (5, 0)


@pytest.mark.parametrize(("bias", "expected"), [(0.0, 8e-31), (1.0, 2e-14), (2.0, 3e-6), (5.0, 0.51)])
def test_a_forget_bias_alone_keeps_its_sigmoid_to_the_power_of_the_time_steps(bias, expected):
    structure = Structure("lstm", 3, 4)
    weights = {name: np.zeros(shape) for name, shape in structure.parameter_shapes().items()}
    weights["bias_ih_l0"][structure.equations.block_rows("f", 4)] = bias
    capture = Capture.of_one(
        weights,
        structure=structure,
        inputs=np.random.default_rng(3).standard_normal((100, 1, 3)),
        initial={state: np.full((1, 1, 4), 0.7) for state in "hc"},
        grad_output=np.ones((100, 1, 4)),
    )
    layer = rebuild(capture).layers[0]
    *_, of_c = product_spectra(layer, state="c")
    exact = 100 * np.log10(1 / (1 + np.exp(-bias)))
    np.testing.assert_allclose(of_c.log10_initial, exact, rtol=1e-12)
    assert 10**exact == pytest.approx(expected, rel=0.15)
    *_, joint = product_spectra(layer)
    assert np.isneginf(joint.log10_initial[4:]).all()  # nothing comes from h₀


def test_large_products_are_handed_over_in_smaller_parts(autograd, monkeypatch):
    layer = rebuild(autograd.random_capture(Structure("vanilla", 2, 3), time_steps=130, with_torch=False)).layers[0]
    assert [part.known for part in product_spectra(layer)][:3] == [4, 8, 12]
    monkeypatch.setattr(products_module, "_OPERATIONS", 60)  # of 27 each
    assert [part.known for part in product_spectra(layer)][:3] == [2, 4, 6]

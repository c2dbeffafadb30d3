"""Weight-gradient shares and their running sum against the T matrices they are never built from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.cells import CELLS
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps import shares
from rnnviz.core.sweeps.trace import rebuild


def matrices(factors):
    """(T, R, C) every time step's own part of the gradient, built the plain way."""
    if factors.partner is None:
        return factors.delta.sum(axis=1)
    return np.einsum("tnr,tnc->trc", factors.delta, factors.partner)


def norm(parts):
    return np.sqrt((parts.reshape(len(parts), -1).astype(np.float64) ** 2).sum(axis=1))


@given(
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
    bias=st.booleans(),
    seed=st.integers(0, 100),
)
def test_shares_sum_and_running_norm(sizes, bias, seed):
    time_steps, sequences, rows, columns = sizes
    generator = np.random.default_rng(seed)
    delta = generator.standard_normal((time_steps, sequences, rows))
    partner = None if bias else generator.standard_normal((time_steps, sequences, columns))
    factors = shares.Factors(delta, partner)
    parts = matrices(factors)
    np.testing.assert_allclose(shares.all_shares({"w": factors})["w"], norm(parts), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(shares.totals({"w": factors})["w"], parts.sum(axis=0), rtol=1e-12, atol=1e-12)
    gathered = np.cumsum(parts[::-1], axis=0)[::-1]
    np.testing.assert_allclose(shares.accumulated(factors), norm(gathered), rtol=1e-6, atol=1e-7)


def test_a_long_batch_is_added_up_instead_of_squared(monkeypatch):
    generator = np.random.default_rng(1)
    factors = shares.Factors(generator.standard_normal((30, 3, 4)), generator.standard_normal((30, 3, 5)))
    by_gram = shares.accumulated(factors)
    monkeypatch.setattr(shares, "_GRAM_COLUMNS", 10)
    monkeypatch.setattr(shares, "_accumulated_by_gram", None)
    assert not np.allclose(by_gram, by_gram[0])
    monkeypatch.setattr(np, "empty", lambda *shape: np.full(*shape, np.nan))  # or it may hold what was there before
    np.testing.assert_allclose(shares.accumulated(factors), by_gram, rtol=1e-9)


@pytest.mark.parametrize("sequences", [1, 3])
@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_extreme_values_are_neither_zero_nor_infinite(sequences, scale):
    generator = np.random.default_rng(2)
    delta, partner = generator.standard_normal((4, sequences, 3)), generator.standard_normal((4, sequences, 2))
    plain, extreme = shares.Factors(delta, partner), shares.Factors(delta * scale, partner)
    expected = shares.all_shares({"w": plain})["w"] * scale
    np.testing.assert_allclose(shares.all_shares({"w": extreme})["w"], expected, rtol=1e-6)
    np.testing.assert_allclose(shares.accumulated(extreme), shares.accumulated(plain) * scale, rtol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
def test_gathered_in_the_order_of_the_layers_own_sweep(autograd, reverse):
    structure = Structure("gru", 2, 3, bidirectional=True)
    layer = rebuild(autograd.random_capture(structure, time_steps=5, sequences=2)).layers[int(reverse)]
    for name, so_far in layer.weight_grad_so_far.items():
        whole = np.linalg.norm(layer.weight_grads[name])
        last, first = (4, 0) if reverse else (0, 4)
        assert so_far[last] == pytest.approx(whole, rel=1e-9)
        assert so_far[first] == pytest.approx(layer.weight_grad_shares[name][first], rel=1e-9)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("sequences", [1, 3])
def test_shares_of_a_trace_are_those_of_autograds_time_steps(autograd, cell, sequences):
    structure = Structure(cell, 2, 3, proj_size=2 if CELLS[cell].projection else 0)
    capture = autograd.random_capture(structure, time_steps=4, sequences=sequences)
    layer = rebuild(capture).layers[0]
    truth = autograd.reference(capture).layers["l0"]
    delta = np.concatenate([truth.array(f"a:{gate}", grad=True) for gate in structure.equations.blocks], axis=-1)
    parts = np.einsum("tng,tni->tgi", delta, capture.inputs)
    np.testing.assert_allclose(layer.weight_grad_shares["weight_ih"], norm(parts), rtol=1e-7)
    assert layer.weight_grad_shares.keys() == structure.equations.parameter_named.keys()
    if "bias_ih" in structure.equations.parameter_named:
        np.testing.assert_allclose(layer.weight_grad_shares["bias_ih"], norm(delta.sum(axis=1)), rtol=1e-7)

"""Gradient flow, step Jacobians, spectra and the geometric bound against autograd and plain products."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.core.cells import CELLS
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.scans import flow
from rnnviz.core.sweeps.trace import rebuild


@settings(max_examples=15)
@given(
    cell=st.sampled_from(list(CELLS)),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    proj_size=st.integers(0, 2),
    lengths=st.sampled_from([None, [4, 2]]),
    residual=st.booleans(),
    dropout=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 100),
)
def test_every_loss_reaches_every_state_as_autograd_says(
    autograd, cell, num_layers, bidirectional, proj_size, lengths, residual, dropout, seed
):
    projected = proj_size if CELLS[cell].projection else 0
    structure = Structure(cell, 2, 3, num_layers, bidirectional, proj_size=projected, residual=residual)
    capture = autograd.random_capture(
        structure, time_steps=4, lengths=lengths, seed=seed, with_torch=False, dropout=dropout
    )
    trace = rebuild(capture)
    for k in range(4):
        alone = autograd.reference(capture, loss_times=(k,)) if lengths is None or k < max(lengths) else None
        for layer in trace.layers:
            expected = alone.layers[layer.name].grads(node.name for node in layer.equations.followed)
            for sample in range(2):
                norms = np.linalg.norm(expected[:, sample], axis=-1)
                np.testing.assert_allclose(layer.gradient_flow(sample)[k], norms, rtol=1e-9, atol=1e-14)


def test_the_flow_is_kept(autograd):
    layer = rebuild(autograd.random_capture(Structure("gru", 2, 3))).layers[0]
    assert layer.gradient_flow(1) is layer.gradient_flow(1)
    assert np.all(np.triu(layer.gradient_flow(0), 1) == 0)  # a loss does not reach later states


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("reverse", [False, True])
def test_step_jacobian_is_finite_differences(autograd, cell, activation, reverse):
    structure = Structure(
        cell, 2, 3, bidirectional=True, activation=activation, proj_size=2 if CELLS[cell].projection else 0
    )
    capture = autograd.random_capture(structure, time_steps=3, sequences=2, with_torch=False)
    layer = rebuild(capture).layers[int(reverse)]
    t, n, name = 1, 1, layer.name
    neighbour = t + 1 if reverse else t - 1
    weights = {key: autograd.torch.tensor(value) for key, value in capture.weights.items()}
    x, names = autograd.torch.tensor(layer.cell_input[t, n].copy()), structure.equations.states
    if not names:
        assert flow.step_jacobian(layer, t, n).shape == (0, 0)
        assert flow.spectral_radius(flow.step_jacobian(layer, t, n)) == 0
        return
    states = tuple(autograd.torch.tensor(layer.value(state)[neighbour, n].copy()) for state in names)

    def joint(*given):
        before = dict(zip(names, given, strict=True))
        after = autograd.step(structure, weights, name, x, before, lambda _, value: value)
        return autograd.torch.cat([after[state] for state in names])

    columns = autograd.torch.autograd.functional.jacobian(joint, states)
    expected = np.concatenate([column.numpy() for column in columns], axis=-1)
    np.testing.assert_allclose(flow.step_jacobian(layer, t, n), expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_step_jacobian_is_computed_in_the_precision_of_its_trace(autograd, cell, dtype):
    layer = rebuild(autograd.random_capture(Structure(cell, 2, 3), dtype=dtype, with_torch=False)).layers[0]
    assert flow.step_jacobian(layer, 2).dtype == dtype


def test_the_flow_is_a_product_of_step_jacobians(autograd):
    capture = autograd.random_capture(Structure("lstm", 2, 3), time_steps=6, sequences=1)
    layer = rebuild(capture).layers[0]
    carried = np.concatenate((layer.direct_grad[5, 0], np.zeros(3)))
    carried[3:] = layer.direct_cell_grad[5, 0] * 0  # the loss reaches c_T through h_T only
    for t in range(5, 1, -1):
        carried = carried @ flow.step_jacobian(layer, t)
        assert layer.gradient_flow()[5, t - 1] == pytest.approx(_hidden_norm(layer, carried, t - 1), rel=1e-9)


def _hidden_norm(layer, carried, t):
    return float(np.linalg.norm(carried[: layer.h.shape[-1]]))


def test_spectra():
    matrix = np.array([[0.0, 4.0], [1.0, 0.0]], np.float32)
    assert flow.spectral_norm(matrix) == pytest.approx(4)
    assert flow.spectral_radius(matrix) == pytest.approx(2)
    for bad in (math.nan, math.inf):
        broken = np.array([[bad, 0], [0, 1]])
        assert math.isnan(flow.spectral_norm(broken))
        assert math.isnan(flow.spectral_radius(broken))


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_no_gradient_is_above_the_geometric_bound(autograd, cell, activation):
    capture = autograd.random_capture(Structure(cell, 2, 4, activation=activation), time_steps=8, sequences=1)
    layer = rebuild(capture).layers[0]
    rate = flow.geometric_rate(layer)
    measured, bound = layer.gradient_flow(), flow.geometric_bound(rate, 8)
    start = np.linalg.norm(np.diagonal(measured)[:, None], axis=1)[:, None]
    assert bound[3, 3] == 1
    assert bound[5, 3] == pytest.approx(rate**2)
    assert bound[3, 5] == 0
    assert np.all(measured <= start * bound * (1 + 1e-9))


def test_the_rate_of_a_gated_cell_is_the_largest_of_its_sequence(autograd):
    capture = autograd.random_capture(Structure("lstm", 2, 4), time_steps=8, lengths=[8, 5], with_torch=False)
    layer = rebuild(capture).layers[0]
    rates = [[flow.spectral_norm(flow.step_jacobian(layer, t, sample)) for t in range(8)] for sample in (0, 1)]
    assert 0 < np.argmax(rates[0]) < 7
    assert flow.geometric_rate(layer) == pytest.approx(max(rates[0]))
    assert flow.geometric_rate(layer, 1) == pytest.approx(max(rates[1][:5]))
    assert max(rates[1][:5]) != pytest.approx(max(rates[0]))


def test_the_rate_of_a_vanilla_cell_needs_no_data(autograd):
    capture = autograd.random_capture(Structure("vanilla", 2, 4, activation="sigmoid"))
    layer = rebuild(capture).layers[0]
    assert flow.geometric_rate(layer) == pytest.approx(np.linalg.norm(capture.weights["weight_hh_l0"], 2) / 4)

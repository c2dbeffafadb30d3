"""The window of a time-delay network: what it stacks, and which inputs a loss reaches through it."""

import numpy as np
import pytest

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.steps.window import folded_back, newest, windowed
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed
from rnnviz.core.sweeps.what_if.interventions import SetInput, SetValue

T = 7


@pytest.mark.parametrize("size", [1, 2, 4, T, T + 3])
def test_a_window_is_the_last_inputs_the_oldest_first(size):
    inputs = np.random.default_rng(3).standard_normal((T, 2, 3))
    found = windowed(inputs, size)
    for t in range(T):
        for n in range(2):
            wanted = [inputs[s, n] if s >= 0 else np.zeros(3) for s in range(t - size + 1, t + 1)]
            np.testing.assert_array_equal(found[t, n], np.concatenate(wanted))
    np.testing.assert_array_equal(newest(found, size), inputs)


@pytest.mark.parametrize("size", [1, 2, 4, T, T + 3])
def test_folding_back_is_the_transpose_of_stacking(size):
    draw = np.random.default_rng(5)
    inputs, gradient = draw.standard_normal((T, 2, 3)), draw.standard_normal((T, 2, 3 * size))
    through = float((windowed(inputs, size) * gradient).sum())
    assert float((inputs * folded_back(gradient, size)).sum()) == pytest.approx(through, rel=1e-12)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "window"), [("mlp", 1), ("tdnn", 3), ("tdnn", 1), ("tdnn", T + 2)])
def test_a_loss_reaches_exactly_the_inputs_of_its_window(autograd, cell, window, layers):
    structure = Structure(cell, 2, 4, layers, window=window)
    capture = autograd.random_capture(structure, time_steps=T, lengths=[T, T - 2], seed=4)
    layer = rebuild(capture).layers[0]
    for n, length in enumerate((T, T - 2)):
        reached = layer.input_flow(n) > 0
        wanted = [[k - window < t <= k and k < length for t in range(T)] for k in range(T)]
        np.testing.assert_array_equal(reached, wanted)
        np.testing.assert_array_equal(layer.gradient_flow(n) > 0, np.eye(T) * (np.arange(T) < length))
    for k in (0, 3):
        alone = autograd.reference(capture, loss_times=(k,)).input_grads
        np.testing.assert_allclose(layer.input_flow(0)[k], np.linalg.norm(alone[:, 0], axis=-1), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(layer.input_grad, autograd.reference(capture).input_grads, rtol=1e-9, atol=1e-13)


def test_a_recurrent_cell_reaches_back_where_a_window_ends(autograd):
    structure = Structure("vanilla", 2, 4)
    layer = rebuild(autograd.random_capture(structure, time_steps=T, seed=4)).layers[0]
    np.testing.assert_array_equal(layer.input_flow(0) > 0, np.tri(T) > 0)


def test_an_input_set_by_hand_is_read_by_every_window_that_holds_it(autograd):
    capture = autograd.random_capture(Structure("tdnn", 2, 4, window=3), time_steps=T, sequences=2, seed=6)
    plain, changed = rebuild(capture).sample(1), rebuild_changed(capture, [SetInput(3, (0.5, -2.0))], 1)
    np.testing.assert_array_equal(changed.layers[0].x[2, 0], (0.5, -2.0))
    differs = np.abs(changed.layers[0].h - plain.layers[0].h).max(axis=(1, 2)) > 1e-6
    np.testing.assert_array_equal(np.flatnonzero(differs), [2, 3, 4])


@pytest.mark.parametrize("name", ["a", "h"])
def test_hidden_units_set_by_hand_change_their_time_step_alone(autograd, name):
    capture = autograd.random_capture(Structure("mlp", 2, 4, 2), time_steps=T, seed=6)
    plain, changed = rebuild(capture).sample(1), rebuild_changed(capture, [SetValue("l0", name, 4, 0.75, 2)], 1)
    assert changed.layer("l0").value(name)[3, 0, 1] == 0.75
    differs = np.abs(changed.layer("l1").h - plain.layer("l1").h).max(axis=(1, 2)) > 1e-12
    np.testing.assert_array_equal(np.flatnonzero(differs), [3])
    if name == "a":  # a pre-activation that is set passes nothing on
        assert not changed.layer("l0").gate_grads["a"][3, 0, 1]


def test_nothing_is_carried(autograd):
    layer = rebuild(autograd.random_capture(Structure("mlp", 2, 4), time_steps=T)).layers[0]
    np.testing.assert_array_equal(layer.hidden_grad, layer.direct_grad)
    assert not layer.carried_grad.any()
    assert not layer.initial_grads

"""Gates by unit, and for how long a unit keeps what it holds."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.cells import CELLS
from rnnviz.core.gradients.gates import gate_units, kept
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.scans import flow
from rnnviz.core.sweeps.trace import rebuild

KEEPING = {  # by cell: the state, how it is written, and its value
    "lstm": ("c", "f", lambda of: of("f")),
    "peephole_lstm": ("c", "f", lambda of: of("f")),
    "lstm_1997": ("c", "1", lambda of: np.ones_like(of("i"))),
    "gru": ("h", "z", lambda of: of("z")),
    "gru_reset_before": ("h", "z", lambda of: of("z")),
    "mingru": ("h", "1 − z", lambda of: 1 - of("z")),
    "minlstm": ("h", "f′", lambda of: of("f_share")),
    "lru": ("re", "|Λ|", lambda of: np.hypot(of("lam_re"), of("lam_im"))),
    "ssm": ("s", "Ā", lambda of: of("keep")),
}


def layer_of(autograd, cell, lengths=None, scale=2.0):
    capture = autograd.random_capture(
        Structure(cell, 2, 4), time_steps=12, lengths=lengths, scale=scale, seed=6, with_torch=False
    )
    return rebuild(capture).layers[0]


@pytest.mark.parametrize("cell", list(CELLS))
def test_gates_are_told_unit_by_unit(autograd, cell):
    layer = layer_of(autograd, cell, [12, 7])
    found = gate_units(layer, 1)
    assert [one.name for one in found] == [one.name for one in layer.equations.gates if one.limits == (0, 1)]
    for one in found:
        values = layer.value(one.name)[:7, 1]
        np.testing.assert_allclose(one.below, (values < 0.1).mean(axis=0))
        np.testing.assert_allclose(one.above, (values > 0.9).mean(axis=0))
        np.testing.assert_allclose(one.smallest, values.min(axis=0))
        np.testing.assert_allclose(one.mean, values.mean(axis=0))
        np.testing.assert_allclose(one.largest, values.max(axis=0))
    for one in gate_units(layer):
        values = np.concatenate([layer.value(one.name)[:12, 0], layer.value(one.name)[:7, 1]])
        np.testing.assert_allclose(one.mean, values.mean(axis=0))


@pytest.mark.parametrize("cell", list(CELLS))
def test_what_is_kept_and_its_half_life(autograd, cell):
    layer = layer_of(autograd, cell, [12, 7])
    found = kept(layer, 1)
    if cell not in KEEPING:
        assert found == ()
        return
    (one,) = found
    state, symbol, value = KEEPING[cell]
    assert (one.state, one.symbol) == (state, symbol)
    values = value(lambda name: layer.value(name)[:7, 1])
    with np.errstate(divide="ignore"):
        expected = math.log(0.5) / np.log(values).mean(axis=0)
    np.testing.assert_allclose(one.half_life, np.where(values.prod(axis=0) == 1, np.inf, expected), rtol=1e-9)
    np.testing.assert_allclose(one.mean, values.prod(axis=0) ** (1 / 7))
    np.testing.assert_allclose(one.largest, values.max(axis=0))


def test_half_of_the_gradient_is_left_after_a_half_life(autograd):
    layer = layer_of(autograd, "mingru", scale=0.5)
    whole = np.eye(4)
    for t in range(12):
        whole = whole @ flow.step_jacobian(layer, t, 0)
    np.testing.assert_allclose(np.diag(whole), 0.5 ** (12 / kept(layer, 0)[0].half_life), rtol=1e-9)


def test_a_gate_that_is_open_keeps_for_ever_and_a_shut_one_for_no_time(autograd):
    capture = autograd.random_capture(Structure("lstm", 2, 4), time_steps=5, dtype="float32", with_torch=False)
    bias = capture.weights["bias_ih_l0"].copy()
    bias[4:8] = [200, -200, 0, 3]
    layer = rebuild(replace(capture, weights={**capture.weights, "bias_ih_l0": bias})).layers[0]
    half_life = kept(layer)[0].half_life
    assert half_life[0] == math.inf
    assert half_life[1] == 0
    assert 0 < half_life[2] < half_life[3] < math.inf

"""Linear recurrences: ∂h_T/∂h_t is the product of their gates, by definition, and no LRU keeps more than it had."""

import numpy as np
import pytest

from rnnviz.core.arrays import Array
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.scans import flow
from rnnviz.core.sweeps.trace import rebuild

KEPT = {  # by cell, (T, H) what of the state is kept, complex where the state is
    "mingru": lambda layer: 1 - layer.value("z")[:, 0],
    "minlstm": lambda layer: layer.value("f_share")[:, 0],
    "ssm": lambda layer: layer.value("keep")[:, 0],
    "lru": lambda layer: layer.value("lam_re")[:, 0] + 1j * layer.value("lam_im")[:, 0],
}
TIME_STEPS, HIDDEN = 17, 5


def swept(autograd, cell: str, seed: int, scale: float) -> Layer:
    structure = Structure(cell, 3, HIDDEN)
    capture = autograd.random_capture(
        structure, time_steps=TIME_STEPS, sequences=1, seed=seed, scale=scale, with_torch=False
    )
    return rebuild(capture).layers[0]


def as_matrix(kept: Array) -> Array:
    """The derivative by the state of the time step before: diagonal, of a complex number (re, im) by (re, im)."""
    if not np.iscomplexobj(kept):
        return np.diag(kept)
    re, im = np.diag(kept.real), np.diag(kept.imag)
    return np.block([[re, -im], [im, re]])


@pytest.mark.parametrize("cell", KEPT)
@pytest.mark.parametrize(("seed", "scale"), [(3, 0.5), (4, 1.5)])
def test_what_is_left_of_a_state_is_the_product_of_its_gates(autograd, cell, seed, scale):
    layer = swept(autograd, cell, seed, scale)
    kept = KEPT[cell](layer)
    for t in (0, 6, TIME_STEPS - 2):
        whole = np.eye(HIDDEN * (2 if cell == "lru" else 1))
        for step in range(TIME_STEPS - 1, t, -1):
            whole = whole @ flow.step_jacobian(layer, step)
        np.testing.assert_allclose(whole, as_matrix(kept[t + 1 :].prod(axis=0)), rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("cell", KEPT)
def test_the_carried_gradient_is_multiplied_by_what_is_kept(autograd, cell):
    """∂L/∂s_t = (what is kept at t + 1) ⊙ ∂L/∂s_{t+1} + what L_t sends: conjugate where s is complex."""
    layer = swept(autograd, cell, 5, 0.8)
    states = layer.equations.states
    carried, whole = ([read(state)[:, 0] for state in states] for read in (layer.carried, layer.grad))
    if cell == "lru":
        (carried, whole) = ([re + 1j * im] for re, im in (carried, whole))
    factor = np.conj(KEPT[cell](layer))
    np.testing.assert_allclose(carried[0][:-1], (factor * whole[0])[1:], rtol=1e-6, atol=1e-15)


def test_the_eigenvalues_of_an_lru_are_the_same_whatever_it_reads(autograd):
    layer = swept(autograd, "lru", 6, 2.0)
    kept = KEPT["lru"](layer)
    assert np.ptp(kept.real, axis=0).max() == np.ptp(kept.imag, axis=0).max() == 0
    assert np.abs(kept).max() < 1
    nu, theta = layer.weights["nu_log"], layer.weights["theta_log"]
    np.testing.assert_allclose(kept[0], np.exp(-np.exp(nu) + 1j * np.exp(theta)), rtol=1e-12)


def test_which_matrices_a_state_goes_through():
    """None in a linear recurrence, though an LRU has matrices behind its states; of a GRU all its own."""
    found = {cell: Structure(cell, 3, HIDDEN).equations.recurrent_matrices for cell in (*KEPT, "gru_reset_before")}
    assert found.pop("gru_reset_before") == ("weight_ur", "weight_uz", "weight_un")
    assert set(found.values()) == {()}
    assert Structure("lstm", 3, HIDDEN, proj_size=2).equations.recurrent_matrices == ("weight_hh",)

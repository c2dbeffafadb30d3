"""Step Jacobians of all time steps at once against torch's own, their spectra, and eigenvalues of recurrent weights."""

import numpy as np
import pytest
from every_cell import CHOICES

from rnnviz.core.gradients.eigenvalues import recurrent_eigenvalues
from rnnviz.core.gradients.jacobians import spectra, spectral_radii, state_rows, step_jacobians
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.scans import flow
from rnnviz.core.sweeps.trace import rebuild


@pytest.mark.parametrize("choice", list(CHOICES))
@pytest.mark.parametrize(("dtype", "limit"), [("float32", 1e-5), ("float64", 1e-9)])
def test_all_step_jacobians_are_what_torch_says(autograd, choice, dtype, limit):
    structure = Structure(input_size=2, hidden_size=3, num_layers=2, bidirectional=True, **CHOICES[choice])
    capture = autograd.random_capture(structure, time_steps=4, lengths=[4, 3], dtype=dtype, seed=3, with_torch=False)
    names = structure.equations.states
    weights = {key: autograd.torch.tensor(value.astype(float)) for key, value in capture.weights.items()}
    for layer, n in ((one, n) for one in rebuild(capture).layers for n in (0, 1)):
        jacobians = step_jacobians(layer, n)
        assert len(jacobians) == (4, 3)[n]
        assert jacobians.dtype == dtype
        assert not jacobians.flags.writeable
        if not names:
            assert jacobians.shape[1:] == (0, 0)
            continue
        for t in (0, 2):
            joint = _joint(autograd, structure, weights, layer, t, n)
            states = tuple(autograd.torch.tensor(layer.before[name][t, n].astype(float)) for name in names)
            columns = autograd.torch.autograd.functional.jacobian(joint, states)
            expected = np.concatenate([column.numpy() for column in columns], axis=-1)
            np.testing.assert_allclose(jacobians[t], expected, rtol=limit, atol=limit)


def _joint(autograd, structure, weights, layer, t, n):
    """What takes the states before to those of one time step, as torch computes it."""
    names, x = structure.equations.states, autograd.torch.tensor(layer.cell_input[t, n].astype(float))

    def joint(*given):
        before = dict(zip(names, given, strict=True))
        after = autograd.step(structure, weights, layer.name, x, before, lambda _, value: value)
        return autograd.torch.cat([after[name] for name in names])

    return joint


@pytest.mark.parametrize("cell", ["vanilla", "lstm", "lru", "mlp"])
def test_norms_are_known_before_radii_and_both_are_those_of_each_jacobian(autograd, cell, monkeypatch):
    monkeypatch.setattr("rnnviz.core.gradients.jacobians._OPERATIONS", 3 * 8**3)  # some blocks
    capture = autograd.random_capture(Structure(cell, 2, 4), time_steps=11, sequences=2, with_torch=False)
    layer = rebuild(capture).layers[0]
    parts = list(spectra(layer, 1))
    assert [part.whole for part in parts] == [False] * (len(parts) - 1) + [True]
    half = next(i for i, part in enumerate(parts) if part.radii_known)
    assert half == len(parts) // 2 > 0
    assert parts[half - 1].norms_known == 11
    for part in parts:
        assert np.isnan(part.norms[part.norms_known :]).all()
        assert np.isnan(part.radii[part.radii_known :]).all()
        for t in range(part.norms_known):
            assert part.norms[t] == pytest.approx(flow.spectral_norm(flow.step_jacobian(layer, t, 1)), rel=1e-12)
        for t in range(part.radii_known):
            assert part.radii[t] == pytest.approx(flow.spectral_radius(flow.step_jacobian(layer, t, 1)), rel=1e-12)


def test_a_jacobian_that_is_not_finite_has_no_spectrum_and_the_others_have(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 4), time_steps=6, sequences=1)
    inputs = capture.inputs.copy()
    inputs[3] = np.nan
    *_, last = spectra(rebuild(capture.with_call(inputs=inputs, output=None)).layers[0])
    assert np.isfinite(last.norms[:3]).all()
    assert np.isfinite(last.radii[:3]).all()
    assert np.isnan(last.norms[3:]).all()
    assert np.isnan(last.radii[3:]).all()


def test_where_each_state_is_in_the_joint_one():
    structure = Structure("lstm", 2, 5, proj_size=3)
    assert state_rows(structure) == {"h": slice(0, 3), "c": slice(3, 8)}


@pytest.mark.parametrize("choice", list(CHOICES))
def test_every_layer_has_eigenvalues_or_says_why_not(choice):
    structure = Structure(input_size=3, hidden_size=4, **CHOICES[choice])
    generator = np.random.default_rng(5)
    weights = {
        parameter.name: generator.standard_normal(structure.parameter_shapes()[f"{parameter.name}_l0"])
        for parameter in structure.equations.parameters
    }
    recurrence = recurrent_eigenvalues(structure, weights)
    assert recurrence.found or recurrence.note
    for one in recurrence.found:
        assert one.values.dtype == complex
        assert not one.values.flags.writeable
    squares = [array for name, array in weights.items() if name.startswith(("weight_hh", "weight_u"))]
    squares = [rows for array in squares for rows in (np.split(array, len(array) // 4))]
    back = weights.get("weight_hr", weights.get("weight_ho", np.eye(4)))  # of a projection and of a read-out
    squares = [back @ rows for rows in squares]
    if not recurrence.note and "lru" not in choice:
        matrices = [one for one in recurrence.found if not one.diagonal]
        assert len(matrices) == len(squares)
        for one, square in zip(matrices, squares, strict=True):
            assert one.radius == pytest.approx(flow.spectral_radius(square))


def test_what_the_eigenvalues_are_called():
    shapes = Structure("peephole_lstm", 3, 4)
    weights = {name.removesuffix("_l0"): np.ones(shape) for name, shape in shapes.parameter_shapes().items()}
    found = recurrent_eigenvalues(shapes, weights).found
    assert [(one.symbol, one.words, one.diagonal) for one in found] == [
        ("W_{hi}", "input gate", False),
        ("W_{hf}", "forget gate", False),
        ("W_{hg}", "candidate", False),
        ("W_{ho}", "output gate", False),
        ("p_i", "", True),
        ("p_f", "", True),
    ]  # p_o sees c of the same time step
    projected = Structure("lstm", 3, 4, proj_size=2)
    weights = {name.removesuffix("_l0"): np.ones(shape) for name, shape in projected.parameter_shapes().items()}
    first = recurrent_eigenvalues(projected, weights).found[0]
    assert (first.symbol, len(first.values), first.radius) == ("W_{hr} W_{hi}", 2, pytest.approx(8))
    ring = Structure("lru", 3, 4)
    weights = {name.removesuffix("_l0"): np.full(shape, -1.5) for name, shape in ring.parameter_shapes().items()}
    (own,) = recurrent_eigenvalues(ring, weights).found
    assert own.radius == pytest.approx(np.exp(-np.exp(-1.5)))
    np.testing.assert_allclose(np.abs(np.angle(own.values)), np.exp(-1.5))
    assert (np.sign(own.values.imag) == [1] * 4 + [-1] * 4).all()


def test_radii_of_large_matrices_are_those_of_all_eigenvalues():
    generator = np.random.default_rng(4)
    turn = np.linalg.qr(generator.standard_normal((30, 30)))[0]
    graded = generator.standard_normal((12, 30, 30)) * 10.0 ** generator.uniform(-9, 3, (12, 30, 1))
    shear = np.triu(np.ones((30, 30)))  # one eigenvalue, thirty times
    pair = np.kron(np.eye(15), [[0.6, -0.7], [0.7, 0.6]]) * np.linspace(0.1, 1, 30)
    nilpotent, nothing = np.triu(np.ones((30, 30)), 1), np.zeros((30, 30))
    lost = np.full((30, 30), np.nan)
    matrices = np.stack((*graded, turn, 1e-200 * turn, shear, pair, nilpotent, nothing, lost))
    radii = spectral_radii(matrices)
    for matrix, radius in zip(matrices, radii, strict=True):
        expected = flow.spectral_radius(matrix)
        np.testing.assert_allclose(radius, expected, rtol=1e-7, atol=1e-12 * np.abs(matrix).max())

"""Beginning values: what a cell's own settings make of the numbers that were drawn, in every layer and direction."""

from typing import Any

import numpy as np
import pytest
import torch

from rnnviz.core.arrays import Array
from rnnviz.core.cells.lru import LruSettings
from rnnviz.core.cells.lstm import LstmSettings
from rnnviz.core.cells.ssm import SsmSettings
from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.scans.flow import spectral_radius
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.engine.networks import build

UNITS, LAYERS = 6, ("l0", "l0_reverse", "l1", "l1_reverse")
LSTMS = pytest.mark.parametrize("cell", ["lstm", "peephole_lstm"])


def begun(cell: str, own: Any = None, seed: int = 3, units: int = UNITS) -> dict[str, Array]:
    """The parameters of the recurrent module, by torch's names."""
    model = build(ModelSettings("A", cell, units, num_layers=2, bidirectional=True, own=own), 4, 2, seed)
    return {name: value.detach().numpy() for name, value in model.recurrent.named_parameters()}


def changed(own: dict[str, Array], usual: dict[str, Array]) -> set[str]:
    """The names, without the layer, of the parameters that begin otherwise."""
    found = [name for name, value in own.items() if not np.array_equal(value, usual[name])]
    assert len({name.partition("_l")[0] for name in found}) * len(LAYERS) == len(found), "in every layer alike"
    return {name.partition("_l")[0] for name in found}


@LSTMS
def test_the_forget_bias_is_set_and_the_other_bias_is_0(cell: str) -> None:
    plain, biased = begun(cell), begun(cell, LstmSettings(forget_bias=2.5))
    assert changed(biased, plain) == {"bias_ih", "bias_hh"}
    forget = slice(UNITS, 2 * UNITS)
    for layer in LAYERS:
        for name, value in (("bias_ih", 2.5), ("bias_hh", 0.0)):
            new, old = biased[f"{name}_{layer}"], plain[f"{name}_{layer}"]
            np.testing.assert_array_equal(new[forget], value)
            np.testing.assert_array_equal(np.delete(new, forget), np.delete(old, forget))


@LSTMS
def test_without_a_forget_bias_everything_is_as_torch_draws_it(cell: str) -> None:
    generator = torch.Generator().manual_seed(3)
    for value in begun(cell, LstmSettings(forget_bias=0.0)).values():
        drawn = torch.empty(value.shape).uniform_(-1 / UNITS**0.5, 1 / UNITS**0.5, generator=generator)
        np.testing.assert_array_equal(value, drawn.numpy())


@LSTMS
def test_chrono_biases_are_logarithms_of_times(cell: str) -> None:
    """Tallec & Ollivier 2018: b_f = ln U(1, T_max − 1), b_i = −b_f; the forget bias does not count."""
    plain, chrono = begun(cell, units=400), begun(cell, LstmSettings(forget_bias=7.0, chrono=50), units=400)
    assert changed(chrono, plain) == {"bias_ih", "bias_hh"}
    for layer in LAYERS:
        i, f, rest = np.split(chrono[f"bias_ih_{layer}"], [400, 800])
        times = np.exp(f)
        assert times.min() >= 0.999
        assert times.max() <= 49.001
        assert times.mean() == pytest.approx(25, abs=2)  # uniform in 1…49
        np.testing.assert_array_equal(i, -f)
        np.testing.assert_array_equal(chrono[f"bias_hh_{layer}"][:800], 0)
        np.testing.assert_array_equal(rest, plain[f"bias_ih_{layer}"][800:])


@pytest.mark.parametrize("bias", [0, 1, 2, 5])
def test_a_forget_bias_of_zero_weights_is_a_power(bias: float) -> None:
    """σ(b)^100: 8e-31, 2e-14, 3e-6 and 0.51; here with all weights 0, so that nothing but the bias counts."""
    structure = Structure("lstm", 1, 1)
    weights = {name: np.zeros(shape) for name, shape in structure.parameter_shapes().items()}
    weights["bias_ih_l0"] = np.array([0.0, bias, 0.0, 0.0])
    start = {state: np.ones((1, 1, 1)) for state in ("h", "c")}
    grad = np.zeros((100, 1, 1))
    grad[-1] = 1.0
    layer = rebuild(
        Capture.of_one(weights, structure=structure, inputs=np.zeros((100, 1, 1)), initial=start, grad_output=grad)
    ).layers[0]
    assert layer.cell_grad is not None
    kept = layer.initial_grads["c"][0, 0] / layer.cell_grad[-1, 0, 0]
    assert kept == pytest.approx((1 / (1 + np.exp(-bias))) ** 100, rel=1e-9)
    published = {0: 8e-31, 1: 2e-14, 2: 3e-6, 5: 0.51}[int(bias)]
    assert kept == pytest.approx(published, rel=0.25)


def test_how_a_vanilla_recurrence_begins() -> None:
    usual = begun("vanilla")
    identity = begun("vanilla", VanillaSettings("relu", "identity"))
    assert changed(identity, usual) == {"weight_hh", "bias_ih", "bias_hh"}
    orthogonal = begun("vanilla", VanillaSettings(initialisation="orthogonal"))
    given = begun("vanilla", VanillaSettings(initialisation="spectral radius", spectral_radius=1.3))
    assert changed(orthogonal, usual) == changed(given, usual) == {"weight_hh"}
    for layer in LAYERS:
        np.testing.assert_array_equal(identity[f"weight_hh_{layer}"], np.eye(UNITS))
        assert not identity[f"bias_ih_{layer}"].any()
        assert not identity[f"bias_hh_{layer}"].any()
        q = orthogonal[f"weight_hh_{layer}"]
        np.testing.assert_allclose(q @ q.T, np.eye(UNITS), atol=1e-6)
        assert spectral_radius(given[f"weight_hh_{layer}"]) == pytest.approx(1.3, rel=1e-5)
        ratio = given[f"weight_hh_{layer}"] / usual[f"weight_hh_{layer}"]
        np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-4)  # torch's draw, scaled
    assert not np.array_equal(orthogonal["weight_hh_l0"], orthogonal["weight_hh_l1"])
    other = begun("vanilla", VanillaSettings(initialisation="orthogonal"), seed=4)
    assert not np.array_equal(orthogonal["weight_hh_l0"], other["weight_hh_l0"])


def test_a_radius_that_is_not_asked_for_changes_nothing() -> None:
    assert changed(begun("vanilla", VanillaSettings(spectral_radius=3.0)), begun("vanilla")) == set()


def test_the_eigenvalues_of_an_lru_begin_in_their_ring() -> None:
    """Orvieto 2023, lemma 3.2: uniform in the ring, γ = sqrt(1 − |λ|²)."""
    own = LruSettings(r_min=0.6, r_max=0.8, phase=1.5)
    found = begun("lru", own, units=500)
    for layer in LAYERS:
        nu, theta, gamma = (found[f"{name}_log_{layer}"].astype(np.float64) for name in ("nu", "theta", "gamma"))
        modulus, angle = np.exp(-np.exp(nu)), np.exp(theta)
        assert 0.6 - 1e-6 <= modulus.min() < 0.61
        assert 0.79 < modulus.max() <= 0.8 + 1e-6
        assert (modulus**2).mean() == pytest.approx((0.6**2 + 0.8**2) / 2, abs=0.01)  # uniform in area
        assert angle.max() <= 1.5 + 1e-6
        assert angle.mean() == pytest.approx(0.75, abs=0.08)
        np.testing.assert_allclose(np.exp(gamma), np.sqrt(1 - modulus**2), rtol=1e-5)


def test_the_steps_of_an_ssm_begin_log_uniform() -> None:
    found = begun("ssm", SsmSettings(step_min=0.002, step_max=0.5), units=500)
    for layer in LAYERS:
        step = np.log1p(np.exp(found[f"bias_delta_{layer}"].astype(np.float64)))
        assert 0.002 * 0.999 <= step.min() < 0.0021
        assert 0.49 < step.max() <= 0.5 * 1.001
        assert np.log(step).mean() == pytest.approx(np.log(0.002 * 0.5) / 2, abs=0.25)
        assert np.exp(found[f"a_log_{layer}"]).min() * 1.00001 >= 1
        assert np.exp(found[f"a_log_{layer}"]).max() <= 16.0001
        np.testing.assert_array_equal(found[f"weight_d_{layer}"], 1)


@pytest.mark.parametrize(
    ("cell", "own"),
    [
        ("lru", LruSettings()),
        ("ssm", SsmSettings()),
        ("lstm", LstmSettings(chrono=20)),
        ("vanilla", VanillaSettings(initialisation="orthogonal")),
    ],
)
def test_the_draws_are_the_models_own(cell: str, own: Any) -> None:
    before = torch.get_rng_state()
    np.random.seed(5)  # noqa: NPY002 - the global generator is what is looked at
    state = np.random.get_state()[1].copy()  # type: ignore[index,union-attr] # noqa: NPY002
    one, two = begun(cell, own), begun(cell, own)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], state)  # type: ignore[index,arg-type] # noqa: NPY002

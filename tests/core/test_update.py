"""Update: clipping and every optimiser against torch, step by step, and its equations against its numbers."""

import math
import pickle

import numpy as np
import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.core.optimising.noise import deviation, drawn
from rnnviz.core.optimising.optimisers import (
    OPTIMISERS,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    RmsProp,
    Sgd,
    optimiser,
)
from rnnviz.core.optimising.update import Noise, UpdateRule, operations, update

SHAPES = {"weight_hh_l0": (6, 3), "bias_hh_l0": (6,), "weight": (2, 3)}
OTHERS = (  # nothing is the default
    Sgd(0.02, weight_decay=0.3),
    Momentum(0.02, momentum=0.7),
    Momentum(0.02, momentum=0.6, weight_decay=0.2),
    Nesterov(0.02, momentum=0.8, weight_decay=0.1),
    Adam(0.02, beta1=0.7, beta2=0.95, epsilon=1e-3),
    Adam(0.02, beta1=0.8, beta2=0.9, epsilon=1e-2, weight_decay=0.4),
    AdamW(0.02, beta1=0.7, beta2=0.95, epsilon=1e-3, weight_decay=0.5),
    AdamW(0.02, beta1=0.8, beta2=0.97, epsilon=1e-4, weight_decay=0.0),
    RmsProp(0.02, alpha=0.8, epsilon=1e-2, weight_decay=0.2),
)
BOUND = {"float64": 1e-12, "float32": 1e-6}
NAMES = tuple(OPTIMISERS)


def draw(seed, dtype, scale=1.0):
    generator = np.random.default_rng(seed)
    return {name: (generator.standard_normal(shape) * scale).astype(dtype) for name, shape in SHAPES.items()}


def torch_optimiser(torch, made, parameters, fused=True):
    """torch's of the same settings; those that are torch's defaults are not given."""
    rate, given = made.learning_rate, {} if made == type(made)(made.learning_rate) else vars(made)
    more = {"weight_decay": given["weight_decay"]} if given else {}
    if isinstance(made, Adam):
        kind = torch.optim.AdamW if isinstance(made, AdamW) else torch.optim.Adam
        if given:
            more |= {"betas": (given["beta1"], given["beta2"]), "eps": given["epsilon"]}
        return kind(parameters, rate, fused=fused, **more)
    if isinstance(made, RmsProp):
        more |= {"alpha": given["alpha"], "eps": given["epsilon"]} if given else {}
        return torch.optim.RMSprop(parameters, rate, **more)
    if isinstance(made, Momentum):
        more["momentum"] = made.momentum
        return torch.optim.SGD(parameters, rate, nesterov=isinstance(made, Nesterov), **more)
    return torch.optim.SGD(parameters, rate, **more)


def close(found, wanted, dtype):
    wanted = np.asarray(wanted, np.float64)
    size = np.max(np.abs(wanted), initial=0, where=np.isfinite(wanted))
    np.testing.assert_allclose(np.asarray(found, np.float64), wanted, rtol=BOUND[dtype], atol=BOUND[dtype] * size)


@pytest.mark.parametrize(
    ("made", "fused"),
    [
        *((optimiser(name, 0.037), True) for name in NAMES),
        (optimiser("adam", 0.037), False),
        *((made, False) for made in OTHERS),
        *((made, True) for made in OTHERS if isinstance(made, Adam)),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("clip_norm", [0.0, 0.8, 1e3])  # never, always, not needed
@pytest.mark.parametrize("clip_value", [0.0, 0.3])
def test_five_updates_are_torchs(autograd, made, fused, dtype, clip_norm, clip_value):
    torch = autograd.torch
    weights, state = draw(3, dtype), {}
    parameters = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in weights.items()}
    theirs = torch_optimiser(torch, made, list(parameters.values()), fused)
    for training_step in range(5):
        gradients = draw(100 + training_step, dtype, scale=10.0 ** (training_step - 2))
        for name, parameter in parameters.items():
            parameter.grad = torch.tensor(gradients[name])
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), clip_norm or math.inf)
        clipped = {name: parameter.grad.clone() for name, parameter in parameters.items()}
        if clip_value:
            torch.nn.utils.clip_grad_value_(parameters.values(), clip_value)
        theirs.step()
        found = update(UpdateRule(made, clip_norm, clip_value), gradients, weights, state)
        close(found.norm, norm, dtype)
        exact = np.sqrt(sum(float(np.sum(gradient.astype(np.float64) ** 2)) for gradient in gradients.values()))
        assert found.norm == pytest.approx(exact, rel=1e-14)
        assert (found.clip_factor < 1) == (0 < clip_norm < exact)
        for name, parameter in parameters.items():
            close(found.of("clipped")[name], clipped[name], dtype)
            close(found.of("value_clipped" if clip_value else "clipped")[name], parameter.grad, dtype)
            close(found.of("weights_after")[name], parameter.detach(), dtype)
            kept = theirs.state[parameter]
            assert set(found.state_after[name]) <= set(kept)
            for key, value in found.state_after[name].items():
                close(value, kept[key], dtype)
            assert found.of("delta")[name].dtype == dtype
            assert not found.of("delta")[name].flags.writeable
        weights, state = found.of("weights_after"), found.state_after


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("clip_norm", [0.0, 0.8])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e25, 1e-30, 0.0])
def test_numbers_out_of_range_go_where_torch_sends_them(autograd, name, dtype, clip_norm, value):
    torch, made = autograd.torch, optimiser(name, 0.037)
    weights, gradients = draw(3, dtype), draw(4, dtype)
    gradients["weight"][1, 2] = value
    parameters = {name: torch.nn.Parameter(torch.tensor(array)) for name, array in weights.items()}
    for key, parameter in parameters.items():
        parameter.grad = torch.tensor(gradients[key])
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), clip_norm or math.inf).item()
    torch_optimiser(torch, made, list(parameters.values())).step()
    found = update(UpdateRule(made, clip_norm), gradients, weights, {})
    if value != 1e25:
        np.testing.assert_allclose(found.norm, norm, rtol=BOUND[dtype])
    else:
        assert found.norm == pytest.approx(1e25)  # also in float32, where torch's is infinite
    for key, parameter in parameters.items():
        close(found.of("clipped")[key], parameter.grad, dtype)
        close(found.of("weights_after")[key], parameter.detach(), dtype)


def test_a_float64_norm_overflows_as_torchs_does(autograd):
    torch = autograd.torch
    for size in (1e150, 1e160):
        parameter = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
        parameter.grad = torch.tensor([size, 1.0], dtype=torch.float64)
        torch.nn.utils.clip_grad_norm_([parameter], 0.8)
        found = update(UpdateRule(Sgd(0.1), 0.8), {"w": np.array([size, 1.0])}, {"w": np.zeros(2)}, {})
        assert found.norm == pytest.approx(size)
        np.testing.assert_allclose(found.of("clipped")["w"], parameter.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("made", [Sgd(0.03), Adam(0.03, 0.8, 0.97, 1e-3), RmsProp(0.03, 0.9, 1e-3), *OTHERS], ids=str)
@pytest.mark.parametrize("more", [{}, {"clip_value": 0.2}, {"noise": 0.7}, {"clip_value": 0.2, "noise": 0.7}], ids=str)
@pytest.mark.parametrize("dtype", BOUND)
def test_every_equation_comes_to_what_the_update_holds(made, more, dtype):
    rule = UpdateRule(made, 0.8, **more)
    noise = [Noise(step, {name: drawn(7, step, 2, name, shape) for name, shape in SHAPES.items()}) for step in (1, 2)]
    first = update(rule, draw(8, dtype), draw(9, dtype), {}, noise[0])
    second = update(rule, draw(10, dtype), first.of("weights_after"), first.state_after, noise[1])
    for parameter in SHAPES:
        for operation in operations(rule):
            for equation in operation.equations:
                found = equation.value(lambda name: second.value(parameter, name))  # noqa: B023  called at once
                close(found, second.value(parameter, equation.result.name), dtype)


def texts(made, symbol="W", **more):
    return {
        one.key: [equation.text() for equation in one.equations] for one in operations(UpdateRule(made, **more), symbol)
    }


def test_equations_are_written():
    before = {
        "gradient": ["g_s = ∂L/∂W_{hh}", "‖g_s‖ = √Σ ‖∂L/∂W‖²"],
        "clip": ["g̃_s = g_s · min(1, θ / (‖g_s‖ + 10⁻⁶))"],
    }
    after = {"weights": ["W_{hh,s} = W_{hh,s−1} + ΔW_{hh}"]}
    assert texts(Sgd(0.1), "W_{hh}") == before | {"delta": ["ΔW_{hh} = −η g̃_s"]} | after
    adam = {
        "mean": ["m_s = β_1 m_{s−1} + (1 − β_1) g̃_s"],
        "mean square": ["v_s = β_2 v_{s−1} + (1 − β_2) g̃_s²"],
        "correction": ["m̂_s = m_s / (1 − β_1^{s})", "v̂_s = v_s / (1 − β_2^{s})"],
        "delta": ["ΔW_{hh} = −η m̂_s / (√v̂_s + ε)"],
    }
    assert texts(Adam(0.1), "W_{hh}") == before | adam | after
    rmsprop = {
        "mean square": ["v_s = α v_{s−1} + (1 − α) g̃_s²"],
        "delta": ["ΔW_{hh} = −η g̃_s / (√v_s + ε)"],
    }
    assert texts(RmsProp(0.1), "W_{hh}") == before | rmsprop | after
    assert texts(Sgd(0.1))["weights"] == ["W_{s} = W_{s−1} + ΔW"]
    momentum = {"momentum": ["b_s = μ b_{s−1} + g̃_s"], "delta": ["ΔW_{hh} = −η b_s"]}
    assert texts(Momentum(0.1), "W_{hh}") == before | momentum | after
    ahead = {"ahead": ["n_s = g̃_s + μ b_s"], "delta": ["ΔW_{hh} = −η n_s"]}
    assert texts(Nesterov(0.1), "W_{hh}") == before | momentum | ahead | after
    change = ["ΔW_{hh} = −η m̂_s / (√v̂_s + ε) − η λ W_{hh,s−1}"]
    assert texts(AdamW(0.1), "W_{hh}") == before | adam | {"delta": change} | after


def test_what_clips_by_value_disturbs_and_decays_is_written_where_it_is_wanted():
    found = texts(Momentum(0.1, weight_decay=0.2), clip_value=0.3, noise=0.4)
    assert [*found] == ["gradient", "clip", "clip value", "noise", "decay", "momentum", "delta", "weights"]
    assert found["clip value"] == ["ḡ_s = max(−θ_v, min(θ_v, g̃_s))"]
    assert found["noise"] == ["ĝ_s = ḡ_s + σ_s ξ_s", "σ_s = √(ν / s^{0.55})"]
    assert found["decay"] == ["d_s = ĝ_s + λ W_{s−1}"]
    assert found["momentum"] == ["b_s = μ b_{s−1} + d_s"]
    assert texts(RmsProp(0.1), noise=0.4)["mean square"] == ["v_s = α v_{s−1} + (1 − α) ĝ_s²"]
    assert texts(Sgd(0.1), clip_value=0.3)["delta"] == ["ΔW = −η ḡ_s"]
    for kind in OPTIMISERS.values():
        assert kind.source
        assert ("λ" in kind(0.1, weight_decay=0.2).formula) > ("λ" in kind(0.1, weight_decay=0.0).formula)


def test_noise_is_gaussian_fades_and_depends_on_nothing_but_what_it_is_of():
    numbers = drawn(7, 3, 1, "weight_hh_l0", (200, 100))
    assert abs(float(numbers.mean())) < 0.02
    assert float(numbers.std()) == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(numbers, drawn(7, 3, 1, "weight_hh_l0", (200, 100)))
    for other in ((8, 3, 1, "weight_hh_l0"), (7, 4, 1, "weight_hh_l0"), (7, 3, 2, "weight_hh_l0"), (7, 3, 1, "bias")):
        assert abs(np.corrcoef(numbers.ravel(), drawn(*other, (200, 100)).ravel())[0, 1]) < 0.05
    assert deviation(0.3, 1) == pytest.approx(0.3**0.5)  # η / (1 + t)^0.55 at t = 0
    assert deviation(0.3, 33) == pytest.approx((0.3 / (1 + 32) ** 0.55) ** 0.5)


def test_what_is_not_known_has_no_values():
    gradients, weights = draw(8, "float64"), draw(9, "float64")
    found = update(UpdateRule(Momentum(0.1), 0.8, noise=0.2), gradients, weights, {})
    assert found.find("weight", "clipped") is not None
    assert [found.find("weight", name) for name in ("noisy", "deviation", "momentum_buffer", "delta")] == [None] * 4
    found = update(UpdateRule(Adam(math.nan), 0.8), gradients, weights, {})
    assert found.find("weight", "m_hat") is not None
    assert [found.find("weight", name) for name in ("learning_rate", "delta", "weights_after")] == [None] * 3
    delta = operations(found.rule)[-2].equations[0]
    shown = delta.numbers(lambda name: found.find("weight", name), (1, 2))
    assert [number.known for number in shown] == [False, False, True, True, True]


def test_numbers_of_an_equation():
    found = update(UpdateRule(Adam(0.03), 0.8), draw(8, "float64"), draw(9, "float64"), {})
    clip = operations(found.rule)[1].equations[0]
    shown = clip.numbers(lambda name: found.value("weight", name), (1, 2))
    assert [(number.symbol, number.norm) for number in shown] == [(s, False) for s in ("g̃_s", "g_s", "θ", "‖g_s‖")]
    assert [number.value for number in shown[1:]] == [found.of("gradient")["weight"][1, 2], 0.8, found.norm]
    assert shown[0].value == shown[1].value * found.clip_factor
    norms = clip.numbers(lambda name: found.value("weight", name))
    assert norms[1].norm
    assert norms[1].value == pytest.approx(np.linalg.norm(found.of("gradient")["weight"]))


def test_an_update_can_be_sent_on_and_does_not_touch_what_it_was_given():
    gradients, weights = draw(8, "float32"), draw(9, "float32")
    found = pickle.loads(pickle.dumps(update(UpdateRule(Adam(0.03), 0.8), gradients, weights, {})))
    for name in SHAPES:
        np.testing.assert_array_equal(gradients[name], draw(8, "float32")[name])
        np.testing.assert_array_equal(found.of("weights_before")[name], weights[name])
    assert found.optimiser == Adam(0.03)


def test_only_what_has_a_gradient_is_updated():
    gradients = draw(8, "float64")
    del gradients["bias_hh_l0"]
    found = update(UpdateRule(Sgd(0.03)), gradients, draw(9, "float64"), {})
    assert set(found.of("delta")) == set(gradients)
    assert found.clip_norm == math.inf
    assert found.clip_factor == 1


def test_refusals_say_what_was_wanted():
    gradients, weights = draw(8, "float64"), draw(9, "float64")
    with pytest.raises(RnnvizError, match="wanted one of adam, adamw, sgd, momentum, nesterov, rmsprop, got 'lion'"):
        optimiser("lion", 0.1)
    with pytest.raises(RnnvizError, match="wanted the weights of weight_hh_l0, got those of weight"):
        update(UpdateRule(Sgd(0.1)), gradients, {"weight": weights["weight"]}, {})
    with pytest.raises(RnnvizError, match=r"weight: wanted weights of shape \(2, 3\), got \(3, 2\)"):
        update(UpdateRule(Sgd(0.1)), gradients, weights | {"weight": weights["weight"].T}, {})
    state = {"weight": {"step": np.float32(1), "exp_avg": np.zeros((2, 3))}}
    with pytest.raises(RnnvizError, match="weight: wanted exp_avg_sq of Adam, got step, exp_avg"):
        update(UpdateRule(Adam(0.1)), gradients, weights, state)
    state["weight"]["exp_avg_sq"] = np.zeros(3)
    with pytest.raises(RnnvizError, match=r"weight: wanted exp_avg_sq of shape \(2, 3\), got \(3,\)"):
        update(UpdateRule(Adam(0.1)), gradients, weights, state)
    found = update(UpdateRule(Sgd(0.1)), gradients, weights, {})
    with pytest.raises(RnnvizError, match="wanted one of weight_hh_l0, bias_hh_l0, weight, got 'h'"):
        found.value("h", "delta")
    with pytest.raises(RnnvizError, match=r"update of weight: wanted one of .*, got 'm_hat'"):
        found.value("weight", "m_hat")

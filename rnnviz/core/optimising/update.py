"""The update of one training step: gradient → clips → noise → optimiser → ΔW, of all parameters, with every number.

g_s = ∂L/∂W   g̃_s = g_s · min(1, θ / (‖g_s‖ + 10⁻⁶)) with the norm of all parameters' gradients together (Pascanu et al.
2013, algorithm 1, as torch's clip_grad_norm_ has it)   ḡ_s = g̃_s, each entry kept within ±θ_v (Mikolov 2012, as
torch's clip_grad_value_ has it)   ĝ_s = ḡ_s + σ_s ξ_s (`noise`)   W_s = W_{s−1} + ΔW_s
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array, frozen_mapping
from rnnviz.core.errors import RnnvizError
from rnnviz.core.formula import Equation, Operation, Term
from rnnviz.core.magnitude import l2
from rnnviz.core.optimising.clipping import clip_factor
from rnnviz.core.optimising.noise import FADING, deviation
from rnnviz.core.optimising.optimisers import GIVEN, Optimiser, at_step, weights_before

State = Mapping[str, Array]  # what an optimiser has gathered of one parameter, by torch's names; "step" has shape ()


@dataclass(frozen=True)
class UpdateRule:
    """How a training makes its updates. What is 0 is left out of them."""

    optimiser: Optimiser  # its learning rate is NaN where that of a training step is not known
    clip_norm: float = 0.0  # θ
    clip_value: float = 0.0  # θ_v
    noise: float = 0.0  # ν


@dataclass(frozen=True)
class Noise:
    """The noise of one update."""

    training_step: int  # that the update completes, from 1
    drawn: Mapping[str, Array]  # ξ by parameter


@dataclass(frozen=True, eq=False)
class Update:
    """What one update made of the gradients, by parameter; arrays are read-only and have the parameters' shapes.

    A parameter without a gradient is not updated and not in here, as in torch. Where it is not known what the optimiser
    has gathered, the noise or the learning rate, neither is what follows from it: that has no values here.
    """

    rule: UpdateRule
    norm: float  # ‖g_s‖ of all gradients together, in float64
    clip_factor: float  # what all gradients were multiplied by: below 1 where they were clipped
    values: Mapping[str, Mapping[str, Array]]  # by parameter, by the names that the terms of `operations` have

    @property
    def optimiser(self) -> Optimiser:
        return self.rule.optimiser

    @property
    def clip_norm(self) -> float:
        """θ; ∞: not clipped."""
        return self.rule.clip_norm or math.inf

    def of(self, name: str) -> Mapping[str, Array]:
        """One thing by parameter: "gradient", "clipped", "delta", "weights_before", "weights_after", "exp_avg", …"""
        return frozen_mapping({parameter: self.value(parameter, name) for parameter in self.values})

    @property
    def state_after(self) -> Mapping[str, State]:
        """What the optimiser has gathered now, by parameter: the `before` of the next update."""
        return {
            parameter: frozen_mapping({name: self.value(parameter, name) for name in self.optimiser.gathered})
            for parameter in self.values
        }

    def value(self, parameter: str, name: str) -> Array:
        """What a term of the operations stands for, of one parameter."""
        if parameter not in self.values:
            raise RnnvizError(f"update: wanted one of {', '.join(self.values)}, got {parameter!r}")
        values = self.values[parameter]
        if name not in values:
            raise RnnvizError(f"update of {parameter}: wanted one of {', '.join(values)}, got {name!r}")
        return values[name]

    def find(self, parameter: str, name: str) -> Array | None:
        """The same; None where it is not known."""
        return self.values.get(parameter, {}).get(name)


def operations(rule: UpdateRule, symbol: str = "W") -> tuple[Operation, ...]:
    """From the gradient of a parameter written `symbol` to its new weights, in order."""
    gradient = Term("g_s", "gradient", "gradient")
    norm = Term("‖g_s‖", "norm", "norm of all parameters' gradients together")
    norms = Term("‖∂L/∂W‖", "norms", "norm of each parameter's gradient", whole=True)
    threshold = Term("θ", "clip_norm", "clip norm")
    after = Term(at_step(symbol, "s"), "weights_after", "weights after the update")
    delta = Term(f"Δ{symbol}", "delta", "what is added to the weights")
    found = [
        Operation(
            "gradient",
            gradient.symbol,
            "gradient and norm: the norm is that of all parameters' gradients together",
            (
                Equation(gradient, "{}", (Term(f"∂L/∂{symbol}", "gradient"),), np.array),
                Equation(norm, "√Σ {}²", (norms,), l2),
            ),
        ),
        Operation(
            "clip",
            GIVEN.symbol,
            "clip: the gradient, scaled down where the norm of all is above the clip norm",
            (Equation(GIVEN, "{} · min(1, {} / ({} + 10⁻⁶))", (gradient, threshold, norm), _clipped),),
        ),
    ]
    given = GIVEN
    if rule.clip_value:
        found.append(_value_clip(given))
        given = found[-1].equations[0].result
    if rule.noise:
        found.append(_noise(given))
        given = found[-1].equations[0].result
    weights = Equation(after, "{} + {}", (weights_before(symbol), delta), np.add)
    return (
        *found,
        *rule.optimiser.operations(symbol, given),
        Operation("weights", after.symbol, after.words, (weights,)),
    )


def _value_clip(given: Term) -> Operation:
    clipped = Term("ḡ_s", "value_clipped", "gradient, clipped by value")
    threshold = Term("θ_v", "clip_value", "clip value")
    words = "clip by value: each entry of the gradient is kept within ± the clip value"
    equation = Equation(clipped, "max(−{}, min({}, {}))", (threshold, threshold, given), _kept_within)
    return Operation("clip value", clipped.symbol, words, (equation,))


def _noise(given: Term) -> Operation:
    noisy = Term("ĝ_s", "noisy", "gradient with noise")
    sigma = Term("σ_s", "deviation", "standard deviation of the noise")
    drawn = Term("ξ_s", "noise_drawn", "standard normal numbers of this training step")
    scale, step = Term("ν", "noise_scale", "gradient noise"), Term("s", "training_step", "training step")
    added = Equation(noisy, "{} + {} {}", (given, sigma, drawn), lambda g, sigma, drawn: g + float(sigma) * drawn)
    fading = Equation(sigma, f"√({{}} / {{}}^{{{FADING}}})", (scale, step), _deviation)
    words = "noise: Gaussian numbers are added to the gradient, smaller from training step to training step"
    return Operation("noise", noisy.symbol, words, (added, fading))


def _deviation(scale: Array, training_step: Array) -> Array:
    return np.asarray(deviation(float(scale), int(training_step)))


def _kept_within(threshold: Array, again: Array, given: Array) -> Array:
    return np.asarray(np.clip(given, -float(threshold), float(threshold)))


@np.errstate(all="ignore")
def update(
    rule: UpdateRule,
    gradients: Mapping[str, Array],
    weights: Mapping[str, Array],
    before: Mapping[str, State] | None,
    noise: Noise | None = None,
) -> Update:
    """One update. `before` is what the optimiser has gathered, empty at its beginning, None where that is not known;
    `noise`: that of the training step, where the rule has one, None: not known.

    NaN and ∞ go where torch sends them. A NaN among the gradients makes the norm NaN and with it all gradients. An
    infinite norm makes the factor 0: finite gradients become 0 and infinite ones NaN, and without clipping the factor
    is ∞ / ∞, so that all become NaN. torch's norm is infinite already where its square leaves the gradients' own dtype
    (from 1.8·10¹⁹ in float32); the factor is then torch's 0, while `norm` is the true one.
    """
    _check(rule.optimiser, gradients, weights, before or {})
    clip_norm = rule.clip_norm or math.inf
    norms = np.array([float(l2(gradient.reshape(-1))) for gradient in gradients.values()])
    norm = np.asarray(l2(norms))
    largest = float(np.finfo(next(iter(gradients.values())).dtype).max) if gradients else math.inf
    factor = clip_factor(clip_norm, float(norm), largest)
    common = {"norm": norm, "norms": norms, "clip_norm": np.asarray(clip_norm)} | _settings(rule, noise)
    values = {}
    for parameter, gradient in gradients.items():
        found = common | {"gradient": gradient, "weights_before": weights[parameter]}
        found["clipped"] = _clipped(gradient, np.asarray(clip_norm), norm)
        given = _given(rule, found, None if noise is None else noise.drawn.get(parameter))
        if given is not None and (before is not None or not rule.optimiser.gathered):
            found |= _made(rule.optimiser, given, weights[parameter], (before or {}).get(parameter))
        values[parameter] = frozen_mapping(found)
    return Update(rule, float(norm), factor, values)


def _settings(rule: UpdateRule, noise: Noise | None) -> dict[str, Array]:
    """The numbers that all parameters share; a learning rate that is not known is left out."""
    found = dict(vars(rule.optimiser))
    if math.isnan(rule.optimiser.learning_rate):
        del found["learning_rate"]
    if rule.clip_value:
        found["clip_value"] = rule.clip_value
    if rule.noise:
        found["noise_scale"] = rule.noise
        if noise is not None:
            found |= {"training_step": noise.training_step, "deviation": deviation(rule.noise, noise.training_step)}
    return {name: np.asarray(number) for name, number in found.items()}


def _given(rule: UpdateRule, found: dict[str, Array], drawn: Array | None) -> Array | None:
    """What the optimiser is given, its way there put into `found`; None where the noise is not known."""
    given = found["clipped"]
    if rule.clip_value:
        given = found["value_clipped"] = _kept_within(found["clip_value"], found["clip_value"], given)
    if not rule.noise:
        return given
    if drawn is None:
        return None
    found["noise_drawn"] = drawn
    found["noisy"] = np.asarray(given + float(found["deviation"]) * drawn)
    return found["noisy"]


def _made(optimiser: Optimiser, given: Array, weights: Array, before: State | None) -> dict[str, Array]:
    """What the optimiser makes of one gradient, up to the new weights where the learning rate is known."""
    state = before or _beginning(optimiser, given)
    made = {f"{name}_before": state[name] for name in optimiser.gathered} | optimiser.compute(given, weights, state)
    if math.isnan(optimiser.learning_rate):
        del made["delta"]
        return made
    return made | {"weights_after": weights + made["delta"]}


def _clipped(gradient: Array, clip_norm: Array, norm: Array) -> Array:
    largest = float(np.finfo(gradient.dtype).max)
    return np.asarray(gradient * clip_factor(float(clip_norm), float(norm), largest))


def _beginning(optimiser: Optimiser, gradient: Array) -> State:
    return {
        name: np.zeros((), np.float32) if name == "step" else np.zeros_like(gradient) for name in optimiser.gathered
    }


def _check(
    optimiser: Optimiser, gradients: Mapping[str, Array], weights: Mapping[str, Array], before: Mapping[str, State]
) -> None:
    """RnnvizError names a parameter whose arrays do not fit each other."""
    for parameter, gradient in gradients.items():
        if parameter not in weights:
            raise RnnvizError(f"update: wanted the weights of {parameter}, got those of {', '.join(weights)}")
        state = before.get(parameter) or {}
        missing = [name for name in optimiser.gathered if state and name not in state]
        if missing:
            raise RnnvizError(
                f"update of {parameter}: wanted {', '.join(missing)} of {optimiser.words}, got {', '.join(state)}"
            )
        shapes = {"weights": weights[parameter].shape} | {
            name: state[name].shape for name in optimiser.gathered if state and name != "step"
        }
        for name, shape in shapes.items():
            if shape != gradient.shape:
                raise RnnvizError(f"update of {parameter}: wanted {name} of shape {gradient.shape}, got {shape}")

"""The update of one training step: gradient → clip → optimiser → ΔW, of all parameters, with every number between.

g_s = ∂L/∂W   g̃_s = g_s · min(1, θ / (‖g_s‖ + 10⁻⁶)) with the norm of all parameters' gradients together (Pascanu et al.
2013, algorithm 1, as torch's clip_grad_norm_ has it)   W_s = W_{s−1} + ΔW_s
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
from rnnviz.core.optimising.optimisers import Optimiser

State = Mapping[str, Array]  # what an optimiser has gathered of one parameter, by torch's names; "step" has shape ()


@dataclass(frozen=True, eq=False)
class Update:
    """What one update made of the gradients, by parameter; arrays are read-only and have the parameters' shapes.

    A parameter without a gradient is not updated and not in here, as in torch. Where it is not known what the optimiser
    has gathered, neither is what it made of the clipped gradient: that has no values here.
    """

    optimiser: Optimiser
    clip_norm: float  # θ; ∞: not clipped
    norm: float  # ‖g_s‖ of all gradients together, in float64
    clip_factor: float  # what all gradients were multiplied by: below 1 where they were clipped
    values: Mapping[str, Mapping[str, Array]]  # by parameter, by the names that the terms of `operations` have

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


def operations(optimiser: Optimiser, symbol: str = "W") -> tuple[Operation, ...]:
    """From the gradient of a parameter written `symbol` to its new weights, in order."""
    gradient = Term("g_s", "gradient", "gradient")
    norm = Term("‖g_s‖", "norm", "norm of all parameters' gradients together")
    norms = Term("‖∂L/∂W‖", "norms", "norm of each parameter's gradient", whole=True)
    threshold = Term("θ", "clip_norm", "clip norm")
    clipped = Term("g̃_s", "clipped", "clipped gradient")
    after = Term(_at(symbol, "s"), "weights_after", "weights after the update")
    before = Term(_at(symbol, "s−1"), "weights_before", "weights before the update")
    delta = Term(f"Δ{symbol}", "delta", "what is added to the weights")
    return (
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
            clipped.symbol,
            "clip: the gradient, scaled down where the norm of all is above the clip norm",
            (Equation(clipped, "{} · min(1, {} / ({} + 10⁻⁶))", (gradient, threshold, norm), _clipped),),
        ),
        *optimiser.operations(symbol),
        Operation("weights", after.symbol, after.words, (Equation(after, "{} + {}", (before, delta), np.add),)),
    )


def _at(symbol: str, training_step: str) -> str:
    """W_{hh,s−1} of W_{hh}."""
    if symbol.endswith("}"):
        return f"{symbol[:-1]},{training_step}}}"
    return f"{symbol}_{{{training_step}}}"


@np.errstate(all="ignore")
def update(
    optimiser: Optimiser,
    gradients: Mapping[str, Array],
    weights: Mapping[str, Array],
    before: Mapping[str, State] | None,
    clip_norm: float = 0.0,
) -> Update:
    """One update. `before` is what the optimiser has gathered, empty at its beginning, None where that is not known;
    `clip_norm` 0: not clipped.

    NaN and ∞ go where torch sends them. A NaN among the gradients makes the norm NaN and with it all gradients. An
    infinite norm makes the factor 0: finite gradients become 0 and infinite ones NaN, and without clipping the factor
    is ∞ / ∞, so that all become NaN. torch's norm is infinite already where its square leaves the gradients' own dtype
    (from 1.8·10¹⁹ in float32); the factor is then torch's 0, while `norm` is the true one.
    """
    _check(optimiser, gradients, weights, before or {})
    clip_norm = clip_norm or math.inf
    norms = np.array([float(l2(gradient.reshape(-1))) for gradient in gradients.values()])
    norm = np.asarray(l2(norms))
    largest = float(np.finfo(next(iter(gradients.values())).dtype).max) if gradients else math.inf
    factor = clip_factor(clip_norm, float(norm), largest)
    values = {}
    common = {"norm": norm, "norms": norms, "clip_norm": np.asarray(clip_norm)} | {
        name: np.asarray(setting) for name, setting in vars(optimiser).items()
    }
    for parameter, gradient in gradients.items():
        clipped = _clipped(gradient, np.asarray(clip_norm), norm)
        found = common | {"gradient": gradient, "clipped": clipped, "weights_before": weights[parameter]}
        if before is not None or not optimiser.gathered:
            state = (before or {}).get(parameter) or _beginning(optimiser, gradient)
            made = optimiser.compute(clipped, state)
            found |= {f"{name}_before": state[name] for name in optimiser.gathered} | made
            found["weights_after"] = weights[parameter] + made["delta"]
        values[parameter] = frozen_mapping(found)
    return Update(optimiser, clip_norm, float(norm), factor, values)


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

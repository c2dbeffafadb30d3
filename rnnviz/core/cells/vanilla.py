"""The vanilla cell (Elman 1990): h_t = φ(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh), φ one of tanh, ReLU, sigmoid."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.beginning import Drawn
from rnnviz.core.cells.cell import (
    BOTH_BIASES,
    Activation,
    Cell,
    CellKind,
    Gradients,
    Options,
    from_input,
    from_state,
    parameters,
)
from rnnviz.core.cells.node import sigmoid
from rnnviz.core.cells.units import pre_activation, squashed_units
from rnnviz.core.setting import OneOf, RealNumber, setting


def _make(options: Options) -> Cell:
    """One pre-activation a and no gates."""
    a = pre_activation(("wx", "uh"), BOTH_BIASES if options.bias else ())
    h = squashed_units(options.activation, "hidden state")
    return Cell(
        "vanilla",
        "vanilla",
        ("a",),
        parameters(options.bias),
        (from_input(), from_state(), a, h),
        kernel=VanillaKernel(options.activation),
        slope_limit=0.25 if options.activation == "sigmoid" else 1.0,
    )


ACTIVATIONS: dict[Activation, str] = {"tanh": "tanh", "relu": "ReLU", "sigmoid": "sigmoid"}


Initialisation = Literal["torch", "identity", "orthogonal", "spectral radius"]
INITIALISATIONS: dict[Initialisation, str] = {
    "torch": "torch's draw",
    "identity": "identity",
    "orthogonal": "orthogonal",
    "spectral radius": "given radius",
}


@dataclass(frozen=True)
class VanillaSettings:
    """What a vanilla cell lets a person choose."""

    activation: Activation = field(
        default="tanh",
        metadata=setting("Activation", OneOf(ACTIVATIONS), "φ of h_t = φ(W_ih x_t + W_hh h_t−1 + b); needs a restart"),
    )
    initialisation: Initialisation = field(
        default="torch",
        metadata=setting(
            "Begins as",
            OneOf(INITIALISATIONS),
            "W_hh before training: torch's uniform draw; the identity, with all biases 0 (Le 2015: with ReLU the "
            "IRNN); an orthogonal matrix; or torch's draw scaled to a spectral radius; needs a restart",
            short="initialisation",
            begins=True,
        ),
    )
    spectral_radius: float = field(
        default=1.0,
        metadata=setting(
            "Radius",
            RealNumber(0.0, 100.0),
            "Spectral radius of W_hh before training: its largest |eigenvalue|; needs a restart",
            form=RealNumber(0.0, 10.0),
            short="spectral radius",
            slider=(0.0, 2.0),
            begins=True,
            when=("initialisation", "spectral radius"),
        ),
    )


def begin_recurrence(settings: VanillaSettings, drawn: Drawn) -> dict[str, Array]:
    """W_hh, and with the identity the biases."""
    weight, size = drawn.weights["weight_hh"], drawn.hidden
    match settings.initialisation:
        case "torch":
            return {}
        case "identity":
            zeros = {name: np.zeros_like(bias) for name, bias in drawn.weights.items() if name.startswith("bias")}
            return {"weight_hh": np.eye(size), **zeros}
        case "orthogonal":
            q, r = np.linalg.qr(drawn.random.standard_normal((size, size)))
            return {"weight_hh": q * np.sign(np.diag(r))}  # of all orthogonal matrices alike (Mezzadri 2007)
        case "spectral radius":
            radius = np.abs(np.linalg.eigvals(weight)).max()
            return {"weight_hh": weight * (settings.spectral_radius / radius)} if radius else {}


VANILLA = CellKind(
    "vanilla",
    "vanilla",
    _make,
    activations=tuple(ACTIVATIONS),
    settings=VanillaSettings,
    begin=begin_recurrence,
    note="The simple recurrent network of Elman (1990). Back through each time step the gradient is multiplied by "
    "W_{hh}ᵀ and φ′: over many it vanishes or explodes.",
)


@dataclass(frozen=True)
class VanillaKernel:
    """Both sweeps with one call of numpy a line."""

    activation: Activation = "tanh"
    joint_bias: bool = True

    def forward(
        self,
        weights: Mapping[str, Array],
        a_ih: Array,
        a_hh: Array,
        previous_h: Array,
        initial: Mapping[str, Array],
    ) -> dict[str, Array]:
        a = np.add(a_ih, a_hh, out=a_ih)
        if self.activation == "tanh":
            h = np.tanh(a, out=a_hh)
        elif self.activation == "relu":
            h = np.maximum(a, 0, out=a_hh)
        else:
            h = sigmoid(a, out=a_hh)
        return {"a": a, "h": h}

    def backward(
        self, weights: Mapping[str, Array], values: Mapping[str, Array], direct: Array, previous_h: Array
    ) -> Gradients:
        w_hh, slope = weights["weight_hh"], self._slope(values["h"])
        hidden, carried, delta = (np.empty_like(direct) for _ in range(3))
        carried[-1], delta_next = 0, None
        rows = (direct, carried, hidden, slope, delta)
        for direct_t, carried_t, hidden_t, slope_t, delta_t in zip(*(row[::-1] for row in rows), strict=True):
            if delta_next is not None:
                np.dot(delta_next, w_hh, carried_t)  # (∂h_{t+1}/∂h_t)ᵀ ∂L/∂h_{t+1}
            np.add(direct_t, carried_t, hidden_t)
            np.multiply(hidden_t, slope_t, delta_t)
            delta_next = delta_t
        return Gradients({"h": hidden, "a": delta}, {"h": carried})

    def _slope(self, h: Array) -> Array:
        """φ′ at each time step, from h as torch does: 1 − h², [h > 0], h(1 − h)."""
        if self.activation == "relu":
            return np.asarray((h > 0).astype(h.dtype))
        if self.activation == "sigmoid":
            return np.asarray(h * (1 - h))
        slope = np.asarray(h * h)
        np.subtract(1, slope, slope)
        return slope

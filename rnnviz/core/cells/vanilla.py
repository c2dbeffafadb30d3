"""The vanilla cell (Elman 1990): h_t = φ(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh), φ one of tanh, ReLU, sigmoid."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.cell import Backward, Forward, Hold, Weights, sigmoid
from rnnviz.core.structure import Activation


@dataclass(frozen=True)
class Vanilla:
    """One pre-activation a and no gates."""

    activation: Activation = "tanh"
    blocks: tuple[str, ...] = ("a",)
    joint_bias: bool = True

    def forward(
        self,
        weights: Weights,
        a_ih: Array,
        a_hh: Array,
        previous_h: Array,
        c0: Array | None,
        hold: Hold | None = None,
    ) -> Forward:
        a = np.add(a_ih, a_hh, out=a_ih)
        if hold is not None:
            hold("a", a)
        if self.activation == "tanh":
            h = np.tanh(a, out=a_hh)
        elif self.activation == "relu":
            h = np.maximum(a, 0, out=a_hh)
        else:
            h = sigmoid(a, out=a_hh)
        if hold is not None:
            hold("h", h)
        return Forward(h, None, None, {}, {"a": a}, {})

    def slopes(self, forward: Forward, previous_h: Array) -> dict[str, Array]:
        """φ′ at each time step, from h as torch does: 1 − h², [h > 0], h(1 − h)."""
        h = forward.h
        if self.activation == "relu":
            return {"slope": (h > 0).astype(h.dtype)}
        if self.activation == "sigmoid":
            return {"slope": h * (1 - h)}
        return {"slope": 1 - h * h}

    def close(self, slopes: Mapping[str, Array], name: str, where: Array) -> None:
        slopes["slope"][where] = 0

    def backward(self, weights: Weights, slopes: Mapping[str, Array], direct: Array) -> Backward:
        w_hh, slope = weights.weight_hh, slopes["slope"]
        carried, delta = np.zeros_like(direct), np.empty_like(direct)
        hidden, delta_next = np.empty_like(direct[0]), None
        for direct_t, carried_t, slope_t, delta_t in zip(
            direct[::-1], carried[::-1], slope[::-1], delta[::-1], strict=True
        ):
            if delta_next is not None:
                np.dot(delta_next, w_hh, carried_t)  # (∂h_{t+1}/∂h_t)ᵀ ∂L/∂h_{t+1}
            np.add(direct_t, carried_t, hidden)
            np.multiply(hidden, slope_t, delta_t)
            delta_next = delta_t
        return Backward(direct + carried, carried, None, None, delta, delta)

    def pull_back(
        self, weights: Weights, slopes: Mapping[str, Array], hidden: Array, cell: Array | None
    ) -> tuple[Array, Array | None, Array]:
        delta = hidden * slopes["slope"]
        return delta @ weights.weight_hh, None, delta

"""The GRU (Cho 2014) in torch's form: the reset gate acts on W_hn h_{t−1} + b_hn.

r = σ(a_r)   z = σ(a_z)   n = tanh(W_in x + b_in + r ⊙ (W_hn h_{t−1} + b_hn))   h = (1 − z) ⊙ n + z ⊙ h_{t−1}
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.cell import Backward, Forward, Hold, Weights, sigmoid


@dataclass(frozen=True)
class Gru:
    """Reset gate r, update gate z, new state n."""

    blocks: tuple[str, ...] = ("r", "z", "n")
    joint_bias: bool = False  # r multiplies b_hn

    def forward(
        self,
        weights: Weights,
        a_ih: Array,
        a_hh: Array,
        previous_h: Array,
        c0: Array | None,
        hold: Hold | None = None,
    ) -> Forward:
        size = previous_h.shape[-1]
        a_rz = a_ih[..., : 2 * size]
        a_rz += a_hh[..., : 2 * size]
        rz = sigmoid(a_rz, out=a_hh[..., : 2 * size])
        r, z = rz[..., :size], rz[..., size:]
        if hold is not None:
            hold("r", r)
            hold("z", z)
        recurrent_n = a_hh[..., 2 * size :]  # W_hn h_{t−1} + b_hn
        a_n = a_ih[..., 2 * size :]
        a_n += r * recurrent_n
        n = np.tanh(a_n)
        if hold is not None:
            hold("n", n)
        h = previous_h - n
        h *= z
        h += n  # n + z ⊙ (h_{t−1} − n)
        if hold is not None:
            hold("h", h)
        pre_activations = {"r": a_rz[..., :size], "z": a_rz[..., size:], "n": a_n}
        return Forward(h, None, None, {"r": r, "z": z, "n": n}, pre_activations, {"recurrent_n": recurrent_n})

    def slopes(self, forward: Forward, previous_h: Array) -> dict[str, Array]:
        """∂h_t by each pre-activation: "input" n's alone, "recurrent" those of W_hh's rows r, z, n; "keep" is z."""
        r, z, n = (forward.gates[name] for name in self.blocks)
        by_n = (1 - z) * (1 - n * n)
        by_r = by_n * forward.inner["recurrent_n"] * (r * (1 - r))
        by_z = (previous_h - n) * (z * (1 - z))
        recurrent = np.concatenate((by_r, by_z, by_n * r), axis=-1)  # (…, 3H)
        return {"input": by_n, "recurrent": recurrent, "keep": z}

    def close(self, slopes: Mapping[str, Array], name: str, where: Array) -> None:
        size = where.shape[-1]
        for k in {"r": (0,), "z": (1,), "n": (0, 2)}[name]:  # r acts through n alone
            slopes["recurrent"][..., k * size : (k + 1) * size][where] = 0
        if name == "n":
            slopes["input"][where] = 0

    def backward(self, weights: Weights, slopes: Mapping[str, Array], direct: Array) -> Backward:
        w_hh, recurrent, keep = weights.weight_hh, slopes["recurrent"], slopes["keep"]
        size = direct.shape[-1]
        carried, delta = np.zeros_like(direct), np.empty_like(recurrent)
        kept, repeated = np.empty_like(direct[0]), np.empty((*direct.shape[1:-1], 3, size), direct.dtype)
        hidden, three = np.empty_like(kept), repeated.reshape(recurrent.shape[1:])
        wide = hidden[..., None, :]
        delta_next, keep_next = None, keep[-1]
        for direct_t, carried_t, keep_t, recurrent_t, delta_t in zip(
            direct[::-1], carried[::-1], keep[::-1], recurrent[::-1], delta[::-1], strict=True
        ):
            if delta_next is not None:
                np.multiply(hidden, keep_next, kept)  # ∂L/∂h_{t+1} straight along z, and through the gates
                np.dot(delta_next, w_hh, carried_t)
                np.add(carried_t, kept, carried_t)
            np.add(direct_t, carried_t, hidden)
            repeated[...] = wide
            np.multiply(three, recurrent_t, delta_t)
            delta_next, keep_next = delta_t, keep_t
        hidden_grad = direct + carried
        delta_ih = delta.copy()
        np.multiply(hidden_grad, slopes["input"], delta_ih[..., 2 * size :])
        return Backward(hidden_grad, carried, None, None, delta_ih, delta)

    def pull_back(
        self, weights: Weights, slopes: Mapping[str, Array], hidden: Array, cell: Array | None
    ) -> tuple[Array, Array | None, Array]:
        recurrent = np.concatenate((hidden, hidden, hidden), axis=-1) * slopes["recurrent"]
        delta = recurrent.copy()
        delta[..., -hidden.shape[-1] :] = hidden * slopes["input"]
        return recurrent @ weights.weight_hh + hidden * slopes["keep"], None, delta

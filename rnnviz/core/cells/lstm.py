"""The LSTM (Hochreiter & Schmidhuber 1997, forget gate Gers 2000) as torch has it, with its optional projection.

i, f, o = σ(a_i), σ(a_f), σ(a_o)   g = tanh(a_g)   c = f ⊙ c_{t−1} + i ⊙ g   h = o ⊙ tanh(c), or W_hr (o ⊙ tanh(c))
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.cell import Backward, Forward, Hold, Weights, sigmoid


@dataclass(frozen=True)
class Lstm:
    """Input gate i, forget gate f, candidate g, output gate o."""

    blocks: tuple[str, ...] = ("i", "f", "g", "o")
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
        size = a.shape[-1] // 4
        values = sigmoid(a, out=a_hh)  # of all four blocks in one go; the candidate's is written over
        np.tanh(a[..., 2 * size : 3 * size], values[..., 2 * size : 3 * size])
        i, f, g, o = gates = _blocks(values, size)
        if hold is not None:
            for name, gate in zip(self.blocks, gates, strict=True):
                hold(name, gate)
        previous_c, c = _cell_states(f, i * g, c0)
        if hold is not None:
            hold("c", c)
        tanh_c = np.tanh(c)
        h = o * tanh_c
        inner = {"gates": values, "tanh_c": tanh_c}
        if weights.weight_hr is not None:
            inner["unprojected"] = h
            h = h @ weights.weight_hr.T
        if hold is not None:
            hold("h", h)
        named = dict(zip(self.blocks, gates, strict=True))
        return Forward(h, c, previous_c, named, dict(zip(self.blocks, _blocks(a, size), strict=True)), inner)

    def slopes(self, forward: Forward, previous_h: Array) -> dict[str, Array]:
        """Derivatives of c_t and of m_t = o ⊙ tanh(c), which is h_t before its projection.

        "gates" (…, 4H): ∂c_t by a_i, a_f, a_g and ∂m_t by a_o; "through" (…, H): ∂m_t by c_t; "forget": by c_{t−1}.
        """
        i, _, g, o = (forward.gates[name] for name in self.blocks)
        size, stacked, tanh_c = i.shape[-1], forward.inner["gates"], forward.inner["tanh_c"]
        gates = np.subtract(1, stacked)
        gates *= stacked  # σ′ = σ (1 − σ), and for the candidate tanh′ = 1 − g²
        candidate = gates[..., 2 * size : 3 * size]
        np.multiply(g, g, candidate)
        np.subtract(1, candidate, candidate)
        for block, factor in zip(_blocks(gates, size), (g, forward.previous_c, i, tanh_c), strict=True):
            block *= factor
        through = tanh_c * tanh_c
        np.subtract(1, through, through)
        through *= o
        return {"gates": gates, "through": through, "forget": forward.gates["f"]}

    def close(self, slopes: Mapping[str, Array], name: str, where: Array) -> None:
        blocks = _blocks(slopes["gates"], where.shape[-1])
        for k in range(3) if name == "c" else (self.blocks.index(name),):
            blocks[k][where] = 0
        if name == "c":
            slopes["forget"][where] = 0

    def backward(self, weights: Weights, slopes: Mapping[str, Array], direct: Array) -> Backward:
        w_hh, w_hr, gates, through = weights.weight_hh, weights.weight_hr, slopes["gates"], slopes["through"]
        size = through.shape[-1]
        carried, cell, delta = np.zeros_like(direct), np.empty_like(through), np.empty_like(gates)
        # one contiguous row (∂c, ∂c, ∂c, ∂m) makes each line below one call: per-call cost is what the scan pays
        arriving = np.zeros((*through.shape[1:-1], 4, size), direct.dtype)
        to_gates, to_cell = arriving.reshape(gates.shape[1:]), arriving[..., 2:, :]
        three, unprojected = arriving[..., :3, :], arriving[..., 3, :]
        hidden = unprojected if w_hr is None else np.empty_like(direct[0])
        passed = np.zeros((*through.shape[:-1], 2, size), direct.dtype)  # what ∂c_{t+1} and ∂m_t pass on to ∂c_t
        passed[:-1, ..., 0, :] = slopes["forget"][1:]
        passed[..., 1, :] = through
        parts = np.empty_like(to_cell)
        along, across = parts[..., :1, :], parts[..., 1:, :]
        rows = (direct, carried, passed, cell[..., None, :], gates, delta)
        delta_next = None
        for direct_t, carried_t, passed_t, cell_t, gates_t, delta_t in zip(*(row[::-1] for row in rows), strict=True):
            if delta_next is not None:
                np.dot(delta_next, w_hh, carried_t)  # ∂L/∂h_t through the gates of t+1
            np.add(direct_t, carried_t, hidden)
            if w_hr is not None:
                np.matmul(hidden, w_hr, unprojected)
            np.multiply(to_cell, passed_t, parts)  # ∂c_{t+1} ⊙ f_{t+1}, ∂m_t ⊙ o ⊙ (1 − tanh²c)
            np.add(along, across, cell_t)
            three[...] = cell_t
            np.multiply(to_gates, gates_t, delta_t)
            delta_next = delta_t
        cell_path = np.zeros_like(cell)
        np.multiply(cell[1:], slopes["forget"][1:], cell_path[:-1])
        return Backward(direct + carried, carried, cell, cell_path, delta, delta)

    def pull_back(
        self, weights: Weights, slopes: Mapping[str, Array], hidden: Array, cell: Array | None
    ) -> tuple[Array, Array | None, Array]:
        if weights.weight_hr is not None:
            hidden = hidden @ weights.weight_hr
        total = hidden * slopes["through"]
        if cell is not None:
            total += cell
        delta = np.concatenate((total, total, total, hidden), axis=-1) * slopes["gates"]
        return delta @ weights.weight_hh, total * slopes["forget"], delta


def _blocks(stacked: Array, size: int) -> tuple[Array, ...]:
    """The four gates' views of a stacked array (…, 4H)."""
    return tuple(stacked[..., k * size : (k + 1) * size] for k in range(4))


def _cell_states(f: Array, written: Array, c0: Array | None) -> tuple[Array, Array]:
    """c_{t−1} and c_t of all time steps, both (S, *B, H): c_t = f_t ⊙ c_{t−1} + written_t."""
    states = np.empty((len(f) + 1, *f.shape[1:]), f.dtype)
    states[0] = 0 if c0 is None else c0
    c_before = states[0]
    for f_t, written_t, c_t in zip(f, written, states[1:], strict=True):
        np.multiply(f_t, c_before, c_t)
        np.add(c_t, written_t, c_t)
        c_before = c_t
    return states[:-1], states[1:]

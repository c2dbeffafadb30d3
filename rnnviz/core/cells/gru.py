"""The GRU (Cho 2014) in torch's form: the reset gate acts on u = W_hn h_{t−1} + b_hn.

r = σ(a_r)   z = σ(a_z)   n = tanh(W_in x + b_in + r ⊙ u)   h = (1 − z) ⊙ n + z ⊙ h_{t−1}
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.cell import Cell, CellKind, Gradients, Group, Options, from_input, from_state, parameters
from rnnviz.core.cells.node import Mix, Node, Product, Sigmoid, Sum, Tanh, Value, Weight, sigmoid


def _make(options: Options) -> Cell:
    """Reset gate r, update gate z, new state n."""

    def biases(*weights: Weight) -> tuple[Weight, ...]:
        return weights if options.bias else ()

    def pre_activation(gate: str) -> Node:
        parts = Value("wx", block=gate), Value("uh", block=gate)
        operation = Sum((*parts, *biases(Weight("bias_ih", gate), Weight("bias_hh", gate))))
        return Node(f"a_{gate}", operation, "bias", f"a_{{{gate},t}}", role="pre-activation")

    from_input_n = Sum((Value("wx", block="n"), *biases(Weight("bias_ih", "n")), Value("reset")))
    return Cell(
        "gru",
        "GRU",
        ("r", "z", "n"),
        parameters(options.bias),
        (
            from_input(),
            from_state("∂L/∂a_t"),
            pre_activation("r"),
            pre_activation("z"),
            Node("u", Sum((Value("uh", block="n"), *biases(Weight("bias_hh", "n")))), "bias", "u_t"),
            _gate("r", "reset gate", "how much of the past the new state sees", "input"),
            _gate("z", "update gate", "how much is kept", "forget"),
            Node("reset", Product(Value("r"), Value("u")), "a_n"),
            Node("a_n", from_input_n, "", "a_{n,t}", "pre-activation of the new state", role="pre-activation"),
            Node(
                "n",
                Tanh(Value("a_n")),
                symbol="n_t",
                words="new state",
                limits=(-1.0, 1.0),
                role="gate",
                family="candidate",
                settable=True,
            ),
            Node(
                "h",
                Mix(Value("z"), Value("n"), Value("h", before=True)),
                symbol="h_t",
                words="hidden state",
                units="output",
                limits=(-1.0, 1.0),
                role="state",
                family="state",
                settable=True,
                path="along z ⊙ h to",
            ),
        ),
        kernel=GruKernel(),
        groups={"bias": Group("a_t", "pre-activations of the gates")},
    )


def _gate(name: str, words: str, explained: str, family: str) -> Node:
    squash = Sigmoid(Value(f"a_{name}"))
    return Node(
        name, squash, "", f"{name}_t", words, explained, "hidden", (0.0, 1.0), "gate", family=family, settable=True
    )


GRU = CellKind("gru", "GRU", _make, hue=2)


@dataclass(frozen=True)
class GruKernel:
    """Both sweeps over stacked gates."""

    joint_bias: bool = False  # r multiplies b_hn

    def forward(
        self,
        weights: Mapping[str, Array],
        a_ih: Array,
        a_hh: Array,
        previous_h: Array,
        initial: Mapping[str, Array],
    ) -> dict[str, Array]:
        size = previous_h.shape[-1]
        a_rz = a_ih[..., : 2 * size]
        a_rz += a_hh[..., : 2 * size]
        rz = sigmoid(a_rz, out=a_hh[..., : 2 * size])
        r, z = rz[..., :size], rz[..., size:]
        u = a_hh[..., 2 * size :]  # W_hn h_{t−1} + b_hn
        a_n = a_ih[..., 2 * size :]
        a_n += r * u
        n = np.tanh(a_n)
        h = previous_h - n
        h *= z
        h += n  # n + z ⊙ (h_{t−1} − n)
        return {"a_r": a_rz[..., :size], "a_z": a_rz[..., size:], "a_n": a_n, "u": u, "r": r, "z": z, "n": n, "h": h}

    def backward(
        self, weights: Mapping[str, Array], values: Mapping[str, Array], direct: Array, previous_h: Array
    ) -> Gradients:
        w_hh, keep = weights["weight_hh"], values["z"]
        by_n, recurrent = self._slopes(values, previous_h)
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
        a_n = delta_ih[..., 2 * size :]
        np.multiply(hidden_grad, by_n, a_n)
        a_r, a_z = delta_ih[..., :size], delta_ih[..., size : 2 * size]
        nodes = {"h": hidden_grad, "wx": delta_ih, "uh": delta, "a_r": a_r, "a_z": a_z, "a_n": a_n}
        return Gradients(nodes | {"u": delta[..., 2 * size :]}, {"h": carried})

    def _slopes(self, values: Mapping[str, Array], previous_h: Array) -> tuple[Array, Array]:
        """∂h_t by a_n (…, H), and by W_hh's rows r, z and u (…, 3H)."""
        r, z, n = values["r"], values["z"], values["n"]
        by_n = (1 - z) * (1 - n * n)
        by_r = by_n * values["u"] * (r * (1 - r))
        by_z = (previous_h - n) * (z * (1 - z))
        return by_n, np.concatenate((by_r, by_z, by_n * r), axis=-1)

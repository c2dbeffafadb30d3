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
            gate("r", "reset gate", "how much of the past the new state sees", "input"),
            gate("z", "update gate", "how much is kept", "forget"),
            Node("reset", Product(Value("r"), Value("u")), "a_n"),
            Node("a_n", from_input_n, "", "a_{n,t}", "pre-activation of the new state", role="pre-activation"),
            new_state(),
            hidden_state(),
        ),
        kernel=GruKernel(),
        groups={"bias": Group("a_t", "pre-activations of the gates")},
    )


def gate(name: str, words: str, explained: str, family: str) -> Node:
    """σ of its pre-activation."""
    squash = Sigmoid(Value(f"a_{name}"))
    return Node(
        name, squash, "", f"{name}_t", words, explained, "hidden", (0.0, 1.0), "gate", family=family, settable=True
    )


def new_state() -> Node:
    """n = tanh(a_n)."""
    return Node(
        "n",
        Tanh(Value("a_n")),
        symbol="n_t",
        words="new state",
        limits=(-1.0, 1.0),
        role="gate",
        family="candidate",
        settable=True,
    )


def hidden_state() -> Node:
    """h = (1 − z) ⊙ n + z ⊙ h_{t−1}."""
    return Node(
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
    )


GRU = CellKind(
    "gru",
    "GRU",
    _make,
    hue=2,
    note="One state and two gates: z keeps h element by element, and where z is near 1 the gradient passes as it is; "
    "r says how much of h the new state sees.",
)


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
        found = {"a_r": a_rz[..., :size], "a_z": a_rz[..., size:], "a_n": a_n, "u": u, "r": r, "z": z, "n": n, "h": h}
        return found | {"(gates)": rz}

    def backward(
        self, weights: Mapping[str, Array], values: Mapping[str, Array], direct: Array, previous_h: Array
    ) -> Gradients:
        w_hh, keep = weights["weight_hh"], values["z"]
        by_n, recurrent = self._slopes(values, previous_h)
        size = direct.shape[-1]
        hidden, carried, delta = np.empty_like(direct), np.empty_like(direct), np.empty_like(recurrent)
        kept, blocks = np.empty_like(direct[0]), (*direct.shape[:-1], 3, size)
        carried[-1], delta_next, hidden_next, keep_next = 0, None, direct[-1], keep[-1]
        rows = (direct, carried, hidden, hidden[..., None, :], keep)
        wide = (recurrent.reshape(blocks), delta, delta.reshape(blocks))
        for direct_t, carried_t, hidden_t, wide_t, keep_t, recurrent_t, delta_t, three_t in zip(
            *(row[::-1] for row in (*rows, *wide)), strict=True
        ):
            if delta_next is not None:
                np.multiply(hidden_next, keep_next, kept)  # ∂L/∂h_{t+1} straight along z, and through the gates
                np.dot(delta_next, w_hh, carried_t)
                np.add(carried_t, kept, carried_t)
            np.add(direct_t, carried_t, hidden_t)
            np.multiply(wide_t, recurrent_t, three_t)
            delta_next, hidden_next, keep_next = delta_t, hidden_t, keep_t
        by_n *= hidden
        a_r, a_z, u = (delta[..., block * size : (block + 1) * size] for block in range(3))
        return Gradients({"h": hidden, "uh": delta, "a_r": a_r, "a_z": a_z, "a_n": by_n, "u": u}, {"h": carried})

    def _slopes(self, values: Mapping[str, Array], previous_h: Array) -> tuple[Array, Array]:
        """∂h_t by a_n (…, H), and by W_hh's rows r, z and u (…, 3H)."""
        n, gates, size = values["n"], values["(gates)"], previous_h.shape[-1]
        recurrent = np.empty((*n.shape[:-1], 3 * size), n.dtype)
        by_gates, by_r, by_u = recurrent[..., : 2 * size], recurrent[..., :size], recurrent[..., 2 * size :]
        by_z = recurrent[..., size : 2 * size]
        np.subtract(1, gates, by_gates)
        by_n = n * n
        np.subtract(1, by_n, by_n)
        by_n *= by_z  # (1 − z) (1 − n²)
        by_gates *= gates  # σ′ = σ (1 − σ)
        by_r *= by_n
        by_r *= values["u"]
        np.subtract(previous_h, n, by_u)
        by_z *= by_u
        np.multiply(by_n, values["r"], by_u)
        return by_n, recurrent

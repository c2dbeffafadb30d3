"""The LSTM (Hochreiter & Schmidhuber 1997, forget gate Gers 2000) as torch has it, with its optional projection.

i, f, o = σ(a_i), σ(a_f), σ(a_o)   g = tanh(a_g)   c = f ⊙ c_{t−1} + i ⊙ g   h = o ⊙ tanh(c), or W_hr (o ⊙ tanh(c))
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.beginning import Drawn
from rnnviz.core.cells.cell import (
    Cell,
    CellKind,
    Gradients,
    Options,
    from_input,
    from_state,
    joint_pre_activation,
    parameters,
)
from rnnviz.core.cells.node import Matrix, Node, Product, Sigmoid, Sum, Tanh, Value, Weight, sigmoid
from rnnviz.core.setting import RealNumber, WholeNumber, setting


def _make(options: Options) -> Cell:
    """Input gate i, forget gate f, candidate g, output gate o."""
    return Cell(
        "lstm",
        "LSTM",
        ("i", "f", "g", "o"),
        parameters(options.bias, options.projected),
        (
            from_input(),
            from_state(),
            joint_pre_activation(options.bias, "pre-activations of all gates"),
            *gates({gate: Value("a", block=gate) for gate in "ifgo"}),
            *cell_state(),
            *hidden_state(options.projected),
        ),
        states=("h", "c"),
        kernel=LstmKernel(),
    )


def gates(pre: Mapping[str, Value]) -> tuple[Node, ...]:
    """The gates and the candidate whose pre-activations are given, in torch's order."""

    def gate(name: str, words: str, explained: str, family: str) -> Node:
        squash = Tanh(pre[name]) if name == "g" else Sigmoid(pre[name])
        limits = (-1.0, 1.0) if name == "g" else (0.0, 1.0)
        return Node(
            name, squash, "", f"{name}_t", words, explained, "hidden", limits, "gate", family=family, settable=True
        )

    words = {
        "i": ("input gate", "how much is written", "input"),
        "f": ("forget gate", "how much is kept", "forget"),
        "g": ("candidate", "what is written", "candidate"),
        "o": ("output gate", "how much is shown", "output"),
    }
    return tuple(gate(name, *words[name]) for name in words if name in pre)


def cell_state() -> tuple[Node, ...]:
    """c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t."""
    return (
        Node(
            "kept",
            Product(Value("f"), Value("c", before=True)),
            "c",
            path="along the cell state, f ⊙ ∂L/∂c at",
        ),
        Node("written", Product(Value("i"), Value("g")), "c"),
        Node(
            "c",
            Sum((Value("kept"), Value("written"))),
            symbol="c_t",
            words="cell state",
            role="state",
            family="cell",
            settable=True,
        ),
    )


def hidden_state(projected: bool) -> tuple[Node, ...]:
    """h_t = o_t ⊙ tanh(c_t), with a projection m_t = o_t ⊙ tanh(c_t) and h_t = W_hr m_t."""
    shown = Product(Value("o"), Value("tanh_c"))
    tanh_c = Node("tanh_c", Tanh(Value("c")), "h", limits=(-1.0, 1.0))
    if not projected:
        return tanh_c, _hidden(shown, "h", (-1.0, 1.0))
    m = Node("m", shown, "h", "m_t", "hidden state before its projection", limits=(-1.0, 1.0))
    return tanh_c, m, _hidden(Matrix(Weight("weight_hr"), Value("m")), "projection", None)


def _hidden(operation: Product | Matrix, key: str, limits: tuple[float, float] | None) -> Node:
    return Node(
        "h",
        operation,
        key,
        "h_t",
        "hidden state",
        units="output",
        limits=limits,
        role="state",
        family="state",
        settable=True,
    )


@dataclass(frozen=True)
class LstmSettings:
    """How an LSTM begins."""

    forget_bias: float = field(  # Gers 2000; Jozefowicz 2015
        default=0.0,
        metadata=setting(
            "Forget bias",
            RealNumber(-100.0, 100.0),
            "The forget gate's bias before training, set in bias_ih while the same rows of bias_hh are 0; "
            "0 leaves what was drawn. A larger one keeps gradients alive; needs a restart",
            form=RealNumber(-20.0, 20.0),
            short="forget-gate bias",
            step=1,
            begins=True,
            when=("chrono", 0),
        ),
    )

    chrono: int = field(  # Tallec & Ollivier 2018
        default=0,
        metadata=setting(
            "Chrono T_max",
            WholeNumber(0, 1_000_000),
            "Chrono initialisation: forget-gate biases ln U(1, T_max − 1), input-gate biases their negatives, so that "
            "units remember for 1 to T_max time steps; in place of the forget bias, “off” for none; needs a restart",
            form=WholeNumber(0, 10_000),
            zero="off",
            step=1,
            begins=True,
        ),
    )


def begin_gates(settings: LstmSettings, drawn: Drawn) -> dict[str, Array]:
    """The biases of the forget gate and, with chrono initialisation, of the input gate: whole in bias_ih."""
    if "bias_ih" not in drawn.weights or not (settings.chrono or settings.forget_bias):
        return {}
    if settings.chrono:
        forget = np.log(drawn.random.uniform(1, max(settings.chrono - 1, 1), drawn.hidden))
        wanted = {"f": forget, "i": -forget}
    else:
        wanted = {"f": np.full(drawn.hidden, settings.forget_bias)}
    found = {name: drawn.weights[name].copy() for name in ("bias_ih", "bias_hh")}
    for block, bias in wanted.items():
        found["bias_ih"][drawn.rows[block]] = bias
        found["bias_hh"][drawn.rows[block]] = 0
    return found


LSTM = CellKind(
    "lstm",
    "LSTM",
    _make,
    hue=1,
    projection=True,
    settings=LstmSettings,
    begin=begin_gates,
    note="The cell state c is kept by the forget gate and written by the input gate, element by element: where f is "
    "near 1 the gradient passes along c as it is. h shows a part of it.",
)


@dataclass(frozen=True)
class LstmKernel:
    """Both sweeps over stacked gates."""

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
        size = a.shape[-1] // 4
        stacked = sigmoid(a, out=a_hh)  # of all four blocks in one go; the candidate's is written over
        np.tanh(a[..., 2 * size : 3 * size], stacked[..., 2 * size : 3 * size])
        i, f, g, o = _blocks(stacked, size)
        written = i * g
        c_before, c = _cell_states(f, written, initial["c"])
        tanh_c = np.tanh(c)
        h = o * tanh_c
        found = {"a": a, "(gates)": stacked, "i": i, "f": f, "g": g, "o": o, "c": c, "tanh_c": tanh_c}
        found["(c before)"] = c_before
        if "weight_hr" in weights:
            return found | {"m": h, "h": h @ weights["weight_hr"].T}
        return found | {"h": h}

    def backward(
        self, weights: Mapping[str, Array], values: Mapping[str, Array], direct: Array, previous_h: Array
    ) -> Gradients:
        w_hh, w_hr, forget = weights["weight_hh"], weights.get("weight_hr"), values["f"]
        gates, through = self._slopes(values)
        size = through.shape[-1]
        carried, cell, delta = np.zeros_like(direct), np.empty_like(through), np.empty_like(gates)
        # one contiguous row (∂c, ∂c, ∂c, ∂m) makes each line below one call: per-call cost is what the scan pays
        arriving = np.zeros((*through.shape[1:-1], 4, size), direct.dtype)
        to_gates, to_cell = arriving.reshape(gates.shape[1:]), arriving[..., 2:, :]
        three, unprojected = arriving[..., :3, :], arriving[..., 3, :]
        hidden = unprojected if w_hr is None else np.empty_like(direct[0])
        passed = np.zeros((*through.shape[:-1], 2, size), direct.dtype)  # what ∂c_{t+1} and ∂m_t pass on to ∂c_t
        passed[:-1, ..., 0, :] = forget[1:]
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
        np.multiply(cell[1:], forget[1:], cell_path[:-1])
        return Gradients({"h": direct + carried, "c": cell, "a": delta}, {"h": carried, "c": cell_path})

    def _slopes(self, values: Mapping[str, Array]) -> tuple[Array, Array]:
        """Derivatives of c_t and of m_t = o ⊙ tanh(c), which is h_t before its projection.

        (…, 4H): ∂c_t by a_i, a_f, a_g and ∂m_t by a_o; (…, H): ∂m_t by c_t.
        """
        i, g, o, tanh_c = (values[name] for name in ("i", "g", "o", "tanh_c"))
        size, stacked = i.shape[-1], values["(gates)"]
        gates = np.subtract(1, stacked)
        gates *= stacked  # σ′ = σ (1 − σ), and for the candidate tanh′ = 1 − g²
        candidate = gates[..., 2 * size : 3 * size]
        np.multiply(g, g, candidate)
        np.subtract(1, candidate, candidate)
        for block, factor in zip(_blocks(gates, size), (g, values["(c before)"], i, tanh_c), strict=True):
            block *= factor
        through = tanh_c * tanh_c
        np.subtract(1, through, through)
        through *= o
        return gates, through


def _blocks(stacked: Array, size: int) -> tuple[Array, ...]:
    """The four gates' views of a stacked array (…, 4H)."""
    return tuple(stacked[..., k * size : (k + 1) * size] for k in range(4))


def _cell_states(f: Array, written: Array, c0: Array) -> tuple[Array, Array]:
    """c_{t−1} and c_t of all time steps, both (S, *B, H): c_t = f_t ⊙ c_{t−1} + written_t."""
    states = np.empty((len(f) + 1, *f.shape[1:]), f.dtype)
    states[0] = c0
    c_before = states[0]
    for f_t, written_t, c_t in zip(f, written, states[1:], strict=True):
        np.multiply(f_t, c_before, c_t)
        np.add(c_t, written_t, c_t)
        c_before = c_t
    return states[:-1], states[1:]

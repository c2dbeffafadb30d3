"""The GRU as it was published (Cho 2014): the reset gate acts on h_{t−1} before its matrix, not on the product.

r = σ(W_r x + U_r h_{t−1} + b_r)   z = σ(W_z x + U_z h_{t−1} + b_z)   n = tanh(W_n x + U_n (r ⊙ h_{t−1}) + b_n)
h = (1 − z) ⊙ n + z ⊙ h_{t−1}

It is Keras' GRU with `reset_after=False`; torch's cannot be turned into it by other weights.
"""

from rnnviz.core.cells.cell import Cell, CellKind, Group, Options, Parameter, from_input
from rnnviz.core.cells.gru import gate, hidden_state, new_state
from rnnviz.core.cells.node import Matrix, Node, Product, Sum, Value, Weight

_WORDS = {"r": "reset gate", "z": "update gate", "n": "new state"}


def _make(options: Options) -> Cell:
    """Reset gate r, update gate z, new state n, each with a matrix of its own on the state."""
    before = Value("h", before=True)
    return Cell(
        "gru_reset_before",
        "reset-before GRU",
        tuple(_WORDS),
        (
            Parameter("weight_ih", "W_{ih}", "rows", "input"),
            *(Parameter(f"weight_u{name}", f"U_{name}", "hidden", "output") for name in _WORDS),
            *((Parameter("bias_ih", "b_{ih}", "rows", ""),) if options.bias else ()),
        ),
        (
            from_input(),
            _from_state("r", before, "U_r h"),
            _from_state("z", before, "U_z h"),
            _pre_activation(options.bias, "r", "bias"),
            _pre_activation(options.bias, "z", "bias"),
            gate("r", "reset gate", "how much of the past the new state sees", "input"),
            gate("z", "update gate", "how much is kept", "forget"),
            Node("reset", Product(Value("r"), before), "U_n (r ⊙ h)", path="through what the reset gate lets past at"),
            _from_state("n", Value("reset"), "U_n (r ⊙ h)"),
            _pre_activation(options.bias, "n", "a_n"),
            new_state(),
            hidden_state(),
        ),
        groups={"bias": Group("a_t", "pre-activations of the gates")},
    )


def _from_state(name: str, value: Value, key: str) -> Node:
    """U_r h_{t−1}, U_z h_{t−1} or U_n (r ⊙ h_{t−1})."""
    words = f"part of the {_WORDS[name]} from the state before"
    return Node(f"u_{name}", Matrix(Weight(f"weight_u{name}"), value), key, f"u_{{{name},t}}", words)


def _pre_activation(bias: bool, name: str, key: str) -> Node:
    biases = (Weight("bias_ih", name),) if bias else ()
    operation = Sum((Value("wx", block=name), Value(f"u_{name}"), *biases))
    words = f"pre-activation of the {_WORDS[name]}"
    return Node(f"a_{name}", operation, key, f"a_{{{name},t}}", words, role="pre-activation")


GRU_RESET_BEFORE = CellKind(
    "gru_reset_before",
    "reset-before GRU",
    _make,
    hue=4,
    note="The GRU as published in 2014: r acts on h_{t−1} before U_n. torch's GRU lets r act on the product, "
    "which is one large matrix for all gates and therefore quicker.",
)

"""The minimal LSTM (Feng et al. 2024, "Were RNNs all we needed?"): its gates come from x_t alone and share 1.

f = σ(W_f x + b_f)   i = σ(W_i x + b_i)   f′ = f / (f + i)   i′ = i / (f + i)   h = f′ ⊙ h_{t−1} + i′ ⊙ (W_n x + b_n)

Its step Jacobian is the diagonal of f′_t. The candidate is not squashed: neither it nor h has a range.
"""

from rnnviz.core.cells.cell import Cell, CellKind, Group, Options, from_input, parameters
from rnnviz.core.cells.node import Node, Product, Share, Sigmoid, Sum, Value, Weight

_WORDS = {"f": ("forget gate", "forget"), "i": ("input gate", "input")}


def _make(options: Options) -> Cell:
    """Forget gate f, input gate i, candidate n."""
    return Cell(
        "minlstm",
        "minLSTM",
        ("f", "i", "n"),
        parameters(options.bias, recurrent=False),
        (
            from_input(),
            _pre_activation(options.bias, "f"),
            _pre_activation(options.bias, "i"),
            _gate("f"),
            _gate("i"),
            _share("f", "i", "how much is kept"),
            _share("i", "f", "how much is written"),
            Node(
                "n",
                _affine(options.bias, "n"),
                symbol="n_t",
                words="candidate",
                explained="what is written",
                role="gate",
                family="candidate",
                settable=True,
            ),
            Node("kept", Product(Value("f_share"), Value("h", before=True)), "h", path="along f′ ⊙ h to"),
            Node("written", Product(Value("i_share"), Value("n")), "h"),
            Node(
                "h",
                Sum((Value("kept"), Value("written"))),
                symbol="h_t",
                words="hidden state",
                units="output",
                role="state",
                family="state",
                settable=True,
            ),
        ),
        groups={"bias": Group("a_t", "pre-activations of the gates")},
    )


def _affine(bias: bool, block: str) -> Sum:
    return Sum((Value("wx", block=block), *((Weight("bias_ih", block),) if bias else ())))


def _pre_activation(bias: bool, name: str) -> Node:
    words = f"pre-activation of the {_WORDS[name][0]}"
    return Node(f"a_{name}", _affine(bias, name), "bias", f"a_{{{name},t}}", words, role="pre-activation")


def _gate(name: str) -> Node:
    words, family = _WORDS[name]
    squash = Sigmoid(Value(f"a_{name}"))
    return Node(name, squash, "", f"{name}_t", words, limits=(0.0, 1.0), role="gate", family=family, settable=True)


def _share(name: str, other: str, explained: str) -> Node:
    """f′ = f / (f + i): how the two gates share what is new and what is old."""
    words, family = _WORDS[name]
    return Node(
        f"{name}_share",
        Share(Value(name), Value(other)),
        "",
        f"{name}′_t",
        f"share of the {words}",
        explained,
        "hidden",
        (0.0, 1.0),
        "gate",
        family=family,
        settable=True,
    )


MINLSTM = CellKind(
    "minlstm",
    "minLSTM",
    _make,
    hue=3,
    note="A linear recurrence whose gates do not see the state: ∂h_T/∂h_t is the product of f′ = f / (f + i), and "
    "nothing vanishes where f′ is near 1. Factors between 0 and 1 cannot flip a sign: it cannot tell parity.",
)

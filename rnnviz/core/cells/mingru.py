"""The minimal GRU (Feng et al. 2024): update gate and candidate come from x_t alone, so nothing but h is recurrent.

z = σ(W_z x + b_z)   n = W_n x + b_n   h = (1 − z) ⊙ h_{t−1} + z ⊙ n

Its step Jacobian is the diagonal of 1 − z_t. The candidate is not squashed: it has no range.
"""

from rnnviz.core.cells.cell import Cell, CellKind, Options, from_input, parameters
from rnnviz.core.cells.node import Mix, Node, Sigmoid, Sum, Value, Weight


def _make(options: Options) -> Cell:
    """Update gate z, candidate n."""

    def biases(block: str) -> tuple[Weight, ...]:
        return (Weight("bias_ih", block),) if options.bias else ()

    return Cell(
        "mingru",
        "minGRU",
        ("z", "n"),
        parameters(options.bias, recurrent=False),
        (
            from_input(),
            Node(
                "a_z",
                Sum((Value("wx", block="z"), *biases("z"))),
                "bias",
                "a_{z,t}",
                "pre-activation of the update gate",
                role="pre-activation",
            ),
            Node(
                "z",
                Sigmoid(Value("a_z")),
                "",
                "z_t",
                "update gate",
                "how much is written",
                "hidden",
                (0.0, 1.0),
                "gate",
                family="input",
                settable=True,
            ),
            Node(
                "n",
                Sum((Value("wx", block="n"), *biases("n"))),
                symbol="n_t",
                words="candidate",
                explained="what is written",
                role="gate",
                family="candidate",
                settable=True,
            ),
            Node(
                "h",
                Mix(Value("z"), Value("h", before=True), Value("n")),
                symbol="h_t",
                words="hidden state",
                units="output",
                path="along (1 − z) ⊙ h to",
                role="state",
                family="state",
                settable=True,
            ),
        ),
    )


MINGRU = CellKind(
    "mingru",
    "minGRU",
    _make,
    hue=4,
    note="A linear recurrence whose gates do not see the state: ∂h_T/∂h_t is the product of 1 − z, and nothing "
    "vanishes where z is near 0. Factors between 0 and 1 cannot flip a sign: it cannot tell parity at any length.",
)

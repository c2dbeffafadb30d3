"""The LSTM without forget gate (Hochreiter & Schmidhuber 1997): what is written into the cell state stays there.

i, o = σ(a_i), σ(a_o)   g = tanh(a_g)   c = c_{t−1} + i ⊙ g   h = o ⊙ tanh(c)

The paper squashes g to ±2 by 4σ(a) − 2 and c to ±1 by 2σ(c) − 1, which is tanh(c/2); tanh stands for both here, as in
today's LSTM. Along the cell state ∂c_t/∂c_{t−1} = 1: its constant error carousel.
"""

from rnnviz.core.cells.cell import Cell, CellKind, Options, from_input, from_state, joint_pre_activation, parameters
from rnnviz.core.cells.lstm import gates, hidden_state
from rnnviz.core.cells.node import Node, Product, Sum, Value


def _make(options: Options) -> Cell:
    """Input gate i, candidate g, output gate o."""
    return Cell(
        "lstm_1997",
        "LSTM without forget gate",
        ("i", "g", "o"),
        parameters(options.bias, biases=("ih",)),
        (
            from_input(),
            from_state(),
            joint_pre_activation(options.bias, "pre-activations of all gates", biases=("ih",)),
            *gates({gate: Value("a", block=gate) for gate in "igo"}),
            Node("written", Product(Value("i"), Value("g")), "c"),
            Node(
                "c",
                Sum((Value("c", before=True), Value("written"))),
                symbol="c_t",
                words="cell state",
                role="state",
                family="cell",
                settable=True,
                path="along the cell state, ∂L/∂c at",
            ),
            *hidden_state(projected=False),
        ),
        states=("h", "c"),
    )


LSTM_1997 = CellKind(
    "lstm_1997",
    "LSTM without forget gate",
    _make,
    hue=3,
    note="The LSTM of 1997: nothing leaves the cell state, so ∂c_t/∂c_{t−1} = 1 and no gradient vanishes along it. "
    "It cannot forget: on long streams c grows until tanh(c) saturates.",
)

"""The LSTM with peepholes (Gers & Schmidhuber 2000): each gate also sees the cell state, through a diagonal weight.

a_i and a_f see c_{t−1}, a_o sees c_t; all else as in the LSTM.
"""

from rnnviz.core.cells.cell import Cell, CellKind, Options, from_input, from_state, joint_pre_activation, parameters
from rnnviz.core.cells.lstm import LstmSettings, begin_gates, cell_state, gates, hidden_state
from rnnviz.core.cells.node import Diagonal, Node, Sum, Value, Weight


def _make(options: Options) -> Cell:
    """Input gate i, forget gate f, candidate g, output gate o; the gates look at the cell state."""
    pre = {gate: Value("a", block="g") if gate == "g" else Value(f"a_{gate}") for gate in "ifgo"}
    i, f, g, o = gates(pre)
    return Cell(
        "peephole_lstm",
        "peephole LSTM",
        ("i", "f", "g", "o"),
        parameters(options.bias, options.projected, peepholes=("i", "f", "o")),
        (
            from_input(),
            from_state(),
            joint_pre_activation(options.bias, "pre-activations of all gates"),
            *_peephole("i", before=True),
            i,
            *_peephole("f", before=True),
            f,
            g,
            *cell_state(),
            *_peephole("o", before=False),
            o,
            *hidden_state(options.projected),
        ),
        states=("h", "c"),
    )


def _peephole(gate: str, before: bool) -> tuple[Node, Node]:
    """a_i = (W_ih x + W_hh h_{t−1} + b)_i + p_i ⊙ c_{t−1}."""
    seen, words = Value("c", before), {"i": "input", "f": "forget", "o": "output"}[gate]
    key = f"a_{gate}"
    return (
        Node(
            f"seen_{gate}",
            Diagonal(Weight(f"weight_c{gate}"), seen),
            key,
            path=f"through the peephole of the {words} gate at",
        ),
        Node(
            key,
            Sum((Value("a", block=gate), Value(f"seen_{gate}"))),
            symbol=f"s_{{{gate},t}}",
            words=f"pre-activation of the {words} gate with its peephole",
            role="pre-activation",
        ),
    )


PEEPHOLE_LSTM = CellKind(
    "peephole_lstm",
    "peephole LSTM",
    _make,
    hue=3,
    projection=True,
    settings=LstmSettings,
    begin=begin_gates,
    note="An LSTM whose gates also see the cell state, each unit its own: they can act on what is stored where the "
    "output gate hides it, which helps with counting and exact delays.",
)

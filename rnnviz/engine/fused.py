"""Fused modules: which cells torch computes by a module of its own, and under which name in `torch.nn`.

Everything else is computed by `cell_module.CellModule`. Nothing here imports torch.
"""

from rnnviz.core.cells import Activation, cell_kind
from rnnviz.core.structure import Structure

# By cell and activation ("tanh" where it cannot be chosen); beside "RNN" there is "RNNCell", which takes one time step.
FUSED: dict[tuple[str, Activation], str] = {
    ("vanilla", "tanh"): "RNN",
    ("vanilla", "relu"): "RNN",
    ("lstm", "tanh"): "LSTM",
    ("gru", "tanh"): "GRU",
}
TORCH_PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")  # of one layer of these
FUSED_CELLS: dict[str, str] = {cell: name for (cell, _), name in FUSED.items()}


def fused_name(structure: Structure) -> str | None:
    """ "RNN", "LSTM" or "GRU"; None for a cell that torch lacks."""
    return FUSED.get((structure.cell, chosen_activation(structure.cell, structure.activation)))


def fused_function(structure: Structure) -> str | None:
    """ "rnn_tanh", "rnn_relu", "lstm" or "gru", what torch's own module calls; None for a cell that torch lacks."""
    name = fused_name(structure)
    if name is None:
        return None
    return f"{name.lower()}_{structure.activation}" if cell_kind(structure.cell).activations else name.lower()


def chosen_activation(cell: str, activation: Activation) -> Activation:
    """`activation` where it can be chosen, else "tanh"."""
    return activation if cell_kind(cell).activations else "tanh"


def fused_blocks() -> dict[int, str]:
    """The cells with a fused module by how many (H, ·) blocks their weights stack."""
    return {len(Structure(cell, 1, 1).equations.blocks): cell for cell in FUSED_CELLS}

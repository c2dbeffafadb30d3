"""The recurrent cells: one file each, its equations forward and backward over arrays of any number of time steps."""

from rnnviz.core.cells.cell import Backward, Cell, Forward, Hold, Weights
from rnnviz.core.cells.gru import Gru
from rnnviz.core.cells.lstm import Lstm
from rnnviz.core.cells.vanilla import Vanilla
from rnnviz.core.structure import Activation, CellName

__all__ = ["Backward", "Cell", "Forward", "Hold", "Weights", "cell_named"]


def cell_named(name: CellName, activation: Activation = "tanh") -> Cell:
    """The cell of that name; `activation` is the vanilla cell's own, the others always use tanh."""
    if name == "lstm":
        return Lstm()
    if name == "gru":
        return Gru()
    return Vanilla(activation)

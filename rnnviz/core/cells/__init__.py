"""The recurrent cells: one file each, from which all that is said of a cell follows.

A new cell is one file that ends in a `CellKind`, and its place in `CELLS`. The tests want it written by hand once more,
in `OWN_STEPS` of `tests/core/autograd_reference.py`, and its golden words, which `tests/golden/kept.py` writes.
"""

from functools import lru_cache

from rnnviz.core.cells.cell import Activation, Cell, CellKind, Gradients, Kernel, Options
from rnnviz.core.cells.cell_check import check_cell
from rnnviz.core.cells.feed_forward import MLP, TDNN
from rnnviz.core.cells.gru import GRU
from rnnviz.core.cells.gru_reset_before import GRU_RESET_BEFORE
from rnnviz.core.cells.jordan import JORDAN
from rnnviz.core.cells.lru import LRU
from rnnviz.core.cells.lstm import LSTM
from rnnviz.core.cells.lstm_1997 import LSTM_1997
from rnnviz.core.cells.mingru import MINGRU
from rnnviz.core.cells.minlstm import MINLSTM
from rnnviz.core.cells.own import OWN
from rnnviz.core.cells.peephole_lstm import PEEPHOLE_LSTM
from rnnviz.core.cells.ssm import SSM
from rnnviz.core.cells.vanilla import VANILLA
from rnnviz.core.errors import RnnvizError

__all__ = [
    "CELLS",
    "OWN",
    "Activation",
    "Cell",
    "CellKind",
    "Gradients",
    "Kernel",
    "Options",
    "cell_kind",
    "cell_kinds",
    "cell_made",
]

CELLS: dict[str, CellKind] = {
    kind.name: kind
    for kind in (
        VANILLA,
        LSTM,
        GRU,
        PEEPHOLE_LSTM,
        LSTM_1997,
        GRU_RESET_BEFORE,
        MINGRU,
        MINLSTM,
        LRU,
        SSM,
        MLP,
        TDNN,
        JORDAN,
    )
}


def cell_kinds() -> dict[str, CellKind]:
    """All that a model can be of: the cells whose equations are known, and a user's own."""
    return CELLS if OWN.name in CELLS else {**CELLS, OWN.name: OWN}


def cell_kind(name: str) -> CellKind:
    """The kind of cell called `name`; RnnvizError that names those there are."""
    kinds = cell_kinds()
    if name not in kinds:
        raise RnnvizError(f"cell: wanted one of {', '.join(kinds)}, got {name!r}")
    return kinds[name]


@lru_cache(maxsize=128)
def cell_made(name: str, options: Options) -> Cell:
    """The equations of the cell called `name`, the same value for the same options; ValueError where it is wrong."""
    cell = cell_kind(name).make(options)
    if not cell.recorded:
        check_cell(cell, options.projected)
    return cell

"""Other names: recurrent weights that are not called as torch calls them; their shapes propose torch's names."""

import re
from collections.abc import Mapping

from rnnviz.core.cells import CELLS, Options, cell_kind, cell_made
from rnnviz.core.plain_records import listed
from rnnviz.engine.checkpoints.aside import names_and_sizes
from rnnviz.engine.checkpoints.names import shown
from rnnviz.engine.checkpoints.records import StoredTensor
from rnnviz.engine.fused import FUSED_CELLS, fused_blocks

_MOST_MATRICES = 200  # compared with each other
_RECURRENT = re.compile(r"h2h|i2h|hh|hid|rnn|lstm|gru|gate|cell|recur", re.IGNORECASE)
_LAYERED = re.compile(r"(?P<prefix>(?:.*\.)?)(?P<parameter>\w+?)_l\d{1,4}(?:_reverse)?", re.DOTALL)
_GATES = {3: "r, z, n", 4: "i, f, g, o"}

Shape = tuple[int, ...]


def other_names(tensors: Mapping[str, StoredTensor]) -> str:
    """Why a file without a weight_hh_l0 cannot be used, what it holds instead, and which of it could be renamed."""
    held = names_and_sizes(tensors, tensors)
    listing = f"none of its {len(tensors):,} tensors is named like weight_hh_l0; it holds {held}."
    matrices = {name: one.shape for name, one in tensors.items() if len(one.shape) == 2 and 0 not in one.shape}
    matrices = dict(list(matrices.items())[:_MOST_MATRICES])
    return " ".join(filter(None, (listing, _pair(matrices) or _joined(matrices))))


def own_cells(tensors: Mapping[str, StoredTensor]) -> str:
    """Which of rnnviz's own cells the weights of a module are named after, where the file does not say which it is."""
    modules: dict[str, set[str]] = {}
    for name in tensors:
        if match := _LAYERED.fullmatch(name):
            modules.setdefault(match["prefix"], set()).add(match["parameter"])
    for prefix, names in modules.items():
        kinds = [kind.words for cell, kind in CELLS.items() if cell not in FUSED_CELLS and names == _parameters(cell)]
        if kinds:
            return (
                f"the weights of the module {shown(prefix)!r} are named like those of rnnviz's own {_either(kinds)}, "
                "and the file does not say its structure: wanted an export of its run, for example as .safetensors."
            )
    return ""


def _either(words: list[str]) -> str:
    *others, last = words
    return " or ".join(filter(None, (", ".join(others), last)))


def _parameters(cell: str) -> set[str]:
    return {parameter.name for parameter in cell_made(cell, Options()).parameters}


def _pair(matrices: Mapping[str, Shape]) -> str:
    """Two matrices with the rows of all gates, one of which is square block by block; or both turned over, as Keras."""
    for hh, (rows, columns) in matrices.items():
        for turned in (False, True):
            size, units = (columns, rows) if turned else (rows, columns)
            cell = fused_blocks().get(size // units) if size % units == 0 else None
            if cell is None or (turned and size == units):
                continue
            ih = next((name for name, shape in matrices.items() if name != hh and shape[turned] == size), None)
            if ih is None or not _alike(ih, hh):
                continue
            order = f", the gates in the order {_GATES[size // units]}" if size > units else ""
            turn = "transposed (.T) " if turned else ""
            return (
                f"By their shapes {shown(ih)} and {shown(hh)} fit one {cell_kind(cell).words} layer of {units} units: "
                f"save them {turn}as weight_ih_l0 and weight_hh_l0{order}, with bias_ih_l0 and bias_hh_l0."
            )
    return ""


def _alike(first: str, second: str) -> bool:
    """Whether both stand in one module."""
    return first.rpartition(".")[0] == second.rpartition(".")[0]


def _joined(matrices: Mapping[str, Shape]) -> str:
    """Matrices over [x, h] joined, of H rows each: one for a vanilla cell, one for each gate of the others."""
    by_shape: dict[Shape, list[str]] = {}
    for name, (rows, columns) in matrices.items():
        if columns > rows:
            by_shape.setdefault((rows, columns), []).append(name)
    for (units, columns), names in by_shape.items():
        cell = fused_blocks().get(len(names))
        if cell is None or not any(_RECURRENT.search(name) for name in names):
            continue
        stacked = f", one below the other in the order {_GATES[len(names)]}" if len(names) > 1 else ""
        return (
            f"By {'its shape' if len(names) == 1 else 'their shapes'} {listed([shown(name) for name in names])} could "
            f"hold weight_ih_l0 and weight_hh_l0 of one {cell_kind(cell).words} layer of {units} units side by side: "
            f"save the {columns - units} columns of the inputs and the {units} of the state apart under these names"
            f"{stacked}, "
            "with bias_ih_l0 and bias_hh_l0."
        )
    return ""

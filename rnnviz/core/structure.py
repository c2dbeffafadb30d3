"""What a recurrent module looks like: cell, sizes, depth and directions, with torch's parameter names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from rnnviz.core.cells import OWN, Activation, Cell, Options, cell_kinds, cell_made
from rnnviz.core.cells.cell import OwnParts
from rnnviz.core.cells.feed_forward import MOST_WINDOW
from rnnviz.core.cells.own import check_parts
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import read_record, refuse

__all__ = ["Activation", "LayerId", "Structure", "read_structure"]

LARGEST_SIZE = 1 << 20  # units or inputs a stranger's file may claim
MOST_LAYERS = 1000
_LAYER = re.compile(r"(?:(?P<call>\w+)\.)?l(?P<depth>[0-9]+)(?P<reverse>_reverse)?")


@dataclass(frozen=True)
class LayerId:
    """Which layer and direction, of which call on the time axis; its text is torch's suffix: l0, l0_reverse."""

    depth: int
    reverse: bool = False
    call: str = ""  # "" for the first or only call

    @property
    def text(self) -> str:
        return f"{self.call}.{self.suffix}" if self.call else self.suffix

    @property
    def suffix(self) -> str:
        """torch's, without the call."""
        return f"l{self.depth}_reverse" if self.reverse else f"l{self.depth}"

    @property
    def words(self) -> str:
        """ "layer 0", "layer 0, reverse", "decoder, layer 1"."""
        call = f"{self.call}, " if self.call else ""
        return f"{call}layer {self.depth}{', reverse' if self.reverse else ''}"

    @staticmethod
    @lru_cache(maxsize=1024)
    def read(text: str) -> "LayerId":
        """The layer of such a text; RnnvizError where it is none."""
        match = _LAYER.fullmatch(text)
        if match is None:
            raise RnnvizError(f"layer: wanted l0, l0_reverse, l1, …, got {text!r}")
        return LayerId(int(match["depth"]), match["reverse"] is not None, match["call"] or "")


@dataclass(frozen=True)
class Structure:
    """The shape of one recurrent module: an `nn.RNN`, `nn.LSTM`, `nn.GRU`, or one of a cell that torch lacks.

    `proj_size` is torch's for the LSTM: 0 means no projection, otherwise h has that many units. With a `window` the
    first layer reads the last so many inputs side by side (`sweeps.steps.window`). With `residual` every layer but the
    first adds what it reads to what it gives: y_l = h_l + y_{l−1}.
    """

    cell: str
    input_size: int
    hidden_size: int
    num_layers: int = 1
    bidirectional: bool = False
    bias: bool = True
    activation: Activation = "tanh"  # of a cell that lets it be chosen
    proj_size: int = 0
    window: int = 1
    residual: bool = False
    own: OwnParts | None = None  # of a user's own cell, once its file was run

    @property
    def equations(self) -> Cell:
        """What its cell computes."""
        return _equations(self.cell, self.bias, self.proj_size > 0, self.activation, self.own)

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """Units of h in one direction: `proj_size` where there is one, else `hidden_size`."""
        return self.proj_size or self.hidden_size

    def units(self, name: str) -> int:
        """How many units the node called `name` has in each layer."""
        return self.equations.units(self.equations.node(name), self.hidden_size, self.output_size)

    @property
    def layer_ids(self) -> tuple[LayerId, ...]:
        """In torch's order: depth by depth, the forward direction first."""
        return _layer_ids(self.num_layers, self.bidirectional)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """torch's suffixes in torch's order: l0, l0_reverse, l1, …"""
        return _layer_names(self.num_layers, self.bidirectional)

    def layer_input_size(self, name: str) -> int:
        """What the layer called `name` reads: the window of I inputs, above it all directions of the layer below."""
        first = LayerId.read(name).depth == 0
        return self.input_size * self.window if first else self.output_size * self.directions

    def parameter_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """torch's parameter names with their shapes, for example weight_hh_l0: (4H, H)."""
        return _parameter_shapes(self)


def read_structure(table: object, source: str, key: str) -> Structure:
    """The structure in a table of plain values, of a sensible size and one that its cell can have.

    Raises RnnvizError, which names the file `source` and the table `key`."""
    structure = read_record(Structure, table, source, key)
    kinds = cell_kinds()
    if structure.cell not in kinds:
        raise refuse(source, f"{key}.cell", f"one of {', '.join(kinds)}", structure.cell)
    kind = kinds[structure.cell]
    sizes = (structure.input_size, structure.hidden_size, structure.num_layers)
    if not all(1 <= size <= LARGEST_SIZE for size in sizes) or not 0 <= structure.proj_size <= LARGEST_SIZE:
        raise RnnvizError(f"{source}: {key} has sizes {sizes}; wanted 1 to {LARGEST_SIZE}.")
    if not 1 <= structure.window <= MOST_WINDOW:
        raise RnnvizError(f"{source}: {key} has a window of {structure.window}; wanted 1 to {MOST_WINDOW}.")
    if structure.num_layers > MOST_LAYERS:
        raise RnnvizError(f"{source}: {key} has {structure.num_layers} layers; wanted at most {MOST_LAYERS:,}.")
    if structure.proj_size and not kind.projection:
        raise RnnvizError(f"{source}: {key} has a proj_size, which the {kind.words} cell has not.")
    if structure.own is not None:
        _check_own(structure, source, key)
    if structure.window > 1 and not hasattr(kind.settings, "window"):
        raise RnnvizError(f"{source}: {key} has a window, which the {kind.words} cell has not.")
    return structure


def _check_own(structure: Structure, source: str, key: str) -> None:
    """That what is known of a user's own cell is of such a cell, of one layer and direction."""
    assert structure.own is not None  # the caller looked
    if structure.cell != OWN.name or len(structure.layer_ids) != 1 or structure.proj_size or structure.window != 1:
        raise RnnvizError(f"{source}: {key} has the parts of a user's own cell; wanted them of such a cell alone.")
    check_parts(structure.own, structure.hidden_size, f"{source}: {key}.own")


@lru_cache(maxsize=128)
def _layer_ids(depths: int, both_ways: bool) -> tuple[LayerId, ...]:
    directions = (False, True) if both_ways else (False,)
    return tuple(LayerId(depth, reverse) for depth in range(depths) for reverse in directions)


@lru_cache(maxsize=128)
def _layer_names(depths: int, both_ways: bool) -> tuple[str, ...]:
    return tuple(layer.text for layer in _layer_ids(depths, both_ways))


@lru_cache(maxsize=128)
def _parameter_shapes(structure: Structure) -> Mapping[str, tuple[int, ...]]:
    cell = structure.equations
    return MappingProxyType(
        {
            f"{parameter.name}_{name}": parameter.shape(
                len(cell.blocks), structure.hidden_size, structure.output_size, structure.layer_input_size(name)
            )
            for name in structure.layer_names
            for parameter in cell.parameters
        }
    )


@lru_cache(maxsize=128)
def _equations(cell: str, bias: bool, projected: bool, activation: Activation, own: OwnParts | None) -> Cell:
    return cell_made(cell, Options(bias, projected, activation, own))

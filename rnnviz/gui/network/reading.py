"""Reading: what the pictures of the network take from a trace: norms, strips, and how large a gradient looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import Mix, Node, Product
from rnnviz.core.equations.ways import ways_back
from rnnviz.core.equations.writing import Writing
from rnnviz.core.magnitude import l2, log10
from rnnviz.core.network import Network
from rnnviz.core.numbers import short
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import Trace
from rnnviz.core.sweeps.verdicts.underflow import held
from rnnviz.debugger.updating import UpdateShown, updated_parameters
from rnnviz.gui.canvas.items.chain import VANISHED
from rnnviz.gui.canvas.items.heat_map import indices, packed, shrunk
from rnnviz.gui.canvas.lanes.shown import Shown, ShownModel, level
from rnnviz.gui.look.color_maps import bent
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.network.drawing import Strip

_PIECES = (64, 32, 16)  # of a strip: of more units each shows the value of largest modulus of its group
LOST = " *"  # behind a number that float32 has lost

_MOST_REMEMBERED = 2000

Found = TypeVar("Found")
Read = Callable[[Layer], Array]  # (S, U) of the layer looked at, of one sequence


@dataclass(frozen=True, eq=False)
class Look:
    """What a picture is drawn of, and in which colours."""

    shown: Shown
    model: int  # index of the model stepped through, among those shown
    unit: int  # 0-based; below 0: none
    lit: str = ""  # the parameter whose places are lit up, "" for none
    updates: Mapping[int, UpdateShown | None] = field(default_factory=dict)  # by the model's number, in that phase
    memory: dict[Any, Any] = field(default_factory=dict)  # what was read of these traces for the drawings before

    @property
    def theme(self) -> Theme:
        return self.shown.theme

    @cached_property
    def time_step(self) -> int:
        return self.shown.sweep.time_step

    @property
    def backward(self) -> bool:
        return self.shown.sweep.backward

    def color(self, token: str, alpha: float = 1.0) -> QColor:
        return self.once(("color", token, alpha), lambda: self.theme.color(token, alpha))

    def once(self, key: tuple[object, ...], make: Callable[[], Found]) -> Found:
        """What `make` finds, remembered for the drawings that follow of the same traces."""
        if key not in self.memory:
            if len(self.memory) > _MOST_REMEMBERED:
                self.memory.clear()
            self.memory[key] = make()
        found: Found = self.memory[key]
        return found

    @property
    def _magnitudes(self) -> Array:
        return self.once(("magnitudes",), lambda: packed(self.theme.magnitude_map(), self.theme))

    def size_of(self, value: float) -> float:
        """0 for what has vanished, 1 for the largest gradient of all models; NaN and ∞ are large."""
        if not np.isfinite(value):
            return 1.0
        log, highest = float(log10(np.asarray(value))), max(self.shown.highest_gradient, VANISHED + 1)
        return min(max((log - VANISHED) / (highest - VANISHED), 0.0), 1.0)

    def gradient_color(self, value: float) -> QColor:
        """The colour of a gradient's norm, as in the lanes."""
        place = self.size_of(value) if not np.isnan(value) else float("nan")
        return QColor.fromRgb(int(self._magnitudes[indices(np.asarray([place]), 0.0, 1.0)[0]]))

    def strips(self, values: Array, low: float, high: float, table: Array, knee: float = 0.0) -> "Strips":
        return Strips(values, low, high, packed(table, self.theme), knee)

    def state_strips(self, node: Node, values: Array) -> "Strips":
        """A state between the levels it has in the lanes."""
        high, knee = self.shown.state_level(node.name), self.shown.state_knee(node.name)
        return self.strips(values, -high, high, self.theme.signed_map(), knee)

    def node_strips(self, node: Node, values: Array) -> "Strips":
        """Any node: gates in the colour of their family, all others signed."""
        if node.role == "gate" and node.limits == (0.0, 1.0):
            return self.strips(values, 0.0, 1.0, self.theme.gate_map(node.family))
        if node.role == "state":
            return self.state_strips(node, values)
        return self.strips(values, -1.0, 1.0, self.theme.signed_map()) if node.limits else self.own_strips(values)

    def own_strips(self, values: Array) -> "Strips":
        """Values of no range of their own, between a round number that holds them all."""
        high = level([values])
        return self.strips(values, -high, high, self.theme.signed_map())

    def gradient_strips(self, values: Array) -> "Strips":
        """Signed gradients, each row between its own largest: how large they are a number says."""
        with np.errstate(invalid="ignore", divide="ignore"):
            largest = np.nanmax(np.abs(np.where(np.isfinite(values), values, np.nan)), axis=1, initial=0.0)
            scaled = values / np.where(largest > 0, largest, 1.0)[:, None]
        return self.strips(scaled, -1.0, 1.0, self.theme.signed_map())


class Strips:
    """Rows of values (S, U) as rows of colours; a row of many units in groups."""

    def __init__(self, values: Array, low: float, high: float, table: Array, knee: float) -> None:
        self._all, self._low, self._high, self._table, self._knee = values, low, high, table, knee
        self._made: tuple[int, Array, Array] | None = None  # pieces, values, pixels

    def strip(self, key: str, row: int, rect: QRectF) -> Strip:
        """One row as a mark."""
        values, all_pixels = self._rows(pieces(self._all.shape[1], rect.width()))
        pixels = all_pixels[row]
        image = QImage(pixels.data, pixels.size, 1, 4 * pixels.size, QImage.Format.Format_RGB32)
        return Strip(key, rect, image, pixels, values[row])

    def _rows(self, count: int) -> tuple[Array, Array]:
        if self._made is None or self._made[0] != count:
            values = shrunk(self._all, count, 1, signed=True)
            placed = (
                indices(bent(values, self._high, self._knee), -1.0, 1.0)
                if self._knee
                else indices(values, self._low, self._high)
            )
            self._made = count, values, np.ascontiguousarray(self._table[placed])
        return self._made[1:]


def pieces(units: int, width: float) -> int:
    """Of how many pieces a strip of so many pixels is."""
    return units if units <= min(width, _PIECES[0]) else next((one for one in _PIECES if one <= width), _PIECES[-1])


def grouped(units: int, width: float) -> str:
    """ "512 in 64" where a strip shows groups of units."""
    count = pieces(units, width)
    return f"{units:,} in {count}" if count < units else ""


# norms


def norms(trace: Trace, layer: str, read: Read) -> tuple[Array, Array]:
    """(S,) float64 norms of what `read` finds, exact where float32 has lost them, and where it has."""
    kept = l2(read(trace.layer(layer)))
    if not trace.underflows:
        return kept, np.zeros(kept.shape, bool)
    return held(kept, l2(read(trace.exact.layer(layer))))


def magnitudes(trace: Trace, layer: str, read: Read) -> tuple[Array, Array]:
    """The same of numbers that are norms already."""
    kept = read(trace.layer(layer)).astype(np.float64)
    if not trace.underflows:
        return kept, np.zeros(kept.shape, bool)
    return held(kept, read(trace.exact.layer(layer)).astype(np.float64))


def written(value: float, lost: bool = False) -> str:
    """A number of the trace, as everywhere; marked where float32 has lost it."""
    return short(float(value)) + (LOST if lost and value > 0 else "")


# what of a state goes on


@dataclass(frozen=True)
class Factor:
    """A gate by which a value is multiplied where it is read, and its gradient on the way back: f, z, 1 − z."""

    use: Use
    symbol: str
    family: str  # of the gate

    def mean(self, layer: Layer, t: int) -> float:
        """The mean over the units at time step `t` (0-based)."""
        slope = layer.slopes.of(self.use)
        assert slope is not None  # a product or a mix
        return float(np.mean(slope[t, 0], dtype=np.float64))


def keeping(layer: Layer, state: str) -> Factor | None:
    """How a state is kept; None where it is not carried along by a gate."""
    cell = layer.equations
    uses = [use for way in ways_back(cell) if way.state == state and way.kind == "along" for use in way.uses]
    kept = (factor(cell, use) for use in uses if cell.goes_into(use.node, state))
    return next((found for found in kept if found is not None), None)


@lru_cache(maxsize=256)
def factor(cell: Cell, use: Use) -> Factor | None:
    """The gate that multiplies what is read; None where no gate alone does."""
    piece = Writing(cell).slope(use) if isinstance(use.node.operation, Product | Mix) else None
    if piece is None or len(piece.terms) != 1:
        return None
    gate = cell.by_name.get(piece.terms[0].of)
    if gate is None or gate.role != "gate" or gate.limits != (0.0, 1.0) or gate.name == use.node.name:
        return None
    return Factor(use, piece.template.format(piece.terms[0].symbol).replace("_t", "").strip("()"), gate.family)


def update_of(look: Look, model: ShownModel, parameter: str, name: str) -> Array | None:
    """What the update at the cursor makes of a parameter, by torch's name without the layer: "delta", …; None: it is
    not known, or the cursor stands elsewhere."""
    shown, own = look.updates.get(model.number), parameter_of(model, parameter)
    return shown.find(own, name) if shown is not None and own else None


def parameter_of(model: ShownModel, parameter: str) -> str:
    """A parameter of the layer looked at, by torch's name without the layer, as the update names it; "": none."""
    if model.sequence is None or parameter.startswith("head."):
        return parameter if model.sequence is not None else ""
    named = model.structure.equations.parameter_named
    symbol = named[parameter].symbol if parameter in named else ""
    having = updated_parameters(model.sequence)
    return next((one.name for one in having if one.layer == model.layer_name and one.symbol == symbol), "")


# words


def weights_of(structure: Structure, trace: Trace) -> list[tuple[str, str]]:
    """torch's names without the layer and the symbols of a model's matrices, the head's last."""
    found = [(one.name, one.symbol) for one in structure.equations.parameters if one.columns]
    return found + ([("head.weight", "W_{ho}")] if trace.head is not None and trace.head.kind.weighs else [])


def at(symbol: str, time_step: int, reverse: bool = False) -> str:
    """A symbol with its time step: h_{51} for h_t, f_{i,51}; h_{50} for h_{t−1}, in a reverse layer h_{52}."""
    later, earlier = (time_step - 1, time_step + 1) if reverse else (time_step + 1, time_step - 1)
    found = symbol.replace("t−1", f"{earlier}").replace("t+1", f"{later}")
    return found.replace(",t}", f",{time_step}}}").replace("_t", f"_{{{time_step}}}").replace("{t}", f"{{{time_step}}}")


def cell_words(model: ShownModel) -> str:
    """What cell a model has, beside its name; empty where the name says it."""
    words = model.structure.equations.words
    return "" if words.casefold() == model.name.casefold() else words


def layer_words(network: Network, name: str) -> str:
    """ "layer 1 of 2", "" where there is only one; with several stages "decoder", "encoder, layer 1 of 2, reverse"."""
    stage, one = network.stage(name), LayerId.read(name)
    deep = stage.structure.num_layers > 1 or (len(stage.layer_ids) > 1 and not network.several)
    words = [stage.words] if network.several else []
    words += [f"layer {one.depth} of {stage.structure.num_layers}"] if deep else []
    return ", ".join([*words, *(["reverse"] if one.reverse else [])])

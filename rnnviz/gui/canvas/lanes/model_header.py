"""The header of a model: name, layer, and its unrolled chain."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF

from rnnviz.core.structure import LayerId
from rnnviz.gui.canvas.items.chain import Chain, Sweep
from rnnviz.gui.canvas.items.magnitude_legend import MagnitudeLegend
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer, each_model
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown, ShownModel
from rnnviz.gui.look.columns import SCALE_COLUMN


class ModelHeaderLane(Lane):
    """One cell for each time step. A press on the label of a model with several layers shows the next layer."""

    heights = Heights(32, 36, 40, compact=23, gap=10)
    over_cursor = True
    offers_layers = True

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        entry = slot.shown_model(shown)
        super().__init__(shown, slot, entry.name, model=entry)
        self.layer_names = entry.network.layer_names
        self.layer_name = entry.layer_name
        leftwards = LayerId.read(entry.layer_name).reverse
        symbol = entry.structure.equations.followed_symbol
        self.chain = Chain(shown.theme, entry.color, leftwards=leftwards, joined=entry.carries, symbol=symbol)
        self.legend = MagnitudeLegend(shown.theme)
        self.items += [self.chain, self.legend]

    def show(self, shown: Shown) -> None:
        entry = self.shown_model(shown)
        self.layer_name = entry.layer_name
        self.chain.leftwards = LayerId.read(entry.layer_name).reverse
        cells = np.flatnonzero(entry.there) + 1
        self.chain.set_cells(range(int(cells[0]), int(cells[-1]) + 1) if cells.size else range(1, entry.time_steps + 1))
        self.chain.set_magnitudes(entry.log_gradient, shown.highest_gradient, entry.lost_gradient)
        self.chain.set_cuts(shown.cuts)
        self.legend.set_highest(shown.highest_gradient)
        words = "unrolled" if entry.carries else "no state"
        if entry.carries and shown.longest == 1:
            words = "one time step"
        if entry.structure.window > 1:
            words = f"window {entry.structure.window}"
        words = words if len(self.layer_names) == 1 else f"{row_words(entry)} ▾"
        self.label.set_text(entry.name, words)
        if entry.network.several:
            self.label.words = f"{entry.name}: {', then '.join(map(entry.network.words, names_of(entry)))}"
        if not entry.carries:
            reads = f"each cell reads the last {entry.structure.window} inputs" if entry.structure.window > 1 else ""
            nothing = "nothing is carried from one time step to the next"
            self.label.words = f"{entry.name}: {', and '.join(filter(None, (reads, nothing)))}"

    def name_axes(self, shown: Shown) -> None:
        self.label.set_text(self.label.title, self.label.subtitle.removesuffix(" ▾"))

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*self.shown_model(shown).rests, *super().rests(shown))

    def move_cursor(self, sweep: Sweep) -> None:
        self.chain.set_sweep(sweep)
        self.legend.setVisible(sweep.backward and self.model == 0)

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.chain.place(plot, axis)
        self.legend.place(QRectF(plot.right(), plot.top(), SCALE_COLUMN, plot.height()), axis)


def names_of(model: ShownModel) -> tuple[str, ...]:
    """The layers of its row."""
    return tuple(layer.name for layer in model.row) or (model.layer_name,)


def row_words(model: ShownModel) -> str:
    """ "layer 1", of an encoder and a decoder with one layer each "encoder, decoder", else "layer 1 of both"."""
    network, names = model.network, names_of(model)
    if not network.several:
        return LayerId.read(model.layer_name).words
    if len(names) == 1:
        return network.words(names[0])
    if len(network.layer_names) == len(names):
        return ", ".join(network.stage(name).words for name in names)
    return f"{LayerId.read(names[0]).words} of {'both' if len(names) == 2 else 'all'}"


CHAIN = LaneKind(lambda _: [Offer("chain", "Unrolled cells", True, ModelHeaderLane)], each_model)

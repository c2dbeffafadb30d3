"""The attention of a model: how much its decoder looks at each time step of the encoder."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF

from rnnviz.gui.canvas.items.attention_map import AttentionMap
from rnnviz.gui.canvas.items.chain import Sweep
from rnnviz.gui.canvas.items.color_bar import ColorBar
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown, round_up
from rnnviz.gui.look import color_maps
from rnnviz.gui.look.columns import SCALE_COLUMN


class AttentionLane(Lane):
    """A heat map in the model's colour: decoder time steps along the axis, encoder time steps from top to bottom."""

    heights = Heights(72, 150, 420, compact=44)
    over_cursor = True

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "attention", "α over the encoder")
        self.table = color_maps.between(shown.theme.panel, slot.shown_model(shown).color.name())
        self.map = AttentionMap(shown.theme)
        self.bar = ColorBar(shown.theme, self.table)
        self.items += [self.map, self.bar]
        self.label.words = "attention weights α[k, s]: rows are the encoder's time steps s, columns the decoder's k"

    def show(self, shown: Shown) -> None:
        found = self.shown_model(shown).looking_back
        if found is None:
            return
        all_weights = [one.looking_back.weights for one in shown.models if one.looking_back is not None]
        largest = max((float(np.nanmax(one, initial=0.0)) for one in all_weights), default=1.0)
        high = min(round_up(largest), 1.0) if largest > 0 else 1.0
        letters = shown.letters[self.model or 0]
        names = letters.symbols if letters is not None else ()
        self.map.set_weights(found.weights, found.later.start + 1, found.earlier.start + 1, names, high, self.table)
        self.bar.set_range(0.0, high)

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*self.shown_model(shown).head_rests, *super().rests(shown))

    def move_cursor(self, sweep: Sweep) -> None:
        self.map.set_cursor(sweep.time_step)

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.map.place(plot, axis)
        self.bar.place(QRectF(plot.right(), plot.top(), SCALE_COLUMN, plot.height()), axis)


def _offers(shown: Shown) -> Sequence[Offer]:
    if all(model.looking_back is None for model in shown.models):
        return []
    return [Offer("attention", "Attention weights", True, AttentionLane, folds=3)]


def _slots(shown: Shown, on: Sequence[Offer]) -> Sequence[LaneSlot]:
    """Of the models that have attention."""
    having = [number for number, model in enumerate(shown.models) if model.looking_back is not None]
    return [offer.slot(number) for number in having for offer in on]


ATTENTION = LaneKind(_offers, _slots)

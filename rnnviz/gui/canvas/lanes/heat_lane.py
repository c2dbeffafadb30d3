"""The base of the lanes that show one value for each unit and time step."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import tick
from rnnviz.gui.canvas.items.color_bar import ColorBar
from rnnviz.gui.canvas.items.heat_map import HeatMap
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown, ShownModel, round_up
from rnnviz.gui.look.columns import SCALE_COLUMN


class HeatLane(Lane):
    """A heat map with its colour bar; levels are shared by all models. In a lane of a model each row is a unit."""

    heights = Heights(40, 79, 240, compact=20)

    def __init__(
        self,
        shown: Shown,
        slot: LaneSlot,
        title: str,
        symbol: str,
        table: Array,
        row_names: tuple[str, ...] = (),
    ) -> None:
        super().__init__(shown, slot, title, symbol)
        self.symbol = symbol
        if slot.model is not None and shown.models[slot.model].base is not None:
            table = shown.theme.signed_map()
        self.table = table
        self.map = HeatMap(shown.theme, symbol, row_names)
        self.bar = ColorBar(shown.theme, table)
        self.items += [self.map, self.bar]

    def set_units(
        self, entry: ShownModel, values: Array, low: float, high: float, subtitle: str, knee: float = 0.0
    ) -> None:
        """As `set_values`; a difference has a range of its own, to the round number above the largest."""
        if entry.base is None:
            self.set_values(values, low, high, subtitle, knee, entry.there)
            return
        largest = round_up(float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0)
        self.set_values(values, -largest, largest, f"Δ{self.symbol}, change", there=entry.there)

    def set_values(
        self, values: Array, low: float, high: float, subtitle: str, knee: float = 0.0, there: Array | None = None
    ) -> None:
        """New `values` (T, U) between the levels; what has no place there is counted in the label, of the time steps
        that are `there` (T,), all unless it is said.

        With a `knee` (see `HeatMap.set_values`) label and colour bar say that the scale is logarithmic.
        """
        self.map.set_values(values, low, high, self.table, knee)
        self.bar.set_range(low, high, log=knee > 0)
        subtitle = f"{self.symbol}, log beyond ±{tick(knee)}" if knee else subtitle
        counted = values if there is None or len(there) != len(values) else values[there]
        odd = {words: int(np.count_nonzero(which)) for words, which in self.odd(counted).items()}
        note = ", ".join(f"{count} of {counted.size} {words}" for words, count in odd.items() if count)
        self.label.set_text(self.label.title, subtitle, note)

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return super().rests(shown) if self.model is None else (*self.shown_model(shown).rests, *super().rests(shown))

    def odd(self, values: Array) -> dict[str, Array]:
        """(T, U) bool: which of its values have no place between the levels, by what they are."""
        return {"not finite": ~np.isfinite(values)}

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.map.place(plot, axis)
        self.bar.place(QRectF(plot.right(), plot.top(), SCALE_COLUMN, plot.height()), axis)

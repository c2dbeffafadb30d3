"""The input of a task that reads pictures."""

from collections.abc import Iterator, Sequence

import numpy as np
from PySide6.QtCore import QRectF

from rnnviz.gui.canvas.items.pictures import Pictures
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown


class InputPictureLane(Lane):
    """The picture itself; where every model has a convolution before it, what that of the last one found."""

    heights = Heights(56, 84, 140, compact=48, gap=10)
    over_cursor = True

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Input", "picture")
        self.pictures = Pictures(shown.theme)
        self.items.append(self.pictures)

    def show(self, shown: Shown) -> None:
        tiles = shown.pictures
        self.pictures.set_tiles(tiles)
        if tiles is None:
            return
        found = f"{tiles.count} maps of {tiles.rows} × {tiles.columns}"
        self.label.set_text("Input", found if tiles.count > 1 else f"{tiles.rows} × {tiles.columns} pixels")

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*_unread(shown), *super().rests(shown))

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.pictures.place(plot, axis)


def _unread(shown: Shown) -> Iterator[Rest]:
    """Behind the last picture."""
    tiles = shown.pictures
    read = np.flatnonzero(tiles.there) if tiles is not None else np.zeros(0, int)
    if read.size and read[-1] + 1 < shown.time_steps:
        last = int(read[-1]) + 1
        yield Rest(last + 1, shown.time_steps, f"nothing is read after t = {last:,}: the input is 0")

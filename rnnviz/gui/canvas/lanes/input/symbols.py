"""The input of a task whose time steps are symbols."""

import numpy as np
from PySide6.QtCore import QRectF

from rnnviz.gui.canvas.items.chain import Sweep
from rnnviz.gui.canvas.items.symbols import Symbols
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.shown import Shown


class InputSymbolsLane(Lane):
    """One symbol a time step, read back from the one-hot columns."""

    heights = Heights(22, 24, 26, compact=22, gap=10)
    over_cursor = True

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Input")
        self.symbols = Symbols(shown.theme, shown.task.marked_symbols if shown.task is not None else ())
        self.items.append(self.symbols)

    def show(self, shown: Shown) -> None:
        labels = shown.task.input_labels if shown.task is not None else ()
        picked = np.argmax(shown.inputs, axis=1) if shown.inputs.size else []
        self.symbols.set_symbols([labels[k] if k < len(labels) else "?" for k in picked])

    def move_cursor(self, sweep: Sweep) -> None:
        self.symbols.set_cursor(sweep.time_step)

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.symbols.place(plot, axis)

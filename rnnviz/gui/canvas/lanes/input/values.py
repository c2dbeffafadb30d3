"""The input of a task whose time steps are one number each: a curve in the units of the data."""

import numpy as np

from rnnviz.gui.canvas.items.curve_plot import Curve
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.data_units import column_name, undone
from rnnviz.gui.canvas.lanes.lane import Heights, LaneSlot
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.canvas.lanes.value_axes import linear


class InputValuesLane(CurveLane):
    """One column. A column of zeros and ones beside it is a marker: its ones become dots on the curve."""

    heights = Heights(38, 58, 110, compact=32, gap=10)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Input", "")

    def show(self, shown: Shown) -> None:
        task, count = shown.task, shown.inputs.shape[1]
        if task is None or not shown.inputs.size:
            return
        columns = [undone(shown.inputs[:, k], task.input_scales, k) for k in range(count)]
        names = [column_name(task.input_labels, k) for k in range(count)]
        markers = [k for k in range(count) if shown.is_marker(k)]
        drawn = next((k for k in range(count) if k not in markers), 0)
        dots = np.any([columns[k] > 0.5 for k in markers], axis=0) if markers else None
        words = names[drawn]
        if markers:
            words += ", dots: " + ", ".join(names[k] for k in markers)
        self.label.set_text("Input", words)
        self.tips = list(zip(names, columns, strict=True))
        self.plot.set_curves(
            [Curve(columns[drawn], self.theme.color("text", 0.8), "", 1.4, dots=dots)], linear([columns[drawn]])
        )

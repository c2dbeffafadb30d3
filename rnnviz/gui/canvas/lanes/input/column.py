"""One column of an input that has several: its own curve on its own axis, because units differ."""

from rnnviz.gui.canvas.items.curve_plot import Curve
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.data_units import column_name, undone
from rnnviz.gui.canvas.lanes.lane import Heights, LaneSlot
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.canvas.lanes.value_axes import linear


class InputColumnLane(CurveLane):
    """The column's name is the label; values are in the units of the data."""

    heights = Heights(33, 46, 90, compact=24, gap=5)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "", "input")
        assert slot.column is not None, "input: wanted the column of a lane of one column"
        self._column = slot.column

    def show(self, shown: Shown) -> None:
        task = shown.task
        if task is None or self._column >= shown.inputs.shape[1]:
            return
        name = column_name(task.input_labels, self._column)
        values = undone(shown.inputs[:, self._column], task.input_scales, self._column)
        self.label.set_text(name, "input")
        self.tips = [(name, values)]
        self.plot.set_curves([Curve(values, self.theme.color("text", 0.8), "", 1.4)], linear([values]))

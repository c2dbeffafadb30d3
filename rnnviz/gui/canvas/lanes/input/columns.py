"""An input of many columns: a heat map of what the network reads, one row for each column."""

from PySide6.QtCore import QPointF

from rnnviz.core.numbers import short
from rnnviz.gui.canvas.lanes.data_units import column_name, undone
from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.lane import Heights, LaneSlot
from rnnviz.gui.canvas.lanes.shown import Shown, level


class InputColumnsLane(HeatLane):
    """Rows are scaled as the network reads them, so that one colour bar fits all; the tooltip undoes the scaling."""

    heights = Heights(40, 72, 200, compact=28, gap=10)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Input", "x", shown.theme.signed_map())
        self._shown = shown

    def show(self, shown: Shown) -> None:
        self._shown = shown
        count = shown.inputs.shape[1]
        high = level([shown.inputs])
        self.map.row_names = tuple(column_name(shown.task.input_labels if shown.task else (), k) for k in range(count))
        self.set_values(shown.inputs, -high, high, f"{count} columns")

    def tip(self, point: QPointF) -> str:
        task, inputs = self._shown.task, self._shown.inputs
        if task is None or not task.input_scales or not self.map.rect.contains(point) or not inputs.size:
            return super().tip(point)
        t = min(self.map.axis.time_step_at(point.x()), len(inputs))
        row = self.map.row_at(point.y())
        value = float(undone(inputs[:, row], task.input_scales, row)[t - 1])
        return f"t = {t}, {self.map.row_names[row]}: {short(value)}"

"""The cell state c_t of one LSTM."""

from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.shown import Shown


class CellStateLane(HeatLane):
    """c after each time step; it is not held by ±1, so its level grows with the largest of all models."""

    def __init__(self, shown: Shown, model: int) -> None:
        super().__init__(shown, "cell", "cell state", "c", model, shown.theme.signed_map())

    def show(self, shown: Shown) -> None:
        model = self.shown_model(shown)
        self.set_units(model, model.cell, -shown.cell_level, shown.cell_level, "c")

"""The hidden state h_t of one model."""

from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.shown import Shown


class HiddenStateLane(HeatLane):
    """h after each time step, one row for each unit."""

    def __init__(self, shown: Shown, model: int) -> None:
        super().__init__(shown, "hidden", "hidden state", "h", model, shown.theme.signed_map())

    def show(self, shown: Shown) -> None:
        model = self.shown_model(shown)
        words = f"h, {model.structure.output_size} units"
        self.set_units(model, model.hidden, -shown.hidden_level, shown.hidden_level, words)

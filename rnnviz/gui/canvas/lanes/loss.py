"""The loss L_t of each time step, of all models."""

from rnnviz.gui.canvas.items.curve_plot import Curve
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.canvas.lanes.value_axes import linear


class LossLane(CurveLane):
    """L_t with the loss's own reduction included, so that the curve sums to L; gaps where nothing is asked."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(shown, "loss", "Loss", "Lₜ")

    def show(self, shown: Shown) -> None:
        curves = [
            Curve(model.losses, model.color, model.name, present=shown.asked)
            for model in shown.models
            if model.losses.size
        ]
        self.tips = [(curve.name, curve.values) for curve in curves]
        self.plot.set_curves(curves, linear([curve.values[shown.asked] for curve in curves], include=0.0))

"""The loss L_t of each time step, of all models."""

from collections.abc import Sequence

from rnnviz.gui.canvas.items.curve_plot import Curve
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.lane import LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.canvas.lanes.value_axes import linear


class LossLane(CurveLane):
    """L_t with the loss's own reduction included, so that the curve sums to L; gaps where nothing is asked."""

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Loss", _part(shown))

    def show(self, shown: Shown) -> None:
        self.label.set_text("Loss", _part(shown))
        curves = [
            Curve(model.losses, model.color, model.name, present=shown.asked)
            for model in shown.models
            if model.losses.size
        ]
        self.tips = [(curve.name, curve.values) for curve in curves]
        self.present = dict.fromkeys((curve.name for curve in curves), shown.asked)
        self.plot.set_curves(curves, linear([curve.values[shown.asked] for curve in curves], include=0.0))


def _part(shown: Shown) -> str:
    """ "Lₜ ÷ 4 sequences": the curve of a sequence is its part in the mean over the batch."""
    divided = next((words for model in shown.models if (words := model.divided_by)), "")
    return f"Lₜ, ÷ {divided}" if divided else "Lₜ"


def _offers(shown: Shown) -> Sequence[Offer]:
    if shown.task is None or shown.task.output_kind == "none":
        return []
    return [Offer("loss", "Loss of each time step", "room" if shown.asked_often else False, LossLane, room=0.15)]


LOSS = LaneKind(_offers)

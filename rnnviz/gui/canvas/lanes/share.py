"""What each time step adds to the weight gradient, ‖(∂L/∂W_hh)|_t‖_F of all models, as log₁₀."""

from collections.abc import Sequence

from rnnviz.core.quantity import flat
from rnnviz.gui.canvas.items.curve_plot import Curve
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.lane import Heights, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.canvas.lanes.value_axes import logarithmic, magnitude_words


class ShareLane(CurveLane):
    """The shares of the recurrent weight, else of that of the input, of the sequence that is shown."""

    heights = Heights(70, 110, 240, compact=54, gap=10)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        symbols = dict.fromkeys(model.structure.equations.leading_matrix.symbol for model in shown.models)
        super().__init__(shown, slot, "Shares", f"of t in ∂L/∂{', '.join(map(flat, symbols))}")
        self.tip_words = magnitude_words

    def show(self, shown: Shown) -> None:
        curves = list[Curve]()
        self.tips, self.present = [], {}
        for model in shown.models:
            if model.log_share.size:
                curves += self.magnitudes(model, model.name, model.log_share, model.lost_share)
        self.plot.set_curves(curves, logarithmic([curve.values for curve in curves]))

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*super().rests(shown), *shown.kept_away)


SHARE = LaneKind(lambda _: [Offer("share", "Weight-gradient shares", False, ShareLane)])

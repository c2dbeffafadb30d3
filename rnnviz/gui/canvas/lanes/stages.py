"""The stages of an encoder–decoder as stretches of the time axis, with their names and the hand-over."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF

from rnnviz.gui.canvas.items.stage_names import StageNames
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer
from rnnviz.gui.canvas.lanes.shown import Shown


class StagesLane(Lane):
    """One axis of several stretches."""

    heights = Heights(16, 16, 16, compact=16, gap=2)
    over_cursor = True

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "")
        self.names = StageNames(shown.theme)
        self.items.append(self.names)

    def show(self, shown: Shown) -> None:
        self.names.set_stages(shown.stages)

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.names.place(plot, axis)


def _offers(shown: Shown) -> Sequence[Offer]:
    return [Offer("stages", "Stages", True, StagesLane)] if shown.stages else []


STAGES = LaneKind(_offers, always=True)

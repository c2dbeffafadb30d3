"""The numbers of the time steps, below the input; beside them, how many lanes there is no room for."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF

from rnnviz.gui.canvas.items.chain import Sweep
from rnnviz.gui.canvas.items.ruler import Ruler
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer
from rnnviz.gui.canvas.lanes.shown import Shown


class RulerLane(Lane):
    """Always shown: without it no other lane says when. A press on its label offers the lanes while some are folded."""

    heights = Heights(16, 16, 16, compact=16, gap=2)
    over_cursor = True

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "")
        self.ruler, self._window = Ruler(shown.theme), ""
        self.items.append(self.ruler)

    def show(self, shown: Shown) -> None:
        # the names belong to the first probe sequence
        first = shown.sample == 0 and shown.kind == "probe"
        names = shown.task.time_labels if shown.task is not None and first else ()
        self.ruler.set_names(names)
        self.ruler.set_window(*shown.window)
        older, new = map(len, shown.window)
        self._window = f"{older} older, {new} new" if new else ""

    def show_folded(self, lanes: int, names: Sequence[str]) -> None:
        """Says how many lanes have no room, and in the tooltip which."""
        self.offers_lanes = lanes > 0
        count = f"{lanes} lane{'s' if lanes != 1 else ''} folded"
        self.label.set_text("", f"{count} ▾" if lanes else self._window)
        self.label.token = "accent" if lanes else "muted"
        listed = ", ".join(names)
        self.label.words = f"{count}: make the window higher, or choose lanes\n{listed}" if lanes else ""

    def name_axes(self, shown: Shown) -> None:
        self.label.set_text("", self._window or ("time" if self.ruler.named else "time step t"))

    def move_cursor(self, sweep: Sweep) -> None:
        self.ruler.set_cursor(sweep.time_step)

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.ruler.place(plot, axis)


RULER = LaneKind(lambda _: [Offer("ruler", "Time steps", True, RulerLane)], always=True)

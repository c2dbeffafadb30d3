"""The base of all lanes: a label at the left, items in the plot column, and how much height they want."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from rnnviz.core.cells.node import Node
from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.canvas.items.chain import Sweep
from rnnviz.gui.canvas.items.lane_label import LaneLabel
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown, ShownModel
from rnnviz.gui.look.columns import LABEL_COLUMN


@dataclass(frozen=True)
class Heights:
    """Pixels a lane needs, likes, and can use at most; `gap` is left free above it.

    `compact` is what it comes down to, with half the gap, where not all lanes can be seen otherwise; 0: its minimum.
    """

    minimum: float
    preferred: float
    maximum: float
    gap: float = 6.0
    compact: float = 0.0

    @property
    def squeezed(self) -> "Heights":
        """The same where lanes are compact."""
        return replace(self, minimum=self.compact or self.minimum, gap=self.gap // 2)


@dataclass(frozen=True)
class LaneSlot:
    """One place in the stack: `lane` draws it; `model` is an index into `Shown.models`, None for what all models share.

    `column` is the input or output column it shows, None where it shows them all; `node` the node of the model's cell.
    """

    key: str
    lane: "type[Lane]"
    model: int | None = None
    column: int | None = None
    node: str = ""

    def shown_model(self, shown: Shown) -> ShownModel:
        """The model it belongs to."""
        assert self.model is not None, f"{self.key}: wanted a lane of a model, got one that all models share"
        return shown.models[self.model]

    def shown_node(self, shown: Shown) -> Node:
        """The node of its model's cell."""
        return self.shown_model(shown).structure.equations.node(self.node)


class Lane:
    """One row of the stack. Subclasses make their items once and only replace data in `show`."""

    heights = Heights(40, 78, 130, compact=22)
    over_cursor = False  # whether the plot item is drawn above the cursor line
    offers_layers = False  # whether a press on the label offers the layers of its model
    offers_lanes = False  # likewise all lanes

    def __init__(
        self, shown: Shown, slot: LaneSlot, title: str = "", subtitle: str = "", model: ShownModel | None = None
    ) -> None:
        self.slot = slot
        self.theme = shown.theme
        self.label = LaneLabel(shown.theme, title, subtitle, *(() if model is None else (model.color, model.dash)))
        self.items: list[CanvasItem] = [self.label]
        self.rect = QRectF()

    def show(self, shown: Shown) -> None:
        """Puts new data into the items."""
        raise NotImplementedError

    def name_axes(self, shown: Shown) -> None:
        """Says in the label, of a picture, what the window says when it is asked; called after `show`."""

    def rests(self, shown: Shown) -> Sequence[Rest]:
        """Where there is nothing to show."""
        return shown.rests

    def move_cursor(self, sweep: Sweep) -> None:
        """Follows the cursor, where the lane itself shows it."""

    def place(self, rect: QRectF, axis: TimeAxis) -> None:
        """Lays the row out in `rect`, which is as wide as the canvas."""
        self.rect = rect
        self.label.place(QRectF(rect.left(), rect.top(), LABEL_COLUMN, rect.height()), axis)
        self.place_plot(QRectF(axis.left, rect.top(), axis.width, rect.height()), axis)

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        """Lays out what lies in and right of the plot column."""
        raise NotImplementedError

    def dots(self, time_step: int) -> list[tuple[float, QColor]]:
        """Where the cursor line meets curves of this lane: (pixel y, colour)."""
        return []

    def tip(self, point: QPointF) -> str:
        """What is under the pointer, in words."""
        for item in reversed(self.items):
            if item.rect.contains(point):
                return item.tip(point.x(), point.y())
        return ""

    @property
    def key(self) -> str:
        """What it is switched by."""
        return self.slot.key

    @property
    def model(self) -> int | None:
        """An index into `Shown.models`, None for a lane that all models share."""
        return self.slot.model

    def shown_model(self, shown: Shown) -> ShownModel:
        """The model this lane belongs to."""
        return self.slot.shown_model(shown)

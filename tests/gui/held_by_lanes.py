"""What the items of a lane hold, as plain values: the one file of these tests that knows the items from inside."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.gui.canvas.items.attention_map import AttentionMap
from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.canvas.items.chain import Chain
from rnnviz.gui.canvas.items.color_bar import ColorBar
from rnnviz.gui.canvas.items.cursor_line import CursorLine
from rnnviz.gui.canvas.items.curve_names import CurveNames, Name
from rnnviz.gui.canvas.items.curve_plot import CurvePlot
from rnnviz.gui.canvas.items.heat_map import HeatMap
from rnnviz.gui.canvas.items.magnitude_legend import MagnitudeLegend
from rnnviz.gui.canvas.items.ruler import Ruler
from rnnviz.gui.canvas.items.symbols import Symbols
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.items.top_choices import TopChoices
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.head.class_probabilities import FinalBars
from rnnviz.gui.canvas.lanes.lane import Lane
from rnnviz.gui.canvas.lanes.selection import lane_choices
from rnnviz.gui.state.state import State

Item = TypeVar("Item", bound=CanvasItem)


@dataclass(frozen=True, eq=False)
class Heat:
    """A heat map: values (T, U), the levels of its colours, and the colours (256,) 0xffRRGGBB."""

    values: Array
    levels: tuple[float, float]
    colors: Array
    rect: QRectF
    marked_row: int | None
    knee: float  # 0: colours are linear


@dataclass(frozen=True, eq=False)
class Bar:
    """A colour bar: the ends of its range, where it lies, and whether it says that it is logarithmic."""

    levels: tuple[float, float]
    rect: QRectF
    log: bool


@dataclass(frozen=True, eq=False)
class Line:
    """A curve as it is drawn: values (T,) read back from its pixels, NaN where nothing is drawn."""

    name: str
    color: str
    time_steps: Array
    values: Array
    dashed: bool
    dots: list[int]  # time steps
    at_cursor: list[int]  # time steps at which the cursor line meets it


@dataclass(frozen=True, eq=False)
class Plot:
    """Curves and their value axis."""

    lines: list[Line]
    low: float
    high: float
    zone: float | None
    logarithmic: bool


@dataclass(frozen=True, eq=False)
class Cells:
    """A chain: magnitudes (T,), the colour #rrggbb of each cell, and the top of the legend beside it."""

    magnitudes: Array
    colors: list[str]
    color: str
    leftwards: bool
    legend_top: float


@dataclass(frozen=True, eq=False)
class Choices:
    """The best classes (T, 3), all probabilities (T, V), targets (T,), and where one is asked (T,)."""

    best: Array
    chances: Array
    targets: Array
    asked: Array


def lanes_of(stack: LaneStack) -> list[Lane]:
    """All lanes, top to bottom."""
    return stack._lanes


def axis_of(stack: LaneStack) -> TimeAxis:
    """The time axis all lanes share."""
    return stack._axis


def hatched_of(stack: LaneStack) -> list[QRectF]:
    """The stretches, lane by lane, that are hatched because the lane has nothing there."""
    assert stack._overlays is not None
    return list(stack._overlays.hatched.boxes)


def line_of(stack: LaneStack) -> CursorLine:
    """The cursor line across all lanes."""
    assert stack._overlays is not None
    return stack._overlays.line


def every_lane(state: State) -> frozenset[str]:
    """The `State.hidden_lanes` that switches on everything that is offered."""
    return frozenset(f"+{key}" for key in offered(state))


def offered(state: State) -> tuple[str, ...]:
    """The keys of all lanes that can be switched on."""
    return tuple(choice.key for choice in lane_choices(state))


def item(lane: Lane, kind: type[Item]) -> Item:
    """The one item of this kind in a lane."""
    (found,) = [each for each in lane.items if isinstance(each, kind)]
    return found


def heat_of(lane: Lane) -> Heat:
    held = item(lane, HeatMap)
    return Heat(held._values, (held._low, held._high), held._table[:256], held.rect, held.marked_row, held._knee)


def bar_of(lane: Lane) -> Bar:
    held = item(lane, ColorBar)
    return Bar((held._low, held._high), held.rect, held._log)


def plot_of(lane: Lane) -> Plot:
    held = item(lane, CurvePlot)
    scale, rect, count = held._scale, held.rect, held.axis.time_steps
    lines = []
    for curve in held._curves:
        x, y = held._points(curve)
        dots = [] if curve.dots is None else [int(i) + 1 for i in np.flatnonzero(curve.dots)]
        alone = CurvePlot(held.theme)
        alone.set_curves([curve], scale)
        lines.append(
            Line(
                curve.name,
                curve.color.name(),
                (x - rect.left()) / rect.width() * count + 0.5,
                scale.low + (rect.bottom() - y) / rect.height() * (scale.high - scale.low),
                curve.dashed,
                dots,
                [t for t in range(1, count + 1) if alone.dots(t)],
            )
        )
    return Plot(lines, scale.low, scale.high, scale.zone, scale.logarithmic)


def names_of(lane: Lane) -> tuple[Name, ...]:
    """The names of the curves and their boxes."""
    return item(lane, CurveNames).names


def cells_of(lane: Lane) -> Cells:
    held = item(lane, Chain)
    count = held._magnitudes.size
    colors = [held._magnitude_color(t).name() for t in range(1, count + 1)]
    return Cells(held._magnitudes, colors, held.color.name(), held.leftwards, item(lane, MagnitudeLegend)._top)


def choices_of(lane: Lane) -> Choices:
    held = item(lane, TopChoices)
    return Choices(held._best, held._chances, held._targets, held._asked)


def bars_of(lane: Lane) -> tuple[list[float], int]:
    """The final probability of each class, and the target's number."""
    held = item(lane, FinalBars)
    return held._chances, held._target


@dataclass(frozen=True, eq=False)
class Attended:
    """Attention weights (U, S), the time steps of their first column and row, and where the map lies."""

    weights: Array
    first: int
    of: int
    map: QRectF


def attention_of(lane: Lane) -> Attended:
    held = item(lane, AttentionMap)
    return Attended(held._weights, held._first, held._from, held.map)


def symbols_of(lane: Lane) -> list[str]:
    return list(item(lane, Symbols)._symbols)


def ruler_names(lane: Lane) -> list[str]:
    """What the ruler writes at each time step."""
    held = item(lane, Ruler)
    return [held._name(t) for t in range(1, held.axis.time_steps + 1)]


def rgb(color: int) -> str:
    """0xffRRGGBB as #rrggbb."""
    return QColor.fromRgb(int(color)).name()

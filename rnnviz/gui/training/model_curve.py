"""One model's curve in the training plot: every recorded value faintly, their moving average clearly, NaN as a mark.

The curve of a validation is dotted, only its moving average is drawn, and a ring marks its best value.
"""

from typing import Any, Literal

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.gui.look.theme import Dash
from rnnviz.gui.state.run import MetricCurve
from rnnviz.gui.training.curve_blocks import Blocks, finite
from rnnviz.gui.training.curve_ranges import DRAWN, logarithm, smooth

pg: Any = pyqtgraph  # untyped
_FAINT = 0.3
_EXACT = 40_000  # values up to which the moving average is exact; beyond, to whole blocks
_SAMPLED = 4000  # values that are enough to choose an axis


Best = Literal["lowest", "highest"]


def best_of(curve: MetricCurve, best: Best) -> tuple[int, float] | None:
    """Training step and value of the first of the best; None where none is finite."""
    known = np.flatnonzero(np.isfinite(curve.values))
    if not len(known):
        return None
    values = curve.values[known]
    place = known[int(np.argmin(values) if best == "lowest" else np.argmax(values))]
    return int(curve.training_steps[place]), float(curve.values[place])


class ModelCurve:
    """Three items in a pyqtgraph plot, of which only what can be told apart on the screen is drawn."""

    def __init__(self, plot: Any, dotted: bool = False) -> None:
        self.dotted = dotted
        self.end = float("nan")  # the height at which the drawn curve ends
        self.marks: Array = np.zeros(0)  # training steps at which numbers stop being finite
        self.best: tuple[int, float] | None = None  # training step and value that the ring marks
        self._blocks = Blocks()
        self._curve: MetricCurve | None = None
        self._log = False
        self._view = (0.0, 1.0, 600)  # training steps at the ends of the axis, and pixels between them
        self._raw = pg.PlotDataItem(connect="finite", antialias=False)
        self._mean = pg.PlotDataItem(connect="finite", antialias=True)
        self._broken = pg.ScatterPlotItem(symbol="x", size=8)
        self._ring = pg.ScatterPlotItem(symbol="o", size=9)
        for item in self._items:
            plot.addItem(item, ignoreBounds=True)

    @property
    def _items(self) -> tuple[Any, ...]:
        return self._raw, self._mean, self._broken, self._ring

    @property
    def values(self) -> Array:
        """(K,) as recorded."""
        return self._blocks.values

    @property
    def sample(self) -> Array:
        """At most about 4000 of the values, spread evenly; as drawn (log₁₀ on a logarithmic axis)."""
        part = finite(self.values[:: max(1, len(self.values) // _SAMPLED)])
        return logarithm(part) if self._log else part

    def set_curve(self, curve: MetricCurve | None, log: bool, best: Best | None = None) -> None:
        """Draws `curve`; the very same one is not drawn again. `best`: which value gets a ring, None: none."""
        if curve is self._curve and log == self._log:
            return
        self.best = None if curve is None or best is None else best_of(curve, best)
        self._draw_ring(log)
        self._curve, self._log = curve, log
        if curve is None or not len(curve.values):
            self._blocks, self.end, self.marks = Blocks(), float("nan"), np.zeros(0)
            for item in self._items:
                item.setData([], [])
            return
        self._blocks.extend(curve.values)
        self._draw_raw()
        self._draw_mean(curve.training_steps)
        self._mark_breaks(curve.training_steps)

    def set_view(self, low: float, high: float, pixels: int) -> None:
        """The training steps at both ends of the axis, which is `pixels` wide."""
        if (low, high, pixels) != self._view:
            self._view = (low, high, pixels)
            self._draw_raw()

    def set_color(self, color: QColor, bad: QColor, dash: Dash = ()) -> None:
        """The model's colour and the dash of its line, and the colour of what is not a number."""
        faint = QColor(color)
        faint.setAlphaF(_FAINT)
        self._raw.setPen(pg.mkPen(faint, width=1))
        style = Qt.PenStyle.DotLine if self.dotted else Qt.PenStyle.SolidLine
        whole = not self.dotted and not dash
        self._mean.curve.setSegmentedLineMode("on" if whole else "off")  # dots would begin anew with each segment
        self._mean.setPen(pg.mkPen(color, width=2, style=style, dash=None if self.dotted else dash or None))
        self._broken.setPen(pg.mkPen(bad, width=2))
        self._ring.setPen(pg.mkPen(color, width=2))
        self._ring.setBrush(pg.mkBrush(None))

    def remove(self, plot: Any) -> None:
        """Takes the curve out of the plot."""
        for item in self._items:
            plot.removeItem(item)

    def _draw_ring(self, log: bool) -> None:
        """Around the best value, where it has a place on the axis."""
        steps, heights = (np.array([number], np.float64) for number in self.best or (0, np.nan))
        heights = logarithm(heights) if log else heights
        shown = np.isfinite(heights)
        self._ring.setData(steps[shown], heights[shown])

    def _draw_raw(self) -> None:
        """What can be seen of the recorded values: a point each, or the extremes of each pixel."""
        if self._curve is None or not len(self.values) or self.dotted:
            return
        steps, (low, high, pixels) = self._curve.training_steps, self._view
        first = max(int(np.searchsorted(steps, low)) - 1, 0)
        last = min(int(np.searchsorted(steps, high, side="right")) + 1, len(steps))
        if last <= first:
            return
        at, lowest, highest = self._blocks.extremes(first, last, max(pixels, 1))
        x = np.asarray(steps[at], np.float64)
        if self._log:
            lowest, highest = logarithm(lowest), logarithm(highest)
            lowest = np.where(np.isnan(lowest), highest, lowest)  # zeros beside numbers: only the numbers have a place
        if lowest is not highest:
            x = np.repeat(x, 2)
            lowest = np.stack([lowest, highest], axis=1).ravel()
        self._raw.setData(x, lowest)

    def _draw_mean(self, steps: Array) -> None:
        count = len(self.values)
        if count <= _EXACT:
            at, means = smooth(finite(self.values))
        else:
            at = np.linspace(0, count - 1, DRAWN).astype(np.int64)
            means = self._blocks.means(at, count // 160)
        means = logarithm(means) if self._log else means
        self._mean.setData(np.asarray(steps[at], np.float64), means)
        known = means[np.isfinite(means)]
        self.end = float(known[-1]) if len(known) else float("nan")

    def _mark_breaks(self, steps: Array) -> None:
        """A cross at the last finite height before each stretch of NaN or ∞."""
        before = self._blocks.breaks - 1
        before = before[before >= 0]
        heights = finite(self.values[before])
        heights = logarithm(heights) if self._log else heights
        shown = np.isfinite(heights)
        self.marks = np.asarray(steps[before + 1], np.float64)[shown]
        self._broken.setData(self.marks, heights[shown])

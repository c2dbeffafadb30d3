"""One model's curve in the training plot: every recorded value faintly, their moving average clearly, NaN as a mark."""

from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.gui.panels.training_curves import gaps, logarithm, smooth
from rnnviz.gui.store import Curve

pg: Any = pyqtgraph  # untyped
_FAINT = 0.3
_LARGEST = 1e30  # the largest number Qt can still place; larger ones are drawn there


class ModelCurve:
    """Three items in a pyqtgraph plot; `values` are as drawn (log₁₀ on a logarithmic axis)."""

    def __init__(self, plot: Any) -> None:
        self.values: Array = np.zeros(0)  # (K,)
        self.end = float("nan")  # the height at which the drawn curve ends
        self.marks: Array = np.zeros(0)  # training steps at which numbers stop being finite
        self._curve: Curve | None = None
        self._log = False
        self._raw = pg.PlotDataItem(connect="finite", antialias=False, autoDownsampleFactor=1.5)
        self._raw.setDownsampling(auto=True, method="peak")
        self._raw.setClipToView(True)
        self._mean = pg.PlotDataItem(connect="finite", antialias=True)
        self._mean.curve.setSegmentedLineMode("on")
        self._broken = pg.ScatterPlotItem(symbol="x", size=8)
        for item in (self._raw, self._mean, self._broken):
            plot.addItem(item, ignoreBounds=True)

    def set_curve(self, curve: Curve | None, log: bool) -> None:
        """Draws `curve`; the very same one is not drawn again."""
        if curve is self._curve and log == self._log:
            return
        self._curve, self._log = curve, log
        if curve is None or not len(curve.values):
            self.values, self.end, self.marks = np.zeros(0), float("nan"), np.zeros(0)
            for item in (self._raw, self._mean, self._broken):
                item.setData([], [])
            return
        steps = np.asarray(curve.training_steps, np.float64)
        values = np.asarray(curve.values, np.float64)
        finite = values
        if not (np.abs(values) <= _LARGEST).all():
            finite = np.clip(np.where(np.isfinite(values), values, np.nan), -_LARGEST, _LARGEST)
        self.values = logarithm(finite) if log else finite
        at, means = smooth(finite)
        means = logarithm(means) if log else means
        self._raw.setData(steps, self.values)
        self._mean.setData(steps[at], means)
        known = means[np.isfinite(means)]
        self.end = float(known[-1]) if len(known) else float("nan")
        self._mark_gaps(steps, gaps(values))

    def set_color(self, color: QColor, bad: QColor) -> None:
        """The model's colour, and the colour of what is not a number."""
        faint = QColor(color)
        faint.setAlphaF(_FAINT)
        self._raw.setPen(pg.mkPen(faint, width=1))
        self._mean.setPen(pg.mkPen(color, width=2))
        self._broken.setPen(pg.mkPen(bad, width=2))

    def remove(self, plot: Any) -> None:
        """Takes the curve out of the plot."""
        for item in (self._raw, self._mean, self._broken):
            plot.removeItem(item)

    def _mark_gaps(self, steps: Array, places: Array) -> None:
        """A cross at the last finite height before each stretch of NaN or ∞."""
        if not len(places):
            self.marks = np.zeros(0)
            self._broken.setData([], [])
            return
        known = np.where(np.isfinite(self.values), np.arange(len(self.values)), -1)
        before = np.maximum.accumulate(known)[places]
        heights = np.where(before >= 0, self.values[before], np.nan)
        shown = np.isfinite(heights)
        self.marks = steps[places][shown]
        self._broken.setData(self.marks, heights[shown])

"""Band plot: of each setting the median over its seeds and their 10–90 % band, and single seeds that are pointed at."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainterPath
from PySide6.QtWidgets import QGraphicsPathItem, QHBoxLayout, QVBoxLayout, QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import power, short, tick, whole
from rnnviz.core.seeds.curves import Band, Curve
from rnnviz.core.tasks.info import is_share
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import Dash, Theme
from rnnviz.gui.seeds import words
from rnnviz.gui.seeds.seeds_reading import ShownSeeds, ShownSetting
from rnnviz.gui.training.curve_ranges import Ticks, logarithm, round_steps, y_ticks
from rnnviz.gui.training.margin_labels import MarginLabel, MarginLabels
from rnnviz.gui.training.metric_words import metric_words
from rnnviz.gui.widgets.live_tip import LiveTip

pg: Any = pyqtgraph  # untyped
_FAINT, _BAND = 0.45, 0.18  # opacity of single seeds and of the band
_NEAR = 10.0  # pixels around a curve that are pointed at
_LEFT, _BOTTOM, _RIGHT = 46, 40, 132  # pixels of the axes and of the names beside the plot
_OVERHANG = 18  # of the last number below the plot

Pointed = tuple[int, int]  # number of the setting, seed


@dataclass(frozen=True)
class Pens:
    """How a setting is drawn."""

    color: QColor
    dash: Dash


class BandPlot(QWidget):
    """`pointed((setting, seed) or None)`: the curve under the pointer; `chosen((setting, seed))`: it was clicked."""

    pointed = Signal(object)
    chosen = Signal(object)

    def __init__(self, look: Theme) -> None:
        super().__init__()
        self._look, self._log, self._each = look, False, False
        self._shown: ShownSeeds | None = None
        self._pens: tuple[Pens, ...] = ()
        self._ticks = Ticks(0.0, 1.0, (0.0, 1.0))
        self._marked: Pointed | None = None
        self._under: Pointed | None = None
        self._items: list[Any] = []
        self.plot: Any = pg.PlotWidget()
        self.names = MarginLabels(left=False)
        self._build()
        self.plot.scene().sigMouseMoved.connect(self._move)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self._view.sigResized.connect(self._resized)
        self._view.sigXRangeChanged.connect(self._tick_steps)
        self._tip = LiveTip(self.plot.viewport(), self.tooltip)

    @property
    def bands(self) -> tuple[Band, ...]:
        """What is drawn, one of each setting."""
        return tuple(setting.band for setting in self._shown.settings) if self._shown is not None else ()

    def show_seeds(self, shown: ShownSeeds, pens: tuple[Pens, ...], look: Theme) -> None:
        """Draws everything anew."""
        self._shown, self._pens, self._look = shown, pens, look
        self._draw()

    def show_log(self, log: bool) -> None:
        """A logarithmic axis of values, or not."""
        self._log = log
        self._draw()

    def show_each(self, each: bool) -> None:
        """A thin line for each seed, or only for the one that is marked."""
        self._each = each
        self._draw()

    def mark(self, pointed: Pointed | None) -> None:
        """Draws the line of one seed."""
        if pointed != self._marked:
            self._marked = pointed
            self._draw_marked()
            self._label()

    def tooltip(self, place: QPoint) -> str:
        """What every setting has at a training step, and which seed is pointed at."""
        if self._shown is None:
            return ""
        spot = self._spot(QPointF(place))
        step = round(spot.x())
        over = {setting.over for setting in self._shown.settings}
        mean = f", mean of {whole(over.pop())} training steps" if len(over) == 1 and max(over) > 1 else ""
        lines = [f"training step {whole(max(0, step))}, {metric_words(self._shown.metric)}{mean}"]
        lines += [f"{one.setting.name}: {said}" for one in self._shown.settings if (said := _said_at(one, step))]
        if (under := self._curve_at(spot)) is not None:
            setting = self._shown.settings[under[0]]
            lines += ["", *words.about(setting, setting.of(under[1])).splitlines()]
        return "\n".join([*lines, "", "Wheel: zoom · double click: show all"])

    def _build(self) -> None:
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setAccessibleName("Median and band of each setting")
        self._view = item.getViewBox()
        self._view.setMouseEnabled(x=True, y=False)
        self._view.setDefaultPadding(0.0)
        self._axes = {side: item.getAxis(side) for side in ("left", "bottom")}
        self._solved = pg.InfiniteLine(angle=0, movable=False)
        self._solved.setZValue(-1)
        item.addItem(self._solved, ignoreBounds=True)
        self._marked_line = pg.PlotCurveItem(connect="finite", antialias=True)
        self._marked_line.setSegmentedLineMode("on")
        self._marked_line.setZValue(5)
        item.addItem(self._marked_line, ignoreBounds=True)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.names, 1)
        self._foot = QWidget()
        right.addWidget(self._foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.plot, 1)
        row.addLayout(right)

    def _draw(self) -> None:
        """All items anew: there are few of them, and this happens once a second at most."""
        item = self.plot.getPlotItem()
        while self._items:
            item.removeItem(self._items.pop())
        self._dress()
        if self._shown is None:
            return
        for setting, pens in zip(self._shown.settings, self._pens, strict=True):
            self._draw_band(setting.band, pens.color)
            if self._each:
                for curve in setting.curves.values():
                    self._add_line(curve.training_steps, curve.values, _faint(pens.color), 1.0)
        for setting, pens in zip(self._shown.settings, self._pens, strict=True):
            self._add_line(setting.band.training_steps, setting.band.median, pens.color, 2.0, pens.dash)
        self._set_ranges(self._shown)
        self._draw_solved(self._shown)
        self._draw_marked()
        self._label()
        self._tip.refresh()

    def _draw_band(self, band: Band, color: QColor) -> None:
        low, high = self._heights(band.low), self._heights(band.high)
        path = QPainterPath()
        there = np.isfinite(low) & np.isfinite(high)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            steps = band.training_steps[first:last].astype(float)
            xs = np.concatenate([steps, steps[::-1], steps[:1]])
            ys = np.concatenate([low[first:last], high[first:last][::-1], low[first : first + 1]])
            path.addPath(pg.arrayToQPath(xs, ys))
        shape = QGraphicsPathItem(path)
        ground = QColor(color)
        ground.setAlphaF(_BAND)
        shape.setBrush(ground)
        shape.setPen(Qt.PenStyle.NoPen)
        self._add(shape)

    def _add_line(self, steps: Array, values: Array, color: QColor, width: float, dash: Dash = ()) -> None:
        line = pg.PlotCurveItem(np.asarray(steps, np.float64), self._heights(values), connect="finite", antialias=True)
        line.setSegmentedLineMode("off" if dash else "on")  # dashes would begin anew with each segment
        line.setPen(pg.mkPen(color, width=width, dash=dash or None))
        self._add(line)

    def _add(self, item: Any) -> None:
        self.plot.getPlotItem().addItem(item, ignoreBounds=True)
        self._items.append(item)

    def _draw_marked(self) -> None:
        curve = self._curve(self._marked)
        if curve is None or self._marked is None:
            self._marked_line.setData([], [])
            return
        self._marked_line.setData(np.asarray(curve.training_steps, np.float64), self._heights(curve.values))
        self._marked_line.setPen(pg.mkPen(self._look.color("text"), width=1.5))

    def _draw_solved(self, shown: ShownSeeds) -> None:
        """The number the metric has to reach, where all settings of this metric have the same."""
        asked = {setting.result.criterion for setting in shown.settings}
        numbers = {one.number for one in asked if one.metric == shown.metric}
        height = float(self._heights(np.array([numbers.pop()]))[0]) if len(numbers) == 1 else np.nan
        self._solved.setVisible(bool(np.isfinite(height)))
        if np.isfinite(height):
            self._solved.setValue(height)
            self._solved.setPen(pg.mkPen(self._look.color("muted"), width=1, style=Qt.PenStyle.DashLine))

    def _set_ranges(self, shown: ShownSeeds) -> None:
        end = max(shown.folder.planned)
        if self._view.state["limits"]["xLimits"][1] != end:
            self._view.setLimits(xMin=0, xMax=end, minXRange=min(2, end))
            self._view.setXRange(0, end, padding=0)
        parts = [
            self._heights(part) for one in shown.settings for part in (one.band.median, one.band.low, one.band.high)
        ]
        if self._each:
            parts += [self._heights(curve.values) for one in shown.settings for curve in one.curves.values()]
        lines = [float(self._solved.value())] if self._solved.isVisible() else []
        self._ticks = y_ticks(parts, lines, is_share(shown.metric), self._log)
        self._view.setYRange(self._ticks.low, self._ticks.high, padding=0)
        labels = [(place, power(round(place)) if self._log else tick(place)) for place in self._ticks.places]
        self._axes["left"].setTicks([labels])
        self._tick_steps()

    def _tick_steps(self, *_: object) -> None:
        low, high = self._view.viewRange()[0]
        steps = round_steps(low, high, max(1.0, self._view.width()))
        self._axes["bottom"].setTicks([[(step, whole(step)) for step in steps]])

    def _label(self) -> None:
        if self._shown is None:
            return
        labels = []
        for setting, pens in zip(self._shown.settings, self._pens, strict=True):
            known = self._heights(setting.band.median)
            known = known[np.isfinite(known)]
            if len(known):
                rate = setting.result.rate
                text = f"{setting.setting.name} {rate}" if rate else setting.setting.name
                labels.append(MarginLabel(self._y_of(float(known[-1])), text, pens.color, strong=True))
        if (curve := self._curve(self._marked)) is not None and curve.end is not None and self._marked is not None:
            end = float(self._heights(np.array([curve.end]))[0])
            if np.isfinite(end):
                labels.append(MarginLabel(self._y_of(end), f"seed {self._marked[1]}", self._look.color("text")))
        if self._solved.isVisible():
            labels.append(MarginLabel(self._y_of(float(self._solved.value())), "solved", self._look.color("muted")))
        self.names.set_labels(labels)

    def _y_of(self, height: float) -> float:
        span = self._ticks.high - self._ticks.low or 1.0
        return float((self._ticks.high - height) / span * scale.height(self.names))

    def _heights(self, values: Array) -> Array:
        return logarithm(values) if self._log else np.asarray(values, np.float64)

    def _dress(self) -> None:
        look = self._look
        self.plot.setBackground(look.panel)
        font = scale.font(fonts.text(12))
        for side, axis in self._axes.items():
            axis.setPen(pg.mkPen(look.line))
            axis.setTextPen(pg.mkPen(look.muted))
            axis.setTickFont(font)
            axis.setStyle(tickLength=4, tickTextOffset=6, hideOverlappingLabels=False)
            axis.setLabel("training step" if side == "bottom" else None, color=look.muted)
        self._axes["bottom"].label.setFont(font)
        self._axes["left"].setWidth(scale.px(_LEFT))
        self._axes["bottom"].setHeight(scale.px(_BOTTOM))
        self.plot.getPlotItem().layout.setContentsMargins(0, scale.px(4), scale.px(_OVERHANG), 0)
        self._foot.setFixedSize(scale.px(_RIGHT), scale.px(_BOTTOM))
        self.names.setFixedWidth(scale.px(_RIGHT))

    def _resized(self, *_: object) -> None:
        self._tick_steps()
        self._label()

    def _curve(self, pointed: Pointed | None) -> Curve | None:
        if self._shown is None or pointed is None or pointed[0] >= len(self._shown.settings):
            return None
        return self._shown.settings[pointed[0]].curves.get(pointed[1])

    def _spot(self, place: QPointF) -> QPointF:
        """Training step and height at a pixel of the plot."""
        spot: QPointF = self._view.mapSceneToView(self.plot.mapToScene(place.toPoint()))
        return spot

    def _curve_at(self, spot: QPointF) -> Pointed | None:
        """The seed whose curve is nearest to a place, if near enough."""
        if self._shown is None:
            return None
        per_pixel = abs(self._view.viewPixelSize()[1]) or 1.0
        nearest, found = _NEAR * per_pixel, None
        for number, setting in enumerate(self._shown.settings):
            for seed, curve in setting.curves.items():
                if not len(curve.values) or not 0 <= spot.x() <= curve.training_steps[-1] + 1:
                    continue
                place = min(int(np.searchsorted(curve.training_steps, spot.x())), len(curve.values) - 1)
                away = abs(float(self._heights(curve.values[place : place + 1])[0]) - spot.y())
                if away < nearest:
                    nearest, found = away, (number, seed)
        return found

    def _move(self, place: QPointF) -> None:
        under = (
            self._curve_at(self._view.mapSceneToView(place)) if self._view.sceneBoundingRect().contains(place) else None
        )
        if under != self._under:
            self._under = under
            shape = Qt.CursorShape.ArrowCursor if under is None else Qt.CursorShape.PointingHandCursor
            self.plot.viewport().setCursor(shape)
            self.pointed.emit(under)

    def _click(self, event: Any) -> None:
        if event.double():
            self._view.setXRange(0, max(self._shown.folder.planned) if self._shown else 1, padding=0)
        elif event.button() == Qt.MouseButton.LeftButton:
            under = self._curve_at(self._view.mapSceneToView(event.scenePos()))
            if under is not None:
                self.chosen.emit(under)


def _faint(color: QColor) -> QColor:
    faint = QColor(color)
    faint.setAlphaF(_FAINT)
    return faint


def _said_at(shown: ShownSetting, step: int) -> str:
    """Median and band at a training step, and over how many of its seeds; "" where none is there."""
    band = shown.band
    if not len(band.training_steps) or step > band.training_steps[-1]:
        return ""
    place = min(int(np.searchsorted(band.training_steps, step)), len(band.training_steps) - 1)
    seeds = int(band.seeds[place])
    if not seeds:
        return "no finite value"
    median = short(float(band.median[place]))
    if seeds == 1:
        return f"{median} (one seed: no band)"
    low, high = short(float(band.low[place])), short(float(band.high[place]))
    return f"{median} (10–90 %: {low} to {high}, {seeds} of {len(shown.curves)} seeds)"

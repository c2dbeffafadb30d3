"""Training: the curves of all models and, below them on the same axis, the scrubber over what was recorded."""

import time
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from rnnviz.core.experiment.heads import total_words
from rnnviz.core.numbers import power, short, tick, whole
from rnnviz.core.tasks.info import EXACT, Baseline, is_share, to_beat
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.look.focus_ring import FocusFrame
from rnnviz.gui.look.form_style import RING, push_button, set_role
from rnnviz.gui.look.theme import model_dashes, theme
from rnnviz.gui.state.clipping import clipping
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.training import plot_keys
from rnnviz.gui.training.curve_ranges import logarithm, nearest, x_end, y_ticks
from rnnviz.gui.training.margin_labels import MarginLabel, MarginLabels
from rnnviz.gui.training.metric_words import metric_words
from rnnviz.gui.training.model_curve import Best, ModelCurve
from rnnviz.gui.training.plot_keys import PlotKeys
from rnnviz.gui.training.scrubber import Scrubber
from rnnviz.gui.training.step_axis import StepAxis
from rnnviz.gui.widgets.fields import FLAT_PAD, Choice
from rnnviz.gui.widgets.live_tip import LiveTip

pg: Any = pyqtgraph  # untyped
_TEST = "test_"  # begins the name of what is measured for validation, on the part held back or on fresh sequences
_LINE, _LOWEST, _HIGH = 36, 136, 172  # pixels: collapsed, at least, to begin with
_NO_LIMIT = (1 << 24) - 1  # Qt's own: as high as one likes
_MARGIN = 14  # as in the lanes
_BETWEEN = 100  # ms between two redraws while data streams in
_SHARE = 20  # very long curves wait longer: this many times what their last redraw took


class TrainingPanel(QWidget):
    """`training_step_chosen(int)`: a recorded training step a person went to; `live_wanted()`: back to the newest.

    As a `picture` it has an axis in place of the scrubber, the metric as that axis's and no control.
    """

    training_step_chosen = Signal(int)
    live_wanted = Signal()

    def __init__(self, store: Store, *, picture: bool = False) -> None:
        super().__init__()
        self._store, self._picture = store, picture
        self.curves: list[ModelCurve] = []
        self._zoomed = False
        self._late = False
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._collapsed = False  # to the line that says there is nothing
        self.setMinimumHeight(scale.px(_LOWEST))
        self._high = scale.px(_HIGH)  # before it collapsed
        self.plot: Any = pg.PlotWidget()
        self.scrubber = Scrubber()
        self.metric_choice = Choice(flat=True)
        self.log = push_button("log", "A logarithmic axis of values", "link")
        self.live = push_button("live ▸", "Follow the newest training step again", "link")
        self.legend = QLabel("line: training\ndots: validation\n○ its best")
        self.metric_name = QLabel()
        self.axis = StepAxis(theme(store.state.look.theme))
        self.nothing = QLabel("This run holds one trace: the curves of a model appear while it is trained.")
        self.values = MarginLabels(left=True)
        self.names = MarginLabels(left=False)
        self._build()
        self._prepare_plot()
        self._frame = FocusFrame(self.plot, theme(store.state.look.theme))
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._catch_up)
        self._connect()
        self._apply_theme(store.state)
        self._draw(store.state)
        store.changed.connect(self.show_state)

    def show_state(self, old: State, new: State) -> None:
        """Shows what differs between the two states; data that streams in is drawn at most ten times a second."""
        if new.look.dress != old.look.dress:
            self._apply_theme(new)
        if new.run.path != old.run.path:
            self._zoomed = False
        if (new.look.dress, new.run.task, new.run.models, new.run.path) != (
            old.look.dress,
            old.run.task,
            old.run.models,
            old.run.path,
        ):
            self._draw(new)
        elif new.recorded.history is not old.recorded.history:
            self._draw_soon(new)
        if (
            new.place.cursor.training_step != old.place.cursor.training_step
            or new.place.following != old.place.following
        ):
            self._place_handle(new)
        if (_growing(new), new.run.training) != (_growing(old), old.run.training):
            self._set_x_range(new)

    def choose_curves(self, metric: str, *, log: bool = False) -> None:
        """Shows a metric, or the first there is, on a logarithmic axis if wanted."""
        self.metric_choice.set_value(metric)
        self.log.setChecked(log)
        self._draw(self._store.state)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What Tab goes through here, as it is seen."""
        return self.metric_choice, self.log, self.plot, self.scrubber, self.live

    def _build(self) -> None:
        title = QLabel("Training")
        scale.fit(title, font=fonts.semibold(fonts.BODY))
        title.setProperty("role", "lane")
        self.metric_choice.setToolTip("Which metric the curves show")
        self.metric_choice.setAccessibleName("Metric")
        scale.fit(self.metric_choice, width=88)
        self.log.setCheckable(True)
        self.log.setProperty("switch", True)
        self.log.setAccessibleName("Logarithmic axis")
        self.live.setAccessibleName("Follow the newest training step")
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(_MARGIN - FLAT_PAD, 0, 0, 0)
        column.setSpacing(0)
        title.setIndent(FLAT_PAD)
        column.addWidget(title)
        column.addWidget(self.metric_choice)
        self.metric_name.setProperty("role", "note")
        self.metric_name.setIndent(FLAT_PAD)
        column.addWidget(self.metric_name)
        line = QHBoxLayout()
        line.setContentsMargins(FLAT_PAD - RING, 0, 0, 0)
        line.addWidget(self.log)
        line.addStretch()
        column.addLayout(line)
        self.legend.setProperty("role", "note")
        self.legend.setIndent(FLAT_PAD)
        column.addWidget(self.legend)
        column.addStretch()
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 8, 0, 0)
        grid.setSpacing(0)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(0, 1)
        grid.addWidget(self.values, 0, 0)
        grid.addWidget(left, 0, 0, 2, 1)
        grid.addWidget(self.plot, 0, 1)
        grid.addWidget(self.names, 0, 2)
        grid.addWidget(self.scrubber, 1, 1)
        grid.addWidget(self.axis, 2, 0, 1, 3)
        self.nothing.setProperty("role", "note")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.nothing.setContentsMargins(0, 2, 0, 0)  # on one line with the title
        grid.addWidget(self.nothing, 0, 1, 2, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(8 - RING, 0, 0, 0)
        foot.addWidget(self.live, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        grid.addLayout(foot, 1, 2)
        left.lower()

    def _prepare_plot(self) -> None:
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.layout.setContentsMargins(0, 0, 0, 0)
        for side in ("left", "bottom"):
            item.hideAxis(side)
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self.plot.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)  # of the plot, too: first this
        self.plot.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the arrows to the lanes
        self.plot.setAccessibleName("Training curves")
        self.plot.setAccessibleDescription(plot_keys.WORDS)
        scale.fit(self.plot, least_height=64)
        box = item.getViewBox()
        box.setMouseEnabled(x=True, y=False)
        box.setDefaultPadding(0.0)
        self._line = pg.InfiniteLine(angle=90, movable=False)
        self._bases: list[Any] = []  # a horizontal line for each baseline
        self._lines_across: list[Any] = []  # likewise for each value of the axis of a picture
        item.addItem(self._line, ignoreBounds=True)
        self._view = box

    def _connect(self) -> None:
        self.scrubber.chosen.connect(self._choose)
        self.scrubber.held.connect(lambda held: None if held else self._draw(self._store.state))
        self.live.clicked.connect(self.live_wanted)
        self.log.toggled.connect(lambda on: self._draw(self._store.state))
        self.metric_choice.chosen.connect(lambda name: self._draw(self._store.state))
        self._view.sigXRangeChanged.connect(self._share_range)
        self._view.sigRangeChangedManually.connect(self._zoom)
        self._view.sigResized.connect(self._resized)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self._tip = LiveTip(self.plot.viewport(), lambda place: self.tooltip(place.x()))
        self._keys = PlotKeys(self.plot, self.scrubber, self._zoom_by)

    def _resized(self, *_: object) -> None:
        self._share_range()
        self._label(self._store.state)

    def _draw_soon(self, state: State) -> None:
        self._late = self._pause.isActive()
        if not self._late:
            begun = time.perf_counter()
            self._draw(state)
            taken = 1000 * (time.perf_counter() - begun)
            self._pause.start(max(_BETWEEN, round(_SHARE * taken)))

    def _catch_up(self) -> None:
        if self._late:
            self._draw_soon(self._store.state)

    def _draw(self, state: State) -> None:
        """Everything that follows from the recorded metrics."""
        self._late = False
        trained = state.run.trainable
        self.nothing.setVisible(not trained)
        self._collapse(not trained)
        for part in (self.plot, self.values, self.names):
            part.setVisible(trained)
        for part in (self.scrubber, self.live, self.metric_choice, self.log):
            part.setVisible(trained and not self._picture)
        for part in (self.axis, self.metric_name):
            part.setVisible(trained and self._picture)
        self._offer_metrics(state)
        log = self.log.isChecked()
        metric = metric_words(self.shown_metric)
        self.metric_name.setText(f"{metric}, log" if log else metric)
        wanted = [(number, metric) for metric in self.shown_metrics for number in range(len(state.run.models))]
        dotted = [number >= len(state.run.models) for number in range(len(wanted))]
        if [curve.dotted for curve in self.curves] != dotted:
            for curve in self.curves:
                curve.remove(self.plot.getPlotItem())
            self.curves = [ModelCurve(self.plot.getPlotItem(), one) for one in dotted]
        self.legend.setVisible(trained and any(dotted))
        self._share_range()
        for key, curve in zip(wanted, self.curves, strict=True):
            curve.set_curve(state.recorded.history.curves.get(key), log, _best(key[1]))
        self._color_curves(state)
        self._set_x_range(state)
        self._set_y_range(state)
        self.scrubber.set_captured(state.captured)
        self._place_handle(state)
        self._tip.refresh()

    def _collapse(self, collapsed: bool) -> None:
        """One line high where there is nothing to draw; afterwards as high as before."""
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        high = scale.px(_HIGH)
        if collapsed:
            self._high = max(self.height(), high) if self.isVisible() else high
        self.setMinimumHeight(scale.px(_LINE) if collapsed else self._high)
        self.setMaximumHeight(scale.px(_LINE) if collapsed else _NO_LIMIT)

    def _rescale(self) -> None:
        """The columns go on under those of the lanes."""
        self._grid.setColumnMinimumWidth(0, scale.px(LABEL_COLUMN))
        self._grid.setColumnMinimumWidth(2, scale.px(SCALE_COLUMN))
        self.setMinimumHeight(scale.px(_LINE if self._collapsed else _LOWEST))
        self.setMaximumHeight(scale.px(_LINE) if self._collapsed else _NO_LIMIT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (
            self.height() >= self.minimumHeight() > scale.px(_LOWEST)
        ):  # it is as high as before, and may be made lower again
            QTimer.singleShot(0, self, lambda: self.setMinimumHeight(min(scale.px(_LOWEST), self.maximumHeight())))

    @property
    def shown_metric(self) -> str:
        """The metric the curves show, "loss" before there is one."""
        return str(self.metric_choice.currentData() or "loss")

    @property
    def shown_metrics(self) -> tuple[str, ...]:
        """The metric shown and, dotted beside it, the same of the part held back, where there is one."""
        metric = self.shown_metric
        tested = _TEST + metric
        offered = self.metric_choice.findData(tested) >= 0
        return (metric, tested) if offered else (metric,)

    def _offer_metrics(self, state: State) -> None:
        recorded = dict.fromkeys(name for _, name in state.recorded.history.curves)
        first = state.run.task.metrics if state.run.task is not None else ()
        names = [name for name in first if name in recorded] + [name for name in recorded if name not in first]
        names = names or list(first) or ["loss"]  # before the first training step: what there will be
        if [self.metric_choice.itemData(index) for index in range(self.metric_choice.count())] != names:
            shown = self.metric_choice.currentData()
            self.metric_choice.set_options([(name, metric_words(name)) for name in names])
            self.metric_choice.set_value(shown if shown in names else names[0])

    def _set_x_range(self, state: State) -> None:
        if self._zoomed or self.scrubber.holding:
            return
        captured = int(state.recorded.history.captured[-1]) if len(state.recorded.history.captured) else 0
        last = max(state.recorded.history.last_training_step, captured)
        end = x_end(last, state.run.planned_steps, _growing(state))
        self._view.setLimits(xMin=0, xMax=end, minXRange=min(2, end))
        self._view.setXRange(0, end, padding=0)
        self._share_range()

    def _set_y_range(self, state: State) -> None:
        log = self.log.isChecked()
        lines = [self._height(base) for base in self._baselines(state) if base in self._to_beat(state)]
        if not log and not any(len(curve.values) for curve in self.curves):
            lines.append(0.0)  # before the first training step
        unit = is_share(self.shown_metric)
        self._ticks = y_ticks([curve.sample for curve in self.curves], lines, unit, log)
        self._view.setYRange(self._ticks.low, self._ticks.high, padding=0)
        if self._picture:
            self._draw_grid(state)
        self._draw_baselines(state)
        self._label(state)

    def _draw_grid(self, state: State) -> None:
        """A line at each value of the axis."""
        item, pen = self.plot.getPlotItem(), pg.mkPen(theme(state.look.theme).line)
        while self._lines_across:
            item.removeItem(self._lines_across.pop())
        for place in self._ticks.places:
            self._lines_across.append(pg.InfiniteLine(place, angle=0, movable=False, pen=pen))
            self._lines_across[-1].setZValue(-2)  # below the baselines
            item.addItem(self._lines_across[-1], ignoreBounds=True)

    def _draw_baselines(self, state: State) -> None:
        """A dashed line for each baseline, dotted for those of the part held back; those far off are left out."""
        shown = self._shown_baselines(state)
        item = self.plot.getPlotItem()
        while len(self._bases) > len(shown):
            item.removeItem(self._bases.pop())
        while len(self._bases) < len(shown):
            self._bases.append(pg.InfiniteLine(angle=0, movable=False))
            self._bases[-1].setZValue(-1)  # below the curves
            item.addItem(self._bases[-1], ignoreBounds=True)
        color = theme(state.look.theme).color("muted", 0.8)
        for line, base in zip(self._bases, shown, strict=True):
            style = Qt.PenStyle.DotLine if self._is_beside(base) else Qt.PenStyle.DashLine
            line.setPen(pg.mkPen(color, width=1, style=style))
            line.setValue(self._height(base))

    def _label(self, state: State) -> None:
        look = theme(state.look.theme)
        log, muted = self.log.isChecked(), look.color("muted")
        places = self._ticks.places
        words = [power(round(value)) if log else tick(value) for value in places]
        self.values.set_labels([MarginLabel(self._y_of(p), w, muted) for p, w in zip(places, words, strict=True)])
        colors = look.model_colors(model.structure.cell for model in state.run.models)
        names = []
        for curve, color, model in zip(self.curves, colors, state.run.models, strict=False):
            if np.isfinite(curve.end):
                names.append(MarginLabel(self._y_of(curve.end), model.name, color, strong=True))
        best = self._to_beat(state)
        for base in sorted(self._shown_baselines(state), key=lambda one: one not in best):
            text = "validation: " * self._is_beside(base) + base.label
            label = MarginLabel(self._y_of(self._height(base)), text, muted)
            if base in best or self.names.has_room_for([*names, label]):
                names.append(label)
        self.names.set_labels(names)

    def _y_of(self, value: float) -> float:
        span = self._ticks.high - self._ticks.low or 1.0
        return float((self._ticks.high - value) / span * scale.height(self.plot))

    def _baselines(self, state: State) -> tuple[Baseline, ...]:
        """Those of the metrics shown; of the gradient's norm, where it is clipped."""
        limit = state.run.training.clip_norm if state.run.training is not None else 0.0
        if self.shown_metric == "grad_norm" and limit:
            return (Baseline("grad_norm", limit, f"clip norm {tick(limit)}"),)
        baselines = state.run.task.baselines if state.run.task is not None else ()
        return tuple(base for base in baselines if base.metric in self.shown_metrics)

    def _to_beat(self, state: State) -> tuple[Baseline, ...]:
        """The best baseline of each metric shown."""
        best = (to_beat(self._baselines(state), metric) for metric in self.shown_metrics)
        return tuple(base for base in best if base is not None)

    def _shown_baselines(self, state: State) -> tuple[Baseline, ...]:
        """Those within the axis, which is chosen for the best of them."""
        low, high = self._ticks.low, self._ticks.high
        return tuple(base for base in self._baselines(state) if low <= self._height(base) <= high)

    def _height(self, base: Baseline) -> float:
        """Where the baseline lies on the axis of values."""
        return float(logarithm(np.array([base.value]))[0]) if self.log.isChecked() else base.value

    def _is_beside(self, base: Baseline) -> bool:
        """Whether it belongs to the part held back, beside that of the training."""
        return base.metric != self.shown_metric

    def _place_handle(self, state: State) -> None:
        self.scrubber.set_training_step(state.place.cursor.training_step)
        self._line.setValue(self.scrubber.training_step)
        self.axis.set_training_step(self.scrubber.training_step)
        text = (
            "● live" if state.place.following and _growing(state) else "newest" if state.place.following else "live ▸"
        )
        if self.live.text() != text:
            self.live.setText(text)
            set_role(self.live, "role", "quiet" if state.place.following and _growing(state) else "link")

    def _choose(self, training_step: int) -> None:
        self._line.setValue(training_step)
        self.training_step_chosen.emit(training_step)

    def _click(self, event: Any) -> None:
        if event.double():
            self._zoomed = False
            self._set_x_range(self._store.state)
        elif event.button() == Qt.MouseButton.LeftButton and len(self.scrubber.captured):
            place = self._view.mapSceneToView(event.scenePos()).x()
            self.training_step_chosen.emit(nearest(self.scrubber.captured, place))

    def _zoom(self, *_: object) -> None:
        self._zoomed = True

    def _share_range(self, *_: object) -> None:
        low, high = self._view.viewRange()[0]
        self.scrubber.set_range(low, high)
        self.axis.set_range(low, high)
        for curve in self.curves:
            curve.set_view(low, high, self.plot.width())

    def _zoom_by(self, factor: float) -> None:
        """The range becomes wider by `factor` around the handle; 0: all training steps."""
        self._zoomed = bool(factor)
        if factor:
            self._view.scaleBy((factor, 1.0), (self.scrubber.training_step, 0.0))
        else:
            self._set_x_range(self._store.state)

    def tooltip(self, x: float) -> str:
        """The values of all models at the pixel `x` of the plot."""
        low, high = self._view.viewRange()[0]
        at = low + x / max(1, self.plot.width()) * (high - low)
        words = metric_words(self.shown_metric)
        lines = [f"training step {whole(max(0, round(at)))}, {words}"]
        for model in self._store.state.run.models:
            values = [
                f"{words}{said}"
                for words, metric in self._told_metrics()
                if (said := self._said_at(model.number, metric, at)) is not None
            ]
            if values:
                lines.append(f"{model.name}: {', '.join(values)}")
        lines += self._said_of_best()
        experiment = self._store.state.run.experiment
        if experiment is not None and self.shown_metric == "loss":
            lines.append(f"Loss: {total_words(experiment)}")
        for base in self._baselines(self._store.state):
            lines.append(f"{'validation, ' * self._is_beside(base)}{base.label}: {short(base.value)}")
        return "\n".join([*lines, "Click: go there · wheel: zoom · double click: show all", f"Keys: {plot_keys.WORDS}"])

    def _told_metrics(self) -> list[tuple[str, str]]:
        """What is told of a model, each with the words before it; with the validation loss what it is worth."""
        shown = [("" if metric == self.shown_metric else "validation ", metric) for metric in self.shown_metrics]
        return shown + [(f"{name} ", name) for name in ("skill", "lag") if shown[-1][1] == "test_loss"]

    def _said_of_best(self) -> list[str]:
        """Where the rings are: the best validation of each model and its training step."""
        found, models = [], self._store.state.run.models
        for number, curve in enumerate(self.curves):
            if curve.best is not None:
                words = metric_words(self.shown_metrics[number // len(models)])
                step, value = curve.best
                found.append(f"{models[number % len(models)].name}, best {words}: {short(value)} at {whole(step)}")
        return found

    def _said_at(self, model: int, metric: str, at: float) -> str | None:
        """The recorded value nearest to a training step, of a norm what clipping made of it; None where there is
        none."""
        curve = self._store.state.recorded.history.curves.get((model, metric))
        if curve is None or not len(curve.training_steps):
            return None
        index = int(np.searchsorted(curve.training_steps, nearest(curve.training_steps, at)))
        step = int(curve.training_steps[index])
        clipped = clipping(self._store.state, model, step) if metric == "grad_norm" else None
        return short(float(curve.values[index])) if clipped is None else clipped.words

    def _color_curves(self, state: State) -> None:
        look = theme(state.look.theme)
        cells = [model.structure.cell for model in state.run.models]
        looks = list(zip(look.model_colors(cells), model_dashes(cells), strict=True))
        for number, curve in enumerate(self.curves):
            color, dash = looks[number % len(looks)]
            curve.set_color(color, look.color("bad"), dash)

    def _apply_theme(self, state: State) -> None:
        self._rescale()
        look = theme(state.look.theme)
        self.plot.setBackground(look.panel)
        self._frame.set_theme(look)
        self._line.setPen(pg.mkPen(look.accent, width=1))
        self.scrubber.set_theme(look)
        self._color_curves(state)


def _best(metric: str) -> Best | None:
    """Which value of a metric is its best; None where it is none of the validation."""
    if not metric.startswith(_TEST) and metric != EXACT:
        return None
    return "highest" if is_share(metric) else "lowest"


def _growing(state: State) -> bool:
    """Whether an engine may still add training steps."""
    return state.recorded.status is not None and state.recorded.status.state in ("starting", "paused", "running")

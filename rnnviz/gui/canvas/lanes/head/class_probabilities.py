"""The prediction of one model where the class is asked once, at the end: all probabilities at every time step, or
the predicted values where the loss is of no probabilities."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from rnnviz.core.numbers import short
from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.canvas.items.heat_map import HeatMap
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.canvas.lanes.shown_model import prediction_words
from rnnviz.gui.look import color_maps, fonts
from rnnviz.gui.look.columns import SCALE_COLUMN
from rnnviz.gui.look.theme import Theme

_NAME = 13.0  # pixels of the height of a name


class FinalBars(CanvasItem):
    """One bar for each class with its probability at the last asked time step, level with the rows of the strip."""

    def __init__(self, theme: Theme, color: QColor, labels: tuple[str, ...]) -> None:
        super().__init__(theme)
        self._color = color
        self._labels = labels
        self._chances: list[float] = []
        self._target = -1

    def set_values(self, chances: list[float], target: int) -> None:
        self._chances, self._target = chances, target
        self.update()

    def draw(self, painter: QPainter) -> None:
        if not self._chances:
            return
        row = self.rect.height() / len(self._chances)
        painter.setFont(fonts.text(fonts.SMALL))
        named = self._named(row)
        for n, chance in enumerate(self._chances):
            top = self.rect.top() + n * row
            width = (self.rect.width() - 34) * (min(max(chance, 0.0), 1.0) if np.isfinite(chance) else 0.0)
            painter.fillRect(QRectF(self.rect.left() + 28, top + row * 0.2, width, row * 0.6), self._color)
            if n not in named:
                continue
            painter.setPen(self.theme.color("text" if n == self._target else "muted"))
            middle = min(max(top + row / 2, self.rect.top() + _NAME / 2 - 1), self.rect.bottom() - _NAME / 2 + 1)
            place = QRectF(self.rect.left() + 8, middle - _NAME / 2, 20, _NAME)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._labels[n])

    def _named(self, row: float) -> list[int]:
        """The classes whose names stand before their bars: all, or in low rows the target and, apart from it, the
        best."""
        if row >= _NAME - 2:
            return list(range(len(self._chances)))
        best = int(np.argmax(np.nan_to_num(self._chances, nan=-np.inf)))
        return [self._target, best] if abs(best - self._target) * row >= _NAME - 3 else [self._target]


class ClassProbabilitiesLane(Lane):
    """A strip with one row for each class; a pointer before the target's, and the final probabilities beside it."""

    heights = Heights(48, 58, 90, compact=26)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "prediction")
        labels = shown.task.output_labels if shown.task is not None else ()
        color = slot.shown_model(shown).color
        self.table = color_maps.between(shown.theme.panel, color.name())
        head = slot.shown_model(shown).head
        symbol = "p" if head is None or head.probabilities is not None else "ŷ"
        self.map = HeatMap(shown.theme, symbol, labels, dims=False)
        self.bars = FinalBars(shown.theme, color, labels)
        self.items += [self.map, self.bars]

    def show(self, shown: Shown) -> None:
        model = self.shown_model(shown)
        chances = model.scores
        if chances is None or shown.targets is None or shown.task is None:
            return
        self.map.set_values(chances, 0.0, 1.0, self.table)
        asked = np.flatnonzero(shown.asked)
        last = int(asked[-1]) if asked.size else len(chances) - 1
        target = int(shown.targets[last])
        self.map.mark_row(target)
        self.bars.set_values([float(p) for p in chances[last]], target)
        hit = bool(np.isfinite(chances[last]).all()) and int(np.argmax(chances[last])) == target
        words = f"{shown.task.output_labels[target]}: {short(float(chances[last, target]))}"
        self.label.set_text("prediction", f"{words}, right" if hit else "", "" if hit else f"{words}, wrong")
        self.label.words = prediction_words(model)

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*self.shown_model(shown).head_rests, *super().rests(shown))

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.map.place(plot, axis)
        self.bars.place(QRectF(plot.right(), plot.top(), SCALE_COLUMN, plot.height()), axis)

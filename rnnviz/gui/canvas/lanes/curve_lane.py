"""The base of the lanes that show curves along the time axis."""

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.gui.canvas.items.curve_plot import Curve, CurvePlot
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown, ShownModel


class CurveLane(Lane):
    """A framed plot; `show` sets `tips`, what the tooltip says, beside the curves."""

    heights = Heights(46, 90, 200, compact=36, gap=10)

    def __init__(self, shown: Shown, slot: LaneSlot, title: str, subtitle: str) -> None:
        super().__init__(shown, slot, title, subtitle)
        self.plot = CurvePlot(shown.theme)
        self.items += [self.plot, self.plot.names]
        self.tips: list[tuple[str, Array]] = []  # name and (T,) values, in the words of `tip_words`
        self.tip_words: Callable[[float], str] = short
        self.present: dict[str, Array] = {}  # by name, (T,) bool: time steps that have a value; without: all

    def magnitudes(
        self, model: ShownModel, words: str, values: Array, lost: Array, *, zeros: bool = True
    ) -> list[Curve]:
        """The curve of a model's magnitudes (T,), with `words` beside it and a line in the tooltip.

        Where float32 has `lost` them (T,) it is a curve of its own, dashed, that begins at the last one it held.
        `zeros`: whether those are marked at the floor; where none can come to a time step they are no finding.
        """
        name, color, dash = model.name, model.color, model.dash
        there = None if model.there.all() or not model.row else model.there
        if model.kept_away:
            there = _both(there, np.arange(1, len(values) + 1) > model.kept_away)
        self.tips.append((name if zeros else f"{name}, where nothing is carried", values))
        if not lost.any():
            present = there if zeros else _both(there, ~np.isneginf(values))
            if present is not None:
                self.present[self.tips[-1][0]] = present
            return [Curve(values, color, words, dash=dash, present=present)]
        beyond = f"{name}, lost in float32"
        self.tips.append((beyond, values))
        kept = _both(there, ~lost)
        self.present |= {name: kept, beyond: lost}
        joined = lost | np.append(lost[1:], False) | np.insert(lost[:-1], 0, False)
        return [
            Curve(values, color, words, present=kept, dash=dash),
            Curve(values, color, beyond, dashed=True, present=joined),
        ]

    def rests(self, shown: Shown) -> Sequence[Rest]:
        """What lies outside of the rows of all models."""
        return (*shared_rests(shown.models), *super().rests(shown))

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.plot.place(plot, axis)

    def dots(self, time_step: int) -> list[tuple[float, QColor]]:
        return self.plot.dots(time_step)

    def tip(self, point: QPointF) -> str:
        if not self.plot.rect.contains(point):
            return super().tip(point)
        t = self.plot.axis.time_step_at(point.x())
        lines = [
            f"{name}: {self.tip_words(values[t - 1])}"
            for name, values in self.tips
            if t <= len(values) and (name not in self.present or bool(self.present[name][t - 1]))
        ]
        return "\n".join([f"t = {t}", *lines])


def shared_rests(models: Sequence[ShownModel]) -> tuple[Rest, ...]:
    """The stretches in which no model's row exists, where all say the same."""
    having = [model.rests for model in models if model.trace is not None]
    return having[0] if having and all(rests == having[0] for rests in having) else ()


def _both(there: Array | None, present: Array) -> Array:
    return present if there is None else present & there

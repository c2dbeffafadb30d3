"""The input of a task whose time steps are numbers: small curves in the units of the data."""

import numpy as np
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.gui.items.curve_plot import Curve
from rnnviz.gui.lanes.curve_lane import CurveLane
from rnnviz.gui.lanes.lane import Heights
from rnnviz.gui.lanes.shown import Shown
from rnnviz.gui.lanes.units import undone
from rnnviz.gui.lanes.value_axes import linear

_MOST_CURVES = 6


class InputValuesLane(CurveLane):
    """A curve for each column. A column of zeros and ones is a marker: its ones become dots on the other curves."""

    heights = Heights(40, 58, 110, gap=10)

    def __init__(self, shown: Shown) -> None:
        super().__init__(shown, "input", "Input", "")

    def show(self, shown: Shown) -> None:
        task = shown.task
        if task is None or not shown.inputs.size:
            return
        columns = [undone(shown.inputs[:, k], task.input_scales, k) for k in range(shown.inputs.shape[1])]
        names = [task.input_labels[k] if k < len(task.input_labels) else f"x{k + 1}" for k in range(len(columns))]
        markers = [k for k, column in enumerate(columns) if len(columns) > 1 and _is_marker(column)]
        drawn = [k for k in range(len(columns)) if k not in markers][:_MOST_CURVES]
        dots = np.any([columns[k] > 0.5 for k in markers], axis=0) if markers else None
        many = len(drawn) > 1
        curves = [
            Curve(columns[k], self._color(n, len(drawn)), names[k] if many else "", 1.4, dots=dots)
            for n, k in enumerate(drawn)
        ]
        words = names[drawn[0]] if len(drawn) == 1 else f"{len(columns)} columns"
        if markers:
            words += ", dots: " + ", ".join(names[k] for k in markers)
        self.label.set_text("Input", words)
        self.tips = [(name, column) for name, column in zip(names, columns, strict=True)]
        self.plot.set_curves(curves, linear([curve.values for curve in curves]))

    def _color(self, number: int, count: int) -> QColor:
        """Shades from text to muted: hues belong to models and gates."""
        text, muted = QColor(self.theme.text), QColor(self.theme.muted)
        share = 0.35 if count == 1 else number / count
        return QColor.fromRgbF(
            text.redF() + (muted.redF() - text.redF()) * share,
            text.greenF() + (muted.greenF() - text.greenF()) * share,
            text.blueF() + (muted.blueF() - text.blueF()) * share,
        )


def _is_marker(column: Array) -> bool:
    return bool(np.isin(column, (0.0, 1.0)).all())

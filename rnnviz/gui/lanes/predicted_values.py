"""Predicted against true values of all models, in the units of the data."""

from PySide6.QtGui import QColor

from rnnviz.gui.items.curve_plot import Curve
from rnnviz.gui.lanes.curve_lane import CurveLane
from rnnviz.gui.lanes.lane import Heights
from rnnviz.gui.lanes.shown import Shown
from rnnviz.gui.lanes.units import undone
from rnnviz.gui.lanes.value_axes import linear

_FEW = 4


class PredictedValuesLane(CurveLane):
    """The true curve dashed in the text colour, one curve a model; the first predicted column."""

    heights = Heights(80, 120, 300, gap=10)

    def __init__(self, shown: Shown) -> None:
        super().__init__(shown, "prediction", "Prediction", "")

    def show(self, shown: Shown) -> None:
        task, targets = shown.task, shown.targets
        if task is None or targets is None or targets.ndim != 2:
            return
        true = undone(targets[:, 0], task.output_scales, 0)
        few = shown.asked if shown.asked.sum() < _FEW else None  # too few for a line that can be seen
        truth = Curve(true, QColor(self.theme.text), "true", 1.4, present=shown.asked, dashed=True, dots=few)
        curves = [truth]
        for model in shown.models:
            if model.prediction is not None:
                values = undone(model.prediction[:, 0], task.output_scales, 0)
                curves.append(Curve(values, model.color, model.name))
        name = task.output_labels[0] if task.output_labels else "value"
        self.label.set_text("Prediction", f"{'dashed' if few is None else 'dot'}: true {name}")
        self.tips = [(curve.name, curve.values) for curve in curves]
        self.plot.set_curves(curves, linear([true[shown.asked], *(curve.values for curve in curves[1:])]))

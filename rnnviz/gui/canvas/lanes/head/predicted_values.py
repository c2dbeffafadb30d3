"""One predicted column against its true values, of all models, in the units of the data."""

from collections.abc import Sequence

from PySide6.QtGui import QColor

from rnnviz.gui.canvas.items.curve_plot import Curve
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.data_units import column_name, undone
from rnnviz.gui.canvas.lanes.lane import Heights, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import Default, LaneKind, Offer
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.canvas.lanes.shown_model import prediction_words
from rnnviz.gui.canvas.lanes.value_axes import held_by_truth, linear

_FEW = 4
_MOST_OUTPUTS = 256  # predicted columns that can be chosen
_MOST_BY_THEMSELVES = 12  # of them that come where there is room
_IN_MENU = 2  # more are picked from a list


class PredictedValuesLane(CurveLane):
    """The true curve dashed in the text colour, one curve a model; a question asked seldom has dots instead."""

    heights = Heights(66, 116, 300, compact=44, gap=10)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Prediction", "")
        assert slot.column is not None, "prediction: wanted the column of a lane of one column"
        self._column = slot.column

    def show(self, shown: Shown) -> None:
        task, targets, column = shown.task, shown.targets, self._column
        if task is None or targets is None or targets.ndim != 2 or column >= targets.shape[1]:
            return
        true = undone(targets[:, column], task.output_scales, column)
        few = shown.asked if shown.asked.sum() < _FEW else None  # too few for a line that can be seen
        truth = Curve(true, QColor(self.theme.text), "true", 1.4, present=shown.asked, dashed=True, dots=few)
        curves = [truth]
        for model in shown.models:
            if model.prediction is not None:
                values = undone(model.prediction[:, column], task.output_scales, column)
                curves.append(Curve(values, model.color, model.name, dash=model.dash))
        self._say(column_name(task.output_labels, column), len(task.output_labels), task.name, few is not None)
        self.label.words = "; ".join(filter(None, (self.label.words, *map(prediction_words, shown.models))))
        self.tips = [(curve.name, curve.values) for curve in curves]
        self.present = {"true": shown.asked}
        within, beyond = held_by_truth(true[shown.asked], [curve.values for curve in curves[1:]])
        if beyond:
            gone = ", ".join(curves[1 + number].name for number in beyond)
            self.label.set_text(self.label.title, self.label.subtitle, f"{gone} off the scale")
        self.plot.set_curves(curves, linear([true[shown.asked], *within]))

    def _say(self, name: str, columns: int, task: str, few: bool) -> None:
        ahead = task == "next value"  # what is predicted at t is the value of t + 1
        when = " at t + 1" if ahead else ""
        if columns > 1:
            self.label.set_text(name, f"predicted{when}")
        else:
            self.label.set_text("Prediction", f"{name}{when}")
        true = "dots: the true values" if few else "dashed: the true values"
        self.label.words = f"{name}: what each model predicts at t{', the value of t + 1' if ahead else ''}; {true}"

    def rests(self, shown: Shown) -> Sequence[Rest]:
        found = [model.head_rests for model in shown.models if model.head is not None]
        return (*(found[0] if found else ()), *shown.rests)


def _offers(shown: Shown) -> Sequence[Offer]:
    """The first column by default, the next ones where there is room, others when they are picked."""
    if shown.task is None or shown.task.output_kind != "values":
        return []
    names = shown.task.output_labels[:_MOST_OUTPUTS]
    words = [f"Prediction of {name}" for name in names] if len(names) > 1 else ["Prediction"]
    group = "Predictions" if len(names) > _IN_MENU else ""
    first = Offer("prediction", words[0], True, PredictedValuesLane, column=0, group=group)
    return [first, *(_further(names[k], words[k], k, group) for k in range(1, len(names)))]


def _further(name: str, words: str, column: int, group: str) -> Offer:
    default: Default = "room" if column < _MOST_BY_THEMSELVES else False
    return Offer(f"prediction: {name}", words, default, PredictedValuesLane, column=column, group=group)


PREDICTED_VALUES = LaneKind(_offers)

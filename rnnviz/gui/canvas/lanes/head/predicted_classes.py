"""Predicted classes: one lane a model."""

from collections.abc import Sequence

from rnnviz.gui.canvas.lanes.head.class_probabilities import ClassProbabilitiesLane
from rnnviz.gui.canvas.lanes.head.next_symbols import NextSymbolsLane
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer, each_model
from rnnviz.gui.canvas.lanes.shown import Shown


def _offers(shown: Shown) -> Sequence[Offer]:
    if shown.task is None or shown.task.output_kind != "classes":
        return []
    lane = NextSymbolsLane if shown.asked_often else ClassProbabilitiesLane
    return [Offer("prediction", "Prediction", True, lane, folds=3)]


PREDICTED_CLASSES = LaneKind(_offers, each_model)

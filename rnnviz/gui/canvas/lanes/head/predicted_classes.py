"""Predicted classes: one lane a model; a class that is asked once has it where there is room."""

from collections.abc import Sequence

from rnnviz.gui.canvas.lanes.head.class_probabilities import ClassProbabilitiesLane
from rnnviz.gui.canvas.lanes.head.next_symbols import NextSymbolsLane
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer, each_model
from rnnviz.gui.canvas.lanes.shown import Shown


def _offers(shown: Shown) -> Sequence[Offer]:
    if shown.task is None or shown.task.output_kind != "classes":
        return []
    if shown.asked_often:
        return [Offer("prediction", "Prediction", True, NextSymbolsLane, room=0.5)]
    return [Offer("prediction", "Prediction", "room", ClassProbabilitiesLane, room=0.5)]


PREDICTED_CLASSES = LaneKind(_offers, each_model)

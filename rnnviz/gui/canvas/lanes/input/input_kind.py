"""Input: which of the lanes draws it, and on how many it stands."""

from collections.abc import Sequence
from dataclasses import replace

from rnnviz.gui.canvas.lanes.input.column import InputColumnLane
from rnnviz.gui.canvas.lanes.input.columns import InputColumnsLane
from rnnviz.gui.canvas.lanes.input.picture import InputPictureLane
from rnnviz.gui.canvas.lanes.input.symbols import InputSymbolsLane
from rnnviz.gui.canvas.lanes.input.values import InputValuesLane
from rnnviz.gui.canvas.lanes.lane import Lane, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer
from rnnviz.gui.canvas.lanes.shown import Shown


def _offers(shown: Shown) -> Sequence[Offer]:
    return [Offer("input", "Input", True, _lane(shown))]


def _lane(shown: Shown) -> type[Lane]:
    if shown.task is not None and shown.task.input_kind == "symbols":
        return InputSymbolsLane
    if shown.pictures is not None:
        return InputPictureLane
    if shown.input_columns != (None,):
        return InputColumnLane
    drawn = sum(not shown.is_marker(k) for k in range(shown.inputs.shape[1]))
    return InputValuesLane if drawn <= 1 else InputColumnsLane


def _slots(shown: Shown, on: Sequence[Offer]) -> Sequence[LaneSlot]:
    return [replace(offer, column=column).slot() for offer in on for column in shown.input_columns]


INPUT = LaneKind(_offers, _slots)

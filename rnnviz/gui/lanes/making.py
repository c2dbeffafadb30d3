"""Makes the lane that belongs to a key."""

from rnnviz.gui.lanes.cell_state import CellStateLane
from rnnviz.gui.lanes.class_probabilities import ClassProbabilitiesLane
from rnnviz.gui.lanes.gate import GateLane
from rnnviz.gui.lanes.gradient import GradientLane
from rnnviz.gui.lanes.hidden_state import HiddenStateLane
from rnnviz.gui.lanes.input_symbols import InputSymbolsLane
from rnnviz.gui.lanes.input_values import InputValuesLane
from rnnviz.gui.lanes.lane import Lane
from rnnviz.gui.lanes.loss import LossLane
from rnnviz.gui.lanes.model_header import ModelHeaderLane
from rnnviz.gui.lanes.next_symbols import NextSymbolsLane
from rnnviz.gui.lanes.predicted_values import PredictedValuesLane
from rnnviz.gui.lanes.ruler import RulerLane
from rnnviz.gui.lanes.selection import GATE_WORDS, LanePlace
from rnnviz.gui.lanes.share import ShareLane
from rnnviz.gui.lanes.shown import Shown

_SHARED = {"ruler": RulerLane, "gradient": GradientLane, "share": ShareLane, "loss": LossLane}
_PER_MODEL = {"chain": ModelHeaderLane, "hidden": HiddenStateLane, "cell": CellStateLane}


def make_lane(shown: Shown, place: LanePlace) -> Lane:
    """The lane at `place`, without data yet."""
    task = shown.task
    assert task is not None
    if place.key == "input":
        return InputSymbolsLane(shown) if task.input_kind == "symbols" else InputValuesLane(shown)
    if place.model is None:
        return PredictedValuesLane(shown) if place.key == "prediction" else _SHARED[place.key](shown)
    if place.key.startswith("gates: "):
        letter = place.key.removeprefix("gates: ")
        return GateLane(shown, place.model, letter, GATE_WORDS[letter])
    if place.key == "prediction":
        often = int(shown.asked.sum()) > 1
        return NextSymbolsLane(shown, place.model) if often else ClassProbabilitiesLane(shown, place.model)
    return _PER_MODEL[place.key](shown, place.model)

"""Makes the lane that belongs to a slot, and says beforehand how high it will want to be."""

from collections.abc import Callable

from rnnviz.gui.canvas.lanes.cell_state import CellStateLane
from rnnviz.gui.canvas.lanes.class_probabilities import ClassProbabilitiesLane
from rnnviz.gui.canvas.lanes.gate import GateLane
from rnnviz.gui.canvas.lanes.gradient import GradientLane
from rnnviz.gui.canvas.lanes.gradient_units import GradientUnitsLane
from rnnviz.gui.canvas.lanes.hidden_state import HiddenStateLane
from rnnviz.gui.canvas.lanes.input_column import InputColumnLane
from rnnviz.gui.canvas.lanes.input_columns import InputColumnsLane
from rnnviz.gui.canvas.lanes.input_symbols import InputSymbolsLane
from rnnviz.gui.canvas.lanes.input_values import InputValuesLane
from rnnviz.gui.canvas.lanes.lane import Heights, Lane
from rnnviz.gui.canvas.lanes.loss import LossLane
from rnnviz.gui.canvas.lanes.model_header import ModelHeaderLane
from rnnviz.gui.canvas.lanes.next_symbols import NextSymbolsLane
from rnnviz.gui.canvas.lanes.predicted_values import PredictedValuesLane
from rnnviz.gui.canvas.lanes.ruler import RulerLane
from rnnviz.gui.canvas.lanes.selection import GATE_WORDS, LaneSlot
from rnnviz.gui.canvas.lanes.share import ShareLane
from rnnviz.gui.canvas.lanes.shown import Shown

_SHARED: dict[str, type[Lane]] = {"ruler": RulerLane, "gradient": GradientLane, "share": ShareLane, "loss": LossLane}
_PER_MODEL: dict[str, type[Lane]] = {"chain": ModelHeaderLane, "hidden": HiddenStateLane, "cell": CellStateLane}


def make_lane(shown: Shown, slot: LaneSlot) -> Lane:
    """The lane at `slot`, without data yet."""
    kind: Callable[..., Lane] = _kind(shown, slot)
    if slot.key.startswith("gates: "):
        letter = slot.key.removeprefix("gates: ")
        return kind(shown, slot.model, letter, GATE_WORDS[letter])
    if slot.key.startswith("gradients: "):
        return kind(shown, slot.model, slot.key.removeprefix("gradients: "))
    if slot.model is not None:
        return kind(shown, slot.model)
    return kind(shown) if slot.column is None else kind(shown, slot.column)


def heights_of(shown: Shown, slot: LaneSlot) -> Heights:
    """What the lane at `slot` will need and like, without making it."""
    return _kind(shown, slot).heights


def _kind(shown: Shown, slot: LaneSlot) -> type[Lane]:
    task = shown.task
    assert task is not None
    if slot.key == "input":
        if task.input_kind == "symbols":
            return InputSymbolsLane
        if slot.column is not None:
            return InputColumnLane
        drawn = sum(not shown.is_marker(k) for k in range(shown.inputs.shape[1]))
        return InputValuesLane if drawn <= 1 else InputColumnsLane
    if slot.key.startswith("gates: "):
        return GateLane
    if slot.key.startswith("gradients: "):
        return GradientUnitsLane
    if not slot.key.startswith("prediction"):
        return (_SHARED if slot.model is None else _PER_MODEL)[slot.key]
    if slot.model is None:
        return PredictedValuesLane
    return NextSymbolsLane if int(shown.asked.sum()) > 1 else ClassProbabilitiesLane

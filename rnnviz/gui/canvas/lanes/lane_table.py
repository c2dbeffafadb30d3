"""Makes the lane that belongs to a slot, and says beforehand how high it will want to be."""

from collections.abc import Callable

from rnnviz.core.cells.node import Node
from rnnviz.gui.canvas.lanes.class_probabilities import ClassProbabilitiesLane
from rnnviz.gui.canvas.lanes.gradient import GradientLane
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
from rnnviz.gui.canvas.lanes.selection import LaneSlot, state_lane, states
from rnnviz.gui.canvas.lanes.share import ShareLane
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.canvas.lanes.unit_lanes import GateLane, GradientUnitsLane, StateLane

_SHARED: dict[str, type[Lane]] = {"ruler": RulerLane, "gradient": GradientLane, "share": ShareLane, "loss": LossLane}


def make_lane(shown: Shown, slot: LaneSlot) -> Lane:
    """The lane at `slot`, without data yet."""
    kind: Callable[..., Lane] = _kind(shown, slot)
    node = _node(shown, slot)
    if node is not None:
        return kind(shown, slot.model, node)
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
    if _node(shown, slot) is not None:
        return StateLane
    if slot.key == "chain":
        return ModelHeaderLane
    if not slot.key.startswith("prediction"):
        return _SHARED[slot.key]
    if slot.model is None:
        return PredictedValuesLane
    return NextSymbolsLane if int(shown.asked.sum()) > 1 else ClassProbabilitiesLane


def _node(shown: Shown, place: LaneSlot) -> Node | None:
    """The node of the model's cell that a lane shows; None for the other lanes."""
    if place.model is None:
        return None
    cell = shown.models[place.model].structure.equations
    kind, _, name = place.key.partition(": ")
    if kind in ("gates", "gradients"):
        return cell.node(name)
    return next((state for state in states(cell) if state_lane(state) == place.key), None)

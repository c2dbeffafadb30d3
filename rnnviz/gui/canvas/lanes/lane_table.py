"""Lane table: every kind of lane there is, in the order of the stack and of the menus.

A new kind is a module with its `Lane` and its `LaneKind`, and one entry here.
"""

from rnnviz.gui.canvas.lanes.gradient import GRADIENT
from rnnviz.gui.canvas.lanes.head.loss import LOSS
from rnnviz.gui.canvas.lanes.head.predicted_classes import PREDICTED_CLASSES
from rnnviz.gui.canvas.lanes.head.predicted_values import PREDICTED_VALUES
from rnnviz.gui.canvas.lanes.input.input_kind import INPUT
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind
from rnnviz.gui.canvas.lanes.model_header import CHAIN
from rnnviz.gui.canvas.lanes.ruler import RULER
from rnnviz.gui.canvas.lanes.share import SHARE
from rnnviz.gui.canvas.lanes.unit_lanes import GATES, STATE_GRADIENTS, STATES

LANES: tuple[LaneKind, ...] = (
    INPUT,
    RULER,
    CHAIN,
    STATES,
    GATES,
    STATE_GRADIENTS,
    PREDICTED_CLASSES,
    PREDICTED_VALUES,
    LOSS,
    GRADIENT,
    SHARE,
)

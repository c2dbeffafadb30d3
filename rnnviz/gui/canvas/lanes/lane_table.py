"""Lane table: every kind of lane there is, in the order of the menus and, but for lanes of models, of the stack.

A new kind is a module with its `Lane` and its `LaneKind`, and one entry here. Lanes of models that lie together stand
model by model: a lane that all models share must not lie between them. Numbers of a model come from `ShownModel`; what
a lane should hold is said in `EXPECTATIONS` of tests/gui/lanes, what is offered in tests/data/golden/lanes.json.
"""

from rnnviz.gui.canvas.lanes.attention import ATTENTION
from rnnviz.gui.canvas.lanes.gradient import GRADIENT, INPUT_GRADIENT
from rnnviz.gui.canvas.lanes.head.loss import LOSS
from rnnviz.gui.canvas.lanes.head.predicted_classes import PREDICTED_CLASSES
from rnnviz.gui.canvas.lanes.head.predicted_values import PREDICTED_VALUES
from rnnviz.gui.canvas.lanes.input.input_kind import INPUT
from rnnviz.gui.canvas.lanes.input.symbols import DECODER_READS
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind
from rnnviz.gui.canvas.lanes.model_header import CHAIN
from rnnviz.gui.canvas.lanes.ruler import RULER
from rnnviz.gui.canvas.lanes.share import SHARE
from rnnviz.gui.canvas.lanes.stages import STAGES
from rnnviz.gui.canvas.lanes.unit_lanes import GATES, STATE_GRADIENTS, STATES

LANES: tuple[LaneKind, ...] = (
    STAGES,
    INPUT,
    RULER,
    CHAIN,
    DECODER_READS,
    STATES,
    GATES,
    STATE_GRADIENTS,
    ATTENTION,
    PREDICTED_CLASSES,
    PREDICTED_VALUES,
    LOSS,
    GRADIENT,
    INPUT_GRADIENT,
    SHARE,
)

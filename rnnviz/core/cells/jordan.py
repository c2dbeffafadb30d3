"""The Jordan network (Jordan 1986): what is fed back is the output, not the hidden units.

h_t = φ(W_ih x_t + b_ih + W_hh y_{t−1} + b_hh)   y_t = W_ho h_t + b_o

The read-out is part of the recurrence, so the cell owns it: y has V units, as many as are predicted, and the network's
head has no weights of its own. The gradient goes back in time through y alone.
"""

from dataclasses import dataclass, field

from rnnviz.core.cells.cell import (
    BOTH_BIASES,
    Activation,
    Cell,
    CellKind,
    Options,
    Parameter,
    from_input,
    parameters,
)
from rnnviz.core.cells.node import Matrix, Node, Operation, Sum, Value, Weight
from rnnviz.core.cells.units import pre_activation, squashed_units
from rnnviz.core.cells.vanilla import ACTIVATIONS
from rnnviz.core.setting import OneOf, setting


def _make(options: Options) -> Cell:
    """One pre-activation a, hidden units h, and y, the state."""
    words = "pre-activations from the output before"
    uy = Node("uy", Matrix(Weight("weight_hh"), Value("y", before=True)), "U y", "a_{y,t}", words, units="rows")
    product = Matrix(Weight("weight_ho"), Value("h"))
    summed: Operation = Sum((Value("wh"), Weight("bias_ho")))
    y = Node(
        "y",
        summed if options.bias else product,
        symbol="y_t",
        words="output",
        explained="the prediction, which goes back into the cell",
        units="output",
        role="state",
        family="state",
        settable=True,
    )
    own = [Parameter("weight_ho", "W_{ho}", "output", "hidden")]
    own += [Parameter("bias_ho", "b_o", "output", "")] if options.bias else []
    return Cell(
        "jordan",
        "Jordan",
        ("a",),
        (*parameters(options.bias), *own),
        (
            from_input(),
            uy,
            pre_activation(("wx", "uy"), BOTH_BIASES if options.bias else ()),
            squashed_units(options.activation, units="hidden"),
            *([Node("wh", product, "W h", "r_t", "read-out before its bias", units="output")] if options.bias else []),
            y,
        ),
        states=("y",),
        output="y",
    )


@dataclass(frozen=True)
class JordanSettings:
    """What a Jordan network lets a person choose."""

    activation: Activation = field(
        default="tanh",
        metadata=setting("Activation", OneOf(ACTIVATIONS), "φ of h_t = φ(W_ih x_t + W_hh y_t−1 + b); needs a restart"),
    )


JORDAN = CellKind(
    "jordan",
    "Jordan",
    _make,
    hue=3,
    activations=tuple(ACTIVATIONS),
    projection=True,
    settings=JordanSettings,
    reads_out=True,
    one_layer="whose output is the prediction",
    one_direction="whose output is the prediction",
    note="The output goes back into the cell, not the hidden units: all that is remembered has to pass through y.",
)

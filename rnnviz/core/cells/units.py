"""Units: the nodes that several cells write alike: a pre-activation a_t, and hidden units h_t = φ(a_t) or a sum."""

from collections.abc import Sequence

from rnnviz.core.cells.cell import Activation
from rnnviz.core.cells.node import Node, Operation, Relu, Sigmoid, Sum, Tanh, Units, Value, Weight

RANGES: dict[Activation, tuple[float, float] | None] = {"tanh": (-1.0, 1.0), "relu": None, "sigmoid": (0.0, 1.0)}


def pre_activation(products: Sequence[str], biases: Sequence[str]) -> Node:
    """a_t, the sum of products and biases, all rows at once."""
    parts: tuple[Value | Weight, ...] = (*map(Value, products), *(Weight(f"bias_{of}") for of in biases))
    return Node(
        "a", Sum(parts), "bias", "a_t", "pre-activation", units="rows", role="pre-activation", family="pre-activation",
        settable=True,
    )  # fmt: skip


def squashed_units(activation: Activation, words: str = "hidden units", units: Units = "output") -> Node:
    """h_t = φ(a_t)."""
    operations: dict[Activation, type[Tanh | Relu | Sigmoid]] = {"tanh": Tanh, "relu": Relu, "sigmoid": Sigmoid}
    return _hidden(operations[activation](Value("a")), words, units, RANGES[activation])


def summed_units(*values: str) -> Node:
    """h_t, the sum of these nodes."""
    return _hidden(Sum(tuple(map(Value, values))), "hidden units", "output")


def _hidden(operation: Operation, words: str, units: Units, limits: tuple[float, float] | None = None) -> Node:
    return Node(
        "h", operation, symbol="h_t", words=words, units=units, limits=limits, role="state", family="state",
        settable=True,
    )  # fmt: skip

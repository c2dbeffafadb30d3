"""The variables of a time step: a tree by layer and operation, and for each what can be said of its numbers."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.cell import Parameter
from rnnviz.core.cells.node import Node
from rnnviz.core.equations.around import MASK, CallForm, around, layer_value
from rnnviz.core.equations.operations import Operation, operations_of
from rnnviz.core.magnitude import l2, saturation
from rnnviz.core.numbers import short
from rnnviz.core.sweeps.layer import Layer
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.canvas.lanes.unit_lanes import gate_lane, gradient_lane, state_lane
from rnnviz.gui.widgets.marked_text import plain


@dataclass(frozen=True)
class Variable:
    """One array of a layer, the head or the update at a time step (0-based, of a trace with one sequence); `parts` hang
    below it."""

    key: str
    symbol: str  # markup
    words: str
    read: Callable[[Any, int], Array | None]  # of the layer, the head's trace or the update shown
    gate: Node | None = None  # the gate or candidate it is
    operation: str = ""  # the one that computes it
    phase: Phase = Phase.FORWARD  # the one in which it is computed
    parameter: str = ""  # whose update it is a part of
    lane: str = ""  # the key of the lane that shows it over time
    rows: int = 0  # of a matrix; 0: a vector
    timeless: bool = False  # the same at every time step: a parameter
    parts: tuple["Variable", ...] = field(default=())


@dataclass(frozen=True)
class Facts:
    """What is said of an array: of the finite values where the word is not of them all."""

    shape: tuple[int, ...]
    norm: float
    low: float
    high: float
    zero: float  # share of zeros and of values too small for full precision
    saturated: float | None  # share below 0.1 or above 0.9 of a gate
    odd: int  # how many are not finite
    cut: bool = False  # whether it is a gradient that truncation has cut

    @property
    def text(self) -> str:
        """The facts as one line; nothing of a single number, whose size is its norm."""
        if not self.shape:
            return ""
        shape = f"({', '.join(map(str, self.shape))})"
        if self.cut:
            return f"{shape}  cut (truncated)"
        parts = [shape, f"{short(self.low)} … {short(self.high)}"]
        if self.saturated is not None:
            parts.append(f"{self.saturated:.0%} saturated")
        if self.zero:
            parts.append(f"{self.zero:.0%} zero")
        if self.odd:
            parts.append(f"{self.odd} not finite")
        return "  ".join(parts)


def facts(values: Array, gate: Node | None = None, cut: bool = False) -> Facts:
    """Shape, norm, ends and shares of an array of any shape with at least one value; `cut`: where truncation keeps all
    losses away, so that what is 0 has not vanished."""
    finite = values[np.isfinite(values)]
    nothing = np.abs(values) < np.finfo(values.dtype).tiny
    return Facts(
        values.shape,
        float(l2(values.reshape(-1))),
        float(finite.min()) if finite.size else float("nan"),
        float(finite.max()) if finite.size else float("nan"),
        float(np.mean(nothing)),
        float(saturation(values)) if gate is not None and gate.limits == (0.0, 1.0) else None,
        int(values.size - finite.size),
        cut and not values.any(),
    )


def numpy_text(variable: Variable, values: Array, time_step: int) -> str:
    """The values as a line of Python: "f_41 = np.array([…], dtype=np.float32)"."""
    with np.printoptions(nanstr="np.nan", infstr="np.inf"):
        numbers = np.array2string(values, separator=", ", threshold=values.size + 1, floatmode="unique")
    letters = plain(variable.symbol.replace("_t", f"_{time_step}")).translate(str.maketrans("∂Δ", "dd"))
    name = "_".join("".join(c if c.isascii() and c.isalnum() else " " for c in letters).split())
    return f"{name} = np.array({numbers}, dtype=np.{values.dtype.name})"


def layer_variables(layer: Layer) -> tuple[Variable, ...]:
    """The variables of one layer: its input, then what each operation computes with its gradient and parameters."""
    given = [Variable("x", "x_t", "input", lambda layer, t: layer.x[t, 0])]
    if layer.window > 1:
        symbol, words = layer.equations.input_symbol, f"the last {layer.window} inputs side by side"
        given.append(Variable("window", symbol, words, lambda layer, t: layer.cell_input[t, 0]))
    return (*given, *(_of_operation(operation, layer) for operation in operations_of(layer)), *_around(layer))


def _around(layer: Layer) -> list[Variable]:
    """What dropout and a way around make of the layer's output, with the gradients that come to it."""
    found = []
    form = CallForm(masked=layer.mask is not None)
    for operation in around(layer.structure, layer.id, form).after:
        name, key = operation.forward[0].result.name, operation.key
        backward = operation.backward[0]

        def read(layer: Layer, t: int, name: str = name) -> Array | None:
            return layer_value(layer, name, t)

        def gradient(layer: Layer, t: int, name: str = backward.terms[-1].name) -> Array | None:
            return layer_value(layer, name, t)

        parts = [
            Variable(
                f"{key}/gradient",
                backward.terms[-1].symbol,
                "its gradient",
                gradient,
                operation=key,
                phase=Phase.BACKWARD,
            )
        ]
        if key == MASK:
            mask = Variable(
                "dropout", "m_t", "dropout mask", lambda layer, t: layer_value(layer, "mask", t), operation=key
            )
            parts.insert(0, mask)
        words = operation.words.partition(":")[0]
        found.append(Variable(key, operation.symbol, words, read, operation=key, parts=tuple(parts)))
    return found


def _of_operation(operation: Operation, layer: Layer) -> Variable:
    cell = layer.equations
    key, last = operation.key, operation.nodes[-1]
    passed = "gradient that goes to the input" if operation.backward[0].result.of == "x" else ""
    passed = passed or ("gradient that goes to the state before" if operation.passes_on else "its gradient")
    of_state = last.name in cell.hidden_nodes
    gradient = Variable(
        f"{key}/gradient",
        operation.backward_symbol,
        passed,
        lambda layer, t: operation.backward_value(layer, t),
        operation=key,
        phase=Phase.BACKWARD,
        lane=gradient_lane(last) if of_state else "",
    )
    lane = state_lane(last) if of_state else ""
    if operation.gate is not None:
        lane = gate_lane(operation.gate)
    parts = (
        gradient,
        *(part for name in operation.parameters for part in _of_parameter(cell.parameter_named[name], layer, key)),
    )
    return Variable(
        key,
        operation.symbol,
        operation.words.partition(":")[0],
        lambda layer, t: operation.forward_value(layer, t),
        operation.gate,
        key,
        lane=lane,
        parts=parts,
    )


def _of_parameter(parameter: Parameter, layer: Layer, operation: str) -> tuple[Variable, Variable]:
    name, symbol = parameter.name, parameter.symbol
    shape = layer.weights[name].shape if name in layer.weights else ()
    rows = shape[0] if len(shape) > 1 else 0
    return (
        Variable(
            name,
            symbol,
            "parameter",
            lambda layer, t: layer.weights.get(name),
            operation=operation,
            rows=rows,
            timeless=True,
        ),
        Variable(
            f"{name}/gradient",
            f"∂L/∂{symbol}",
            "its gradient, of the whole sequence",
            lambda layer, t: layer.weight_grads.get(name),
            operation=operation,
            phase=Phase.BACKWARD,
            rows=rows,
            timeless=True,
        ),
    )


def chosen(variables: Sequence[Variable], text: str) -> set[str] | None:
    """The keys of the variables that a filter names; None where it names none and words have to be looked at.

    "W" is the symbol W: W_hh and ∂L/∂W_hh, not "forward"; "hh" and "weight" are parts of a symbol and of torch's name.
    """
    begins = re.compile(rf"(?<![A-Za-z_]){re.escape(text)}")
    begin = {one.key for one in variables if begins.search(plain(one.symbol))}
    hold = {one.key for one in variables if text in plain(one.symbol) or text in one.key.partition("/")[0].split("_")}
    return begin or hold or None

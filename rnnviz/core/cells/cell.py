"""Cell: what one kind of recurrent cell is, as a value from which everything else that is said of it follows.

Shapes: S time steps in the layer's own order, `B` is () for one sequence or (N,) for several, H hidden units,
P units of h (H without projection), G rows of the stacked weights (blocks · H), I inputs.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.beginning import Begin
from rnnviz.core.cells.node import Diagonal, Matrix, Node, Operation, Sum, UnitsWord, Value, Weight
from rnnviz.core.errors import RnnvizError

Activation = Literal["tanh", "relu", "sigmoid"]
Columns = Literal["input", "hidden", "output", ""]  # "": a vector


@dataclass(frozen=True)
class Uniform:
    """Uniform in ±1/√H, as torch initialises every parameter of a recurrent module."""

    def bound(self, hidden_size: int) -> float:
        return 1 / math.sqrt(hidden_size)

    def draw(self, generator: "np.random.Generator", shape: tuple[int, ...], hidden_size: int) -> Array:
        """float64 values of `shape`."""
        bound = self.bound(hidden_size)
        return generator.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class Parameter:
    """A parameter of each layer: torch's name without the layer, its shape in words of the sizes, its symbol."""

    name: str  # "weight_hh"
    symbol: str  # "W_{hh}"
    rows: UnitsWord
    columns: Columns
    initial: Uniform = Uniform()
    fixed: tuple[int, ...] | None = None  # of a user's own cell: its shape, whatever the sizes

    def shape(self, blocks: int, hidden: int, output: int, inputs: int) -> tuple[int, ...]:
        if self.fixed is not None:
            return self.fixed
        rows = {"rows": blocks * hidden, "hidden": hidden, "output": output}[self.rows]
        return (rows, {"input": inputs, "hidden": hidden, "output": output}[self.columns]) if self.columns else (rows,)


@dataclass(frozen=True)
class OwnParts:
    """What is known of a user's own cell once its file was run: names and sizes, and which file that was."""

    states: tuple[tuple[str, int], ...]  # name and units, in the order in which they are given; the first is the output
    parameters: tuple[tuple[str, tuple[int, ...]], ...] = ()  # name and shape
    digest: str = ""  # SHA-256 of the file
    called: str = ""  # the name of its class


@dataclass(frozen=True)
class Options:
    """What of a module's structure changes the equations of its cell."""

    bias: bool = True
    projected: bool = False
    activation: Activation = "tanh"  # of a cell that lets it be chosen
    own: OwnParts | None = None  # of a user's own cell


@dataclass(frozen=True)
class NoSettings:
    """Of a cell that has none of its own."""


@dataclass(frozen=True)
class CellKind:
    """A kind of cell as people choose it: its words, what can be set, and how its equations are made."""

    name: str  # "lstm", an identifier: in files, in the expression language, in the table of cells
    words: str  # "LSTM"
    make: Callable[[Options], "Cell"]
    hue: int = 0  # which of the six colours of models (`gui/look/theme.py`) its models have
    activations: tuple[Activation, ...] = ()  # that can be chosen
    projection: bool = False  # whether h can be projected
    settings: type[Any] = NoSettings  # a record of the settings of its own, each with a default
    reads_out: bool = False  # its output is the prediction, of as many units: the network's head has no weights
    one_layer: str = ""  # why none is stacked: "whose output is the prediction"; "": some may be
    one_direction: str = ""  # why none reads the sequence backwards: "which has no state to carry"; "": one may
    begin: Begin | None = None  # what its own settings make of weights that are drawn
    note: str = ""  # one or two sentences, where it is chosen and where it is drawn: what it is, what it can and cannot


class Group(NamedTuple):
    """What several nodes are called together, where a person steps over them at once."""

    symbol: str
    words: str


class Use(NamedTuple):
    """Where a value is read: by which node, at which place of its operation, and as what."""

    node: Node
    place: int
    value: Value


class Kernel(Protocol):
    """A quick form of both sweeps of one cell, held against the generic sweep.

    It hands over the nodes it computes anyway; all others follow from them.
    """

    @property
    def joint_bias(self) -> bool:
        """Whether b_ih + b_hh is all that counts, so that it can be added once."""

    def forward(
        self,
        weights: Mapping[str, Array],
        a_ih: Array,
        a_hh: Array,
        previous_h: Array,
        initial: Mapping[str, Array],
    ) -> dict[str, Array]:
        """Values by node name from a_ih = W_ih x + b_ih and a_hh = W_hh h_{t−1} + b_hh, both (S, *B, G) and used up.

        With `joint_bias` the first has both biases and the second none. `previous_h` (S, *B, P) is h_{t−1} of every
        time step, `initial` the first states (*B, ·). What only `backward` needs goes under names in brackets.
        """

    def backward(
        self, weights: Mapping[str, Array], values: Mapping[str, Array], direct: Array, previous_h: Array
    ) -> "Gradients":
        """The reverse scan: from direct ∂L_t/∂h_t (S, *B, P) to gradients of nodes, last time step first."""


class Gradients(NamedTuple):
    """What a backward sweep found: gradients of nodes, and what came to each state from the time step after."""

    nodes: dict[str, Array]  # (S, *B, ·) ∂L/∂node
    arriving: dict[str, Array]  # (S, *B, ·) by state, the part of its gradient that the neighbouring time step sent


@dataclass(frozen=True, eq=False)
class Cell:
    """One kind of cell with its structural settings put in: equations only; the loop over time is the caller's.

    `cell_made` gives the same object for the same settings, so that a cell is compared by what it is.
    """

    name: str  # "lstm"
    words: str  # "LSTM"
    blocks: tuple[str, ...]  # in the order in which the rows of the weights are stacked
    parameters: tuple[Parameter, ...]  # in torch's order
    nodes: tuple[Node, ...]  # each reads only those before it, and states of the time step before
    states: tuple[str, ...] = ("h",)  # the nodes carried to the next time step, in torch's order
    output: str = "h"
    hidden: str = "h"  # the node whose values are called hidden units
    input_symbol: str = "x_t"  # of what its nodes read as x
    kernel: Kernel | None = None
    slope_limit: float | None = None  # max φ′ where h = φ(W_hh h_{t−1} + …), so that ‖W_hh‖ max φ′ bounds each step
    groups: Mapping[str, Group] = field(default_factory=dict)  # by their key, operations of several nodes with symbols
    recorded: bool = False  # a user's own: states have names, values and gradients, and no operations are known

    @cached_property
    def by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def node(self, name: str) -> Node:
        """The node called `name`; RnnvizError that names the cell where it has none."""
        found = self.by_name.get(name)
        if found is None:
            raise RnnvizError(f"The {self.words} cell has no {name}; it has {', '.join(self.by_name)}.")
        return found

    @cached_property
    def parameter_named(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def hidden_nodes(self) -> tuple[str, ...]:
        """What is shown as units over time, each with its gradient: the hidden units, the states, the output."""
        return tuple(dict.fromkeys((self.hidden, *self.states, self.output)))

    @cached_property
    def read_out(self) -> str:
        """The matrix from the hidden units to the output, where the cell makes predictions itself; "" in others."""
        if self.output == self.hidden:
            return ""
        return next((one.name for one in self.parameters if (one.rows, one.columns) == ("output", "hidden")), "")

    @cached_property
    def carried_to(self) -> frozenset[str]:
        """The nodes to whose gradient later time steps add: the states, and what they are made of."""
        found = set(self.states)
        for node in reversed(self.nodes):
            if node.name in found:
                found |= {value.name for value in node.operation.values if not value.before and value.name != "x"}
        return frozenset(found)

    @cached_property
    def followed(self) -> tuple[Node, ...]:
        """Whose gradient is followed over time: the output where it is carried or nothing is, else the states."""
        carried = self.states if self.states and self.output not in self.states else (self.output,)
        return tuple(self.by_name[name] for name in carried)

    @cached_property
    def followed_symbol(self) -> str:
        """ "h", or of several "(s′, s″)"."""
        symbols = [node.symbol.removesuffix("_t") for node in self.followed]
        return symbols[0] if len(symbols) == 1 else f"({', '.join(symbols)})"

    @cached_property
    def gates(self) -> tuple[Node, ...]:
        """Gates and candidates, in the order of the stacked rows."""
        return tuple(node for node in self.nodes if node.role == "gate")

    @cached_property
    def settable(self) -> tuple[Node, ...]:
        """What a person may set by hand, states first."""
        found, first = [node for node in self.nodes if node.settable], self.hidden_nodes
        return tuple(sorted(found, key=lambda node: first.index(node.name) if node.name in first else 9))

    def units(self, node: Node, hidden: int, output: int) -> int:
        """How many units a node has."""
        if isinstance(node.units, int):
            return node.units
        return {"rows": len(self.blocks) * hidden, "hidden": hidden, "output": output}[node.units]

    def pre_activation(self, node: Node) -> Value | None:
        """What a node squashes, "a" of a block or a node of its own; None where it squashes nothing."""
        values = node.operation.values
        squashes = len(values) == 1 and not isinstance(node.operation, Matrix | Diagonal | Sum)
        return values[0] if squashes else None

    @cached_property
    def pre_activations(self) -> dict[str, Value]:
        """By the gate's name what it squashes, itself where nothing; without gates what the hidden units squash."""
        if self.gates:
            return {gate.name: self.pre_activation(gate) or Value(gate.name) for gate in self.gates}
        value = self.pre_activation(self.by_name[self.hidden])
        return {} if value is None else {value.name: value}

    @cached_property
    def leading_matrix(self) -> Parameter:
        """The first matrix on the output of the time step before, else the first of all."""
        matrices = [parameter for parameter in self.parameters if parameter.columns]
        before = Value(self.output, before=True)
        for parameter in matrices:
            if any(before in node.operation.values for node, _ in self.weight_uses(parameter.name)):
                return parameter
        return (matrices or self.parameters)[0]

    def goes_into(self, node: Node, state: str) -> bool:
        """Whether a state of this time step is made of a node, element by element."""
        if node.name == state:
            return True
        users = [use.node for use in self.uses[node.name] if not use.value.before]
        return any(self.goes_into(user, state) for user in users if not isinstance(user.operation, Matrix))

    @cached_property
    def recurrent_matrices(self) -> tuple[str, ...]:
        """The parameters through which a state of the time step before goes, before it becomes a new one."""

        def is_made_of(value: Value) -> bool:
            """Whether a value is a state of this time step, or made of one."""
            read = () if value.before or value.name == "x" else self.by_name[value.name].operation.values
            return (value.name in self.states and not value.before) or any(map(is_made_of, read))

        return tuple(
            parameter.name
            for parameter in self.parameters
            for node, _ in self.weight_uses(parameter.name)
            if parameter.columns and node.name in self.recurrent and not any(map(is_made_of, node.operation.values))
        )

    @cached_property
    def uses(self) -> dict[str, tuple[Use, ...]]:
        """Who reads x and each node, in the order of the nodes."""
        found: dict[str, list[Use]] = {"x": [], **{node.name: [] for node in self.nodes}}
        for node in self.nodes:
            for place, value in enumerate(node.operation.values):
                found[value.name].append(Use(node, place, value))
        return {name: tuple(uses) for name, uses in found.items()}

    @cached_property
    def recurrent(self) -> frozenset[str]:
        """The nodes that depend on a state of the time step before; the others are known for all time steps at once."""
        found = set[str]()
        for node in self.nodes:
            if any(value.before or value.name in found for value in node.operation.values):
                found.add(node.name)
        return frozenset(found)

    @cached_property
    def steps(self) -> tuple[tuple[str, tuple[Node, ...]], ...]:
        """The operations a person steps over, in order: their key and their nodes; none where they are not known."""
        if self.recorded:
            return ()
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            found.setdefault(node.step, []).append(node)
        return tuple((key, tuple(nodes)) for key, nodes in found.items())

    def weight_uses(self, parameter: str) -> tuple[tuple[Node, Weight], ...]:
        """The nodes that use a parameter, with the rows they use."""
        return self._weight_uses.get(parameter, ())

    @cached_property
    def _weight_uses(self) -> dict[str, tuple[tuple[Node, Weight], ...]]:
        found: dict[str, list[tuple[Node, Weight]]] = {}
        for node in self.nodes:
            for weight in node.operation.weights:
                found.setdefault(weight.name, []).append((node, weight))
        return {name: tuple(uses) for name, uses in found.items()}

    def weight_places(self, parameter: str) -> tuple[tuple[Node, int], ...]:
        """The nodes that use a parameter, with its place among the weights of each."""
        return tuple(
            (node, place)
            for node, _ in self.weight_uses(parameter)
            for place, weight in enumerate(node.operation.weights)
            if weight.name == parameter
        )

    def used(self, weight: Weight, weights: Mapping[str, Array], hidden: int) -> Array:
        """The rows of a parameter that a node uses; in front of them there may be an axis of weight sets."""
        array, rows = weights[weight.name], self.block_rows(weight.block, hidden)
        return array[..., rows, :] if self.parameter_named[weight.name].columns else array[..., rows]

    def block_rows(self, block: str, hidden: int) -> slice:
        """The rows of one block among the stacked ones; all without a block."""
        if not block:
            return slice(None)
        number = self.blocks.index(block)
        return slice(number * hidden, (number + 1) * hidden)


BOTH_BIASES = ("ih", "hh")  # as torch has them, though their sum is all that counts


def parameters(
    bias: bool = True,
    projected: bool = False,
    recurrent: bool = True,
    peepholes: tuple[str, ...] = (),
    biases: tuple[str, ...] = BOTH_BIASES,
) -> tuple[Parameter, ...]:
    """torch's parameters of a layer in torch's order, with one diagonal for each of `peepholes`."""
    found = [Parameter("weight_ih", "W_{ih}", "rows", "input")]
    if recurrent:
        found.append(Parameter("weight_hh", "W_{hh}", "rows", "output"))
    if bias:
        found += [Parameter(f"bias_{of}", f"b_{{{of}}}", "rows", "") for of in biases if recurrent or of == "ih"]
    if projected:
        found.append(Parameter("weight_hr", "W_{hr}", "output", "hidden"))
    found += [Parameter(f"weight_c{gate}", f"p_{gate}", "hidden", "") for gate in peepholes]
    return tuple(found)


def from_input(key: str = "W x") -> Node:
    """W_ih x_t, all rows at once."""
    operation = Matrix(Weight("weight_ih"), Value("x"))
    return Node("wx", operation, key, "a_{x,t}", "pre-activations from the input", units="rows")


def from_state(gradient: str = "", key: str = "U h") -> Node:
    """W_hh h_{t−1}, all rows at once."""
    operation = Matrix(Weight("weight_hh"), Value("h", before=True))
    words = "pre-activations from the state before"
    return Node("uh", operation, key, "a_{h,t}", words, units="rows", gradient=gradient)


def joint_pre_activation(bias: bool, words: str, biases: tuple[str, ...] = BOTH_BIASES) -> Node:
    """a_t = W_ih x_t + W_hh h_{t−1} + b_ih + b_hh, all rows at once."""
    added = [Weight(f"bias_{of}") for of in biases if bias]
    operation = Sum((Value("wx"), Value("uh"), *added))
    return Node("a", operation, "bias", "a_t", words, units="rows", role="pre-activation")


__all__ = [
    "Cell",
    "Gradients",
    "Group",
    "Kernel",
    "Operation",
    "Parameter",
    "Uniform",
    "Use",
    "from_input",
    "from_state",
    "joint_pre_activation",
    "parameters",
]

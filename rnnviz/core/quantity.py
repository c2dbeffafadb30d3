"""Quantities: the named tensors of a layer, made from the nodes of its cell and a few that every cell has."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Node

Kind = Literal[
    "input",
    "value",
    "pre-activation",
    "gradient",
    "direct gradient",
    "carried gradient",
    "input gradient",
    "pre-activation gradient",
    "share",
    "so far",
]
Units = Literal["H", "P", "I", ""]  # hidden units, units of h, inputs; "": one value for each time step


@dataclass(frozen=True)
class Quantity:
    """A tensor (T, N, ·) of one layer, or (T,) where it has no units, to be asked of `Layer.quantity`.

    `limits` is where tanh and sigmoid hold the values, None where nothing does (a ReLU's h_t exceeds it too).
    `family` chooses the colours: "input", "state", "cell", of a gate "forget", "input gate", …, "gradient".
    """

    name: str  # as in the expression language: "h", "dh", "a_i"
    symbol: str
    words: str
    kind: Kind
    units: Units = "H"
    limits: tuple[float, float] | None = None
    family: str = "gradient"
    of: str = ""  # the node, gate or parameter


@lru_cache(maxsize=128)
def quantities(cell: Cell) -> dict[str, Quantity]:
    """All quantities of a cell by name, in the order in which they are offered."""
    return {quantity.name: quantity for quantity in _all(cell)}


def _all(cell: Cell) -> Iterator[Quantity]:
    yield Quantity("x", "x_t", "input", "input", "I", family="input")
    for name in cell.hidden_nodes:
        yield value_of(cell, cell.node(name))
    for gate in cell.gates:
        yield value_of(cell, gate)
    for name in cell.pre_activations:
        yield _pre_activation(cell, name)
    for name in cell.hidden_nodes:
        yield from _gradients(cell, cell.node(name))
    yield Quantity("dx", "∂L/∂x_t", "input gradient", "input gradient", "I")
    for name in cell.pre_activations:
        pre = _pre_activation(cell, name)
        words = f"gradient of the {pre.words}"
        yield Quantity(f"d{pre.name}", f"∂L/∂{pre.symbol}", words, "pre-activation gradient", of=name)
    shared = [parameter for parameter in cell.parameters if parameter.columns]
    for parameter in shared:
        short, symbol = parameter.name.removeprefix("weight_"), flat(parameter.symbol)
        words = f"share of each time step in ∂L/∂{symbol}"
        yield Quantity(f"share_{short}", f"‖(∂L/∂{symbol})|_t‖", words, "share", "", of=parameter.name)
    for parameter in shared:
        short, symbol = parameter.name.removeprefix("weight_"), flat(parameter.symbol)
        words = f"∂L/∂{symbol} gathered once the backward sweep has done t"
        yield Quantity(f"so_far_{short}", f"‖Σ(∂L/∂{symbol})|_s‖", words, "so far", "", of=parameter.name)


def value_of(cell: Cell, node: Node) -> Quantity:
    """The value of a node."""
    family = f"gate:{node.family}" if node.role == "gate" else node.family or "state"
    units: Units = "P" if node.units == "output" else "H"
    return Quantity(node.name, node.symbol, node.words, "value", units, node.limits, family, node.name)


def _pre_activation(cell: Cell, name: str) -> Quantity:
    node = cell.by_name[name]
    if node.role == "gate":
        words = f"pre-activation of the {node.words}"
        return Quantity(f"a_{name}", f"a_{name},t", words, "pre-activation", family="pre-activation", of=name)
    return Quantity(name, node.symbol, "pre-activation", "pre-activation", family="pre-activation", of=name)


def _gradients(cell: Cell, node: Node) -> Iterator[Quantity]:
    """∂L/∂ hidden units or a state in whole, its direct part, and where later time steps add to it the carried one."""
    state, name = node.symbol.removesuffix("_t"), node.name
    units: Units = "P" if node.units == "output" else "H"
    kind = node.short_words
    part = "" if name == cell.hidden else f"{kind} "
    carried = f"(∂{state}_{{t+1}}/∂{state}_t)ᵀ ∂L/∂{state}_{{t+1}}" if not part else f"∂L_{{>t}}/∂{state}_t"
    yield Quantity(f"d{name}", f"∂L/∂{state}_t", f"{kind} gradient", "gradient", units, of=name)
    words = f"direct {part}gradient"  # from L_t, or from the layer above
    yield Quantity(f"d{name}_direct", f"∂L/∂{state}_t, direct", words, "direct gradient", units, of=name)
    if name not in cell.carried_to:
        return
    words = f"carried {part}gradient"
    yield Quantity(f"d{name}_carried", carried, words, "carried gradient", units, of=name)


def flat(symbol: str) -> str:
    """W_ih for W_{ih}."""
    return symbol.replace("{", "").replace("}", "")

"""A user's own cell: states and parameters by name and size, found by asking the engine; no operation of it is known.

One file of Python holds an `nn.Module` whose `forward(x_t, state)` is one time step. What it computes is known to torch
alone: values and gradients of its states are recorded (`sweeps.recorded`), and nothing is rebuilt from nodes.
"""

import keyword
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rnnviz.core.arrays import Array
from rnnviz.core.cells.cell import Cell, CellKind, Options, OwnParts, Parameter
from rnnviz.core.cells.node import Adding, Node, Numbers, Value, Weight
from rnnviz.core.errors import RnnvizError
from rnnviz.core.setting import PythonFile, setting

NO_OPERATIONS = "a user's own cell: its operations are not known here"
NOT_KNOWN = f"This is {NO_OPERATIONS}."
UNKNOWN = OwnParts((("h", 0),))  # before the engine has looked into the file; 0: as many as hidden units

MOST_STATES, MOST_PARAMETERS, LARGEST = 8, 500, 1 << 28  # of one cell; numbers of one parameter
_TAKEN = {"x", "t", "k", "T", "H", "N", "model", "cell", "losses", "prediction", "probability"}  # names of expressions


@dataclass(frozen=True)
class Recorded(Adding):
    """The operation of a state whose making is not known: it reads nothing that has a name here."""

    template: str = ""
    values: tuple[Value, ...] = ()
    weights: tuple[Weight, ...] = ()
    parts: tuple[Value | Weight, ...] = ()

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        raise TypeError(NO_OPERATIONS)

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        raise TypeError(NO_OPERATIONS)


_seen: dict[OwnParts, None] = {}  # the cells that this process knows, the newest last
_MOST_SEEN = 32


def seen() -> tuple[OwnParts, ...]:
    """The users' own cells that this process has come across."""
    return tuple(_seen)


def _make(options: Options) -> Cell:
    """The states in the order in which the file's module gives them, the first of them the output."""
    parts = options.own or UNKNOWN
    if options.own is not None:
        _seen.setdefault(options.own)
        while len(_seen) > _MOST_SEEN:
            del _seen[next(iter(_seen))]
    nodes = tuple(_state(name, units, first=not place) for place, (name, units) in enumerate(parts.states))
    return Cell(
        "own",
        parts.called or "own",
        (),
        tuple(_parameter(name, shape) for name, shape in parts.parameters),
        nodes,
        states=tuple(node.name for node in nodes),
        output=nodes[0].name,
        hidden=nodes[0].name,
        recorded=True,
    )


def _state(name: str, units: int, first: bool) -> Node:
    said = name.replace("_", " ")  # in markup an underscore would put what follows below the line
    return Node(
        name,
        Recorded(),
        symbol=f"{said}_t",
        words="hidden state" if first else f"{said} state",
        units="output" if first else units or "hidden",
        role="state",
        family="state" if first else "cell",
    )


def _parameter(name: str, shape: tuple[int, ...]) -> Parameter:
    first, _, rest = name.partition("_")
    symbol = f"{first}_{{{rest.replace('_', ' ')}}}" if rest else name
    return Parameter(name, symbol, "hidden", "hidden" if len(shape) > 1 else "", fixed=shape)


@dataclass(frozen=True)
class OwnSettings:
    """What a user's own cell needs."""

    file: str = field(
        default="",
        metadata=setting(
            "File",
            PythonFile(),
            "A Python file with one nn.Module: its constructor takes (input_size, hidden_size), its forward(x_t, "
            "state) is one time step and gives the new state, a tensor (N, hidden_size) or several, of which the first "
            "is the output; states = (“h”, “m”) names them. Training runs this file; needs a restart",
            short="file",
        ),
    )


def check_parts(parts: OwnParts, hidden_size: int, where: str) -> None:
    """RnnvizError that begins with `where` for states or parameters that no cell can have."""
    names = [name for name, _ in parts.states]
    if not 1 <= len(names) <= MOST_STATES:
        raise RnnvizError(f"{where}: wanted 1 to {MOST_STATES} states, got {len(names)}.")
    for name, units in parts.states:
        if not name.isidentifier() or keyword.iskeyword(name) or len(name) > 30:
            raise RnnvizError(f"{where}: wanted a short identifier as the name of a state, got {ascii(name)[:40]}.")
        if not 1 <= units <= LARGEST:
            raise RnnvizError(f"{where}: wanted at least one unit of the state {name}, got {units}.")
    said = [form for name in names for form in (name, f"d{name}", f"d{name}_direct", f"d{name}_carried")]
    clash = next((form for form in said if form in _TAKEN | {"dx"} or said.count(form) > 1), "")
    if clash:
        raise RnnvizError(f"{where}: wanted names of states that mean nothing else, got two meanings of {clash}.")
    if parts.states[0][1] != hidden_size:
        raise RnnvizError(f"{where}: wanted {hidden_size} units of {names[0]}, got {parts.states[0][1]}.")
    if not 1 <= len(parts.parameters) <= MOST_PARAMETERS:
        raise RnnvizError(f"{where}: wanted 1 to {MOST_PARAMETERS} parameters, got {len(parts.parameters)}.")
    known = [name for name, _ in parts.parameters]
    for name, shape in parts.parameters:
        if not name.isidentifier() or known.count(name) > 1:
            raise RnnvizError(f"{where}: wanted an identifier of its own for each parameter, got {ascii(name)[:40]}.")
        if not all(size >= 1 for size in shape) or math.prod(shape) > LARGEST:
            raise RnnvizError(f"{where}: wanted a parameter {name} of at most {LARGEST:,} numbers, got {shape}.")


OWN = CellKind(
    "own",
    "Own cell",
    _make,
    hue=4,
    settings=OwnSettings,
    one_layer="whose file says one layer",
    one_direction="whose file says one direction",
    note="A Python file of yours: its states and gradients are recorded, its operations are not known here.",
)

"""Every cell of `CELLS` as it can be chosen, so that a new one is tested without a new entry in a list."""

from typing import Any

from rnnviz.core.cells import CELLS
from rnnviz.core.equations.operations import Operation, operations
from rnnviz.core.setting import settings_of
from rnnviz.core.structure import Structure


def _choices() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for kind in CELLS.values():
        window = {"window": 3} if "window" in settings_of(kind.settings) else {}
        for activation in kind.activations:
            found[f"{kind.name}-{activation}"] = {"cell": kind.name, "activation": activation, **window}
        if not kind.activations:
            found[kind.name] = {"cell": kind.name}
        if kind.projection:
            found[f"{kind.name}-projected"] = {"cell": kind.name, "proj_size": 2}
    return found


CHOICES = _choices()  # by name, what of a structure makes each: "vanilla-relu", "lstm", "lstm-projected", "gru", …
STRUCTURES = {
    f"{name}{', no bias' * (not bias)}": Structure(
        input_size=3, hidden_size=4, num_layers=1 + bias, bidirectional=bias, bias=bias, **choice
    )
    for name, choice in CHOICES.items()
    for bias in (True, False)
}  # with biases two layers in both directions, without them one


def operation_named(structure: Structure, key: str) -> Operation:
    """The operation of a cell that is called `key`."""
    return next(operation for operation in operations(structure) if operation.key == key)

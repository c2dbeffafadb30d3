"""Check of a cell as it is written: every name exists, nothing is read before it is known, and all sizes fit.

A wrong cell is a programmer's error: a ValueError of one sentence that names the cell, the node and what was wanted.
"""

from collections.abc import Iterable

from rnnviz.core.cells.cell import Cell
from rnnviz.core.cells.node import Diagonal, Matrix, Node, Value, Weight


def check_cell(cell: Cell, projected: bool = False) -> None:
    """ValueError that says what is wrong with `cell`, made with or without a projection of h."""
    _check_names(cell)
    known = {"x"}
    for node in cell.nodes:
        for value in node.operation.values:
            _check_value(cell, node, value, known)
        for weight in node.operation.weights:
            _check_weight(cell, node, weight)
        _Sizes(cell, projected).check(node)
        known.add(node.name)
    _check_uses(cell)


def _check_names(cell: Cell) -> None:
    for what, names in (
        ("node", [node.name for node in cell.nodes]),
        ("parameter", [parameter.name for parameter in cell.parameters]),
        ("block", cell.blocks),
        ("state", cell.states),
    ):
        for name in names:
            if list(names).count(name) > 1:
                raise _wrong(cell, name, f"wanted one {what} of this name, got {list(names).count(name)}")
    for name in cell.by_name:
        if not name.isidentifier() or name == "x":
            raise _wrong(cell, name, "wanted an identifier other than x as the name of a node")
    for what, name in (*(("state", state) for state in cell.states), ("output", cell.output), ("hidden", cell.hidden)):
        if name not in cell.by_name:
            raise _wrong(cell, name, f"wanted a node for this {what}, one of {_listed(cell.by_name)}")


def _check_value(cell: Cell, node: Node, value: Value, known: set[str]) -> None:
    if value.name != "x" and value.name not in cell.by_name:
        raise _wrong(cell, node.name, f"wanted to read x or one of {_listed(cell.by_name)}, got {value.name!r}")
    if value.block and value.block not in cell.blocks:
        raise _wrong(cell, node.name, f"wanted a block of {_listed(cell.blocks)}, got {value.block!r}")
    if value.before and value.name not in cell.states:
        wanted = f"a state ({_listed(cell.states)}) of the time step before"
        raise _wrong(cell, node.name, f"wanted to read {wanted}, got {value.name!r}")
    if not value.before and value.name not in known:
        raise _wrong(cell, node.name, f"wanted to read a node that stands before it, got {value.name!r}")


def _check_weight(cell: Cell, node: Node, weight: Weight) -> None:
    parameter = cell.parameter_named.get(weight.name)
    if parameter is None:
        raise _wrong(cell, node.name, f"wanted a weight of {_listed(cell.parameter_named)}, got {weight.name!r}")
    matrix = isinstance(node.operation, Matrix)
    if matrix != bool(parameter.columns):
        raise _wrong(cell, node.name, f"wanted {'a matrix' if matrix else 'a vector'}, got {weight.name!r}")
    if not weight.block:
        return
    if weight.block not in cell.blocks:
        raise _wrong(cell, node.name, f"wanted a block of {_listed(cell.blocks)}, got {weight.block!r}")
    if isinstance(node.operation, Matrix | Diagonal):
        got = f"the block {weight.block!r} of {weight.name}"
        raise _wrong(cell, node.name, f"wanted a matrix or diagonal whole, as a parameter of its own, got {got}")
    if parameter.rows != "rows":
        raise _wrong(cell, node.name, f"wanted {weight.name} whole, as its rows are not stacked, got {weight.block!r}")


def _check_uses(cell: Cell) -> None:
    for parameter in cell.parameters:
        if not cell.weight_uses(parameter.name):
            raise _wrong(cell, parameter.name, "wanted a node that uses this parameter, got none")
        uses = [weight.block for _, weight in cell.weight_uses(parameter.name)]
        whole = uses == [""] or (not any(uses) and not parameter.columns)
        if not whole and sorted(uses) != sorted(cell.blocks):
            got = ", ".join(
                f"{node.name} ({weight.block or 'whole'})" for node, weight in cell.weight_uses(parameter.name)
            )
            raise _wrong(cell, parameter.name, f"wanted one node that uses it whole, or one for each block, got {got}")
    for key, nodes in cell.steps:
        if not any(node.symbol for node in nodes):
            names = _listed(node.name for node in nodes)
            raise _wrong(cell, names, f"wanted a symbol for a node of the operation {key!r}, got none")
    if cell.by_name[cell.output].units != "output":
        raise _wrong(cell, cell.output, f"wanted units 'output', got {cell.by_name[cell.output].units!r}")


class _Sizes:
    """Sizes by their words; those that are always equal in a cell are one word."""

    def __init__(self, cell: Cell, projected: bool) -> None:
        self._cell = cell
        self._same = {"rows": "hidden"} if len(cell.blocks) == 1 else {}
        self._same |= {} if projected else {"output": "hidden"}

    def check(self, node: Node) -> None:
        """That what a node reads fits, and makes as many units as it says."""
        operation = node.operation
        made = self._word(node.units)
        if isinstance(operation, Matrix):
            parameter = self._cell.parameter_named[operation.weight.name]
            rows, columns = self._word(parameter.rows), self._word(parameter.columns)
            if self._of(operation.value) != columns:
                wanted = f"{columns} units to multiply by {parameter.name}"
                raise _wrong(self._cell, node.name, f"wanted {wanted}, got {self._of(operation.value)} units")
            if rows != made:
                raise _wrong(self._cell, node.name, f"wanted units {rows!r} as {parameter.name} makes, got {made!r}")
            return
        for part in operation.parts:
            if self._of(part) != made:
                got = f"{self._of(part)} from {part.name}"
                raise _wrong(self._cell, node.name, f"wanted {made} units of all it reads, got {got}")

    def _of(self, part: Value | Weight) -> str:
        if part.block:
            return "hidden"
        if isinstance(part, Weight):
            return self._word(self._cell.parameter_named[part.name].rows)
        return "input" if part.name == "x" else self._word(self._cell.by_name[part.name].units)

    def _word(self, units: str | int) -> str:
        return self._same.get(str(units), str(units))


def _wrong(cell: Cell, name: str, sentence: str) -> ValueError:
    return ValueError(f"The cell {cell.name}, {name}: {sentence}.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)

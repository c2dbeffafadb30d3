"""Wiring: the diagram of a cell: where its nodes stand on a grid, and the orthogonal wires between them; no pixels.

One rule for every cell. Rows from the top: rails, on which a state goes on to the next time step element by element;
what is made of gates; gates; what only a gate reads; matrices and what sums them; x. In its row a node stands as far
left as what it reads lets it. A wire is looked for on a lattice with a few lines between two boxes: it takes few turns,
meets another value's wire only at a right angle, and never goes through a box.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heappop, heappush
from typing import Literal, NamedTuple

from rnnviz.core.cells.cell import Cell, Use
from rnnviz.core.cells.node import Diagonal, Matrix, Node, Sum

BOX = 4  # lattice lines from one edge of a box to the other
_GAPS = (4, 6, 10)  # lattice lines between two boxes: the first with which all wires find their way
_TURN, _CROSSING, _OFF_MIDDLE, _UNUSUAL = 7, 5, 1, 3  # what each costs, in lattice steps

Kind = Literal["node", "before", "after", "x"]
Point = tuple[int, int]  # lattice lines from the left and from the top
_Step = tuple[int, int]
_WAYS: tuple[_Step, ...] = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True)
class Box:
    """A node of the cell, x, or a state as it comes ("before") and as it goes on ("after")."""

    name: str  # of the node, or "x"
    kind: Kind
    column: int
    row: int
    sign: bool = (
        False  # a node without a symbol, drawn as the sign of its operation: wires meet the middles of its sides
    )

    @property
    def key(self) -> str:
        return self.name if self.kind in ("node", "x") else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Wire:
    """From the box of a value to that of a node that reads it, or to where a state goes on."""

    source: str  # keys of boxes
    target: str
    use: Use | None  # None: the state goes on to the next time step
    points: tuple[Point, ...]  # its corners


@dataclass(frozen=True)
class Wiring:
    """Boxes on a grid of columns and rows, and wires on its lattice: box `column` begins at line column · pitch."""

    columns: int
    rows: int
    gap: int  # lattice lines between two boxes
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]

    @property
    def pitch(self) -> int:
        """Lattice lines from one box to the next."""
        return BOX + self.gap

    def box(self, key: str) -> Box:
        return next(box for box in self.boxes if box.key == key)


@lru_cache(maxsize=64)
def wiring(cell: Cell) -> Wiring:
    """The diagram of a cell."""
    boxes = _placed(cell)
    columns, rows = max(box.column for box in boxes) + 1, max(box.row for box in boxes) + 1
    for gap in _GAPS:
        wires = _routed(cell, boxes, gap)
        if wires is not None:
            return Wiring(columns, rows, gap, boxes, wires)
    raise ValueError(f"cell {cell.name}: its wires find no way between its nodes")


def highways(cell: Cell) -> tuple[str, ...]:
    """The states that go on to the next time step element by element, on a rail of their own."""
    return tuple(state for state in cell.states if any(_along(use) for use in cell.uses[state]))


def _along(use: Use) -> bool:
    return use.value.before and not isinstance(use.node.operation, Matrix | Diagonal)


# where the boxes stand

_ROWS = ("made", "gate", "read", "sum", "x")  # below the rails


def _placed(cell: Cell) -> tuple[Box, ...]:
    rails = highways(cell)
    on_rail = {state: {use.node.name for use in cell.uses[state] if _along(use)} | {state} for state in rails}
    kinds = {node.name: _row(cell, node, on_rail) for node in cell.nodes}
    used = [row for row in (*(f"rail {state}" for state in rails), *_ROWS) if row in kinds.values() or row == "x"]
    columns = _columns(cell, kinds)
    found = [
        Box(node.name, "node", columns[node.name], used.index(kinds[node.name]), not node.symbol) for node in cell.nodes
    ]
    end = max(columns.values()) + 1
    for state in cell.states:
        row = used.index(f"rail {state}") if state in rails else used.index("sum")
        leaves = used.index(kinds[state])
        found.append(Box(state, "before", 0, row))
        found.append(Box(state, "after", end, row if state in rails else leaves))
    readers = [columns[use.node.name] for use in cell.uses["x"]]
    found.append(Box("x", "x", readers[0], used.index("x")))
    return tuple(found)


def _row(cell: Cell, node: Node, on_rail: Mapping[str, set[str]]) -> str:
    rails = [state for state, names in on_rail.items() if node.name in names]
    for state in sorted(rails, key=lambda state: not cell.goes_into(node, state)):
        return f"rail {state}"
    if _is_sum(cell, node):
        return "sum"
    if node.role == "gate":
        return "gate"
    if not cell.gates:
        return "sum"
    return "read" if _leads_to_gates(cell, node.name) else "made"


def _is_sum(cell: Cell, node: Node) -> bool:
    """A matrix times x or a state, or what adds up such for several gates."""
    if node.role == "gate" or node.name in cell.states:
        return False
    if isinstance(node.operation, Matrix):
        return node.operation.value.before or node.operation.value.name == "x"
    values = [value for value in node.operation.values if not value.before]
    if any(_serves(cell, node.name, gate.name) for gate in cell.gates):
        return False
    return isinstance(node.operation, Sum) and all(
        isinstance(cell.by_name[value.name].operation, Matrix) for value in values if value.name != "x"
    )


def _leads_to_gates(cell: Cell, name: str) -> bool:
    """Whether this time step's gates alone read it, be it through others."""
    uses = [use.node for use in cell.uses[name] if not use.value.before]
    return bool(uses) and all(node.role == "gate" or _leads_to_gates(cell, node.name) for node in uses)


def _columns(cell: Cell, rows: Mapping[str, str]) -> dict[str, int]:
    """The column of every node; before the first is that of the states as they come, where there are any."""
    found: dict[str, int] = {}
    first = 1 if cell.states else 0
    free = dict.fromkeys(rows.values(), first)  # by row: the first column that is free

    def put(name: str, column: int) -> None:
        found[name] = max(column, free[rows[name]])
        free[rows[name]] = found[name] + 1

    sums = [node for node in cell.nodes if rows[node.name] == "sum"]
    for node in sorted(sums, key=lambda node: _order(cell, node)):
        put(node.name, first)
    for gate in cell.gates:
        read = [node.name for node in cell.nodes if rows[node.name] == "read" and _serves(cell, node.name, gate.name)]
        for name in read:
            put(name, free["gate"])
        put(gate.name, max([free["gate"], *(found[name] for name in read)]))
    for node in cell.nodes:
        if node.name in found:
            continue
        here = rows[node.name]
        read = [value.name for value in node.operation.values if not value.before and value.name in found]
        least = [found[name] + (rows[name] == here) for name in read if rows[name] not in ("sum", "x")]
        put(node.name, max(least, default=first))
    return found


def _order(cell: Cell, node: Node) -> int:
    """Among matrices and sums: what reads a state first, then what reads x, then all that reads what these make."""
    if not isinstance(node.operation, Matrix):
        return 2
    value = node.operation.value
    return 0 if value.before else 1 if value.name == "x" else 2


def _serves(cell: Cell, name: str, gate: str) -> bool:
    """Whether this gate alone is what a node is read for, be it through others that are no gates."""
    uses = [use.node for use in cell.uses[name] if not use.value.before]
    return bool(uses) and all(
        node.name == gate or (node.role != "gate" and _serves(cell, node.name, gate)) for node in uses
    )


# how the wires run


class _Link(NamedTuple):
    source: Box
    target: Box
    use: Use | None


@dataclass
class _Lattice:
    """What lies where: edges and points by the value whose wire runs there."""

    pitch: int
    width: int
    height: int
    boxes: Mapping[str, Box]
    inside: dict[Point, str] = field(default_factory=dict)  # points of boxes, by key
    edges: dict[tuple[Point, Point], str] = field(default_factory=dict)
    points: dict[Point, dict[str, str]] = field(default_factory=dict)  # by value "across", "down" or "turn"
    middle: dict[Point, str] = field(default_factory=dict)  # what a wire enters or leaves a box through

    def __post_init__(self) -> None:
        for key, box in self.boxes.items():
            left, top = box.column * self.pitch, box.row * self.pitch
            for x in range(left, left + BOX + 1):
                for y in range(top, top + BOX + 1):
                    self.inside[x, y] = key

    def ports(self, box: Box, leaves: bool) -> Iterator[tuple[Point, _Step, int]]:
        """Where a wire may leave or enter a box, on which way it goes outside, and what that costs."""
        left, top, half = box.column * self.pitch, box.row * self.pitch, BOX // 2
        sides: list[tuple[_Step, int]] = {
            "before": [((1, 0), 0)],
            "after": [((-1, 0), 0)],
            "x": [((0, -1), 0)],
            "node": [
                ((1, 0), 0 if leaves else _UNUSUAL),
                ((-1, 0), _UNUSUAL if leaves else 0),
                ((0, -1), 0),
                ((0, 1), _UNUSUAL if leaves else 0),
            ],
        }[box.kind]
        for (dx, dy), cost in sides:
            for off in (half,) if box.sign else range(1, BOX):
                x = left + (BOX if dx > 0 else 0 if dx < 0 else off)
                y = top + (BOX if dy > 0 else 0 if dy < 0 else off)
                yield (x, y), (dx, dy), cost + _OFF_MIDDLE * abs(off - half)


def _routed(cell: Cell, boxes: Sequence[Box], gap: int) -> tuple[Wire, ...] | None:
    """All wires, the shortest first; None where one finds no way."""
    by_key = {box.key: box for box in boxes}
    pitch = BOX + gap
    columns, rows = max(box.column for box in boxes) + 1, max(box.row for box in boxes) + 1
    lattice = _Lattice(pitch, columns * pitch, rows * pitch, by_key)
    nets: dict[str, set[Point]] = {}
    found = []
    for link in sorted(_links(cell, by_key), key=_length):
        points = _path(lattice, link, nets.setdefault(link.source.key, set()))
        if points is None:
            return None
        _keep(lattice, link.source.key, points, nets[link.source.key])
        found.append(Wire(link.source.key, link.target.key, link.use, _corners(points)))
    return tuple(found)


def _links(cell: Cell, boxes: Mapping[str, Box]) -> Iterator[_Link]:
    for name, uses in cell.uses.items():
        for use in uses:
            source = boxes[f"before {name}"] if use.value.before else boxes[name]
            yield _Link(source, boxes[use.node.name], use)
    for state in cell.states:
        yield _Link(boxes[state], boxes[f"after {state}"], None)


def _length(link: _Link) -> tuple[int, int]:
    across, down = abs(link.source.column - link.target.column), abs(link.source.row - link.target.row)
    return across + down + 2 * bool(across and down), across


def _path(lattice: _Lattice, link: _Link, net: set[Point]) -> list[Point] | None:
    """The cheapest way from a box, or from a wire of the same value, to a box (Lee 1961, with A* and turns)."""
    own = link.source.key
    goals = {point: ((-dx, -dy), cost) for point, (dx, dy), cost in lattice.ports(link.target, leaves=False)
             if lattice.middle.get(point) is None}  # fmt: skip
    queue: list[tuple[int, int, Point, _Step]] = []
    came: dict[tuple[Point, _Step], tuple[Point, _Step] | None] = {}
    costs: dict[tuple[Point, _Step], int] = {}
    target = link.target.column * lattice.pitch + BOX // 2, link.target.row * lattice.pitch + BOX // 2

    def reach(point: Point, way: _Step, cost: int, before: tuple[Point, _Step] | None) -> None:
        if cost < costs.get((point, way), 1 << 30):
            costs[point, way], came[point, way] = cost, before
            guess = max(abs(point[0] - target[0]) + abs(point[1] - target[1]) - BOX, 0)
            heappush(queue, (cost + guess, cost, point, way))

    for point, way, cost in lattice.ports(link.source, leaves=True):
        if lattice.middle.get(point, own) == own:
            reach(point, way, cost, None)
    for point in net:
        if len(lattice.points.get(point, {})) == 1 and point not in lattice.inside:
            for way in _WAYS:
                reach(point, way, 0, None)
    while queue:
        _, cost, point, way = heappop(queue)
        if cost > costs[point, way]:
            continue
        begun = came[point, way] is None
        if point in goals and not begun and goals[point][0] == way:
            return _walked_back(came, point, way)
        others = [name for name in lattice.points.get(point, ()) if name != own]
        for step in _WAYS:
            turned = step != way
            if (turned and (begun or others)) or (step[0] == -way[0] and step[1] == -way[1]):
                continue
            there = point[0] + step[0], point[1] + step[1]
            price = _price(lattice, own, point, there, step, goals)
            if price is not None:
                entering = goals[there][1] if there in goals else 0
                reach(there, step, cost + price + _TURN * turned + entering, (point, way))
    return None


def _price(
    lattice: _Lattice, own: str, here: Point, there: Point, step: _Step, goals: Mapping[Point, tuple[_Step, int]]
) -> int | None:
    """What a step costs; None where it may not be taken."""
    if not (-3 <= there[0] < lattice.width and -3 <= there[1] < lattice.height):
        return None
    if there in lattice.inside and (there not in goals or goals[there][0] != step):
        return None
    if lattice.edges.get(_edge(here, there), own) != own:
        return None
    others = {name: how for name, how in lattice.points.get(there, {}).items() if name != own}
    if not others:
        return 1
    along = "across" if step[0] else "down"
    if any(how in (along, "turn") for how in others.values()):
        return None
    return 1 + _CROSSING


def _walked_back(
    came: Mapping[tuple[Point, _Step], tuple[Point, _Step] | None], point: Point, way: _Step
) -> list[Point]:
    path, at = [point], came[point, way]
    while at is not None:
        path.append(at[0])
        at = came[at]
    return path[::-1]


def _keep(lattice: _Lattice, own: str, path: Sequence[Point], net: set[Point]) -> None:
    net.update(path)
    for first, second in itertools.pairwise(path):
        lattice.edges[_edge(first, second)] = own
        how = "across" if first[1] == second[1] else "down"
        for point in (first, second):
            at = lattice.points.setdefault(point, {})
            at[own] = how if at.get(own, how) == how else "turn"
    for end in (path[0], path[-1]):
        lattice.points[end][own] = "turn"  # nobody crosses where a wire ends or branches off
        if end in lattice.inside:
            lattice.middle[end] = own


def _edge(one: Point, other: Point) -> tuple[Point, Point]:
    return (one, other) if one < other else (other, one)


def _corners(path: Sequence[Point]) -> tuple[Point, ...]:
    inner = [
        here
        for before, here, after in zip(path, path[1:], path[2:], strict=False)
        if (here[0] - before[0], here[1] - before[1]) != (after[0] - here[0], after[1] - here[1])
    ]
    return (path[0], *inner, path[-1])

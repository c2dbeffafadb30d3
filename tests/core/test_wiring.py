"""The wiring diagram of every cell: boxes apart, wires orthogonal, through no box, and along no other value's wire."""

import itertools

import pytest
from every_cell import STRUCTURES

from rnnviz.core.cells.node import Matrix
from rnnviz.core.cells.wiring import BOX, Wiring, wiring
from rnnviz.core.structure import Structure

CELLS = pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES.keys())


def lattice(plan: Wiring, points: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Every lattice point of a wire, in order."""
    found = [points[0]]
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        assert (x == to_x) != (y == to_y), "straight and orthogonal"
        dx, dy = (to_x > x) - (to_x < x), (to_y > y) - (to_y < y)
        while found[-1] != (to_x, to_y):
            found.append((found[-1][0] + dx, found[-1][1] + dy))
    return found


def inside(plan: Wiring, point: tuple[int, int]) -> set[str]:
    """The boxes that hold a point, their edges included."""
    return {
        box.key
        for box in plan.boxes
        if 0 <= point[0] - box.column * plan.pitch <= BOX and 0 <= point[1] - box.row * plan.pitch <= BOX
    }


@CELLS
def test_every_node_stands_alone_and_every_value_has_its_wire(structure: Structure) -> None:
    cell, plan = structure.equations, wiring(structure.equations)
    places = [(box.column, box.row) for box in plan.boxes]
    assert len(set(places)) == len(places)
    assert {box.key for box in plan.boxes} == {
        "x", *cell.by_name, *(f"before {state}" for state in cell.states), *(f"after {state}" for state in cell.states)
    }  # fmt: skip
    reads = [(use.node.name, use.place) for uses in cell.uses.values() for use in uses]
    assert sorted((wire.target, wire.use.place) for wire in plan.wires if wire.use is not None) == sorted(reads)
    assert sorted(wire.target for wire in plan.wires if wire.use is None) == sorted(f"after {s}" for s in cell.states)
    for wire in plan.wires:
        if wire.use is not None:
            before = "before " if wire.use.value.before else ""
            assert wire.source == before + wire.use.value.name


@CELLS
def test_wires_go_through_no_box_and_along_no_other_value(structure: Structure) -> None:
    plan = wiring(structure.equations)
    steps: dict[frozenset[tuple[int, int]], str] = {}
    turns: dict[tuple[int, int], str] = {}
    for wire in plan.wires:
        points = lattice(plan, wire.points)
        assert inside(plan, points[-1]) == {wire.target}
        for point in points[1:-1]:
            assert not inside(plan, point), f"{wire.source} → {wire.target} runs through a box"
        for one, other in itertools.pairwise(points):
            assert steps.setdefault(frozenset((one, other)), wire.source) == wire.source
        for corner in (points[0], *wire.points[1:-1]):
            assert turns.setdefault(corner, wire.source) == wire.source
    for wire in plan.wires:  # where another value's wire turns or ends, nobody crosses
        for point in lattice(plan, wire.points):
            assert turns.get(point, wire.source) == wire.source


@CELLS
def test_a_wire_begins_at_its_box_or_at_a_wire_of_the_same_value(structure: Structure) -> None:
    plan = wiring(structure.equations)
    for wire in plan.wires:
        others = {
            point for other in plan.wires if other is not wire and other.source == wire.source
            for point in lattice(plan, other.points)
        }  # fmt: skip
        assert inside(plan, wire.points[0]) == {wire.source} or wire.points[0] in others


def test_the_familiar_shape_of_an_lstm() -> None:
    """The cell state runs straight along the top, the gates stand in one row, matrices below them."""
    plan = wiring(Structure("lstm", 3, 4).equations)
    rail = [plan.box(key) for key in ("before c", "kept", "c", "after c")]
    assert {box.row for box in rail} == {0}
    assert [box.column for box in rail] == sorted(box.column for box in rail)
    for wire in plan.wires:
        if wire.source in ("before c", "kept") or wire.target == "after c":
            assert len(wire.points) == 2, "straight"
    assert len({plan.box(gate).row for gate in "ifgo"}) == 1
    assert [plan.box(gate).column for gate in "ifgo"] == sorted(plan.box(gate).column for gate in "ifgo")
    assert plan.box("wx").row > plan.box("i").row
    assert plan.box("x").row == plan.rows - 1
    assert plan.box("kept").column == plan.box("f").column


@CELLS
def test_matrices_are_boxes_and_what_has_no_symbol_is_a_sign(structure: Structure) -> None:
    plan = wiring(structure.equations)
    for box in plan.boxes:
        if box.kind == "node":
            node = structure.equations.by_name[box.name]
            assert box.sign == (not node.symbol)
            assert not (box.sign and isinstance(node.operation, Matrix))

"""The enum of quantities: every one can be told apart, and each gate's letter is one the cells know."""

from rnnviz.core.cells import cell_named
from rnnviz.core.quantity import Quantity


def test_symbols_and_words_are_unique():
    assert len({quantity.symbol for quantity in Quantity}) == len(Quantity)
    assert len({quantity.words for quantity in Quantity}) == len(Quantity)


def test_every_gate_of_every_cell_has_a_quantity():
    for cell in ("lstm", "gru"):
        gates = {quantity.gate for quantity in Quantity if cell in quantity.cells} - {None}
        assert gates == set(cell_named(cell).blocks)
    assert not {quantity.gate for quantity in Quantity if "vanilla" in quantity.cells} - {None}


def test_sigmoid_gates_lie_between_zero_and_one():
    for letter in "ifozr":
        assert next(quantity for quantity in Quantity if quantity.gate == letter).range == (0, 1)
    assert Quantity.CELL.range is None
    assert Quantity.HIDDEN.gate is None

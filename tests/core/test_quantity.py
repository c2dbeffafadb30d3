"""The quantities of the cells: every one can be told apart, and says in what its values are held."""

import numpy as np
import pytest
from every_cell import CHOICES

from rnnviz.core.cells import CELLS, Options, cell_made
from rnnviz.core.cells.node import ArrayNumbers
from rnnviz.core.errors import RnnvizError
from rnnviz.core.quantity import quantities
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("projected", [False, True])
def test_symbols_and_words_are_unique(name, projected):
    if projected and not CELLS[name].projection:
        pytest.skip("this cell has no projection")
    found = quantities(cell_made(name, Options(projected=projected))).values()
    assert len({quantity.symbol for quantity in found}) == len(found)
    assert len({quantity.words for quantity in found}) == len(found)


def test_every_gate_and_state_of_every_cell_has_a_quantity_and_its_gradients():
    for name in CELLS:
        cell = cell_made(name, Options())
        found = quantities(cell)
        assert {gate.name for gate in cell.gates} <= found.keys()
        for state in cell.states:
            assert {state, f"d{state}", f"d{state}_direct", f"d{state}_carried"} <= found.keys()
        assert ("a" in found) == (not cell.gates)


def test_one_name_may_have_another_range_in_another_cell():
    made = {name: quantities(cell_made(name, Options())) for name in CELLS}
    assert made["lstm"]["f"].limits == made["gru"]["z"].limits == (0, 1)
    assert made["lstm"]["g"].limits == made["gru"]["n"].limits == (-1, 1)
    assert made["mingru"]["n"].limits is None
    assert made["lstm"]["c"].limits is None
    assert quantities(cell_made("vanilla", Options(activation="relu")))["h"].limits is None
    assert quantities(cell_made("lstm", Options(projected=True)))["h"].limits is None


@pytest.mark.parametrize("name", CHOICES)
def test_the_limits_of_a_quantity_are_just_those_that_its_values_come_to(autograd, name):
    structure = Structure(input_size=3, hidden_size=6, **CHOICES[name])
    capture = autograd.random_capture(structure, time_steps=40, sequences=3, scale=3.0, seed=4, with_torch=False)
    zeros = {state: np.zeros_like(first) for state, first in capture.initial.items()}
    layer = rebuild(capture.with_call(initial=zeros)).layers[0]
    for quantity in quantities(structure.equations).values():
        if quantity.kind == "value":
            operation = structure.equations.node(quantity.of).operation
            values = layer.value(quantity.of)
            if not operation.values:  # of weights alone: one value a unit, and there are few units
                draw = np.random.default_rng(3)
                values = operation.compute(ArrayNumbers(), (), [draw.uniform(-9, 3, 5000) for _ in operation.weights])
            reached = (float(values.min()), float(values.max()))
            if quantity.limits is None:
                assert max(map(abs, reached)) > 1.1, quantity.name
            else:
                assert reached == pytest.approx(quantity.limits, abs=0.01), quantity.name


def test_a_node_a_cell_lacks_is_an_error_that_names_the_cell():
    with pytest.raises(RnnvizError, match=r"The GRU cell has no f; it has wx, uh, a_r"):
        Structure("gru", 2, 3).units("f")

"""What the program says of each cell: equations and their numbers, variables, expressions, what-if, origin, lanes."""

import cell_words
import pytest
from kept import compare, differences

BOTH = [(cell, bias) for cell in cell_words.CELLS for bias in (True, False)]
NAMES = [f"{cell}-{'bias' if bias else 'no-bias'}" for cell, bias in BOTH]
MODELS = [*((cell,) for cell in cell_words.CELLS), ("vanilla-tanh", "lstm"), ("gru", "lstm", "vanilla-relu")]


@pytest.mark.parametrize(("cell", "bias"), BOTH, ids=NAMES)
def test_equations(cell: str, bias: bool) -> None:
    name = f"equations-{NAMES[BOTH.index((cell, bias))]}"
    compare(name, {"words": cell_words.cell_words(cell, bias), "numbers": cell_words.cell_numbers(cell, bias)})


@pytest.mark.parametrize("cell", cell_words.CELLS)
def test_what_a_person_reads(cell: str) -> None:
    shown = {
        "operations": cell_words.cell_program(cell),
        "variables": cell_words.cell_variables(cell, True),
        "what-if": cell_words.cell_what_if(cell),
        "vocabulary": cell_words.cell_vocabulary(cell),
        "equations": cell_words.cell_lines(cell, True),
    }
    compare(f"shown-{cell}", shown)


@pytest.mark.parametrize("cell", cell_words.CELLS)
def test_numbers_behind_names_and_gradients(cell: str) -> None:
    compare(f"numbers-{cell}", {"names": cell_words.cell_quantities(cell), "origin": cell_words.cell_provenance(cell)})


def test_lanes() -> None:
    compare(
        "lanes",
        {
            f"{' + '.join(cells)}, {task}": cell_words.lanes(cells, task)
            for cells in MODELS
            for task in cell_words.TASKS
        },
    )


def test_a_difference_is_found() -> None:
    golden = {"a": ["b", 1.0], "c": {"d": 0}}
    assert differences(golden, golden) == []
    assert differences({"a": ["b", 1.0 + 1e-13], "c": {"d": 0}}, golden) == []
    for wrong in (
        {"a": ["b", 1.0 + 1e-11], "c": {"d": 0}},
        {"a": ["B", 1.0], "c": {"d": 0}},
        {"a": ["b"], "c": {"d": 0}},
        {"a": ["b", 1.0], "c": {"d": 0.0}},
        {"a": ["b", 1.0], "c": {"d": 0, "e": 1}},
        {"c": {"d": 0}, "a": ["b", 1.0]},
    ):
        assert len(differences(wrong, golden)) == 1

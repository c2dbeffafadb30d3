"""Parameter counts are those of the networks that are trained, and sizes matched by them are the nearest there are."""

from dataclasses import replace
from itertools import product

import pytest

from rnnviz.core.cells import CELLS
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.sizes import match_words, matched, parameter_count
from rnnviz.core.setting import settings_of
from rnnviz.engine import networks

INPUTS, OUTPUTS = 3, 5


def models_of(cell: str) -> list[ModelSettings]:
    """One and two layers, one and, where the cell may, two directions, with a window where there is one."""
    kind = CELLS[cell]
    directions = (False,) if kind.one_direction else (False, True)
    found = [ModelSettings(cell, cell, 7, layers, both) for layers, both in product((1, 2), directions)]
    windowed = "window" in settings_of(kind.settings)
    return [model.with_own("window", 3) for model in found] if windowed else found


@pytest.mark.parametrize("cell", CELLS)
def test_the_count_is_that_of_the_network_that_is_trained(cell: str) -> None:
    for model in models_of(cell):
        built = networks.build(model, INPUTS, OUTPUTS, 3)
        assert parameter_count(model, INPUTS, OUTPUTS) == networks.parameter_count(built), model


@pytest.mark.parametrize("cell", CELLS)
def test_no_other_hidden_size_comes_nearer(cell: str) -> None:
    chosen = ModelSettings("chosen", "lstm", 23)
    wanted = parameter_count(chosen, INPUTS, OUTPUTS)
    for model in models_of(cell):
        same, sized = matched((chosen, model), 0, INPUTS, OUTPUTS)
        assert same == chosen
        assert replace(sized, hidden_size=7) == model
        gaps = {
            size: abs(parameter_count(replace(model, hidden_size=size), INPUTS, OUTPUTS) - wanted)
            for size in range(1, 2 * sized.hidden_size + 20)
        }
        assert gaps[sized.hidden_size] == min(gaps.values())
        assert sized.hidden_size == min(size for size, gap in gaps.items() if gap == min(gaps.values()))


def test_a_model_that_cannot_be_as_small_or_as_large_takes_the_end_of_its_range() -> None:
    small, large = ModelSettings("small", "vanilla", 1), ModelSettings("large", "lstm", 4096, 8)
    assert matched((small, ModelSettings("deep", "lstm", 9, 8)), 0, 1, 1)[1].hidden_size == 1
    assert matched((large, ModelSettings("one", "mingru", 9)), 0, 1, 1)[1].hidden_size == 4096


def test_the_words_name_sizes_and_counts() -> None:
    models = (ModelSettings("A", "vanilla", 9), ModelSettings("B", "lstm", 12), ModelSettings("C", "gru", 99))
    sized = matched(models, 1, 2, 2)
    assert parameter_count(models[1], 2, 2) == 4 * 12 * (2 + 12) + 2 * 4 * 12 + 2 * 13
    assert [model.hidden_size for model in sized] == [25, 12, 14]
    assert match_words(sized, 1, 2, 2) == "Matched to B (12 units, 794 parameters): A 25 units, 777; C 14 units, 786."

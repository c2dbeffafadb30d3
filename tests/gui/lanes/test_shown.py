"""What the lanes look at, resolved from a state: of each sequence its own input, targets and losses."""

import numpy as np
import pytest
from flat_state import flat_state
from traced_states import LENGTHS, traced_state

from rnnviz.core.structure import Structure
from rnnviz.gui.canvas.lanes.shown import resolve


@pytest.mark.parametrize("kind", ["symbols", "table"])
@pytest.mark.parametrize("sample", [0, 1])
def test_input_targets_and_losses_are_those_of_the_sequence_looked_at(kind: str, sample: int) -> None:
    made = traced_state(kind, (Structure("gru", 1, 3), Structure("vanilla", 1, 4)), seed=5)
    shown = resolve(flat_state(made.state, sample=sample))
    call, length = made.captures[1].calls[0], LENGTHS[sample]
    assert call.head is not None
    assert np.array_equal(shown.inputs, call.inputs[:length, sample])
    assert np.array_equal(shown.targets, call.head.targets[:length, sample])
    assert np.array_equal(shown.asked, call.head.loss_weight[:length, sample] > 0)
    assert {model.losses.shape for model in shown.models} == {(length,)}

"""Which sequence the lanes show: the one that is looked at, of a smaller probe its last, at its own length."""

import numpy as np
import pytest
from flat_state import flat_state
from traced_states import LENGTHS, traced_state

from rnnviz.core.structure import Structure
from rnnviz.gui.canvas.lanes.shown import resolve


@pytest.mark.parametrize("missing", [None, 0, 1])  # the model whose trace is not there yet
@pytest.mark.parametrize(("wanted", "shown"), [(0, 0), (1, 1), (2, 1), (17, 1)])
def test_a_number_beyond_the_probe_shows_its_last_sequence(wanted: int, shown: int, missing: int | None) -> None:
    traced = traced_state("table", (Structure("gru", 0, 3), Structure("lstm", 0, 4)))
    traces = tuple(None if number == missing else one for number, one in enumerate(traced.state.recorded.traces))
    found = resolve(flat_state(traced.state, traces=traces, sample=wanted))
    assert (found.sample, found.time_steps) == (shown, LENGTHS[shown])
    for model, trace in zip(found.models, traces, strict=True):
        expected = np.zeros((0, 0)) if trace is None else trace.layer("l0").h[: LENGTHS[shown], shown]
        np.testing.assert_array_equal(model.state("h"), expected)


def test_without_a_trace_there_is_one_empty_time_step() -> None:
    traced = traced_state("table", (Structure("gru", 0, 3), Structure("lstm", 0, 4)))
    found = resolve(flat_state(traced.state, traces=(None, None), sample=3))
    assert (found.sample, found.time_steps, found.ready) == (0, 1, False)

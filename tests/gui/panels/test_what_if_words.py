"""What is said of a what-if: whose it is and what is set, where the next is set, or why there is none."""

import pytest
from flat_state import flat_state
from traced_states import TRAINING_STEP, traced_state

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.what_if.interventions import SetValue
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.whatif import WhatIf
from rnnviz.gui.state.state import State
from rnnviz.gui.state.trial import Recomputed
from rnnviz.gui.whatif.what_if_bar import bar_words
from rnnviz.gui.whatif.what_if_page import place_words

SET = SetValue("l1_reverse", "h", 4, 0.85, 2)


@pytest.fixture
def state() -> State:
    traced = traced_state("table", (Structure("gru", 0, 3), Structure("lstm", 0, 4, 2, True)))
    cursor = Cursor(TRAINING_STEP, Phase.FORWARD, 5, layer="l1_reverse")
    return flat_state(
        traced.state, cursor=cursor, sample=1, whatif=WhatIf(TRAINING_STEP, 1, sample=1, interventions=(SET,))
    )


def test_the_bar_says_whose_it_is_and_what_is_set(state: State) -> None:
    assert bar_words(state) == f"net 2: {SET.words}"
    for fewer in ((), state.run.models[:1]):
        assert bar_words(flat_state(state, models=fewer)) == f": {SET.words}"
    trouble = Recomputed(state.trial.whatif, None, "", trouble="There is no such unit.")
    assert bar_words(flat_state(state, recomputed=trouble)) == "The lanes show history: There is no such unit."


def test_the_editor_says_where_it_sets(state: State) -> None:
    assert place_words(flat_state(state, model=0)) == "net 1 · time step 5"
    assert place_words(flat_state(state, model=1)) == "net 2 · layer 1, reverse · time step 5"
    assert place_words(flat_state(state, models=())) == "There is no model yet."

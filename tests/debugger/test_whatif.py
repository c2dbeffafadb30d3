"""The state of a what-if: undo, redo, variants and comparison."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.what_if.interventions import Clamp, CutGradient, SetInput, SetState, SetValue, SetWeight
from rnnviz.debugger.whatif import WhatIf

H = "h"
ALL = (
    SetValue("l0", H, 3, 0.5, 2),
    Clamp("l0", "f", 0.0, 2, 4, 1),
    Clamp("l0", "o"),
    CutGradient(3),
    CutGradient(4, "l0"),
    SetState("l0", "c", (0.0,)),
    SetInput(1, (0.0, 1.0)),
    SetWeight("weight_hh_l0", (0.0,), row=2),
    SetWeight("head.bias", (0.25,), row=1, column=1),
)


def with_all(interventions=ALL):
    whatif = WhatIf(120, 1, 1)
    for one in interventions:
        whatif = whatif.add(one)
    return whatif


@given(
    st.lists(
        st.one_of(st.sampled_from(ALL), st.sampled_from(["undo", "redo", "discard", "keep", "open", "remove"])),
        max_size=25,
    )
)
def test_undo_and_redo_are_each_others_inverse(actions):
    """Against the plainest model: a list of states and a place in it."""
    whatif, states, place = WhatIf(), [()], 0
    for action in actions:
        if action in ("undo", "redo"):
            place = max(place - 1, 0) if action == "undo" else min(place + 1, len(states) - 1)
            whatif = getattr(whatif, action)()
        else:
            if action == "keep":
                whatif = whatif.keep("a")
            elif action == "open":
                whatif = whatif.open("a") if whatif.variants else whatif
            elif action == "remove":
                whatif = whatif.remove(0)
            else:
                whatif = whatif.discard() if action == "discard" else whatif.add(action)
            if whatif.interventions != states[place]:
                states, place = [*states[: place + 1], whatif.interventions], place + 1
        assert whatif.interventions == states[place]
        assert len(whatif.past) == place
        assert len(whatif.future) == len(states) - 1 - place


def test_the_same_place_is_set_once_and_a_drag_is_one_change():
    whatif = WhatIf().add(ALL[3]).add(SetValue("l0", H, 3, 0.1, 2))
    for value in (0.2, 0.3, 0.4):
        whatif = whatif.add(SetValue("l0", H, 3, value, 2), continuing=True)
    assert whatif.interventions == (ALL[3], SetValue("l0", H, 3, 0.4, 2))
    assert whatif.undo().interventions == (ALL[3],)
    again = whatif.add(SetValue("l0", H, 3, 0.9, 2))
    assert again.undo() != whatif
    assert again.undo().interventions == whatif.interventions
    assert not whatif.discard().active
    assert whatif.discard().undo().active
    assert whatif.words == "gradient cut at t = 3 · h[3, 2] of l0 = 0.4"


def test_undo_is_bounded():
    whatif = WhatIf()
    for value in range(500):
        whatif = whatif.add(SetValue("l0", H, 1, float(value), 1))
    assert len(whatif.past) == 200


def test_variants_are_kept_opened_and_forgotten():
    whatif = WhatIf().add(ALL[0]).keep("half").discard().add(ALL[3]).keep("cut")
    assert [one.name for one in whatif.variants] == ["half", "cut"]
    assert whatif.open("half").interventions == (ALL[0],)
    assert whatif.open("half").undo().interventions == (ALL[3],)
    assert whatif.keep("half").variant("half").interventions == (ALL[3],)
    assert [one.name for one in whatif.keep("half").variants] == ["half", "cut"]
    assert [one.name for one in whatif.forget("half").variants] == ["cut"]
    with pytest.raises(RnnvizError, match="no variant 'hal'; did you mean half"):
        whatif.open("hal")
    with pytest.raises(RnnvizError, match="none is kept"):
        WhatIf().variant("x")
    with pytest.raises(RnnvizError, match="1 to 60 printable"):
        whatif.keep("  ")


def test_a_variants_trace_differs_where_it_was_set(random_capture):
    capture = random_capture(Structure("lstm", 2, 3), lengths=[6, 5])
    whatif = WhatIf(sample=1).add(ALL[0]).keep("half").discard()
    history = whatif.trace(capture)
    original, changed = (
        trace.layer("l0").h[:, 0] for trace in (whatif.original(capture), whatif.trace(capture, "half"))
    )
    difference = changed - original
    assert difference.shape == (5, 3)
    assert not difference[:2].any()
    assert difference[2, 1] == pytest.approx(0.5 - history.layers[0].h[2, 0, 1])
    assert not difference[2, [0, 2]].any()
    assert difference[3:].all()


def test_an_intervention_that_does_not_fit_is_refused_before_it_is_added(random_capture):
    capture = random_capture(Structure("lstm", 2, 3), lengths=[6, 5])
    for one in ALL:
        WhatIf(sample=1).check(capture, one)
    with pytest.raises(RnnvizError, match="from 1 to 5, not 6"):
        WhatIf(sample=1).check(capture, SetValue("l0", H, 6, 0.0, 1))


def test_the_weights_of_a_variant(random_capture):
    capture = random_capture(Structure("lstm", 2, 3))
    whatif = with_all().keep("all").discard()
    assert not whatif.weights(capture, "all")["recurrent.weight_hh_l0"][1].any()
    np.testing.assert_array_equal(whatif.weights(capture)["recurrent.weight_hh_l0"], capture.weights["weight_hh_l0"])

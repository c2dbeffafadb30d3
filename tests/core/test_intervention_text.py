"""Interventions as text: what is written is read again, to the last digit, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.what_if.intervention_text import read, written
from rnnviz.core.sweeps.what_if.interventions import Clamp, CutGradient, SetInput, SetState, SetValue, SetWeight

numbers = st.floats(-1e15, 1e15)
places = st.none() | st.integers(1, 99)
layers = st.sampled_from(["l0", "l1_reverse"])
several = st.lists(numbers, min_size=1, max_size=4).map(tuple)
interventions = st.one_of(
    st.builds(SetValue, layers, st.sampled_from(["h", "f"]), st.integers(1, 99), numbers, places),
    st.builds(
        Clamp, layers, st.sampled_from(["c", "o"]), numbers, st.integers(1, 9), st.none() | st.integers(9, 40), places
    ),
    st.builds(CutGradient, st.integers(1, 99), st.sampled_from(["", "l1"])),
    st.builds(SetState, layers, st.sampled_from(["h", "c"]), several),
    st.builds(SetInput, st.integers(1, 99), several),
    st.builds(SetWeight, st.sampled_from(["weight_hh_l0", "head.bias"]), several, places, places),
)


@given(st.lists(interventions, min_size=1, max_size=3).map(tuple))
def test_what_is_written_is_read_again(found):
    assert read(written(found)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("f[1:T] of l0 = 1", Clamp("l0", "f", 1.0)),
        (" c[3..9, all] of l1 = −0.5 ", Clamp("l1", "c", -0.5, 3, 9)),
        ("x[4] = (0, 1, 0)", SetInput(4, (0.0, 1.0, 0.0))),
        ("weight_hh_l0 = 0", SetWeight("weight_hh_l0", (0.0,))),
        ("h_0 of l0 = 0.5", SetState("l0", "h", (0.5,))),
    ],
)
def test_it_is_read_as_people_write_it(text, found):
    assert read(text) == (found,)


def test_a_weight_says_which_part_of_it_is_set():
    assert SetWeight("weight_hh_l0", (0.5,), 2, 3).words == "weight_hh_l0[2, 3] = 0.5"
    assert SetWeight("weight_hh_l0", (0.5,), None, 3).words == "weight_hh_l0[:, 3] = 0.5"
    assert SetWeight("bias_hh_l0", (0.5,)).words == "bias_hh_l0 = 0.5"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "got nothing"),
        ("good morning", 'wanted a line such as "f'),
        ("f[1…T] of l0 = one", "wanted numbers"),
        ("f[1…T] of l0 = 1, 2", "wanted a line"),
        (f"h[{'9' * 5000}, 1] of l0 = 1", "wanted a line"),
        ("f[1…T] of l0 = inf", "a value must be between"),
        ("f[1…T] of l0 = 1\n" * 9000, "at most"),
    ],
)
def test_what_is_none_is_refused(text, words):
    with pytest.raises(RnnvizError, match=words):
        read(text)

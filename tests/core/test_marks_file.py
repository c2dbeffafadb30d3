"""Breakpoints, watches and bookmarks as TOML: round trips, and one sentence for everything wrong."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml, parse_experiment
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.plain_records import read_record
from rnnviz.core.stopping.marks import NOT_FINITE, Bookmark, Breakpoint, Marks, Watch, with_not_finite
from rnnviz.core.stopping.marks_file import marks_toml, parse_marks, shortened

WHOLE = st.integers(1, 10**6)
FINITE = st.floats(-1e6, 1e6)
SHARED = {"model": st.sampled_from(["", "LSTM"]), "every": WHOLE, "enabled": st.booleans(), "sequence": WHOLE}
BREAKPOINTS = st.one_of(
    st.builds(Breakpoint, st.just("condition"), st.just("loss < 0.05"), message=st.just("{k}"), **SHARED),
    st.builds(Breakpoint, st.just("data"), st.just("loss"), crosses=FINITE, direction=st.just("up"), **SHARED),
    st.builds(Breakpoint, st.just("data"), st.just("norm(h[t])"), factor=st.floats(1.5, 9), layer=st.just("l1")),
    st.builds(Breakpoint, st.just("not finite"), st.sampled_from(["", "h"]), **SHARED),
    st.builds(Breakpoint, st.just("place"), phase=st.just("backward"), time_step=st.integers(-9, 9), **SHARED),
)
BOOKMARKS = st.builds(Bookmark, WHOLE, st.sampled_from(["loss", "update"]), WHOLE, note=st.just('the "gate" opens'))
MARKS = st.builds(
    Marks,
    st.lists(BREAKPOINTS, max_size=3).map(tuple),
    st.just((Watch("norm(dh[t])"),)),
    st.lists(BOOKMARKS, max_size=2).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(MARKS)
def test_marks_come_back_alone_and_in_an_experiment(marks: Marks) -> None:
    assert parse_marks(marks_toml(marks), "a", ["LSTM"]) == marks
    experiment = replace(first_lesson(), marks=marks)
    assert parse_experiment(experiment_toml(experiment), "a") == experiment
    assert all(read_record(Breakpoint, shortened(one), "a", "") == one for one in marks.breakpoints)


def test_what_is_as_usual_is_not_written() -> None:
    assert marks_toml(Marks()) == ""
    text = marks_toml(Marks((Breakpoint("condition", "loss < 0.05"),)))
    assert text == 'breakpoints = [\n    { kind = "condition", expression = "loss < 0.05" },\n]\n'
    assert "breakpoints" not in experiment_toml(first_lesson())


WRONG = {
    "kind": ('kind = "conditon"', r"breakpoints\[0\].kind must be .*did you mean \"condition\""),
    "missing kind": ('expression = "loss < 1"', r"breakpoints\[0\].kind is missing"),
    "unknown key": ('kind = "condition"\nexpresion = "k"', "did you mean expression"),
    "foreign key": ('kind = "condition"\nexpression = "k == 1"\nfactor = 3', "belongs to data"),
    "foreign key at its default": ('kind = "condition"\nexpression = "k == 1"\ntime_step = 0', "belongs to place"),
    "expression": ('kind = "condition"\nexpression = "los < 1"', r"breakpoints\[0\], column 1: There is no los"),
    "not a condition": ('kind = "condition"\nexpression = "loss"', "yes or no"),
    "no expression": ('kind = "data"\ncrosses = 1', r"breakpoints\[0\], column 1"),
    "both": ('kind = "data"\nexpression = "loss"\ncrosses = 1\nfactor = 2', "either crosses or factor"),
    "neither": ('kind = "data"\nexpression = "loss"', "either crosses or factor"),
    "direction": ('kind = "data"\nexpression = "loss"\nfactor = 2\ndirection = "up"', "left out with factor"),
    "factor": ('kind = "data"\nexpression = "loss"\nfactor = 1', "more than 1"),
    "threshold": ('kind = "data"\nexpression = "loss"\ncrosses = nan', "not NaN"),
    "every": ('kind = "condition"\nexpression = "k == 1"\nevery = 0', "every must be a whole number from 1 on, not 0"),
    "message": ('kind = "condition"\nexpression = "k == 1"\nmessage = "{lo"', "has no }"),
    "model": ('kind = "condition"\nexpression = "k == 1"\nmodel = "LSTN"', 'model is "LSTN", did you mean LSTM'),
}


@pytest.mark.parametrize(("lines", "words"), WRONG.values(), ids=WRONG)
def test_every_mistake_is_one_sentence(lines: str, words: str) -> None:
    with pytest.raises(RnnvizError, match=words) as caught:
        parse_marks(f"[[breakpoints]]\n{lines}\n", "my.toml", ["LSTM", "Vanilla"])
    assert str(caught.value).startswith("my.toml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("breakpoints = 3", r"a list of tables"),
        ("breakpoint = []", "did you mean breakpoints"),
        ("[[watches]]\nexpression = 'h['", r"watches\[0\], column"),
        ("[[bookmarks]]\ntraining_step = -1", "from 0 on"),
        ("[[bookmarks]]\ntraining_step = 1\nnote = 'a\tb'", "one line"),
        ("[[bookmarks]]\ntraining_step = 1\ntime_step = 0", "from 1 on"),
        ("[[bookmarks]]\ntraining_step = 1\nkind = 'badge'", r"bookmarks\[0\].kind must be"),
        ("[[breakpoints]]\nkind='condition'\nexpression='k == 1'\n" * 101, "at most 100"),
    ],
)
def test_other_mistakes(text: str, words: str) -> None:
    with pytest.raises(RnnvizError, match=words):
        parse_marks(text, "my.toml")


def test_not_finite_is_on_unless_it_says_so_itself() -> None:
    one = Breakpoint("condition", "k == 1")
    off = replace(NOT_FINITE, enabled=False)
    assert with_not_finite((one,)) == (NOT_FINITE, one)
    assert with_not_finite((one, off)) == (one, off)
    assert with_not_finite((Breakpoint("not finite", "h"),))[0] == NOT_FINITE


def test_words() -> None:
    said = {
        Breakpoint("condition", "loss < 1", model="LSTM", every=2): "loss < 1 (LSTM), every 2nd time",
        Breakpoint("data", "loss", crosses=0.5, direction="down"): "loss falls below 0.5",
        Breakpoint("data", "loss", factor=10): "loss changes by a factor of 10",
        Breakpoint("not finite"): "loss or gradient is NaN or infinite",
        Breakpoint("place", "f[t, 1] > 0", phase="backward", time_step=3, operation="f", every=11): (
            "backward time step 3 f where f[t, 1] > 0, every 11th time"
        ),
    }
    for breakpoint, words in said.items():
        assert breakpoint.words == words
        assert not re.search(r"[{}]", words)

"""What breakpoints and watches ask: hits, what a data breakpoint remembers, and the sentence that says why."""

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.expressions import ExpressionError, NoValueError, parse
from rnnviz.core.stopping.conditions import Answer, along_time, change, condition, crossing, look, not_finite

NUMBERS = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, math.nan, math.inf, -math.inf]))


def at(loss: float | None):
    """A scope whose loss is this, or which has none."""

    def metric(name: str) -> float:
        if loss is None or name != "loss":
            raise NoValueError("not here")
        return loss

    h = np.array([[1.0, 2.0], [3.0, math.inf]])
    return SimpleNamespace(
        metric=metric, number=lambda name: 1.0, quantity=lambda name, layer: h, own=lambda name, layer: None
    )


def answers(question, values) -> list[Answer]:
    found: list[Answer] = []
    for value in values:
        found.append(question.ask(at(value), found[-1] if found else None))
    return found


def test_a_condition_says_why():
    answer = condition("loss < 0.05 and norm(h[1]) > 2").ask(at(0.04))
    assert answer.hit
    assert answer.sentence == "loss is 0.04, norm(h[1]) is 2.236"
    assert not condition("loss < 0.05").ask(at(0.05)).hit


def test_a_condition_without_a_value_is_no_hit_and_no_problem():
    answer = condition("loss < 0.05").ask(at(None))
    assert answer == Answer(False)
    assert condition("isnan(loss) or norm(h[9]) < 1").ask(at(1.0)) == Answer(False)


def test_a_condition_that_cannot_be_computed_is_a_problem_in_words():
    answer = condition("h[loss, 1] < 1").ask(at(0.5))
    assert not answer.hit
    assert answer.sentence == "A time step is a whole number, this one is 0.5."


@pytest.mark.parametrize(
    ("text", "words"),
    [("loss", "compare it"), ("f > 0.99", r"any\(f > 0.99\)"), ("f", "compare it"), ("loss <", "A value is missing")],
)
def test_a_condition_is_one_yes_or_no(text, words):
    with pytest.raises(ExpressionError, match=words):
        condition(text)


@given(st.lists(NUMBERS, max_size=12), NUMBERS.filter(lambda value: value == value))
def test_every_rise_and_fall_across_the_threshold_stops_once(values, threshold):
    up = [answer.hit for answer in answers(crossing("loss", threshold, "up"), values)]
    down = [answer.hit for answer in answers(crossing("loss", threshold, "down"), values)]
    either = [answer.hit for answer in answers(crossing("loss", threshold), values)]
    assert up[:1] in ([], [False])
    assert up[1:] == [before < threshold <= now for before, now in pairwise(values)]
    assert down[1:] == [now < threshold <= before for before, now in pairwise(values)]
    assert either == [one or two for one, two in zip(up, down, strict=True)]


@pytest.mark.parametrize(
    ("before", "now", "hit"),
    [
        (1.0, 10.0, True),
        (10.0, 1.0, True),
        (1.0, 9.9, False),
        (-1.0, 10.0, True),
        (1.0, -1.0, False),
        (0.0, 5e-324, True),
        (0.0, 0.0, False),
        (1.0, math.inf, True),
        (math.inf, math.inf, False),
        (math.nan, 1.0, False),
        (1.0, math.nan, False),
    ],
)
def test_a_change_by_a_factor(before, now, hit):
    answer = answers(change("loss", 10), [before, now])[-1]
    assert answer.hit is hit
    if hit:
        assert answer.sentence.startswith("loss before is ")


def test_the_factor_of_a_change_lies_above_1():
    assert [one.hit for one in answers(change("loss", 1.25), [1.0, 1.2, 1.5, 1.1])] == [False, False, True, True]
    for factor in (1.0, 0.5, -2.0, math.inf, math.nan):
        with pytest.raises(ExpressionError, match=r"must be more than 1, not"):
            change("loss", factor)


def test_a_data_breakpoint_compares_with_the_last_value_there_was():
    found = answers(crossing("loss", 0.5), [1.0, None, None, 0.25])
    assert [answer.hit for answer in found] == [False, False, False, True]
    assert found[-1].sentence == "loss before is 1, loss is 0.25"


def test_a_data_breakpoint_that_cannot_be_computed_says_so():
    found = answers(crossing("h[loss, 1]", 2.0), [1.0, 0.5, 2.0])
    assert found[1].problem
    assert found[2].hit


def test_not_finite_looks_at_every_value():
    assert [answer.hit for answer in answers(not_finite(), [1.0, math.nan, -math.inf, None])] == [
        False,
        True,
        True,
        False,
    ]
    assert not_finite("h").ask(at(1.0)).hit
    assert not not_finite("h[1]").ask(at(1.0)).hit
    assert not_finite("h[loss]").ask(at(0.5)).problem


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: crossing("f", 1), "follows one number; this is T × H numbers"),
        (lambda: crossing("loss < 1", 1), "follows one number; this is yes or no"),
        (lambda: crossing("loss", math.nan), "not NaN"),
        (lambda: change("loss", 1.0), "more than 1, not 1"),
        (lambda: change("loss", math.inf), "more than 1, not inf"),
        (lambda: change("loss", math.nan), "more than 1, not nan"),
    ],
)
def test_a_data_breakpoint_follows_one_number(make, words):
    with pytest.raises(ExpressionError, match=words):
        make()


def test_questions_of_the_same_text_are_equal():
    assert condition("loss < 1") == condition("loss < 1")
    assert crossing("loss", 1) != crossing("loss", 2)
    assert condition("loss < 1") != condition("loss < 2")


def test_a_watch_never_raises():
    assert look(parse("loss"), at(0.5)).value == 0.5
    assert look(parse("loss"), at(None)) == look(parse("loss"), at(None))
    assert look(parse("loss"), at(None)).value is None
    assert look(parse("loss"), at(None)).sentence == "not here"


def test_a_watch_along_the_sequence():
    h = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 9.0]])
    numbers = {"t": 1.0, "T": 3.0}
    scope = SimpleNamespace(
        number=numbers.__getitem__,
        quantity=lambda name, layer: h,
        own=lambda name, layer: None,
        time_steps=3,
        move_to=lambda step: numbers.update(t=float(step)),
    )
    np.testing.assert_array_equal(along_time(parse("sum(h[t])"), scope), [3.0, 8.0, 13.0])
    np.testing.assert_array_equal(along_time(parse("h[t, 2] - h[t - 1, 2]"), scope), [math.nan, 3.0, 4.0])
    np.testing.assert_array_equal(along_time(parse("h[t, 1] > 2"), scope), [0.0, 1.0, 1.0])
    with pytest.raises(ExpressionError, match="A curve needs one number"):
        along_time(parse("h[t]"), scope)

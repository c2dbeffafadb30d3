"""Several seeds: when one is solved, the mean it is judged by, the median and the band of many."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.core.seeds.criterion import Criterion, check_criterion, read_criterion, usual_criterion, usual_words
from rnnviz.core.seeds.curves import Curve, band_of, quantiles, running_mean, thinned
from rnnviz.core.tasks import TASKS, Adding, NextValue


def curve(values: "list[float] | np.ndarray", first: int = 1, every: int = 1) -> Curve:
    numbers = np.asarray(values, np.float64)
    return Curve(first + every * np.arange(len(numbers), dtype=np.int64), numbers)


@pytest.mark.parametrize(
    ("text", "wanted", "words"),
    [
        (
            "accuracy >= 0.99 over 20",
            Criterion("accuracy", ">=", 0.99, 20),
            "accuracy ≥ 0.99, mean of 20 training steps",
        ),
        ("  loss<1e-3 ", Criterion("loss", "<", 1e-3), "loss < 0.001"),
        ("test_loss ≤ 0.5", Criterion("test_loss", "<=", 0.5), "test_loss ≤ 0.5"),
        ("skill > -2 over 1000", Criterion("skill", ">", -2.0, 1000), "skill > -2, mean of 1,000 training steps"),
    ],
)
def test_a_criterion_is_read_and_said(text: str, wanted: Criterion, words: str) -> None:
    assert read_criterion(text) == wanted
    assert wanted.words == words
    assert read_criterion(wanted.text) == wanted


@pytest.mark.parametrize(
    "text", ["", "accuracy", "accuracy = 1", "accuracy >= high", "accuracy >= nan", "loss < 1 over x", "a.b > 1"]
)
def test_what_is_no_criterion_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(RnnvizError, match=r"^--solved: wanted a metric.*accuracy >= 0\.99.*\.$"):
        read_criterion(text)


def test_a_mean_over_no_or_too_many_training_steps_is_refused() -> None:
    for steps in ("0", "10001"):
        with pytest.raises(RnnvizError, match="1 to 10,000 training steps"):
            read_criterion(f"loss < 1 over {steps}")


def test_the_usual_criterion_is_an_accuracy_or_half_the_best_baseline() -> None:
    for task in TASKS.values():
        info = task().open(3).info
        usual = usual_criterion(info)
        check_criterion(usual, info)
        if "accuracy" in info.metrics:
            assert (usual.text, usual_words(info)) == ("accuracy >= 0.99 over 20", "")
    info = NextValue().open(3).info
    baselines = [base for base in info.baselines if base.metric == "loss"]
    best = min(baselines, key=lambda base: base.value)
    assert usual_criterion(info).number == pytest.approx(best.value / 2, rel=5e-3)
    assert best.label in usual_words(info)
    with pytest.raises(RnnvizError, match="no metric acuracy; did you mean accuracy"):
        check_criterion(read_criterion("acuracy > 1"), Adding().open(1).info)


def test_solved_is_the_first_training_step_whose_mean_of_so_many_holds() -> None:
    values = [0, 1, 0, 1, 1, 1, 0, 1]
    assert Criterion("a", ">=", 1.0).solved_at(curve(values)) == 2
    assert Criterion("a", ">=", 1.0, 3).solved_at(curve(values)) == 6
    assert Criterion("a", ">=", 0.6, 3).solved_at(curve(values)) == 4  # 1, 0, 1
    assert Criterion("a", "<", 0.1).solved_at(curve(values)) == 1
    assert Criterion("a", ">", 1.0).solved_at(curve(values)) is None
    assert Criterion("a", ">=", 1.0, 3).solved_at(curve([1.0, 1.0])) is None  # fewer than asked for do not count
    assert Criterion("a", "<=", 1.0, 2).solved_at(curve([math.nan, 1, 1])) == 3
    assert Criterion("a", "<=", 1.0).solved_at(curve([])) is None
    # measured at every tenth training step: a mean of what lies within the last twenty
    assert Criterion("a", ">=", 1.0, 20).solved_at(curve([0, 1, 1], first=10, every=10)) == 30


def test_a_mean_of_ones_is_one_whatever_came_before() -> None:
    noisy = np.concatenate([np.random.default_rng(2).random(1000) * 1e6 / 3, np.ones(30)])
    assert Criterion("a", "<=", 1.0, 30).solved_at(curve(noisy)) == 1030


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.integers(1, 12))
def test_the_running_mean_is_that_of_the_last_training_steps(values: list[float], over: int) -> None:
    means = running_mean(curve(values), over).values
    for place in range(len(values)):
        assert means[place] == pytest.approx(np.mean(values[max(0, place - over + 1) : place + 1]), abs=1e-12)


def test_the_band_is_that_of_numpy_where_all_seeds_are_there() -> None:
    values = np.random.default_rng(5).normal(size=(7, 30))
    band = band_of([curve(row) for row in values])
    assert band.training_steps.tolist() == list(range(1, 31))
    wanted = np.percentile(values, (10, 50, 90), axis=0)
    np.testing.assert_allclose(np.stack([band.low, band.median, band.high]), wanted, rtol=1e-12)
    assert set(band.seeds) == {7}


def test_a_seed_that_has_ended_earlier_or_is_not_finite_counts_no_more_and_one_seed_is_no_band() -> None:
    band = band_of([curve([1, 2, 3, 4]), curve([3, 4]), curve([5, math.nan, math.inf])])
    assert band.seeds.tolist() == [3, 2, 1, 1]
    np.testing.assert_allclose(band.median, [3, 3, 3, 4])
    np.testing.assert_allclose(band.low, [1.4, 2.2, np.nan, np.nan])
    np.testing.assert_allclose(band.high, [4.6, 3.8, np.nan, np.nan])
    assert not len(band_of([]).median)
    assert not len(band_of([curve([])]).median)


def test_seeds_recorded_at_other_training_steps_are_compared_at_what_each_had_by_then() -> None:
    band = band_of([curve([1, 2, 3, 4, 5]), curve([10, 20], first=2, every=2)])
    assert band.training_steps.tolist() == [1, 2, 3, 4, 5]
    assert band.seeds.tolist() == [1, 2, 2, 2, 1]
    np.testing.assert_allclose(band.median, [1, 6, 6.5, 12, 5])


def test_long_curves_are_thinned_with_both_ends() -> None:
    long = curve(np.arange(10_001.0))
    some = thinned(long, 101)
    assert len(some.values) == 101
    assert (some.values[0], some.values[-1]) == (0, 10_000)
    band = band_of([long, long], 101)
    assert band.training_steps[-1] == 10_001
    np.testing.assert_array_equal(band.median, band.training_steps - 1)


def test_quantiles_leave_out_what_is_not_finite() -> None:
    assert quantiles([math.nan]) is None
    assert quantiles([3.0, math.inf]) == (3.0, 3.0, 3.0)
    assert quantiles([0.0, 10.0, 5.0]) == pytest.approx((1.0, 5.0, 9.0))

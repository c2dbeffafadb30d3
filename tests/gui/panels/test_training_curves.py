"""The arithmetic behind the training curves."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnviz.gui.training.curve_ranges import logarithm, nearest, smooth, spread, x_end, y_ticks


def test_smoothing_keeps_a_constant_and_thins_a_long_curve() -> None:
    at, means = smooth(np.full(100_000, 0.7))
    assert len(at) == 600
    assert (at[0], at[-1]) == (0, 99_999)
    np.testing.assert_allclose(means, 0.7)


def test_smoothing_leaves_a_gap_where_nothing_is_finite() -> None:
    values = np.ones(1600)
    values[400:800] = np.nan
    values[100] = np.inf
    at, means = smooth(values)
    assert np.isnan(means[(at >= 412) & (at < 788)]).all()
    np.testing.assert_allclose(means[(at < 388) | (at >= 812)], 1.0)


def test_an_empty_curve_is_smooth() -> None:
    at, means = smooth(np.zeros(0))
    assert (len(at), len(means)) == (0, 0)


def test_zero_and_less_have_no_logarithm() -> None:
    np.testing.assert_array_equal(logarithm(np.array([100.0, 0.0, -1.0, np.nan])), [2.0, np.nan, np.nan, np.nan])


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_the_axis_holds_all_data_and_seldom_grows(last: int, planned: int) -> None:
    assert last <= x_end(last, planned, growing=True) <= max(200, 2 * last)
    assert x_end(last, planned, growing=False) == max(1, last)


def test_the_axis_ends_where_training_will() -> None:
    assert [x_end(last, 1000, True) for last in (0, 150, 201, 640, 999, 1001)] == [200, 200, 300, 750, 1000, 1500]
    assert x_end(640, 700, True) == 700


@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40), st.booleans())
@example([-2.8e-21], False)
@example([-3.0, -3.0], False)
def test_labels_lie_within_the_axis(values: list[float], log: bool) -> None:
    curve = np.array(values)
    ticks = y_ticks([logarithm(np.abs(curve)) if log else curve], [], unit=False, logarithmic=log)
    assert ticks.low < ticks.high
    assert all(ticks.low <= place <= ticks.high for place in ticks.places)


def test_an_outlier_does_not_flatten_the_curve() -> None:
    values = np.ones(10_000)
    values[5] = 1e6
    assert y_ticks([values], [], unit=False, logarithmic=False).high < 2


@given(st.lists(st.floats(0, 100), min_size=1, max_size=5))
def test_labels_are_moved_apart_in_their_order(places: list[float]) -> None:
    moved = spread(places, [14.0] * len(places), 0.0, 100.0)
    order = np.argsort(places, kind="stable")
    assert all(np.diff(np.array(moved)[order]) > 13.0)
    assert min(moved) > -1
    assert max(moved) < 101


@pytest.mark.parametrize("places", [[85.0, 99.9], [0.1, 15.0], [99.9, 85.0], [0.1, 50.0, 99.9]])
def test_a_label_moved_in_from_an_end_moves_the_one_beside_it(places: list[float]) -> None:
    moved = spread(places, [14.0] * len(places), 0.0, 100.0)
    assert np.diff(sorted(moved)).min() > 13.98
    assert min(moved) >= 6.98
    assert max(moved) <= 93.02
    assert list(np.argsort(moved)) == list(np.argsort(places))


@pytest.mark.parametrize(("step", "found"), [(-5, 0), (4, 7), (3, 0), (10, 7), (11, 14), (999, 14)])
def test_the_nearest_capture(step: int, found: int) -> None:
    assert nearest(np.array([0, 7, 14]), step) == found
    assert nearest(np.array([3]), step) == 3

"""Blocks: extremes and means of a growing curve are those of its values, however it grew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.core.arrays import Array
from rnnviz.gui.training.curve_blocks import BLOCK, Blocks


def values(count: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    made = rng.normal(size=count)
    made[rng.random(count) < 0.01] = np.nan
    return made


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=6), st.integers(0, 99))
def test_growing_bit_by_bit_gives_what_all_at_once_gives(parts: list[int], seed: int) -> None:
    whole, grown = values(sum(parts), seed), Blocks()
    for end in np.cumsum(parts):
        grown.extend(whole[:end])
    once = Blocks()
    once.extend(whole.copy())
    for first, last, bins in ((0, len(whole), 3), (len(whole) // 2, len(whole), 2)):
        for one, other in zip(grown.extremes(first, last, bins), once.extremes(first, last, bins), strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(grown.breaks, once.breaks)


@pytest.mark.parametrize("count", [5, 4000, 300_000])
@pytest.mark.parametrize("spike", [1e6, -1e6])
def test_no_extreme_is_lost(count: int, spike: float) -> None:
    for place in (0, count // 3, count - 1):
        made = np.zeros(count)
        made[place] = spike
        blocks = Blocks()
        blocks.extend(made)
        at, low, high = blocks.extremes(0, count, 500)
        assert (low.min(), high.max()) == (min(spike, 0.0), max(spike, 0.0))
        assert len(at) == len(low) == len(high) <= max(2 * 500, count if count <= 1000 else 0)
        near = at[int(np.argmax(np.maximum(high, -low)))]
        assert abs(near - place) <= count / 500 + 2 * BLOCK


def test_a_part_is_drawn_exactly_when_it_fits() -> None:
    made = values(100_000)
    blocks = Blocks()
    blocks.extend(made)
    at, low, high = blocks.extremes(50_000, 50_600, 800)
    np.testing.assert_array_equal(at, np.arange(50_000, 50_600))
    np.testing.assert_array_equal(low, made[50_000:50_600])
    assert low is high


def test_means_are_those_of_the_values_up_to_whole_blocks() -> None:
    made = np.sin(np.arange(200_000) / 2e4)
    made[1000:1100] = np.nan
    blocks = Blocks()
    blocks.extend(made)
    at = np.array([0, 50_000, 123_456, 199_999])
    exact = [np.nanmean(made[max(0, k - 1250) : k + 1251]) for k in at]
    np.testing.assert_allclose(blocks.means(at, 1250), exact, atol=0.01)


def test_a_number_beyond_all_bounds_does_not_spoil_the_means_after_it() -> None:
    made = np.ones(100_000)
    made[10] = 1e300
    blocks = Blocks()
    blocks.extend(made)
    assert blocks.means(np.array([90_000]), 600) == pytest.approx(1.0)


def test_breaks_begin_where_numbers_end() -> None:
    made = np.ones(1000)
    made[100] = np.inf
    made[400:600] = np.nan
    blocks = Blocks()
    for end in (100, 101, 450, 500, 1000):  # a stretch that goes on is not a new one
        blocks.extend(made[:end])
    assert blocks.breaks.tolist() == [100, 400]


def test_another_curve_begins_anew() -> None:
    blocks = Blocks()
    blocks.extend(np.full(1000, 5.0))
    blocks.extend(np.full(1200, 1.0))
    assert blocks.extremes(0, 1200, 1)[2].max() == 1.0

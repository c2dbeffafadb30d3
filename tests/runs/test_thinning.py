"""Thinning: which captures go, over any history."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.runs.writing.thinning import thin


def test_first_newest_and_kept_stay() -> None:
    assert thin([0, 1]) == ()
    assert thin([0, 1, 2]) == (1,)
    assert thin([0, 1, 2], {1}) == ()


def test_the_densest_go_first_wherever_they_are() -> None:
    coarse = list(range(0, 750, 25))
    assert set(thin(sorted([*coarse, 501, 502]))) < {500, 501, 502}
    assert set(thin([*coarse[:-1], *range(710, 720)])) <= set(range(700, 720))


def test_on_an_even_grid_they_are_scattered() -> None:
    dropped = np.array(thin(range(0, 6400, 10)))
    assert len(dropped) == 40
    assert np.diff(dropped).min() > 10  # never two neighbours
    assert set(np.histogram(dropped, 4, (0, 6400))[0]) <= {9, 10, 11}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=3, max_size=60, unique=True), st.sets(st.integers(0, 59)))
def test_a_small_share_of_the_free_ones_goes(steps: list[int], chosen: set[int]) -> None:
    steps.sort()
    kept = {steps[place] for place in chosen if place < len(steps)}
    free = [step for step in steps[1:-1] if step not in kept]
    dropped = thin(steps, kept)
    assert list(dropped) == sorted(set(dropped) & set(free))
    assert len(dropped) == -(-len(free) // 16)


def test_a_run_is_evenly_covered_at_any_time() -> None:
    steps: list[int] = []
    rounds = 0
    for step in range(20_000):
        steps.append(step)
        if len(steps) > 300:
            dropped = set(thin(steps))
            steps = [step for step in steps if step not in dropped]
            rounds += 1
        if step > 2000 and step % 97 == 0:
            fifths = np.histogram(steps, 5, (0, step + 1))[0]
            assert fifths.min() >= 40, fifths
            assert fifths.max() <= 85, fifths
            assert np.diff(steps).max() <= 4 * step / len(steps)
    assert rounds > 100
    assert len(steps) > 270
    assert (steps[0], steps[-1]) == (0, 19_999)

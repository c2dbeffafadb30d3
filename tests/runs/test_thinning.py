"""Thinning: which captures go, over any history."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.runs.writing.thinning import thin


def test_every_second_one_of_an_even_grid_goes() -> None:
    thinning = thin(range(0, 90, 10))
    assert thinning.dropped == (10, 30, 50, 70)
    assert thinning.spacing == 20


def test_first_newest_and_kept_stay() -> None:
    assert thin([0, 1]).dropped == ()
    assert thin([0, 1, 2]).dropped == (1,)
    assert thin([0, 1, 2], {1}).dropped == ()


def test_the_dense_end_is_thinned_to_the_spacing_of_the_coarse_beginning() -> None:
    assert thin([0, 8, 16, 24, 25, 26, 27, 28, 29, 30], spacing=8).dropped == (25, 26, 27, 28, 29)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 10**9), min_size=3, max_size=60, unique=True),
    st.sets(st.integers(0, 59)),
    st.integers(0, 10**9),
)
def test_at_least_half_of_the_free_ones_go(steps: list[int], chosen: set[int], spacing: int) -> None:
    steps.sort()
    kept = {steps[place] for place in chosen if place < len(steps)}
    free = [step for step in steps[1:-1] if step not in kept]
    thinning = thin(steps, kept, spacing)
    assert set(thinning.dropped) <= set(free)
    assert len(thinning.dropped) * 2 >= len(free)
    assert thinning.spacing >= spacing


def test_a_long_run_stays_evenly_covered() -> None:
    steps: list[int] = []
    spacing = 0
    rounds = 0
    for step in range(20_000):
        steps.append(step)
        if len(steps) > 100:
            thinning = thin(steps, (), spacing)
            spacing = thinning.spacing
            steps = [step for step in steps if step not in set(thinning.dropped)]
            gaps = np.diff(steps)
            assert gaps.max() < 2 * spacing
            assert gaps[:-1].min() >= spacing
            rounds += 1
    assert rounds > 10
    assert len(steps) > 20
    assert steps[0] == 0
    assert steps[-1] == 19_999

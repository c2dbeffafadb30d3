"""Adding: one marker in each half, and the sum of what is marked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.tasks import Adding


@given(seed=st.integers(0, 10**6), length=st.integers(2, 20), size=st.integers(1, 9))
def test_the_target_is_the_sum_of_the_marked_values(seed: int, length: int, size: int) -> None:
    batch = Adding(length=length).open(1).batch(np.random.default_rng(seed), size)
    values, markers = batch.inputs[..., 0], batch.inputs[..., 1]
    assert batch.inputs.shape == (length, size, 2)
    assert np.all((values >= 0) & (values < 1))
    assert np.all((markers == 0) | (markers == 1))
    assert np.all(markers[: length // 2].sum(axis=0) == 1)
    assert np.all(markers[length // 2 :].sum(axis=0) == 1)
    assert np.allclose(batch.targets[-1, :, 0], (values * markers).sum(axis=0))
    assert not batch.loss_weight[:-1].any()
    assert batch.loss_weight.sum() == pytest.approx(1)


def test_the_baselines_are_what_always_answering_1_reaches() -> None:
    source = Adding(length=10).open(1)
    total = source.batch(np.random.default_rng(0), 200_000).targets[-1, :, 0]
    baselines = {baseline.metric: baseline for baseline in source.info.baselines}
    assert baselines["loss"].value == pytest.approx(np.mean((total - 1) ** 2), rel=0.01)
    assert baselines["accuracy"].value == pytest.approx(np.mean(np.abs(total - 1) < source.tolerance), rel=0.03)
    assert baselines["loss"].label == "always 1"


def test_the_probe_follows_the_seed() -> None:
    first, again, other = (Adding().open(seed).probe().inputs for seed in (1, 1, 2))
    assert first.shape == (50, 4, 2)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)

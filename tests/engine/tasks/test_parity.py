"""Parity: even or odd after every bit, lengths of batches, the longer sequences held back, and what chance reaches."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.experiment.file import experiment_toml, parse_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.tasks import Parity
from rnnviz.core.tasks.source import Batch
from rnnviz.engine.training.trainer import Training


def count_of_ones_says(batch: Batch) -> bool:
    """Whether each answer is the word for the ones of its sequence so far, counted one by one."""
    for number in range(batch.inputs.shape[1]):
        ones = 0
        for column, answer in zip(batch.inputs[:, number], batch.targets[:, number], strict=True):
            assert sorted(column) == [0, 1]
            ones += int(column[1])
            if ("even", "odd")[answer] != ("odd" if ones & 1 else "even"):
                return False
    return True


@given(seed=st.integers(0, 10**6), shortest=st.integers(1, 6), longer=st.integers(0, 7), size=st.integers(1, 9))
def test_every_time_step_asks_for_the_parity_of_the_bits_so_far(
    seed: int, shortest: int, longer: int, size: int
) -> None:
    source = Parity(length=(shortest, shortest + longer)).open(3)
    batch = source.batch(np.random.default_rng(seed), size)
    time_steps = len(batch.inputs)
    assert shortest <= time_steps <= shortest + longer
    assert batch.inputs.shape == (time_steps, size, 2)
    assert (batch.inputs.dtype, batch.targets.dtype) == (np.float32, np.int64)
    assert batch.lengths is None
    assert count_of_ones_says(batch)
    assert batch.loss_weight == pytest.approx(np.full((time_steps, size), 1 / (time_steps * size)))


def test_every_length_is_drawn_and_bits_are_fair_and_independent() -> None:
    source, generator = Parity(length=(3, 9)).open(3), np.random.default_rng(4)
    batches = [source.batch(generator, 40) for _ in range(400)]
    assert {len(batch.inputs) for batch in batches} == set(range(3, 10))
    bits = [batch.inputs[..., 1] for batch in batches]
    assert np.concatenate([each.ravel() for each in bits]).mean() == pytest.approx(0.5, abs=0.01)
    assert np.mean([(each[1:] == each[:-1]).mean() for each in bits]) == pytest.approx(0.5, abs=0.01)
    assert np.mean([(each[:, 1:] == each[:, :-1]).mean() for each in bits]) == pytest.approx(0.5, abs=0.01)


def test_what_is_held_back_is_as_long_as_said_and_fixed_by_the_seed() -> None:
    task = Parity(length=(2, 5), test_length=130)
    held_back = task.open(3).test()
    assert held_back is not None
    assert held_back.inputs.shape == (130, 76, 2)
    assert count_of_ones_says(held_back)
    assert held_back.loss_weight.sum() == pytest.approx(1, rel=1e-4)
    again, other = (task.open(seed).test() for seed in (3, 4))
    assert np.array_equal(held_back.inputs, again.inputs)  # type: ignore[union-attr]
    assert not np.array_equal(held_back.inputs, other.inputs)  # type: ignore[union-attr]
    assert [Parity(test_length=t).open(3).test().inputs.shape[1] for t in (1, 100, 10_000)] == [100, 100, 1]  # type: ignore[union-attr]


def test_the_probe_is_drawn_apart_from_training_and_from_what_is_held_back() -> None:
    task = Parity(length=(40, 2500), test_length=2500)  # as many sequences held back as in the probe
    source = task.open(3)
    probe, held_back = source.probe(), source.test()
    assert held_back is not None
    assert probe.inputs.shape == held_back.inputs.shape == (2500, 4, 2)
    assert np.array_equal(probe.inputs, task.open(3).probe().inputs)
    assert not np.array_equal(probe.inputs, task.open(4).probe().inputs)

    def beginnings(batch: Batch) -> set[bytes]:
        return {batch.inputs[:40, number, 1].tobytes() for number in range(batch.inputs.shape[1])}

    trained = {one for step in range(40) for one in beginnings(source.batch(np.random.default_rng([3, 2, step]), 32))}
    assert not beginnings(probe) & trained
    assert not beginnings(held_back) & (trained | beginnings(probe))


def test_chance_is_the_baseline_of_both_parts() -> None:
    source = Parity(test_length=60).open(3)
    baselines = {one.metric: (one.value, one.label) for one in source.info.baselines}
    for part, batch in (("", source.probe()), ("test_", source.test())):
        assert batch is not None
        assert baselines[f"{part}loss"] == (pytest.approx(math.log(2)), "chance")
        assert baselines[f"{part}accuracy"] == (0.5, "chance")
    assert len(baselines) == 4


def test_training_measures_accuracy_on_the_longer_sequences_and_a_file_keeps_both_lengths() -> None:
    experiment = Experiment(
        "Parity",
        Parity(length=(2, 7), test_length=31),
        (ModelSettings("GRU", "gru", 5),),
        TrainingSettings(batch_size=3),
        seed=5,
    )
    assert parse_experiment(experiment_toml(experiment), "x.toml") == experiment
    assert experiment.task.words == "parity, length 2–7, tested at 31"
    training = Training(experiment)
    for _ in range(3):
        assert set(training.advance()[0]) == {"loss", "accuracy", "grad_norm"}
    (tested,) = training.test_metrics()
    assert set(tested) == {"test_loss", "test_accuracy", "skill"}
    assert 0.2 < tested["test_accuracy"] < 0.8
    assert tested["skill"] == pytest.approx(1 - tested["test_loss"] / math.log(2))

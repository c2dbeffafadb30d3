"""Temporal order: the strings, their classes, their padding, and the probe."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.core.tasks import TemporalOrder
from rnnviz.core.tasks.source import Batch
from rnnviz.core.tasks.temporal_order import CLASSES, SYMBOLS


def strings(batch: Batch) -> list[str]:
    """Each sequence as letters, "." where it is padded."""
    codes = np.where(batch.inputs.any(axis=-1), batch.inputs.argmax(axis=-1), len(SYMBOLS))
    return ["".join([*SYMBOLS, "."][code] for code in column) for column in codes.T]


@given(seed=st.integers(0, 10**6), shortest=st.integers(9, 14), longer=st.integers(0, 6), size=st.integers(1, 20))
def test_every_string_keeps_the_rules(seed: int, shortest: int, longer: int, size: int) -> None:
    task = TemporalOrder(length=(shortest, shortest + longer), first_mark=(1, 3), second_mark=(4, 7))
    batch = task.open(1).batch(np.random.default_rng(seed), size)
    assert batch.inputs.dtype == np.float32
    assert len(strings(batch)) == size
    assert any("." not in string for string in strings(batch))
    for number, padded in enumerate(strings(batch)):
        string = padded.lstrip(".")
        assert "." not in string
        assert shortest <= len(string) <= shortest + longer
        assert string[0] == "E"
        assert string[-1] == "B"
        marks = [place for place, letter in enumerate(string) if letter in "XY"]
        assert len(marks) == 2
        assert 1 <= marks[0] <= 3
        assert 4 <= marks[1] <= 7
        assert set(string[1:-1]) <= set("abcdXY")
        assert CLASSES[batch.targets[-1, number]] == string[marks[0]] + string[marks[1]]


def test_only_the_last_time_step_is_asked() -> None:
    batch = TemporalOrder().open(1).batch(np.random.default_rng(0), 8)
    assert not batch.loss_weight[:-1].any()
    assert np.allclose(batch.loss_weight[-1], 1 / 8)


def test_all_lengths_marks_and_classes_are_drawn() -> None:
    task = TemporalOrder(length=(60, 80), first_mark=(10, 20), second_mark=(45, 54))
    found = [string.lstrip(".") for string in strings(task.open(1).batch(np.random.default_rng(0), 4000))]
    places = [[place for place, letter in enumerate(string) if letter in "XY"] for string in found]
    assert {len(string) for string in found} == set(range(60, 81))
    assert {place[0] for place in places} == set(range(10, 21))
    assert {place[1] for place in places} == set(range(45, 55))
    classes = [string[a] + string[b] for string, (a, b) in zip(found, places, strict=True)]
    assert all(0.22 < classes.count(name) / 4000 < 0.28 for name in CLASSES)


def test_the_probe_has_one_string_of_each_class_without_padding_and_follows_the_seed() -> None:
    source = TemporalOrder().open(1)
    probe = source.probe()
    assert [CLASSES[number] for number in probe.targets[-1]] == ["XX", "XY", "YX", "YY"]
    assert probe.inputs.shape == (64, 4, 8)
    assert not any("." in string for string in strings(probe))
    assert strings(probe) == strings(TemporalOrder().open(1).probe())
    assert strings(probe) != strings(TemporalOrder().open(2).probe())
    assert source.test() is None


def test_the_baselines_are_chance() -> None:
    baselines = {baseline.metric: baseline for baseline in TemporalOrder().open(1).info.baselines}
    assert baselines["loss"].value == pytest.approx(math.log(4))
    assert baselines["accuracy"].value == 0.25
    assert baselines["accuracy"].label == "chance"


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (TemporalOrder(first_mark=(0, 5)), r"task.first_mark.*got \[0, 5\]"),
        (TemporalOrder(length=(50, 60), second_mark=(45, 49)), r"task.second_mark: wanted at most 48.*got \[45, 49\]"),
    ],
)
def test_marks_on_the_ends_are_refused(task: TemporalOrder, words: str) -> None:
    with pytest.raises(RnnvizError, match=words):
        task.open(1)

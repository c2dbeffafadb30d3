"""Next value: windows, scaling, the train and test part, and the baseline."""

from pathlib import Path

import numpy as np
import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.core.tasks import NextValue


def written(folder: Path, rows: np.ndarray, header: str) -> str:
    path = folder / "t.csv"
    np.savetxt(path, rows, delimiter=",", header=header, comments="", fmt="%.6g")
    return str(path)


def test_the_sunspots_ship_with_rnnviz() -> None:
    source = NextValue().open(1)
    info, probe = source.info, source.probe()
    assert info.input_labels == info.output_labels == ("sunspots",)
    assert info.time_labels[0] == "1947"
    assert len(info.time_labels) == len(probe.inputs) == 40
    (scale,) = info.input_scales
    shown = scale.offset + scale.factor * probe.inputs[:3, 0, 0]
    assert np.allclose(shown, [151.6, 136.3, 134.7], atol=1e-3)  # 1947 to 1949
    assert np.allclose(probe.inputs[1:], probe.targets[:-1])


def test_the_naive_baseline_is_scored_on_the_test_part_in_scaled_units() -> None:
    rows = np.loadtxt(Path("resources/data/sunspots.csv"), delimiter=",", skiprows=3)[:, 1]
    train = rows[:247]
    naive = np.mean(((rows[247:] - rows[246:-1]) / train.std()) ** 2)
    (baseline,) = NextValue().open(1).info.baselines
    assert baseline.label == "same as last year"
    assert baseline.metric == "loss"
    assert baseline.value == pytest.approx(naive, rel=1e-5)


@pytest.mark.parametrize("length", [1, 3, 7, 20])
@pytest.mark.parametrize("rows", [60, 61, 67])
def test_every_test_row_is_scored_once_and_no_train_row(tmp_path: Path, length: int, rows: int) -> None:
    values = np.arange(rows) * 1.0
    file = written(tmp_path, np.stack([values**2, values], axis=1), "a,b")
    source = NextValue(file=file, length=length, train_share=0.7).open(1)
    test, scale = source.test(), source.info.input_scales[1]
    shown = np.round(scale.offset + scale.factor * test.targets[..., 1]).astype(int)
    assert sorted(shown[test.loss_weight > 0]) == list(range(int(rows * 0.7), rows))
    assert test.loss_weight.sum() == pytest.approx(1, rel=1e-5)
    asked = test.loss_weight > 0
    before = np.round(scale.offset + scale.factor * test.inputs[..., 1]).astype(int)
    assert np.array_equal(before[asked], shown[asked] - 1)


def test_training_windows_stay_in_the_train_part_and_reach_all_of_it(tmp_path: Path) -> None:
    file = written(tmp_path, np.arange(40.0)[:, None] ** 1.5, "a")
    source = NextValue(file=file, length=5, train_share=0.5).open(1)
    batch = source.batch(np.random.default_rng(0), 500)
    scale = source.info.input_scales[0]
    shown = np.round((scale.offset + scale.factor * batch.targets[..., 0]) ** (2 / 3)).astype(int)
    assert set(shown.ravel()) == set(range(1, 20))
    assert np.array_equal(batch.inputs[1:], batch.targets[:-1])
    assert batch.inputs.shape == (5, 500, 1)


def test_several_columns_are_scaled_on_the_train_part_each(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal([10, -3, 7], [5, 0.1, 0], (50, 3))
    file = written(tmp_path, np.column_stack([np.arange(1990, 2040), rows]), "year,a,b,still")
    source = NextValue(file=file, length=6).open(1)
    assert source.input_size == source.output_size == 3
    assert source.info.input_labels == ("a", "b", "still")
    batch = source.batch(np.random.default_rng(0), 400)
    assert np.allclose(batch.inputs.mean(axis=(0, 1)), 0, atol=0.2)
    assert np.allclose(batch.inputs[..., :2].std(axis=(0, 1)), 1, atol=0.2)
    assert not batch.inputs[..., 2].any()
    assert NextValue(file=file, columns=("b",), length=6).open(1).info.input_labels == ("b",)


def test_a_short_test_part_still_gives_a_probe(tmp_path: Path) -> None:
    file = written(tmp_path, np.arange(12.0)[:, None], "a")
    probe = NextValue(file=file, length=9, train_share=0.9).open(1).probe()
    assert probe.inputs.shape == (9, 1, 1)
    assert probe.loss_weight.sum() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("length", [10, 4000])
def test_a_sequence_longer_than_the_data_is_refused(tmp_path: Path, length: int) -> None:
    file = written(tmp_path, np.arange(12.0)[:, None], "a")
    with pytest.raises(RnnvizError, match=rf"task.length: wanted at most 8 .*t.csv has 12 rows.*came {length}"):
        NextValue(file=file, length=length).open(1)
    NextValue(file=file, length=8).open(1)


def test_one_row_is_too_little(tmp_path: Path) -> None:
    with pytest.raises(RnnvizError, match="wanted at most 0 time steps"):
        NextValue(file=written(tmp_path, np.ones((1, 2)), "a,b"), length=1).open(1)

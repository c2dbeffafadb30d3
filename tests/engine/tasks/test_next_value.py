"""Next value: windows, scaling, gaps, order, the train and test part, and the baselines."""

from pathlib import Path

import numpy as np
import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.tables import GAP_WORDS, read_table
from rnnviz.core.tasks import NextValue
from rnnviz.core.tasks.info import Scale, to_beat


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


def lines(source, metric: str) -> dict[str, float]:  # type: ignore[no-untyped-def]
    return {line.label: line.value for line in source.info.baselines if line.metric == metric}


def test_each_loss_has_the_baselines_of_its_own_rows_in_scaled_units() -> None:
    rows = np.loadtxt(Path("resources/data/sunspots.csv"), delimiter=",", skiprows=3)[:, 1]
    train, spread = rows[:247], rows[:247].std()
    source = NextValue().open(1)
    on_train, on_test = lines(source, "loss"), lines(source, "test_loss")
    assert on_train["same as last year"] == pytest.approx(np.mean((np.diff(train) / spread) ** 2), rel=1e-5)
    assert on_train["same as last year"] == pytest.approx(0.380, abs=0.001)
    assert on_test["same as last year"] == pytest.approx(np.mean((np.diff(rows[246:]) / spread) ** 2), rel=1e-5)
    assert on_test["same as last year"] == pytest.approx(0.954, abs=0.001)
    assert on_train["always the mean"] == pytest.approx(np.mean(((train[1:] - train.mean()) / spread) ** 2), rel=1e-5)
    assert on_test["always the mean"] == pytest.approx(np.mean(((rows[247:] - train.mean()) / spread) ** 2), rel=1e-5)


def test_of_returns_the_mean_is_the_baseline_to_beat(tmp_path: Path) -> None:
    returns = np.random.default_rng(5).normal(0, 0.01, (800, 1))
    info = NextValue(file=written(tmp_path, returns, "return"), length=23).open(4).info
    best = to_beat(info.baselines, "test_loss")
    assert best is not None
    assert best.label == "always the mean"
    assert lines(NextValue(file=str(tmp_path / "t.csv"), length=23).open(4), "test_loss")[
        "same as last row"
    ] == pytest.approx(2 * best.value, rel=0.15)


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


def test_a_constant_column_is_said_and_stays_at_0(tmp_path: Path) -> None:
    rows = np.column_stack([np.arange(50.0) ** 2, np.full(50, 0.1)])  # whose mean is not 0.1 in float64
    source = NextValue(file=written(tmp_path, rows, "a,still"), length=6).open(3)
    assert source.info.notes == ("“still” is 0.1 in every row that is trained on: nothing to learn",)
    assert not source.batch(np.random.default_rng(0), 40).inputs[..., 1].any()
    with pytest.raises(RnnvizError, match=r"“still” is 0\.1 in every row that is trained on: nothing to learn"):
        NextValue(file=written(tmp_path, rows[:, 1:], "still"), length=6).open(3)


@pytest.mark.parametrize(
    ("scale", "shift", "words"),
    [
        (1e303, 0.0, "spread is beyond float64's range"),
        (1e-315, 0.0, "spread is below what float64 can tell apart"),
        (1e-3, 1e12, "spread is below what float64 can tell apart"),
    ],
)
def test_what_float64_cannot_scale_is_said(tmp_path: Path, scale: float, shift: float, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{n * n % 17},{n * n % 31 * scale + shift!r}\n" for n in range(60)))
    with pytest.raises(RnnvizError, match=rf'column "b": its {words}'):
        NextValue(file=str(path), length=6).open(3)
    NextValue(file=str(path), columns=("a",), length=6).open(3)


def test_a_test_part_far_from_what_is_trained_on_is_refused(tmp_path: Path) -> None:
    rows = np.sin(np.arange(50.0))[:, None]
    rows[45] = 1e30
    with pytest.raises(RnnvizError, match='column "a": the rows for testing lie too far'):
        NextValue(file=written(tmp_path, rows, "a"), length=6).open(3)


GAPPY = "year,a,b\n1,,10\n2,1,11\n3,,12\n4,?,13\n5,4,N/A\n6,5,15\n7,6,16\n8,6,17\n9,NaN,20\n"


@pytest.mark.parametrize(
    ("gaps", "labels", "a", "notes"),
    [
        ("repeat", "23456789", [1, 1, 1, 4, 5, 6, 6, 6], ["“a”: 4 gaps, last value again", "“b”: 1 gap, last value"]),
        ("line", "2345678", [1, 2, 3, 4, 5, 6, 6], ["“a”: 4 gaps, straight line between", "“b”: 1 gap, straight"]),
        ("leave out", "2678", [1, 5, 6, 6], ["5 rows with a gap left out"]),
    ],
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_gaps_are_filled_in_the_order_of_time(
    tmp_path: Path, gaps: str, labels: str, a: list[float], notes: list[str], newest_first: bool
) -> None:
    head, *rows = GAPPY.splitlines()
    (tmp_path / "t.csv").write_text("\n".join([head, *(reversed(rows) if newest_first else rows)]))
    table = read_table(tmp_path / "t.csv")
    series = (
        table.series(("a",), gaps, "oldest first") if gaps != "leave out" else table.series((), gaps, "oldest first")
    )
    assert "".join(series.labels) == labels
    assert series.values[:, 0].tolist() == a
    both = table.series((), gaps, "oldest first")
    said = [note for note in both.notes if "gap" in note]
    assert len(said) == len(notes)
    assert all(note.startswith(wanted) for note, wanted in zip(said, notes, strict=True))
    with pytest.raises(RnnvizError, match=r'line .*, column "a": .*(is empty|NaN.), the first of 4 gaps.*gaps = '):
        NextValue(file=str(tmp_path / "t.csv"), length=1).open(2)
    task = NextValue(file=str(tmp_path / "t.csv"), length=1, train_share=0.7, gaps=gaps)
    assert said == [note for note in task.open(2).info.notes if "gap" in note]
    assert task.words == f"next value of t.csv, gaps: {GAP_WORDS[gaps]}"


def test_a_table_that_begins_with_the_newest_row_is_turned_round(tmp_path: Path) -> None:
    rows = [f"{day:02}.{month:02}.2023,{100 * month + day}" for month in (1, 2) for day in range(1, 29)]
    (tmp_path / "t.csv").write_text("\n".join(["Datum,close", *reversed(rows)]))
    task = NextValue(file=str(tmp_path / "t.csv"), length=5, train_share=0.5)

    def labels(task: NextValue) -> tuple[str, ...]:
        return task.open(2).info.time_labels

    assert labels(task) == tuple(f"{day:02}.02.2023" for day in range(1, 6))
    assert labels(task.changed(order="as in the file")) == tuple(f"{day:02}.01.2023" for day in range(28, 23, -1))
    assert task.open(2).info.notes[0].startswith("“Datum” goes backward: the table is turned round")
    assert task.changed(order="as in the file").words == "next value of t.csv, as in the file"


def test_a_short_test_part_still_gives_a_probe(tmp_path: Path) -> None:
    file = written(tmp_path, np.arange(12.0)[:, None], "a")
    probe = NextValue(file=file, length=9, train_share=0.9).open(1).probe()
    assert probe.inputs.shape == (9, 1, 1)
    assert probe.loss_weight.sum() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("length", [10, 4000])
def test_a_sequence_longer_than_the_data_is_refused(tmp_path: Path, length: int) -> None:
    file = written(tmp_path, np.arange(12.0)[:, None], "a")
    with pytest.raises(RnnvizError, match=rf"task.length: wanted at most 8 .*t.csv has 12 rows.*got {length:,}"):
        NextValue(file=file, length=length).open(1)
    NextValue(file=file, length=8).open(1)


@pytest.mark.parametrize("rows", [0, 1])
def test_too_little_is_said_with_what_would_be_needed(tmp_path: Path, rows: int) -> None:
    file = written(tmp_path, np.ones((rows, 2)), "a,b")
    with pytest.raises(RnnvizError, match=f"wanted a longer table, because .* has {rows} row.*40; 52 rows would be"):
        NextValue(file=file).open(1)
    enough = np.random.default_rng(2).normal(size=(52, 2))
    NextValue(file=written(tmp_path, enough, "a,b")).open(1)
    with pytest.raises(RnnvizError, match=r"task\.length: wanted at most 39"):
        NextValue(file=written(tmp_path, enough[1:], "a,b")).open(1)


def three_columns(folder: Path) -> str:
    rows = np.random.default_rng(4).normal([10, -3, 70], [5, 0.1, 20], (60, 3))
    return written(folder, np.column_stack([np.arange(1940, 2000), rows]), "year,a,b,c")


def shown(values: np.ndarray, scales: tuple[Scale, ...]) -> np.ndarray:
    return np.stack([scale.offset + scale.factor * values[..., k] for k, scale in enumerate(scales)], axis=-1)


@pytest.mark.parametrize(
    ("columns", "targets", "read", "predicted"),
    [
        ((), ("c",), "abc", "c"),
        (("c", "a"), ("a",), "ca", "a"),
        (("b",), ("c", "a"), "b", "ca"),  # what is predicted need not be read
        (("b", "a"), (), "ba", "ba"),
    ],
)
def test_what_is_predicted_may_be_other_columns_than_those_that_are_read(
    tmp_path: Path, columns: tuple[str, ...], targets: tuple[str, ...], read: str, predicted: str
) -> None:
    file = three_columns(tmp_path)
    rows = dict(zip("abc", np.loadtxt(file, delimiter=",", skiprows=1)[:, 1:].T, strict=True))
    source = NextValue(file=file, columns=columns, targets=targets, length=7).open(3)
    assert (source.input_size, source.output_size) == (len(read), len(predicted))
    assert ("".join(source.info.input_labels), "".join(source.info.output_labels)) == (read, predicted)
    for batch in (source.batch(np.random.default_rng(6), 9), source.probe()):
        inputs, answers = shown(batch.inputs, source.info.input_scales), shown(batch.targets, source.info.output_scales)
        at = np.abs(rows[read[0]][:, None, None] - inputs[..., 0]).argmin(axis=0)  # (T, N) rows of the table
        assert np.allclose(inputs, np.stack([rows[name][at] for name in read], axis=-1), rtol=1e-4)
        assert np.allclose(answers, np.stack([rows[name][at + 1] for name in predicted], axis=-1), rtol=1e-4)
    scaled = [(rows[name] - rows[name][:48].mean()) / rows[name][:48].std() for name in predicted]
    expected = np.mean([np.diff(one[47:]) ** 2 for one in scaled])
    assert lines(source, "test_loss")["same as last year"] == pytest.approx(expected, rel=1e-4)
    expected = np.mean([np.diff(one[:48]) ** 2 for one in scaled])
    assert lines(source, "loss")["same as last year"] == pytest.approx(expected, rel=1e-4)


def test_gaps_and_constants_are_judged_by_what_is_read_and_predicted(tmp_path: Path) -> None:
    rows = [f"{n * n % 13},{'' if n == 9 else n * n % 7},5,{'' if n == 2 else n}" for n in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,still,d", *rows]))
    task = NextValue(file=str(tmp_path / "t.csv"), columns=("a",), targets=("b",), length=4)
    with pytest.raises(RnnvizError, match='line 11, column "b": the cell is empty; gaps = '):
        task.open(2)
    assert "“b”: 1 gap, straight line between" in task.changed(gaps="line").open(2).info.notes
    assert task.changed(gaps="line").words == "next value of t.csv, predicting b, gaps: straight line between"
    with pytest.raises(RnnvizError, match="“still” is 5 in every row that is trained on: nothing to learn"):
        task.changed(targets=("still",)).open(2)
    task.changed(columns=("a", "still"), targets=("a",)).open(2)
    with pytest.raises(RnnvizError, match='wanted a column "e", got columns "a", "b", "still", "d"'):
        task.changed(targets=("e",)).open(2)


def test_a_table_may_be_turned_round_whatever_its_dates_say(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n" + "".join(f"{n * n}\n" for n in range(30)))
    source = NextValue(file=str(tmp_path / "t.csv"), length=4, order="turned round").open(2)
    batch, scale = source.batch(np.random.default_rng(1), 20), source.info.input_scales[0]
    roots = np.sqrt(scale.offset + scale.factor * batch.inputs[..., 0].astype(np.float64))
    assert np.allclose(np.diff(roots, axis=0), -1, atol=1e-3)
    assert source.info.notes == ("the table is turned round, its last row comes first",)

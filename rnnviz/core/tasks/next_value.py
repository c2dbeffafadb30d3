"""Next value: predict the next row of a table from the rows before it; loss at every time step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal, Self

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.tables import GAP_WORDS, Gaps, Table, read_table, spread_problem
from rnnviz.core.files.text_file import ENCODING_WORDS, Encoding
from rnnviz.core.resources import resource
from rnnviz.core.setting import ColumnNames, DataFile, OneOf, setting
from rnnviz.core.tasks.info import Baseline, Scale, TaskInfo
from rnnviz.core.tasks.source import Batch, TaskSource
from rnnviz.core.tasks.task import DataTask, encoding_advice, file_encoding, train_share, window_length

SUNSPOTS = "data/sunspots.csv"
TEST_WINDOWS = 64  # at most so many stretches of the test part are scored
PROBE_WINDOWS = 4
LARGEST_SCALED = 1e15  # whose square float32 still holds
ALWAYS_MEAN = "always the mean"
GAP_CHOICES = '"repeat", "line" or "leave out"'
GAP_ADVICE = f"; gaps = {GAP_CHOICES} in [task] says what to do"

Order = Literal["oldest first", "as in the file"]


@dataclass(frozen=True)
class NextValue(DataTask):
    """Predict the next row of a table from the rows before it; loss at every time step."""

    data = "csv"

    name: Literal["next value"] = "next value"
    file: str = field(  # CSV; empty: the yearly sunspot numbers that ship with rnnviz
        default="",
        metadata=setting(
            "Data",
            DataFile("sunspots"),
            "A CSV file, or the yearly sunspot numbers that come with rnnviz",
            short="data",
        ),
    )
    columns: tuple[str, ...] = field(  # empty: every numeric column
        default=(),
        metadata=setting(
            "Columns",
            ColumnNames(),
            "Names of the columns to read, with commas between; every numeric one if empty",
        ),
    )
    length: int = field(default=40, metadata=window_length(1, "Time steps of one training window"))
    train_share: float = field(default=0.8, metadata=train_share("first rows of the table"))
    gaps: Gaps = field(
        default="refuse",
        metadata=setting(
            "Gaps",
            OneOf(GAP_WORDS),
            "What stands where a row has no value: the last value again, the straight line between its neighbours, or "
            "the row is left out",
            short="gaps",
        ),
    )
    order: Order = field(
        default="oldest first",
        metadata=setting(
            "Order",
            OneOf({"oldest first": "oldest first", "as in the file": "as in the file"}),
            "A table that begins with its newest row is turned round, or left as it stands",
            short="order",
        ),
    )
    encoding: Encoding = field(default="unicode", metadata=file_encoding())

    @property
    def words(self) -> str:
        said = [f"{self.name} of {PurePath(self.file).name or 'the yearly sunspot numbers'}"]
        said += [f"gaps: {GAP_WORDS[self.gaps]}"] * (self.gaps != "refuse")
        said += [self.order] * (self.order != "oldest first")
        said += [ENCODING_WORDS[self.encoding]] * (self.encoding != "unicode")
        return ", ".join(said)

    @classmethod
    def about_file(cls) -> tuple[str, ...]:
        return ("gaps", "order", "encoding")

    def with_file(self, file: str) -> Self:
        return super().with_file(file).changed(columns=())

    def longest_window(self, rows: int) -> int:
        return self.train_rows(rows) - 1

    def train_rows(self, rows: int) -> int:
        """How many of so many rows are trained on: at least one is left for testing."""
        return min(int(rows * self.train_share), rows - 1)

    def open(self, seed: int) -> TaskSource:
        return NextValueSource(self, seed)


class NextValueSource:
    """Windows of a table, standardised on its train part; the first rows are trained on, the rest tested."""

    last_only = False
    tolerance = None

    def __init__(self, task: NextValue, seed: int) -> None:
        with encoding_advice():
            table = read_table(Path(task.file) if task.file else resource(SUNSPOTS), task.encoding)
        names = task.columns or table.value_columns
        _check_rows(table, len(table.lines), task)
        series = table.series(names, task.gaps, task.order == "oldest first", GAP_ADVICE)
        numbers = series.values  # (R, C)
        self._length = task.length
        self._train_rows = _check_rows(table, len(numbers), task)
        train = numbers[: self._train_rows]
        offset, factor, constant = _scales(table.path, names, train)
        with np.errstate(over="ignore"):
            self._rows = ((numbers - offset) / factor).astype(np.float32)  # (R, C)
        _check_scaled(table.path, names, self._rows)
        self.input_size = self.output_size = len(names)
        scales = tuple(Scale(float(mean), float(spread)) for mean, spread in zip(offset, factor, strict=True))
        self.info = TaskInfo(
            name=task.name,
            input_kind="values",
            input_labels=tuple(names),
            output_kind="values",
            output_labels=tuple(names),
            loss="mean squared error",
            metrics=("loss", "test_loss", "skill", "lag", "grad_norm"),
            baselines=self._baselines(_same_as_last(table)),
            input_scales=scales,
            output_scales=scales,
            time_labels=series.labels[self._probe_starts()[0] :][: task.length],
            notes=(*series.notes, *constant),
        )

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        """N windows of the train part."""
        return self._windows(generator.integers(0, self._train_rows - self._length, batch_size), self._length)

    def probe(self) -> Batch:
        """Up to 4 windows, evenly spread over the test part (the last ones of the table where that is short)."""
        return self._windows(self._probe_starts(), self._length)

    def test(self) -> Batch:
        """The whole test part: stretches of `length` scored rows, each after a run-in of `length` rows."""
        starts = self._test_starts()
        batch = self._windows(starts, 2 * self._length)
        asked = (np.arange(2 * self._length) >= self._length)[:, None] & (
            starts + np.arange(1, 2 * self._length + 1)[:, None] < len(self._rows)
        )
        return Batch(batch.inputs, batch.targets, (asked / asked.sum()).astype(np.float32))

    def _windows(self, starts: Array, time_steps: int) -> Batch:
        # Beyond the end of the table the last row is repeated; the test part does not score such rows.
        rows = np.minimum(starts + np.arange(time_steps + 1)[:, None], len(self._rows) - 1)  # (T + 1, N)
        window = self._rows[rows]  # (T + 1, N, C)
        weight = np.full((time_steps, len(starts)), 1.0 / (time_steps * len(starts)), np.float32)
        return Batch(np.ascontiguousarray(window[:-1]), np.ascontiguousarray(window[1:]), weight)

    def _probe_starts(self) -> Array:
        last = len(self._rows) - 1 - self._length
        first = min(self._train_rows, last)
        windows = min(PROBE_WINDOWS, last - first + 1)
        return np.linspace(first, last, windows).round().astype(np.int64)

    def _test_starts(self) -> Array:
        starts = np.arange(self._train_rows, len(self._rows), self._length) - self._length - 1
        if len(starts) > TEST_WINDOWS:
            starts = starts[np.linspace(0, len(starts) - 1, TEST_WINDOWS).astype(np.int64)]
        return starts

    def _baselines(self, same: str) -> tuple[Baseline, ...]:
        """Mean squared errors, in scaled units, on the rows trained on and on the scored rows of the test part."""
        train = self._rows[: self._train_rows].astype(np.float64)  # (R, C); of mean 0
        test = self.test()
        targets, inputs = test.targets.astype(np.float64), test.inputs.astype(np.float64)  # (T, N, C)

        def scored(error: Array) -> float:
            return float(((error**2).mean(axis=-1) * test.loss_weight).sum())

        return (
            Baseline("loss", float((np.diff(train, axis=0) ** 2).mean()), same),
            Baseline("loss", float((train[1:] ** 2).mean()), ALWAYS_MEAN),
            Baseline("test_loss", scored(targets - inputs), same),
            Baseline("test_loss", scored(targets), ALWAYS_MEAN),
        )


def _check_rows(table: Table, rows: int, task: NextValue) -> int:
    """How many rows are trained on; RnnvizError where a window does not fit into them."""
    train, longest = task.train_rows(rows), task.longest_window(rows)
    if longest < task.length:
        wanted = f"wanted at most {longest} time steps" if longest > 0 else "wanted a longer table"
        raise RnnvizError(
            f"task.length: {wanted}, because {table.path} has {rows} row{'s' * (rows != 1)}, of which the first "
            f"{max(train, 0)} are trained on, came {task.length}; {task.rows_needed(task.length)} rows would be needed."
        )
    return train


def _scales(path: str, names: Sequence[str], train: Array) -> tuple[Array, Array, tuple[str, ...]]:
    """Mean and spread (C,) of each column of the train part (R, C), and the words for those that are constant."""
    constant = (train == train[0]).all(axis=0)
    if constant.all():
        same = ", ".join(f"“{name}” is {value:.12g}" for name, value in zip(names, train[0], strict=True))
        raise RnnvizError(f"{path}: {same} in every row that is trained on: nothing to learn.")
    for name, column in zip(names, train.T, strict=True):
        if problem := spread_problem(column):
            raise RnnvizError(f'{path}, column "{name}": {problem}.')
    offset, factor = train.mean(axis=0), train.std(axis=0)
    offset[constant], factor[constant] = train[0][constant], 1.0  # stays constant, at 0
    words = (
        f"“{name}” is {value:.12g} in every row that is trained on: nothing to learn"
        for name, value, same in zip(names, train[0], constant, strict=True)
        if same
    )
    return offset, factor, tuple(words)


def _check_scaled(path: str, names: Sequence[str], rows: Array) -> None:
    for name, column in zip(names, rows.T, strict=True):
        if not np.isfinite(column).all() or np.abs(column).max() > LARGEST_SCALED:
            raise RnnvizError(
                f'{path}, column "{name}": the rows for testing lie too far from those that are trained on to be '
                "brought to their scale."
            )


def _same_as_last(table: Table) -> str:
    return "same as last year" if (table.time_column or "").lower() in ("year", "jahr") else "same as last row"

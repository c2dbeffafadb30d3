"""Next value: predict the next row of a table from the rows before it; loss at every time step."""

from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal, Self

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.tables import Table, read_table
from rnnviz.core.resources import resource
from rnnviz.core.setting import ColumnNames, DataFile, setting
from rnnviz.core.tasks.info import Baseline, Scale, TaskInfo
from rnnviz.core.tasks.source import Batch, TaskSource
from rnnviz.core.tasks.task import DataTask, train_share, window_length

SUNSPOTS = "data/sunspots.csv"
TEST_WINDOWS = 64  # at most so many stretches of the test part are scored
PROBE_WINDOWS = 4


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

    @property
    def words(self) -> str:
        return f"{self.name} of {PurePath(self.file).name or 'the yearly sunspot numbers'}"

    def with_file(self, file: str) -> Self:
        return self.changed(file=file, columns=())

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
        table = read_table(Path(task.file) if task.file else resource(SUNSPOTS))
        names = task.columns or table.value_columns
        numbers = table.numbers(names)  # (R, C)
        self._length = task.length
        self._train_rows = _train_rows(table, len(numbers), task)
        train = numbers[: self._train_rows]
        offset, factor = train.mean(axis=0), train.std(axis=0)
        factor[factor == 0] = 1.0  # a constant column stays constant
        self._rows = ((numbers - offset) / factor).astype(np.float32)  # (R, C)
        self.input_size = self.output_size = len(names)
        scales = tuple(Scale(float(mean), float(spread)) for mean, spread in zip(offset, factor, strict=True))
        self.info = TaskInfo(
            name=task.name,
            input_kind="values",
            input_labels=tuple(names),
            output_kind="values",
            output_labels=tuple(names),
            loss="mean squared error",
            metrics=("loss", "test_loss", "grad_norm"),
            baselines=(Baseline("loss", self._same_as_last_row(), _same_as_last(table)),),
            input_scales=scales,
            output_scales=scales,
            time_labels=table.time_labels[self._probe_starts()[0] :][: task.length],
        )

    def batch(self, generator: np.random.Generator, batch_size: int) -> Batch:
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

    def _same_as_last_row(self) -> float:
        """The mean squared error, in scaled units, of answering with the row just seen, on the scored test rows."""
        test = self.test()
        error = (test.targets - test.inputs).astype(np.float64) ** 2  # (T, N, C)
        return float((error.mean(axis=-1) * test.loss_weight).sum())


def _train_rows(table: Table, rows: int, task: NextValue) -> int:
    train, longest = task.train_rows(rows), task.longest_window(rows)
    if longest < task.length:
        raise RnnvizError(
            f"task.length: wanted at most {max(longest, 0)} time steps, because {table.path} has {rows} rows, "
            f"of which the first {max(train, 0)} are trained on, came {task.length}."
        )
    return train


def _same_as_last(table: Table) -> str:
    return "same as last year" if (table.time_column or "").lower() in ("year", "jahr") else "same as last row"

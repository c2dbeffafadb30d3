"""Next value: predict the next row of a table from the rows before it; loss at every time step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal, Self

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.tables import GAP_WORDS, ORDER_WORDS, Gaps, Order, Table, read_table, spread_problem
from rnnviz.core.files.text_file import ENCODING_WORDS, Encoding
from rnnviz.core.plain_records import listed
from rnnviz.core.resources import resource
from rnnviz.core.setting import ColumnNames, DataFile, OneOf, setting
from rnnviz.core.sweeps.capture import LossName
from rnnviz.core.tasks.info import Baseline, Scale, TaskInfo
from rnnviz.core.tasks.source import Batch, TaskSource, asked_at_end
from rnnviz.core.tasks.task import (
    LOSSES_OF_VALUES,
    DataTask,
    encoding_advice,
    file_encoding,
    train_share,
    window_length,
)

SUNSPOTS = "data/sunspots.csv"
TEST_WINDOWS = 64  # at most so many stretches of the test part are scored
PROBE_WINDOWS = 4
LARGEST_SCALED = 1e15  # whose square float32 still holds
ALWAYS_MEAN = "always the mean"
GAP_CHOICES = '"repeat", "line" or "leave out"'
GAP_ADVICE = f"; gaps = {GAP_CHOICES} in [task] says what to do"


@dataclass(frozen=True)
class NextValue(DataTask):
    """Predict the next row of a table from the rows before it; loss at every time step."""

    data = "csv"
    losses = LOSSES_OF_VALUES

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
    targets: tuple[str, ...] = field(  # empty: every column that is read
        default=(),
        metadata=setting(
            "Predict",
            ColumnNames("all that are read"),
            "Names of the columns whose next value is predicted, with commas between; all that are read if empty",
            short="predicted columns",
        ),
    )
    length: int = field(default=40, metadata=window_length(1, "Time steps of one training window"))
    train_share: float = field(default=0.8, metadata=train_share("first rows of the table"))
    gaps: Gaps = field(
        default="refuse",
        metadata=setting(
            "Gaps",
            OneOf(GAP_WORDS),
            "What is put where a row has no value: the last value again, the straight line between its neighbours, or "
            "the row is left out",
            short="gaps",
        ),
    )
    order: Order = field(
        default="oldest first",
        metadata=setting(
            "Order",
            OneOf(ORDER_WORDS),
            "A table whose dates go backward is turned round, so that its oldest row comes first; or it is left as it "
            "stands, or turned round whatever its dates say",
            short="order",
        ),
    )
    encoding: Encoding = field(default="unicode", metadata=file_encoding())

    @property
    def words(self) -> str:
        said = [f"{self.name} of {PurePath(self.file).name or 'the yearly sunspot numbers'}"]
        said += [f"predicting {listed(self.targets)}"] * bool(self.targets)
        said += [f"gaps: {GAP_WORDS[self.gaps]}"] * (self.gaps != "refuse")
        said += [self.order] * (self.order != "oldest first")
        said += [ENCODING_WORDS[self.encoding]] * (self.encoding != "unicode")
        return ", ".join(said)

    @classmethod
    def about_file(cls) -> tuple[str, ...]:
        return ("targets", "gaps", "order", "encoding")

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

    tolerance = None

    def __init__(self, task: NextValue, seed: int) -> None:
        with encoding_advice():
            table = read_table(Path(task.file) if task.file else resource(SUNSPOTS), task.encoding)
        inputs = task.columns or table.value_columns
        targets = task.targets or inputs
        names = list(dict.fromkeys([*inputs, *targets]))
        _check_rows(table, len(table.lines), task)
        series = table.series(names, task.gaps, task.order, GAP_ADVICE)
        numbers = series.values  # (R, C)
        self._length = task.length
        self._train_rows = _check_rows(table, len(numbers), task)
        train = numbers[: self._train_rows]
        offset, factor, constant = _scales(table.path, names, train, targets)
        with np.errstate(over="ignore"):
            rows = ((numbers - offset) / factor).astype(np.float32)  # (R, C)
        _check_scaled(table.path, names, rows)
        self._inputs = _picked(rows, names, inputs)  # (R, I)
        self._targets = _picked(rows, names, targets)  # (R, V)
        self.input_size, self.output_size = len(inputs), len(targets)
        scales = {
            name: Scale(float(mean), float(spread)) for name, mean, spread in zip(names, offset, factor, strict=True)
        }
        self.info = TaskInfo(
            name=task.name,
            input_kind="values",
            input_labels=tuple(inputs),
            output_kind="values",
            output_labels=tuple(targets),
            loss=task.losses[0],
            metrics=("loss", "test_loss", "skill", "lag", "grad_norm"),
            baselines=self._baselines(_same_as_last(table)),
            input_scales=tuple(scales[name] for name in inputs),
            output_scales=tuple(scales[name] for name in targets),
            time_labels=series.labels[self._probe_starts()[0] :][: task.length],
            notes=(*series.notes, *constant),
        )

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        """N windows of the train part."""
        return self._windows(generator.integers(0, self._train_rows - self._length, batch_size), self._length)

    @property
    def rows(self) -> int:
        """Of the train part."""
        return self._train_rows - 1

    def along(self, starts: Array, time_steps: int, asked: int) -> Batch:
        """N stretches of the train part."""
        return asked_at_end(self._windows(starts, time_steps), asked, "mean")

    def baselines(self, loss: LossName) -> tuple[Baseline, ...]:
        """Its only loss's."""
        return self.info.baselines

    def probe(self) -> Batch:
        """Up to 4 windows, evenly spread over the test part (the last ones of the table where that is short)."""
        return self._windows(self._probe_starts(), self._length)

    def test(self) -> Batch:
        """The whole test part: stretches of `length` scored rows, each after a run-in of `length` rows."""
        starts = self._test_starts()
        batch = self._windows(starts, 2 * self._length)
        asked = (np.arange(2 * self._length) >= self._length)[:, None] & (
            starts + np.arange(1, 2 * self._length + 1)[:, None] < len(self._targets)
        )
        return Batch(batch.inputs, batch.targets, (asked / asked.sum()).astype(np.float32))

    def _windows(self, starts: Array, time_steps: int) -> Batch:
        rows = self._window_rows(starts, time_steps)  # (T + 1, N)
        weight = np.full((time_steps, len(starts)), 1.0 / (time_steps * len(starts)), np.float32)
        return Batch(self._inputs[rows[:-1]], self._targets[rows[1:]], weight)

    def _window_rows(self, starts: Array, time_steps: int) -> Array:
        """(T + 1, N) rows of the table. Beyond its end the last one is repeated; the test part does not score it."""
        return np.minimum(starts + np.arange(time_steps + 1)[:, None], len(self._targets) - 1)

    def _probe_starts(self) -> Array:
        last = len(self._targets) - 1 - self._length
        first = min(self._train_rows, last)
        windows = min(PROBE_WINDOWS, last - first + 1)
        return np.linspace(first, last, windows).round().astype(np.int64)

    def _test_starts(self) -> Array:
        starts = np.arange(self._train_rows, len(self._targets), self._length) - self._length - 1
        if len(starts) > TEST_WINDOWS:
            starts = starts[np.linspace(0, len(starts) - 1, TEST_WINDOWS).astype(np.int64)]
        return starts

    def _baselines(self, same: str) -> tuple[Baseline, ...]:
        """Mean squared errors, in scaled units, on the rows trained on and on the scored rows of the test part."""
        train = self._targets[: self._train_rows].astype(np.float64)  # (R, V); of mean 0
        test = self.test()
        rows = self._window_rows(self._test_starts(), 2 * self._length)
        targets, before = (self._targets[part].astype(np.float64) for part in (rows[1:], rows[:-1]))  # (T, N, V)

        def scored(error: Array) -> float:
            return float(((error**2).mean(axis=-1) * test.loss_weight).sum())

        return (
            Baseline("loss", float((np.diff(train, axis=0) ** 2).mean()), same),
            Baseline("loss", float((train[1:] ** 2).mean()), ALWAYS_MEAN),
            Baseline("test_loss", scored(targets - before), same),
            Baseline("test_loss", scored(targets), ALWAYS_MEAN),
        )


def _check_rows(table: Table, rows: int, task: NextValue) -> int:
    """How many rows are trained on; RnnvizError where a window does not fit into them."""
    train, longest = task.train_rows(rows), task.longest_window(rows)
    if longest < task.length:
        wanted = f"wanted at most {longest:,} time steps" if longest > 0 else "wanted a longer table"
        raise RnnvizError(
            f"task.length: {wanted}, because {table.path} has {rows:,} row{'s' * (rows != 1)}, of which the first "
            f"{max(train, 0):,} are for training, got {task.length:,}; {task.rows_needed(task.length):,} rows would be "
            "needed."
        )
    return train


def _picked(rows: Array, names: Sequence[str], chosen: Sequence[str]) -> Array:
    """The chosen columns of `rows` (R, C), which are called `names`."""
    if list(chosen) == list(names):
        return rows
    return np.ascontiguousarray(rows[:, [names.index(name) for name in chosen]])


def _scales(
    path: str, names: Sequence[str], train: Array, targets: Sequence[str]
) -> tuple[Array, Array, tuple[str, ...]]:
    """Mean and spread (C,) of each column of the train part (R, C), and the words for those that are constant."""
    constant = (train == train[0]).all(axis=0)
    still = {name: value for name, value, same in zip(names, train[0], constant, strict=True) if same}
    if set(targets) <= set(still):
        same = ", ".join(f"“{name}” is {still[name]:.12g}" for name in targets)
        raise RnnvizError(f"{path}: {same} in every row that is trained on: nothing to learn.")
    for name, column in zip(names, train.T, strict=True):
        if problem := spread_problem(column):
            raise RnnvizError(f'{path}, column "{name}": {problem}.')
    offset, factor = train.mean(axis=0), train.std(axis=0)
    offset[constant], factor[constant] = train[0][constant], 1.0  # stays constant, at 0
    words = (
        f"“{name}” is {value:.12g} in every row that is trained on: nothing to learn" for name, value in still.items()
    )
    return offset, factor, tuple(words)


def _check_scaled(path: str, names: Sequence[str], rows: Array) -> None:
    for name, column in zip(names, rows.T, strict=True):
        if not np.isfinite(column).all() or np.abs(column).max() > LARGEST_SCALED:
            raise RnnvizError(
                f'{path}, column "{name}": the rows for testing lie too far from those that are trained on to be '
                "scaled with them."
            )


def _same_as_last(table: Table) -> str:
    return "same as last year" if (table.time_column or "").lower() in ("year", "jahr") else "same as last row"

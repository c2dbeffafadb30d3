"""Date formats: dates as people write them, to be written again as yyyy-mm-dd, character by character."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import span
from rnnviz.core.setting import RealNumber, Span, WholeNumber, setting
from rnnviz.core.sweeps.capture import LossName
from rnnviz.core.tasks.info import EXACT, Baseline, TaskInfo
from rnnviz.core.tasks.scores import losses_of_chances
from rnnviz.core.tasks.source import Batch, TaskSource, asked_alike, decoder_reads
from rnnviz.core.tasks.task import LOSSES_OF_CLASSES, Form, TaskSettings

WRITTEN = "yyyy-mm-dd"
ANSWERS = (*"0123456789", "-")  # the characters that are written
START = "start"  # what the decoder reads first
MOST_TESTED, PROBED = 200, 4  # of the held-out days
COUNTED = 5_000  # days that the baselines are counted on

_EPOCH = datetime.date(1970, 1, 1).toordinal()  # numpy's
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]  # of the English calendar, whatever the machine speaks
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def _ordinal(day: int) -> str:
    ending = "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


# in the order in which a task with fewer of them has them
FORMATS: tuple[Callable[[datetime.date], str], ...] = (
    lambda d: f"{d.day} {_MONTHS[d.month - 1]} {d.year:04}",
    lambda d: f"{d.month}/{d.day}/{d.year:04}",
    lambda d: f"{d.day:02}.{d.month:02}.{d.year:04}",
    lambda d: f"{_MONTHS[d.month - 1][:3]} {d.day}, {d.year:04}",
    lambda d: f"{_DAYS[d.weekday()]}, {d.day} {_MONTHS[d.month - 1]} {d.year:04}",
    lambda d: f"{_ordinal(d.day)} of {_MONTHS[d.month - 1]} {d.year:04}",
)


@dataclass(frozen=True)
class DateFormats(TaskSettings):
    """Dates in up to six human formats, to be written as yyyy-mm-dd; days are held out from training for testing."""

    losses = LOSSES_OF_CLASSES
    symbols = True

    name: Literal["date formats"] = "date formats"
    formats: int = field(
        default=len(FORMATS),
        metadata=setting(
            "Formats",
            WholeNumber(1, len(FORMATS)),
            "How many ways of writing a date there are: 21 November 2026, 11/21/2026, 21.11.2026, Nov 21, 2026, "
            "Saturday, 21 November 2026, and 21st of November 2026",
            step=1,
        ),
    )
    years: tuple[int, int] = field(
        default=(1950, 2049),
        metadata=setting("Years", Span(1, 9999), "First and last year of the dates", slider=(1900, 2100)),
    )
    held_out: float = field(
        default=0.2,
        metadata=setting(
            "Held-out days",
            RealNumber(0.0, 1.0, low_excluded=True, high_excluded=True),
            "Share of the days that no training batch has in any format; they are for testing",
            form=RealNumber(0.05, 0.95),
        ),
    )

    @property
    def words(self) -> str:
        formats = "one format" if self.formats == 1 else f"{self.formats} formats"
        return f"{self.name}, {formats}, years {span(self.years)}"

    @property
    def form(self) -> Form:
        return "many to many, after reading"

    @property
    def longest(self) -> int:
        """Of the longest date there may be in any of the formats."""
        return max(len(write(datetime.date(2023, 9, 27))) for write in FORMATS[: self.formats])  # a Wednesday

    @property
    def shortest(self) -> int:
        return min(len(write(datetime.date(2023, 5, 1))) for write in FORMATS[: self.formats])

    @property
    def written(self) -> int:
        return len(WRITTEN)

    def open(self, seed: int) -> TaskSource:
        return DateFormatsSource(self, seed)


class DateFormatsSource:
    """Every date of the years in every format, read as one-hot characters; those of the held-out days are tested."""

    tolerance = None

    def __init__(self, task: DateFormats, seed: int) -> None:
        first = datetime.date(task.years[0], 1, 1).toordinal()
        days = first + np.arange(datetime.date(task.years[1], 12, 31).toordinal() - first + 1)
        held = round(task.held_out * len(days))
        if not 1 <= held < len(days):
            raise RnnvizError(f"task.held_out: wanted a day on either side of {len(days)} days, got {task.held_out}.")
        shuffled = np.random.default_rng([seed, 3]).permutation(days)
        self._held, self._days = shuffled[:held], shuffled[held:]
        self._formats, self._seed = FORMATS[: task.formats], seed
        self._alphabet = _alphabet(self._formats)
        self.input_size, self.output_size = len(self._alphabet), len(ANSWERS)
        self.info = TaskInfo(
            name=task.name,
            input_kind="symbols",
            input_labels=self._alphabet,
            output_kind="classes",
            output_labels=ANSWERS,
            loss=task.losses[0],
            metrics=("loss", "accuracy", "test_loss", "test_accuracy", EXACT, "skill", "grad_norm"),
            baselines=self.baselines(task.losses[0]),
            decoder_labels=(START, *ANSWERS),
        )

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        """N days that are not held out, each in a format of its own."""
        days = self._days[generator.integers(0, len(self._days), batch_size)]
        return self._sequences(days, generator.integers(0, len(self._formats), batch_size))

    def probe(self) -> Batch:
        """4 held-out days, in formats from the last to the first."""
        count = min(PROBED, len(self._held))
        formats = np.linspace(len(self._formats) - 1, 0, count).astype(np.int64)
        return self._sequences(self._held[-count:], formats)

    def test(self) -> Batch:
        """Up to 200 held-out days, in formats one after the other."""
        days = self._held[:MOST_TESTED]
        return self._sequences(days, np.arange(len(days)) % len(self._formats))

    def baselines(self, loss: LossName) -> tuple[Baseline, ...]:
        """What the characters that come most often at each place reach, without reading the date."""
        found = []
        trained = self._days[:COUNTED]
        counted = _answers(trained)
        shares = np.stack([np.bincount(row, minlength=len(ANSWERS)) + 1e-3 for row in counted])
        shares /= shares.sum(axis=1, keepdims=True)
        each = losses_of_chances(loss, shares)  # (U, V) where each is right
        for part, days in (("", trained), ("test_", self._held[:MOST_TESTED])):
            answers = _answers(days)
            places = np.arange(len(answers))[:, None]
            found.append(Baseline(f"{part}loss", float(each[places, answers].mean()), "blind guess"))
            right = answers == shares.argmax(axis=1)[:, None]
            found.append(Baseline(f"{part}accuracy", float(right.mean()), "blind guess"))
        return tuple(found)

    def _sequences(self, days: Array, formats: Array) -> Batch:
        dates = [datetime.date.fromordinal(int(day)) for day in days]
        texts = [self._formats[number](date) for number, date in zip(formats, dates, strict=True)]
        lengths = np.array([len(text) for text in texts])
        inputs = np.zeros((int(lengths.max()), len(texts), self.input_size), np.float32)
        places = {letter: place for place, letter in enumerate(self._alphabet)}
        for n, text in enumerate(texts):
            inputs[np.arange(len(text)), n, [places[letter] for letter in text]] = 1.0
        targets = _answers(days)
        return Batch(
            inputs,
            targets,
            asked_alike(targets),
            None if lengths.min() == lengths.max() else lengths,
            decoder_reads(targets, len(ANSWERS)),
        )


def _answers(days: Array) -> Array:
    """(U, N) int64 the characters of yyyy-mm-dd."""
    texts = (days - _EPOCH).astype("datetime64[D]").astype(f"U{len(WRITTEN)}")
    codes = texts.view(np.uint32).reshape(len(days), -1)  # (N, U) of Unicode
    return np.where(codes == ord("-"), ANSWERS.index("-"), codes.astype(np.int64) - ord("0")).T


def _alphabet(formats: Sequence[Callable[[datetime.date], str]]) -> tuple[str, ...]:
    """The characters of every date there may be."""
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=number) for number in range(366)]
    return tuple(sorted({letter for day in days for write in formats for letter in write(day)} | set("0123456789")))

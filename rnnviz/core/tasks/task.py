"""Task: what every task says of itself: its settings with ranges and words, what cannot be together, its sequences."""

import bisect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.text_file import ENCODING_WORDS, Encoding, NotUnicodeError
from rnnviz.core.setting import OneOf, RealNumber, Setting, WholeNumber, setting
from rnnviz.core.sweeps.capture import LossName
from rnnviz.core.tasks.source import TaskSource

LONGEST = 10_000  # time steps
LOSSES_OF_CLASSES: tuple[LossName, ...] = ("cross entropy", "binary cross-entropy", "mean squared error")
LOSSES_OF_VALUES: tuple[LossName, ...] = ("mean squared error",)
SLIDER_LONGEST = 1_000  # of a slider; longer ones are typed
Form = Literal["one to one", "one to many", "many to one", "many to many", "many to many, after reading"]
FORMS: Mapping[Form, str] = {  # what each is, in words
    "one to one": "one input, one answer: there is no time in it",
    "one to many": "one input at the first time step, an answer at every one",
    "many to one": "a sequence is read, one answer comes at its end",
    "many to many": "an answer at every time step",
    "many to many, after reading": "a sequence is read whole, then another one is written",
}
MOST_ROWS = 2**40  # looked at for how many a window needs, where next to none are trained on


@dataclass(frozen=True)
class Conflict:
    """Two settings that are each in range and cannot be together."""

    setting: str  # the one to change
    wanted: str  # of it, for the sentence about a file
    sentence: str  # for the form


@dataclass(frozen=True)
class TaskSettings(ABC):
    """The settings of one task. A new task is one subclass in a file of its own and one line in `TASKS`."""

    name: str = ""

    predicts_next: ClassVar[bool] = False  # the answer is the next input, which a backward direction would see
    last_only: ClassVar[bool] = False  # the last time step alone is asked, so that a head may pool over time
    symbols: ClassVar[bool] = False  # inputs are one-hot symbols, so that a table of embeddings can stand before them
    picture: ClassVar[tuple[int, int] | None] = None  # rows and columns, where inputs are pictures, row after row
    stream: ClassVar[bool] = False  # sequences are windows of one long one, which training can go along in order
    losses: ClassVar[tuple[LossName, ...]]  # what it can be learnt with, its own first: LOSSES_OF_CLASSES, …

    @property
    def words(self) -> str:
        """The task with what makes it hard: "adding, length 50"."""
        return self.name

    @property
    def form(self) -> Form:
        """How sequences go in and come out."""
        return "many to one" if self.last_only else "many to many"

    @property
    @abstractmethod
    def longest(self) -> int:
        """Time steps of the longest sequence trained on."""

    @property
    def shortest(self) -> int:
        """Time steps of the shortest sequence trained on."""
        return self.longest

    @property
    def written(self) -> int:
        """Time steps of the longest answer that a decoder writes after reading; 0: there is no decoder."""
        return 0

    @property
    def conflict(self) -> Conflict | None:
        """What in the task as a whole cannot be, though each of its settings is in range."""
        return None

    def changed(self, **values: Any) -> Self:
        """The task with other values for some of its settings."""
        return replace(self, **values)

    @abstractmethod
    def open(self, seed: int) -> TaskSource:
        """Its sequences, the probe drawn from `seed`. RnnvizError for a file or settings it cannot be made from."""


class DataTask(TaskSettings):
    """A task that reads windows of a file. No dataclass itself: each task has these fields in its own order."""

    predicts_next = True
    stream = True
    data: ClassVar[Literal["csv", "text"]]  # as `rnnviz inspect` calls such a file
    file: str
    length: int
    train_share: float
    encoding: Encoding

    @property
    def longest(self) -> int:
        return self.length

    @classmethod
    def about_file(cls) -> tuple[str, ...]:
        """The settings that say how a person's own file is read; what ships with rnnviz needs none."""
        return ("encoding",)

    def with_file(self, file: str) -> Self:
        """The task with another file; what belongs to the old one is as usual again."""
        usual = type(self)()
        return self.changed(file=file, **{name: getattr(usual, name) for name in self.about_file()})

    @abstractmethod
    def longest_window(self, rows: int) -> int:
        """The longest length that fits into a file of so many rows or characters; below 1 if none does."""

    def rows_needed(self, length: int) -> int:
        """The least rows or characters a file has that a window of this length fits into."""
        most = 1
        while most < MOST_ROWS and self.longest_window(most) < length:
            most *= 2
        return bisect.bisect_left(range(most), length, key=self.longest_window)


@contextmanager
def encoding_advice() -> Iterator[None]:
    """Adds to the sentence about bytes that are not Unicode which setting of a task reads them."""
    try:
        yield
    except NotUnicodeError as error:
        raise RnnvizError(f'{str(error).removesuffix(".")}, or say encoding = "latin-1" in [task].') from None


def window_length(low: int, tooltip: str) -> Mapping[str, Setting]:
    """The metadata of a length in time steps."""
    return setting("Length", WholeNumber(low, LONGEST), tooltip, step=1, slider=(low, SLIDER_LONGEST))


def file_encoding() -> Mapping[str, Setting]:
    """The metadata of how the letters of a file are stored."""
    return setting(
        "Encoding",
        OneOf(ENCODING_WORDS),
        "How the letters of the file are stored: Unicode (UTF-8, or UTF-16 or UTF-32 with a mark), else Latin-1",
        short="encoding",
    )


def train_share(part: str) -> Mapping[str, Setting]:
    """The metadata of the share of a file that is trained on; `part` is the one it begins with."""
    return setting(
        "Training fraction",
        RealNumber(0.0, 1.0, low_excluded=True, high_excluded=True),
        f"Fraction of the {part} that is used for training; the rest is kept for testing",
        form=RealNumber(0.05, 0.99),
    )

"""Temporal order: in which order did the two marks come? (Hochreiter & Schmidhuber 1997, task 6a, shortened.)"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import span
from rnnviz.core.setting import OneOf, Span, setting
from rnnviz.core.tasks.source import Batch, TaskSource, last_step_question
from rnnviz.core.tasks.symbol_classes import SymbolClasses
from rnnviz.core.tasks.task import LONGEST, LOSSES_OF_CLASSES, SLIDER_LONGEST, Conflict, TaskSettings

SYMBOLS = ("E", "B", "a", "b", "c", "d", "X", "Y")
CLASSES = ("XX", "XY", "YX", "YY")
START, END, FIRST_DISTRACTOR, FIRST_MARK, PADDING = 0, 1, 2, 6, 8

_ONE_HOT = np.vstack([np.eye(8, dtype=np.float32), np.zeros((1, 8), np.float32)])  # the last row is padding


_MARKS = setting(
    "Marks",
    Span(0, LONGEST),
    "Where the two marks (X or Y) may stand: 0-based time steps, first and second mark",
    row="marks",
    slider=(0, SLIDER_LONGEST),
)


@dataclass(frozen=True)
class TemporalOrder(TaskSettings):
    """8 one-hot symbols, two marks (X or Y) among distractors; which of the 4 orders was it? (Hochreiter & Schmidhuber
    1997, task 6a, shortened). Time steps of the marks are 0-based, inclusive."""

    last_only = True
    symbols = True
    losses = LOSSES_OF_CLASSES

    name: Literal["temporal order"] = "temporal order"
    length: tuple[int, int] = field(  # shortest and longest sequence, padded within a batch
        default=(60, 80),
        metadata=setting(
            "Length",
            Span(1, LONGEST),
            "Shortest and longest sequence, in time steps",
            slider=(1, SLIDER_LONGEST),
        ),
    )
    first_mark: tuple[int, int] = field(default=(10, 20), metadata=_MARKS)
    second_mark: tuple[int, int] = field(default=(45, 54), metadata=_MARKS)
    padding: Literal["in front", "at the end"] = field(
        default="in front",
        metadata=setting(
            "Padding",
            OneOf({"in front": "in front", "at the end": "at the end"}),
            "Where the shorter sequences of a batch are filled up: with zeros that are read before they begin, or "
            "after their end, masked, where nothing is read or asked",
            short="padding",
        ),
    )

    @property
    def words(self) -> str:
        masked = ", padded at the end" if self.padding == "at the end" else ""
        return f"{self.name}, length {span(self.length)}{masked}"

    @property
    def longest(self) -> int:
        return self.length[1]

    @property
    def shortest(self) -> int:
        return self.length[0]

    @property
    def conflict(self) -> Conflict | None:
        if self.second_mark[0] <= self.first_mark[1]:
            return Conflict(
                "second_mark",
                f"after first_mark, which ends at {self.first_mark[1]}",
                f"The second mark must come after the first, which lies at {span(self.first_mark)}.",
            )
        if self.second_mark[1] >= self.length[0]:
            return Conflict(
                "second_mark",
                f"within the shortest sequence (0 to {self.length[0] - 1})",
                f"The shortest sequence must be longer than the last mark at {self.second_mark[1]}.",
            )
        return None

    def open(self, seed: int) -> TaskSource:
        return TemporalOrderSource(self, seed)


class TemporalOrderSource(SymbolClasses):
    """Strings E … X|Y … X|Y … B of random length; the answer, one of 4 classes, is asked at the last time step."""

    symbols, classes, marked = SYMBOLS, CLASSES, ("X", "Y")

    def __init__(self, task: TemporalOrder, seed: int) -> None:
        _check(task)
        super().__init__(task, seed)
        self._task = task
        self._at_end = task.padding == "at the end"

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        """N random strings, the shorter ones padded with zeros: in front, or at the end and masked."""
        shortest, longest = self._task.length
        lengths = generator.integers(shortest, longest + 1, batch_size)
        return self._strings(generator, lengths, generator.integers(0, 2, (2, batch_size)))

    def probe(self) -> Batch:
        """One string of each class, all of one length from the shorter end of the range; where they are padded at the
        end, of lengths from the whole range, so that the padding is seen."""
        shortest, longest = self._task.length
        lengths = np.full(4, shortest + (longest - shortest) // 5)
        if self._at_end:
            lengths = np.linspace(longest, shortest, 4).astype(np.int64)
        marks = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
        return self._strings(np.random.default_rng([self._seed, 1]), lengths, marks)

    def test(self) -> Batch | None:
        return None

    def _strings(self, generator: "np.random.Generator", lengths: Array, marks: Array) -> Batch:
        """`lengths` (N,), `marks` (2, N): 0 for X, 1 for Y."""
        time_steps, sequences = int(lengths.max()), len(lengths)
        columns = np.arange(sequences)
        padding = time_steps - lengths  # (N,) time steps in front
        symbols = generator.integers(FIRST_DISTRACTOR, FIRST_MARK, (time_steps, sequences))  # (T, N)
        first = generator.integers(self._task.first_mark[0], self._task.first_mark[1] + 1, sequences)
        second = generator.integers(self._task.second_mark[0], self._task.second_mark[1] + 1, sequences)
        time = np.arange(time_steps)[:, None]
        symbols[time < padding] = PADDING
        symbols[padding, columns] = START
        symbols[padding + first, columns] = FIRST_MARK + marks[0]
        symbols[padding + second, columns] = FIRST_MARK + marks[1]
        symbols[-1] = END
        own = None
        if self._at_end and padding.any():
            own, symbols = lengths, symbols[(time + padding) % time_steps, columns]  # the same strings
        targets, loss_weight = last_step_question(2 * marks[0] + marks[1], time_steps, own)
        return Batch(_ONE_HOT[symbols], targets, loss_weight, own)


def _check(task: TemporalOrder) -> None:
    """The marks must leave E and B alone; all other ranges stand with the settings."""
    if task.first_mark[0] < 1:
        raise RnnvizError(
            f"task.first_mark: wanted time steps from 1 on (0 is the symbol E), got {list(task.first_mark)}."
        )
    if task.second_mark[1] > task.length[0] - 2:
        raise RnnvizError(
            f"task.second_mark: wanted at most {task.length[0] - 2}, so that the shortest string (task.length "
            f"{task.length[0]}) still ends with B, got {list(task.second_mark)}."
        )

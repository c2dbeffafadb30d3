"""Parity: is the number of ones so far even or odd? Asked at every time step; tested on longer sequences."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import span
from rnnviz.core.setting import Span, WholeNumber, setting
from rnnviz.core.tasks.source import Batch, TaskSource
from rnnviz.core.tasks.symbol_classes import SymbolClasses
from rnnviz.core.tasks.task import LONGEST, LOSSES_OF_CLASSES, SLIDER_LONGEST, TaskSettings

BITS = ("0", "1")
CLASSES = ("even", "odd")
MOST_TESTED, TESTED_BITS = 100, 10_000  # sequences of the held-back part, and about how many answers they have

_ONE_HOT = np.eye(2, dtype=np.float32)


@dataclass(frozen=True)
class Parity(TaskSettings):
    """Random bits as two one-hot symbols; at every time step: is the number of ones so far even or odd?

    All sequences of a batch have one length, drawn from `length`; the held-back ones are longer.
    """

    losses = LOSSES_OF_CLASSES

    name: Literal["parity"] = "parity"
    length: tuple[int, int] = field(
        default=(1, 20),
        metadata=setting(
            "Length",
            Span(1, LONGEST),
            "Shortest and longest sequence trained on, in time steps; those of a batch have one length",
            slider=(1, SLIDER_LONGEST),
        ),
    )
    test_length: int = field(
        default=100,
        metadata=setting(
            "Test length",
            WholeNumber(1, LONGEST),
            "Time steps of the held-back sequences, which test loss and test accuracy are measured on",
            step=1,
            slider=(1, SLIDER_LONGEST),
        ),
    )

    @property
    def words(self) -> str:
        return f"{self.name}, length {span(self.length)}, tested at {self.test_length}"

    @property
    def longest(self) -> int:
        return self.length[1]

    @property
    def shortest(self) -> int:
        return self.length[0]

    def open(self, seed: int) -> TaskSource:
        return ParitySource(self, seed)


class ParitySource(SymbolClasses):
    """Fair bits and after each of them the parity of those so far."""

    symbols, classes, marked, held_back = BITS, CLASSES, ("1",), True

    def __init__(self, task: Parity, seed: int) -> None:
        super().__init__(task, seed)
        self._task = task

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        """N sequences of one length from the shortest to the longest."""
        shortest, longest = self._task.length
        return _sequences(generator, int(generator.integers(shortest, longest + 1)), batch_size)

    def probe(self) -> Batch:
        """4 sequences of the longest length trained on."""
        return _sequences(np.random.default_rng([self._seed, 1]), self._task.length[1], 4)

    def test(self) -> Batch:
        """Sequences of the test length: up to 100, fewer where they are very long."""
        sequences = min(MOST_TESTED, max(1, TESTED_BITS // self._task.test_length))
        return _sequences(np.random.default_rng([self._seed, 3]), self._task.test_length, sequences)


def _sequences(generator: "np.random.Generator", time_steps: int, sequences: int) -> Batch:
    bits: Array = generator.integers(0, 2, (time_steps, sequences))  # (T, N)
    weight = np.full(bits.shape, 1.0 / bits.size, np.float32)
    return Batch(_ONE_HOT[bits], np.cumsum(bits, axis=0) % 2, weight)

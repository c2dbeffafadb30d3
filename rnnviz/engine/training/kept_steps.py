"""Training steps whose captures stay: round numbers a person may ask for, and hits, each in a part of the budget."""

from dataclasses import dataclass
from functools import cache

MOST_HITS = 1000
MOST_ROUND = 40  # of a training of the planned length, beside 1, 2, …, 9, 10, 15, 20, …, 95, 100, 150, …
SHARE_OF_BUDGET = 0.25  # of the bytes that captures may take: for hits, and again for round numbers


@dataclass
class KeptSteps:
    """Counts the captures that are kept for one reason. `most` captures, and `most_bytes`, then no more."""

    most: float
    most_bytes: float
    count: int = 0
    bytes: int = 0
    newest: int = -1  # training step

    @property
    def full(self) -> bool:
        return self.count >= self.most or self.bytes >= self.most_bytes

    def add(self, training_step: int, size: int) -> None:
        self.count, self.bytes, self.newest = self.count + 1, self.bytes + size, training_step


def is_round(training_step: int, planned: int) -> bool:
    """Whether a training step is a number like 7, 40, 450 or 9000 (one digit, or two with a 5 at the end, and zeros),
    or a multiple of the spacing of so many planned training steps."""
    digits = str(training_step).rstrip("0")
    return len(digits) == 1 or (len(digits) == 2 and digits[1] == "5") or training_step % spacing(planned) == 0


@cache
def spacing(planned: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, … that has at most `MOST_ROUND` multiples up to `planned`."""
    step = 1
    while step * MOST_ROUND < planned:
        step = step * 5 // 2 if str(step).startswith("2") else 2 * step
    return step

"""Glyphs: small pictures of digits, shifted and noisy: which one is it, or what is its name, letter by letter?"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.setting import OneOf, RealNumber, WholeNumber, setting
from rnnviz.core.sweeps.capture import LossName
from rnnviz.core.tasks.info import EXACT, Baseline, TaskInfo
from rnnviz.core.tasks.scores import chance, losses_of_chances
from rnnviz.core.tasks.source import Batch, TaskSource, asked_alike
from rnnviz.core.tasks.task import LOSSES_OF_CLASSES, Form, TaskSettings

SIZE = 8  # pixels in a row and in a column
DIGITS = "0123456789"
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
END = "end"
LETTERS = (*sorted(set("".join(NAMES))), END)
TESTED = 200

# 5 columns, 7 rows each, one row of bits after the other
_DRAWN = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00010 00100 01000 11111",
    "3": "11111 00010 00100 00010 00001 10001 01110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "00110 01000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00010 01100",
}
_TOP, _LEFT = 0, 1  # of a digit that is not shifted


@dataclass(frozen=True)
class Glyphs(TaskSettings):
    """Pictures of 8 × 8 pixels of the digits; asked is which it is (one to one) or its name, letter by letter."""

    losses = LOSSES_OF_CLASSES
    picture = (SIZE, SIZE)

    name: Literal["glyphs"] = "glyphs"
    answer: Literal["class", "name"] = field(
        default="class",
        metadata=setting(
            "Answer",
            OneOf({"class": "which digit", "name": "its name"}),
            "What is asked: which digit it is, at the one time step there is; or its name in English, a letter at each "
            "time step, of which the first alone has the picture as its input",
            short="answer",
        ),
    )
    noise: float = field(
        default=0.3,
        metadata=setting(
            "Noise",
            RealNumber(0.0, 10.0),
            "Standard deviation of what is added to each pixel, which is 0 or 1 without",
            form=RealNumber(0.0, 2.0),
            short="noise",
        ),
    )
    shift: int = field(
        default=1,
        metadata=setting(
            "Shift",
            WholeNumber(0, 3),
            "By how many pixels a picture is shifted at most, to each side; what leaves it is cut off",
            short="shift",
            step=1,
        ),
    )

    @property
    def words(self) -> str:
        asked = "which digit" if self.answer == "class" else "its name"
        return f"{self.name}, {asked}"

    @property
    def form(self) -> Form:
        return "one to one" if self.answer == "class" else "one to many"

    @property
    def longest(self) -> int:
        return 1 if self.answer == "class" else 1 + max(map(len, NAMES))

    @property
    def shortest(self) -> int:
        return 1 if self.answer == "class" else 1 + min(map(len, NAMES))

    def open(self, seed: int) -> TaskSource:
        return GlyphsSource(self, seed)


class GlyphsSource:
    """Pictures drawn anew for each batch; nothing is read after the first time step."""

    tolerance = None

    def __init__(self, task: Glyphs, seed: int) -> None:
        self._task, self._seed, self._named = task, seed, task.answer == "name"
        labels = LETTERS if self._named else tuple(DIGITS)
        self.input_size, self.output_size = SIZE * SIZE, len(labels)
        whole = (EXACT,) if self._named else ()
        self.info = TaskInfo(
            name=task.name,
            input_kind="values",
            input_labels=tuple(f"row {row}, column {column}" for row in range(1, 9) for column in range(1, 9)),
            output_kind="classes",
            output_labels=labels,
            loss=task.losses[0],
            metrics=("loss", "accuracy", "test_loss", "test_accuracy", *whole, "skill", "grad_norm"),
            baselines=self.baselines(task.losses[0]),
            picture=task.picture,
        )

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        """N pictures of digits drawn at random."""
        return self._pictures(generator, generator.integers(0, len(DIGITS), batch_size))

    def probe(self) -> Batch:
        """4 digits, whose names differ in length."""
        return self._pictures(np.random.default_rng([self._seed, 1]), np.array([3, 0, 6, 2]))

    def test(self) -> Batch:
        """200 pictures that no training batch has, as many of each digit."""
        return self._pictures(np.random.default_rng([self._seed, 3]), np.arange(TESTED) % len(DIGITS))

    def baselines(self, loss: LossName) -> tuple[Baseline, ...]:
        """Chance; of names what the letters that come most often at each place reach, without a look at the picture."""
        if not self._named:
            return chance(loss, len(DIGITS), ("", "test_"))
        targets, lengths = _names(np.arange(len(DIGITS)))
        asked = asked_alike(targets, lengths) > 0
        shares = np.stack(
            [np.bincount(row[there], minlength=len(LETTERS)) + 1e-3 for row, there in zip(targets, asked, strict=True)]
        )
        shares /= shares.sum(axis=1, keepdims=True)
        each = losses_of_chances(loss, shares)[np.arange(len(targets))[:, None], targets][asked]
        right = (targets == shares.argmax(axis=1)[:, None])[asked]
        return tuple(
            Baseline(f"{part}{metric}", float(values.mean()), "blind guess")
            for part in ("", "test_")
            for metric, values in (("loss", each), ("accuracy", right))
        )

    def _pictures(self, generator: "np.random.Generator", digits: Array) -> Batch:
        first = self._drawn(generator, digits)
        if not self._named:
            targets = digits[None].astype(np.int64)
            return Batch(first[None], targets, asked_alike(targets))
        targets, lengths = _names(digits)
        inputs = np.zeros((len(targets), *first.shape), np.float32)
        inputs[0] = first
        own = None if lengths.min() == lengths.max() else lengths
        return Batch(inputs, targets, asked_alike(targets, lengths), own)

    def _drawn(self, generator: "np.random.Generator", digits: Array) -> Array:
        """(N, 64) float32 pictures, each shifted by its own amount, with noise."""
        count, most = len(digits), self._task.shift
        room = np.zeros((count, SIZE + 2 * most, SIZE + 2 * most), np.float32)
        room[:, most + _TOP : most + _TOP + 7, most + _LEFT : most + _LEFT + 5] = _FONT[digits]
        shifts = generator.integers(0, 2 * most + 1, (2, count))
        rows, columns = (shifts[axis][:, None] + np.arange(SIZE) for axis in (0, 1))
        pictures = room[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
        noise = generator.standard_normal(pictures.shape, np.float32)
        return np.asarray((pictures + np.float32(self._task.noise) * noise).reshape(count, -1))


def _names(digits: Array) -> tuple[Array, Array]:
    """(T, N) int64 the letters of each name and then its end, and (N,) int64 how many these are."""
    lengths = np.array([len(NAMES[digit]) + 1 for digit in digits])
    targets = np.zeros((int(lengths.max()), len(digits)), np.int64)
    for n, digit in enumerate(digits):
        letters = [*NAMES[digit], END]
        targets[: len(letters), n] = [LETTERS.index(letter) for letter in letters]
    return targets, lengths


_FONT = np.array(
    [[[int(bit) for bit in row] for row in _DRAWN[digit].split()] for digit in DIGITS], np.float32
)  # (10, 7, 5)

"""Next character: predict the next character of a text from those before it; loss at every time step."""

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.text_file import ENCODING_WORDS, Encoding
from rnnviz.core.files.texts import read_text
from rnnviz.core.setting import DataFile, setting
from rnnviz.core.sweeps.capture import LossName
from rnnviz.core.tasks.info import Baseline, TaskInfo
from rnnviz.core.tasks.scores import losses_of_chances
from rnnviz.core.tasks.source import Batch, TaskSource, asked_at_end
from rnnviz.core.tasks.task import (
    LOSSES_OF_CLASSES,
    DataTask,
    encoding_advice,
    file_encoding,
    train_share,
    window_length,
)

TEST_CHARACTERS = 10_000  # so many that counts agree on them with those of the whole part to about a percent
PROBE_WINDOWS = 4
MIXED = 5.0  # counts of single characters in those of pairs, so that no pair is impossible


@dataclass(frozen=True)
class NextCharacter(DataTask):
    """Predict the next character of a text from those before it; loss at every time step."""

    data = "text"
    losses = LOSSES_OF_CLASSES
    symbols = True

    name: Literal["next character"] = "next character"
    file: str = field(  # text; empty: Python's help texts, which ship with rnnviz
        default="",
        metadata=setting(
            "Data",
            DataFile("Python help"),
            "A text file, or the help texts of Python that come with rnnviz",
            short="data",
        ),
    )
    length: int = field(default=50, metadata=window_length(1, "Characters of one training window"))
    train_share: float = field(default=0.9, metadata=train_share("first part of the text"))
    encoding: Encoding = field(default="unicode", metadata=file_encoding())

    @property
    def words(self) -> str:
        said = f"{self.name} of {PurePath(self.file).name or 'the Python help texts'}"
        return said if self.encoding == "unicode" else f"{said}, {ENCODING_WORDS[self.encoding]}"

    def longest_window(self, rows: int) -> int:
        """The part for testing must hold a window too."""
        train = int(rows * self.train_share)
        return min(train, rows - train) - 1

    def open(self, seed: int) -> TaskSource:
        return NextCharacterSource(self, seed)


class NextCharacterSource:
    """Windows of a text, one-hot over its alphabet; its first part is trained on, the rest tested."""

    tolerance = None

    def __init__(self, task: NextCharacter, seed: int) -> None:
        with encoding_advice():
            text = read_text(task.file, task.encoding)
        self._length = task.length
        self._train, self._test = _split(text.codes, text.source, task)
        self.input_size = self.output_size = len(text.alphabet)
        self._one_hot = np.eye(self.input_size, dtype=np.float32)
        self.info = TaskInfo(
            name=task.name,
            input_kind="symbols",
            input_labels=text.alphabet,
            output_kind="classes",
            output_labels=text.alphabet,
            loss=task.losses[0],
            metrics=("loss", "accuracy", "test_loss", "test_accuracy", "skill", "grad_norm"),
            baselines=self.baselines(task.losses[0]),
            notes=text.notes,
        )

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        """N windows of the train part."""
        return self._windows(self._train, generator.integers(0, len(self._train) - self._length, batch_size))

    @property
    def rows(self) -> int:
        """Of the train part."""
        return len(self._train) - 1

    def along(self, starts: Array, time_steps: int, asked: int) -> Batch:
        """N stretches of the train part."""
        return asked_at_end(self._windows(self._train, starts, time_steps), asked, "mean")

    def probe(self) -> Batch:
        """Up to 4 windows, evenly spread over the test part."""
        return self._spread(PROBE_WINDOWS)

    def test(self) -> Batch:
        """Windows evenly spread over the test part, which do not overlap: all of it, or about 10,000 characters."""
        return self._spread(max(1, min(TEST_CHARACTERS, len(self._test) - 1) // self._length))

    def _spread(self, windows: int) -> Batch:
        last = len(self._test) - 1 - self._length
        starts = np.linspace(0, last, min(windows, last + 1)).astype(np.int64)
        return self._windows(self._test, starts)

    def baselines(self, loss: LossName) -> tuple[Baseline, ...]:
        """What counts of single characters and of pairs reach, both counted in the train part."""
        test = self.test()
        windows = np.concatenate([test.inputs.argmax(axis=-1)[:1], test.targets])  # (T + 1, N)
        single, pairs = _frequencies(self._train, self.input_size)
        of_single, of_pairs = losses_of_chances(loss, single), losses_of_chances(loss, pairs)
        baselines = []
        for part, codes in (("", self._train), ("test_", windows)):
            before, after = codes[:-1].astype(np.int64), codes[1:].astype(np.int64)
            for label, each in (
                ("single characters", of_single[after]),
                ("pairs of characters", of_pairs[before, after]),
            ):
                baselines.append(Baseline(f"{part}loss", float(each.mean()), label))
            commonest = float((after == single.argmax()).mean())
            following = float((after == pairs.argmax(axis=1)[before]).mean())
            baselines.append(Baseline(f"{part}accuracy", commonest, "most frequent character"))
            baselines.append(Baseline(f"{part}accuracy", following, "most frequent after the last one"))
        return tuple(baselines)

    def _windows(self, codes: Array, starts: Array, time_steps: int = 0) -> Batch:
        """Of `time_steps`, or of the task's length."""
        length = time_steps or self._length
        window = codes[starts + np.arange(length + 1)[:, None]]  # (T + 1, N)
        weight = np.full((length, len(starts)), 1.0 / (length * len(starts)), np.float32)
        return Batch(self._one_hot[window[:-1]], window[1:].astype(np.int64), weight)


def _frequencies(codes: Array, size: int) -> tuple[Array, Array]:
    """(V,) of the characters, each counted once more, and (V, V) of those after each, with a bit of the former."""
    single = np.bincount(codes, minlength=size) + 1.0
    single /= single.sum()
    followed = codes[:-1].astype(np.int64) * size + codes[1:]
    counts = np.bincount(followed, minlength=size * size).reshape(size, size)
    return single, (counts + MIXED * single) / (counts.sum(axis=1, keepdims=True) + MIXED)


def _split(codes: Array, source: str, task: NextCharacter) -> tuple[Array, Array]:
    train = int(len(codes) * task.train_share)
    longest = task.longest_window(len(codes))
    if longest < task.length:
        wanted = f"wanted at most {longest:,} time steps" if longest > 0 else "wanted a longer text"
        raise RnnvizError(
            f"task.length: {wanted}, because {source} has {len(codes):,} characters, "
            f"{train:,} for training and {len(codes) - train:,} for testing, got "
            f"{task.length:,}; {task.rows_needed(task.length):,} would be needed."
        )
    return codes[:train], codes[train:]

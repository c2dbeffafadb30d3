"""Next character: predict the next character of a text from those before it; loss at every time step."""

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.texts import read_text
from rnnviz.core.setting import DataFile, setting
from rnnviz.core.tasks.info import Baseline, TaskInfo
from rnnviz.core.tasks.source import Batch, TaskSource
from rnnviz.core.tasks.task import DataTask, train_share, window_length

TEST_WINDOWS = 16
PROBE_WINDOWS = 4


@dataclass(frozen=True)
class NextCharacter(DataTask):
    """Predict the next character of a text from those before it; loss at every time step."""

    data = "text"

    name: Literal["next character"] = "next character"
    file: str = field(  # text; empty: the help texts every Python carries (pydoc_data.topics)
        default="",
        metadata=setting(
            "Data", DataFile("Python help"), "A text file, or the help texts that every Python carries", short="data"
        ),
    )
    length: int = field(default=50, metadata=window_length(1, "Characters of one training window"))
    train_share: float = field(default=0.9, metadata=train_share("first part of the text"))

    @property
    def words(self) -> str:
        return f"{self.name} of {PurePath(self.file).name or 'the Python help texts'}"

    def longest_window(self, rows: int) -> int:
        """The part for testing must hold a window too."""
        train = int(rows * self.train_share)
        return min(train, rows - train) - 1

    def open(self, seed: int) -> TaskSource:
        return NextCharacterSource(self, seed)


class NextCharacterSource:
    """Windows of a text, one-hot over its alphabet; its first part is trained on, the rest tested."""

    last_only = False
    tolerance = None

    def __init__(self, task: NextCharacter, seed: int) -> None:
        text = read_text(task.file)
        self._length = task.length
        self._train, self._test = _split(text.codes, text.source, task)
        self.input_size = self.output_size = len(text.alphabet)
        self._one_hot = np.eye(self.input_size, dtype=np.float32)
        shares = np.bincount(self._train, minlength=self.input_size) / len(self._train)
        entropy = -float((shares[shares > 0] * np.log(shares[shares > 0])).sum())
        self.info = TaskInfo(
            name=task.name,
            input_kind="symbols",
            input_labels=text.alphabet,
            output_kind="classes",
            output_labels=text.alphabet,
            loss="cross entropy",
            metrics=("loss", "accuracy", "test_loss", "grad_norm"),
            baselines=(
                Baseline("loss", entropy, "single characters"),
                Baseline("accuracy", float(shares.max()), "most frequent character"),
            ),
        )

    def batch(self, generator: np.random.Generator, batch_size: int) -> Batch:
        """N windows of the train part."""
        return self._windows(self._train, generator.integers(0, len(self._train) - self._length, batch_size))

    def probe(self) -> Batch:
        """Up to 4 windows, evenly spread over the test part."""
        return self._spread(PROBE_WINDOWS)

    def test(self) -> Batch:
        """Up to 16 windows, evenly spread over the test part."""
        return self._spread(TEST_WINDOWS)

    def _spread(self, windows: int) -> Batch:
        last = len(self._test) - 1 - self._length
        starts = np.linspace(0, last, min(windows, last + 1)).astype(np.int64)
        return self._windows(self._test, starts)

    def _windows(self, codes: Array, starts: Array) -> Batch:
        window = codes[starts + np.arange(self._length + 1)[:, None]]  # (T + 1, N)
        weight = np.full((self._length, len(starts)), 1.0 / (self._length * len(starts)), np.float32)
        return Batch(self._one_hot[window[:-1]], window[1:].astype(np.int64), weight)


def _split(codes: Array, source: str, task: NextCharacter) -> tuple[Array, Array]:
    train = int(len(codes) * task.train_share)
    longest = task.longest_window(len(codes))
    if longest < task.length:
        raise RnnvizError(
            f"task.length: wanted at most {max(longest, 0)} time steps, because {source} has {len(codes)} "
            f"characters, of which {train} are trained on and {len(codes) - train} tested, came {task.length}."
        )
    return codes[:train], codes[train:]

"""Adding: the sum of the two marked values (Hochreiter & Schmidhuber 1997; this variant: Le 2015, Arjovsky 2016)."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnnviz.core.sweeps.capture import LossName
from rnnviz.core.tasks.info import Baseline, TaskInfo
from rnnviz.core.tasks.source import Batch, TaskSource, last_step_question
from rnnviz.core.tasks.task import LOSSES_OF_VALUES, TaskSettings, window_length

TOLERANCE = 0.04  # an error below it counts as right (Hochreiter & Schmidhuber 1997)


@dataclass(frozen=True)
class Adding(TaskSettings):
    """Two inputs, a value in [0, 1] and a marker; the target is the sum of the two marked values (Le 2015)."""

    last_only = True
    losses = LOSSES_OF_VALUES

    name: Literal["adding"] = "adding"
    length: int = field(default=50, metadata=window_length(2, "Length of every sequence, in time steps"))

    @property
    def words(self) -> str:
        return f"{self.name}, length {self.length}"

    @property
    def longest(self) -> int:
        return self.length

    def open(self, seed: int) -> TaskSource:
        return AddingSource(self, seed)


class AddingSource:
    """Values in [0, 1] and a marker in each half of the sequence; their sum is asked at the last time step."""

    input_size = 2
    output_size = 1
    tolerance = TOLERANCE

    def __init__(self, task: Adding, seed: int) -> None:
        self._length = task.length
        self._seed = seed
        self.info = TaskInfo(
            name=task.name,
            input_kind="values",
            input_labels=("value", "marker"),
            output_kind="values",
            output_labels=("sum",),
            loss=task.losses[0],
            metrics=("loss", "accuracy", "grad_norm"),
            # The sum of two uniform numbers has variance 1/6 around 1, and lies within d of 1 with 1 - (1 - d)².
            baselines=(
                Baseline("loss", 1 / 6, "always 1"),
                Baseline("accuracy", 1 - (1 - TOLERANCE) ** 2, "always 1"),
            ),
        )

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        """N sequences of the task's length."""
        length, columns = self._length, np.arange(batch_size)
        inputs = np.zeros((length, batch_size, 2), np.float32)
        inputs[:, :, 0] = generator.random((length, batch_size), np.float32)
        first = generator.integers(0, length // 2, batch_size)
        second = generator.integers(length // 2, length, batch_size)
        inputs[first, columns, 1] = 1.0
        inputs[second, columns, 1] = 1.0
        total = inputs[first, columns, 0] + inputs[second, columns, 0]
        return Batch(inputs, *last_step_question(total[:, None], length))

    def baselines(self, loss: LossName) -> tuple[Baseline, ...]:
        """Its only loss's."""
        return self.info.baselines

    def probe(self) -> Batch:
        """4 sequences."""
        return self.batch(np.random.default_rng([self._seed, 1]), 4)

    def test(self) -> Batch | None:
        return None

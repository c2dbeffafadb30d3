"""Symbol classes: what sources of one-hot symbols have in common, of which is asked to which class they belong."""

from typing import ClassVar

from rnnviz.core.sweeps.capture import LossName
from rnnviz.core.tasks.info import Baseline, TaskInfo
from rnnviz.core.tasks.scores import chance
from rnnviz.core.tasks.task import TaskSettings


class SymbolClasses:
    """The head of such a source; batches are the task's own."""

    symbols: ClassVar[tuple[str, ...]]
    classes: ClassVar[tuple[str, ...]]
    marked: ClassVar[tuple[str, ...]]  # of the symbols
    held_back: ClassVar[bool] = False  # whether a test part is
    tolerance = None

    def __init__(self, task: TaskSettings, seed: int) -> None:
        self._seed = seed
        self.input_size, self.output_size = len(self.symbols), len(self.classes)
        tested = ("test_loss", "test_accuracy", "skill") if self.held_back else ()
        self.info = TaskInfo(
            name=task.name,
            input_kind="symbols",
            input_labels=self.symbols,
            output_kind="classes",
            output_labels=self.classes,
            loss=task.losses[0],
            metrics=("loss", "accuracy", *tested, "grad_norm"),
            baselines=self.baselines(task.losses[0]),
            marked_symbols=self.marked,
        )

    def baselines(self, loss: LossName) -> tuple[Baseline, ...]:
        """What all classes alike reach."""
        return chance(loss, len(self.classes), ("", "test_") if self.held_back else ("",))

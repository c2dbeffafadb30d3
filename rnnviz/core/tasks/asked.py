"""Asked source: a task's sequences with the loss an experiment asks instead of the task's own, or its sum over time."""

from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.capture import LossName, Reduction
from rnnviz.core.tasks.info import Baseline, TaskInfo
from rnnviz.core.tasks.source import Batch, StreamSource, TaskSource
from rnnviz.core.tasks.task import TaskSettings


def asked_source(
    source: TaskSource, task: TaskSettings, loss: LossName, reduction: Reduction, summed: int | None = None
) -> TaskSource:
    """`source` of `task` itself where nothing is asked otherwise. `summed`: over how many time steps training sums,
    where it is not over whole sequences."""
    if (loss, reduction) == (source.info.loss, "mean"):
        return source
    return AskedSource(source, task, loss, reduction, summed)


class AskedSource:
    """Batches whose classes are one-hot where the loss is one of values, and whose losses are weighed for a sum."""

    def __init__(
        self, source: TaskSource, task: TaskSettings, loss: LossName, reduction: Reduction, summed: int | None
    ) -> None:
        self._source, self._sum = source, reduction == "sum"
        self._one_hot = source.info.output_kind == "classes" and loss != "cross entropy"
        self.input_size, self.output_size = source.input_size, source.output_size
        self.tolerance = source.tolerance
        baselines = source.baselines(loss)
        if self._sum:
            baselines = tuple(one for base in baselines for one in self._summed(base, task, summed))
        self.info: TaskInfo = replace(source.info, loss=loss, reduction=reduction, baselines=baselines)

    def baselines(self, loss: LossName) -> tuple[Baseline, ...]:
        """Those of its own loss, as they are asked here."""
        return self.info.baselines

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch:
        """N sequences, drawn as the task draws them."""
        return self._asked(self._source.batch(generator, batch_size))

    @property
    def rows(self) -> int:
        """The task's own; 0 where its sequences are no windows of a longer one."""
        return self._source.rows if isinstance(self._source, StreamSource) else 0

    def along(self, starts: Array, time_steps: int, asked: int) -> Batch:
        """The task's own."""
        assert isinstance(self._source, StreamSource)  # it has rows
        return self._asked(self._source.along(starts, time_steps, asked))

    def probe(self) -> Batch:
        """The task's own."""
        return self._asked(self._source.probe())

    def test(self) -> Batch | None:
        """The task's own."""
        test = self._source.test()
        return None if test is None else self._asked(test)

    def _asked(self, batch: Batch) -> Batch:
        targets, loss_weight = batch.targets, batch.loss_weight
        if self._one_hot:
            targets = np.eye(self.output_size, dtype=np.float32)[targets]
        if self._sum:
            loss_weight = (loss_weight * np.float32(_time_steps(loss_weight))).astype(np.float32)
        return replace(batch, targets=targets, loss_weight=loss_weight)

    def _summed(self, base: Baseline, task: TaskSettings, summed: int | None) -> tuple[Baseline, ...]:
        """A baseline of a mean as that of the sum; none of sequences that differ in length."""
        if base.metric == "loss":
            same = task.longest if task.shortest == task.longest else 0
            time_steps = summed or task.written or same
            return (replace(base, value=base.value * time_steps),) if time_steps else ()
        test = self._source.test() if base.metric == "test_loss" else None
        return (base if test is None else replace(base, value=base.value * _time_steps(test.loss_weight)),)


def _time_steps(loss_weight: Array) -> float:
    """How many time steps of a sequence are asked, on average: what makes of a mean over them their sum."""
    return float((loss_weight > 0).sum() / loss_weight.shape[1])

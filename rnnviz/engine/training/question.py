"""Question: what a training batch asks of a model, in tensors: prediction, loss and the share of right answers."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnnviz.core.sweeps.capture import LossName
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.core.tasks.source import Batch
from rnnviz.engine.losses import losses, mean_loss
from rnnviz.engine.networks import SequenceModel
from rnnviz.engine.passes import EVALUATION, Conditions, predicted, predicted_at_end, run_calls


@dataclass(frozen=True)
class Question:
    """One batch. Where all answers count alike the loss is torch's own mean of them, times `factor` for a sum."""

    batch: Batch
    inputs: Tensor  # (T, N, I)
    targets: Tensor  # (T, N) or (T, N, V), of the end alone (N) or (N, V)
    loss: LossName
    at_end: bool  # whether the last time step of each sequence alone is asked
    counts: Tensor | None  # of the shape (T, N) or (N): the reduction, where some answers count more than others
    factor: int
    classes: bool
    tolerance: float | None  # a predicted value this near counts as right; None: values have no accuracy

    @staticmethod
    def of(batch: Batch, info: TaskInfo, at_end: bool, tolerance: float | None) -> "Question":
        """What `batch` asks; `at_end`: at the last time step of each sequence alone."""
        assert info.loss is not None  # a task that is trained has a loss
        targets, weight = torch.from_numpy(batch.targets), batch.loss_weight
        if at_end and batch.lengths is not None:
            ends = batch.lengths - 1, np.arange(len(batch.lengths))
            targets, weight = targets[ends], weight[ends]
        elif at_end:
            targets, weight = targets[-1], weight[-1]
        alike = bool((weight == weight.flat[0]).all())
        factor = len(weight) if info.reduction == "sum" and not at_end else 1
        return Question(
            batch,
            torch.from_numpy(batch.inputs),
            targets,
            info.loss,
            at_end,
            None if alike else torch.from_numpy(np.ascontiguousarray(weight)),
            factor,
            info.output_kind == "classes",
            tolerance,
        )

    def asked(
        self, model: SequenceModel, conditions: Conditions = EVALUATION, final: list[Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """What `model` predicts where it reads the batch so, and its loss; into `final` the states that its only call
        ends with, where they come by the way."""
        prediction = self._predicted(model, conditions, final)
        if self.counts is not None:
            each = losses(self.loss, prediction, self.targets)
            return prediction, torch.where(self.counts != 0, each * self.counts, each.new_zeros(())).sum()
        loss = mean_loss(self.loss, prediction, self.targets)
        return prediction, loss * self.factor if self.factor != 1 else loss

    def _predicted(self, model: SequenceModel, conditions: Conditions, final: list[Tensor] | None) -> Tensor:
        if conditions is EVALUATION and not self.batch.padded_or_decoded:  # the short way of the usual case
            states = model.states(self.inputs)
            return model.last_prediction(states) if self.at_end else model.predictions(states)
        calls = run_calls(model, self.batch, conditions)
        if final is not None and len(calls) == 1:
            final[:] = (state.detach() for state in calls[0].final)
        return predicted_at_end(model, calls) if self.at_end else predicted(model, calls)

    def accuracy(self, prediction: Tensor) -> float | None:
        """The share of right answers among those asked; None where values have no tolerance."""
        if self.classes:
            targets = self.targets.argmax(dim=-1) if self.targets.is_floating_point() else self.targets
            right = prediction.argmax(dim=-1) == targets
        elif self.tolerance is not None:
            right = (prediction - self.targets).abs().amax(dim=-1) < self.tolerance
        else:
            return None
        if self.counts is not None:
            right = right[self.counts != 0]
        return int(right.sum().item()) / right.numel()

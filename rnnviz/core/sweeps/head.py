"""The readout's part of a trace: prediction, probabilities, the loss of every time step and the readout's gradients."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.core.arrays import Array, frozen, frozen_mapping
from rnnviz.core.sweeps.capture import Readout
from rnnviz.core.sweeps.forward import affine


@dataclass(frozen=True, eq=False)
class ReadoutTrace:
    """What the linear readout made of the top layer's output; all arrays read-only."""

    prediction: Array  # (T, N, V) logits (cross entropy) or values
    probabilities: Array | None  # (T, N, V) softmax of the logits, None for values
    losses: Array  # (T, N) L_{t,n} with the reduction in it; their sum is L
    targets: Array  # (T, N) class numbers or (T, N, V) values
    loss_weight: Array  # (T, N)
    prediction_grad: Array  # (T, N, V) ∂L/∂prediction
    output: Array  # (T, N, D·P) of the recurrent module

    @property
    def weight_grads(self) -> Mapping[str, Array]:
        """∂L/∂weight (V, D·P) and ∂L/∂bias (V,) of the readout, summed over t and n."""
        grad = self.prediction_grad.reshape(-1, self.prediction_grad.shape[-1])
        output = self.output.reshape(-1, self.output.shape[-1])
        with np.errstate(all="ignore"):
            return frozen_mapping({"weight": grad.T @ output, "bias": grad.sum(axis=0)})

    def sample(self, n: int, length: int) -> "ReadoutTrace":
        """The same with sequence `n` alone, cut to `length`."""
        one = slice(n, n + 1)
        return replace(
            self,
            prediction=self.prediction[:length, one],
            probabilities=None if self.probabilities is None else self.probabilities[:length, one],
            losses=self.losses[:length, one],
            targets=self.targets[:length, one],
            loss_weight=self.loss_weight[:length, one],
            prediction_grad=self.prediction_grad[:length, one],
            output=self.output[:length, one],
        )


def read_out(readout: Readout, output: Array) -> ReadoutTrace:
    """Prediction, losses and gradients for `output` (T, N, D·P)."""
    prediction = affine(output, readout.weight, readout.bias)
    weight = readout.loss_weight.astype(prediction.dtype)
    asked = weight != 0  # a loss that is not asked for is 0, also where the prediction is ∞
    probabilities = None
    if readout.loss == "cross entropy":
        log_probabilities = _log_softmax(prediction)
        probabilities = np.exp(log_probabilities)
        classes = np.clip(readout.targets, 0, prediction.shape[-1] - 1)[..., None]  # unasked ones may be out of range
        loss = -np.take_along_axis(log_probabilities, classes, axis=-1)[..., 0]
        slope = probabilities.copy()
        np.put_along_axis(slope, classes, np.take_along_axis(slope, classes, axis=-1) - 1, axis=-1)
    else:
        error = prediction - readout.targets
        loss = np.mean(error * error, axis=-1)
        slope = error * (2 / prediction.shape[-1])
    return ReadoutTrace(
        prediction=frozen(prediction),
        probabilities=None if probabilities is None else frozen(probabilities),
        losses=frozen(np.where(asked, weight * loss, weight)),
        targets=frozen(readout.targets),
        loss_weight=frozen(readout.loss_weight),
        prediction_grad=frozen(np.where(asked[..., None], weight[..., None] * slope, weight[..., None])),
        output=frozen(output),
    )


def _log_softmax(logits: Array) -> Array:
    shifted = logits - np.max(logits, axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True)))

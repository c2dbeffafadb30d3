"""A capture: the little of one forward and backward sweep that cannot be recomputed, from which a trace is rebuilt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rnnviz.core.arrays import Array
from rnnviz.core.structure import Structure

LossName = Literal["cross entropy", "mean squared error"]


@dataclass(frozen=True)
class Readout:
    """The linear layer from the top hidden state to the prediction, with the loss that follows it.

    prediction_t = weight · output_t + bias; L = Σ_{t,n} loss_weight[t, n] · loss(prediction[t, n], target[t, n]),
    where the squared error is the mean over the O outputs.
    """

    weight: Array  # (V, D·H)
    bias: Array  # (V,)
    loss: LossName
    targets: Array  # (T, N) int64 class numbers for cross entropy, (T, N, V) float for the squared error
    loss_weight: Array  # (T, N) the reduction: 0 where nothing is asked, else 1 / (how many are asked)


@dataclass(frozen=True)
class Capture:
    """Weights, inputs, initial state and ∂L/∂output of one recurrent module over N sequences of T time steps.

    `output` and `grads` are what torch itself computed; a trace measures its fidelity against them.
    All arrays time-major, read-only, of one dtype (float32 or float64).
    """

    structure: Structure
    weights: Mapping[str, Array]  # torch's names: weight_ih_l0, …
    inputs: Array  # (T, N, I)
    lengths: Array | None  # (N,) int64 of a packed batch, None if all are T
    h0: Array  # (layers·D, N, H)
    c0: Array | None  # (layers·D, N, H), LSTM only
    grad_output: Array  # (T, N, D·H) ∂L/∂output
    output: Array | None = None  # (T, N, D·H) torch's own
    grads: Mapping[str, Array] = field(default_factory=dict)  # torch's own param.grad, by parameter name
    readout: Readout | None = None
    notes: tuple[str, ...] = ()  # what makes the rebuilt trace differ from history, one sentence each

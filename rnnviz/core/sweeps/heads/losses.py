"""The losses: what each makes of one prediction and its target, its derivative, and how both are written.

ℓ is the loss of one time step t and sequence n before the reduction; L_t = w_t ℓ with the reduction w_t in it, and a
loss that is not asked for (w_t = 0) is 0, also where the prediction is ∞. Where a loss is of probabilities it is
computed from the logits, whose logarithm of softmax or σ neither overflows nor loses what is small.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.node import Adding, Node, Numbers, Sigmoid, Value, Weight, sigmoid
from rnnviz.core.formula import Equation, Term
from rnnviz.core.sweeps.capture import LossName


class Measured(NamedTuple):
    """What a loss makes of predictions (…, V)."""

    value: Array  # (…) ℓ
    slope: Array  # (…, V) ∂ℓ/∂y
    probabilities: Array | None  # (…, V) p, None for values


@dataclass(frozen=True)
class Loss:
    """One loss: what its targets are, how it is computed, and its words, symbols and source."""

    name: LossName
    words: str
    explained: str
    source: str
    targets: Literal["classes", "values"]  # int64 (…), or floats (…, V)
    prediction: str  # words of what it is given
    squash: Node | None  # makes probabilities of the prediction
    measure: Callable[[Array, Array], Measured]  # predictions (…, V) and targets
    forward: Equation  # L_t
    backward: Equation  # ∂L/∂y_t
    written: Mapping[str, Callable[[Array, Array], Array]]  # what only its equations name, of a (V,) and its target


def weighted(weight: Array, values: Array) -> Array:
    """Times the reduction, and 0 where that is 0; `weight` broadcasts against `values`."""
    weight = weight.astype(values.dtype)
    return np.where(weight != 0, weight * values, weight)


@dataclass(frozen=True)
class Softmax(Adding):
    """softmax(v): e^v over the sum of all e^v, in numpy."""

    value: Value
    template: str = "softmax({0})"
    weights: tuple[Weight, ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        return (self.value,)

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.values

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return np.exp(log_softmax(values[0]))

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        raise TypeError("each probability of a softmax depends on all logits; its loss passes the gradient on to them")


@dataclass(frozen=True)
class Measure(Adding):
    """L_t of a prediction, a target and the reduction (…), in numpy; (…, 1), and its derivative (…, V) by the first."""

    loss: LossName
    value: Value
    template: str = "L({0}, {1}, {2})"
    weights: tuple[Weight, ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        return self.value, Value("target"), Value("loss_weight")

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.values

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        prediction, target, weight = values
        return weighted(weight, LOSSES[self.loss].measure(prediction, target).value)[..., None]

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        if place:
            raise TypeError("a loss passes a gradient on to its prediction alone, not to its target or reduction")
        prediction, target, weight = values
        return weighted(weight[..., None], LOSSES[self.loss].measure(prediction, target).slope)


def log_softmax(logits: Array) -> Array:
    """log p (…, V)."""
    shifted = logits - np.max(logits, axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True)))


def log_sigmoid(logits: Array) -> Array:
    """log σ(y) (…, V)."""
    return np.asarray(np.minimum(logits, 0) - np.log1p(np.exp(-np.abs(logits))))


def _cross_entropy(logits: Array, targets: Array) -> Measured:
    log_probabilities = log_softmax(logits)
    probabilities = np.exp(log_probabilities)
    classes = _classes(logits, targets)
    slope = probabilities.copy()
    np.put_along_axis(slope, classes, np.take_along_axis(slope, classes, axis=-1) - 1, axis=-1)
    return Measured(-np.take_along_axis(log_probabilities, classes, axis=-1)[..., 0], slope, probabilities)


def _classes(logits: Array, targets: Array) -> Array:
    """(…, 1) class numbers; those that nobody asks for may be out of range."""
    return np.clip(targets, 0, logits.shape[-1] - 1)[..., None]


def _one_hot(logits: Array, target: Array) -> Array:
    hot = np.zeros_like(logits)
    np.put_along_axis(hot, _classes(logits, target), 1, axis=-1)
    return hot


def _squared_error(prediction: Array, targets: Array) -> Measured:
    error = prediction - targets
    return Measured(np.mean(error * error, axis=-1), error * (2 / prediction.shape[-1]), None)


def _binary_cross_entropy(logits: Array, targets: Array) -> Measured:
    probabilities = sigmoid(logits)
    each = (1 - targets) * logits - log_sigmoid(logits)
    return Measured(np.mean(each, axis=-1), (probabilities - targets) / logits.shape[-1], probabilities)


_W, _Y, _P = Term("w_t", "loss_weight", "weight of the loss"), Term("y_t", "prediction"), Term("p_t", "probabilities")
_V = Term("V", "outputs", "number of outputs")
_L, _DY = Term("L_t", "loss", "loss"), Term("∂L/∂y_t", "prediction_grad", "gradient of the prediction")
_TARGET = Term("y^*_t", "target", "target")


def _probabilities(operation: Softmax | Sigmoid, key: str) -> Node:
    return Node("probabilities", operation, key, "p_t", "probabilities", units="rows", limits=(0.0, 1.0))


CROSS_ENTROPY = Loss(
    "cross entropy",
    "cross entropy",
    "how unlikely the target class k is",
    "Bishop 2006, Pattern Recognition and Machine Learning, eq. 4.108; softmax: Bridle 1990",
    "classes",
    "logits",
    _probabilities(Softmax(Value("prediction")), "softmax"),
    _cross_entropy,
    Equation(
        _L,
        "−{} {}",
        (_W, Term("log p_{t,k}", "log_target", "logarithm of the target class's probability")),
        lambda w, log_p: weighted(w, -log_p),
    ),
    Equation(
        _DY,
        "{} ({} − {})",
        (_W, _P, Term("e_k", "one_hot", "1 for the target class, else 0")),
        lambda w, p, hot: weighted(w, p - hot),
    ),
    {
        "log_target": lambda y, target: np.take_along_axis(log_softmax(y), _classes(y, target), axis=-1)[..., 0],
        "one_hot": _one_hot,
    },
)

SQUARED_ERROR = Loss(
    "mean squared error",
    "squared error",
    "its mean over the outputs",
    "Bishop 2006, Pattern Recognition and Machine Learning, section 5.2",
    "values",
    "predicted values",
    None,
    _squared_error,
    Equation(_L, "{} ‖{} − {}‖² / {}", (_W, _Y, _TARGET, _V), lambda w, y, d, v: weighted(w, np.sum((y - d) ** 2) / v)),
    Equation(_DY, "2 {} ({} − {}) / {}", (_W, _Y, _TARGET, _V), lambda w, y, d, v: weighted(w, 2 * (y - d) / v)),
    {},
)

BINARY_CROSS_ENTROPY = Loss(
    "binary cross-entropy",
    "binary cross-entropy",
    "how unlikely the targets are, each output a yes or no of its own; the mean over the outputs",
    "Bishop 2006, Pattern Recognition and Machine Learning, eq. 4.90",
    "values",
    "logits",
    _probabilities(Sigmoid(Value("prediction")), "sigmoid"),
    _binary_cross_entropy,
    Equation(
        _L,
        "−{} Σ({} ⊙ {} + (1 − {}) ⊙ {}) / {}",
        (_W, _TARGET, Term("log p_t", "log_yes"), _TARGET, Term("log(1 − p_t)", "log_no"), _V),
        lambda w, d, yes, again, no, v: weighted(w, -np.sum(d * yes + (1 - again) * no) / v),
    ),
    Equation(_DY, "{} ({} − {}) / {}", (_W, _P, _TARGET, _V), lambda w, p, d, v: weighted(w, (p - d) / v)),
    {"log_yes": lambda y, target: log_sigmoid(y), "log_no": lambda y, target: log_sigmoid(-y)},
)

LOSSES: Mapping[LossName, Loss] = {loss.name: loss for loss in (CROSS_ENTROPY, SQUARED_ERROR, BINARY_CROSS_ENTROPY)}

"""Provenance of the head's gradients: what ∂L/∂y_t is made of, and which time steps gave an entry of ∂L/∂W_ho."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.provenance import Part, Provenance, sized

_GRADIENTS = {"y": "prediction y", "W_ho": "head weights W_ho"}


def head_gradients(head: HeadTrace) -> dict[str, str]:
    """The gradients of a head that can be told, with their words."""
    return {of: words for of, words in _GRADIENTS.items() if of == "y" or head.kind.weighs}


@dataclass(frozen=True)
class HeadPlace:
    """One gradient value of the head; all counted from 1."""

    of: str  # one of `head_gradients`
    time_step: int  # of W_ho the one that is looked at: its gradient is of the whole sequence
    output: int
    unit: int = 1  # W_ho: the column, of what the head reads

    @property
    def words(self) -> str:
        """With the place in brackets."""
        if self.of == "y":
            return f"∂L/∂y[{self.time_step}, {self.output}]"
        return f"∂L/∂W_ho[{self.output}, {self.unit}]"


@np.errstate(all="ignore")
def head_provenance(trace: Trace, place: HeadPlace, sample: int = 0) -> Provenance:
    """What a value of the head is made of: of ∂L/∂y_t what pulls at the prediction, of ∂L/∂W_ho the time steps.
    RnnvizError where the trace has no such place."""
    head = trace.sample(sample).head
    if head is None:
        raise RnnvizError("provenance: this model has no head whose gradient could be told")
    if place.of not in (having := head_gradients(head)):
        raise RnnvizError(f"provenance: the head has a gradient of {', '.join(having)}, not {place.of!r}")
    outputs, units, time_steps = head.outputs, head.pooled.shape[-1], len(head.losses)
    for number, size, word in (
        (place.time_step, time_steps, "time step"),
        (place.output, outputs, "output"),
        (place.unit, units, "unit"),
    ):
        if not 1 <= number <= size:
            raise RnnvizError(f"provenance: the {word} must be from 1 to {size}, not {number}")
    t, output, unit = place.time_step - 1, place.output - 1, place.unit - 1
    if place.of == "y":
        value = float(head.prediction_grad[t, 0, output])
        loss = [Part(f"L at t = {t + 1}", value, 0.0, t + 1)] if value else []
        return Provenance(place, value, sized(loss), sized(_pulls(head, t, output)), ())
    value = float(head.weight_grads["weight"][output, unit])
    return Provenance(place, value, sized(_time_steps(head, output, unit)), (), ())


def _pulls(head: HeadTrace, t: int, output: int) -> Iterator[Part]:
    """The prediction, or its probability, and the target, each times what the loss weighs them with; where the loss
    counts."""
    if not head.loss_weight[t, 0]:
        return
    if head.probabilities is not None:
        words, made = "the probability", float(head.probabilities[t, 0, output])
    else:
        words, made = "the prediction", float(head.prediction[t, 0, output])
    if head.targets.ndim == 2:  # classes
        target, each = float(head.targets[t, 0] == output), 1.0
    else:
        target = float(head.targets[t, 0, output])
        each = (1.0 if head.probabilities is not None else 2.0) / head.outputs
    weight = each * float(head.loss_weight[t, 0])
    yield Part(f"{words} at t = {t + 1}", weight * made, 0.0, t + 1)
    yield Part(f"the target at t = {t + 1}", -weight * target, 0.0, t + 1)


def _time_steps(head: HeadTrace, output: int, unit: int) -> Iterator[Part]:
    """∂L/∂y_t times what the head read, of each time step with a loss."""
    delta, partner = head.factors["weight"]
    assert partner is not None  # of a matrix
    values = delta[:, 0, output].astype(np.float64) * partner[:, 0, unit]
    for t in np.flatnonzero(values):
        yield Part(f"L at t = {t + 1}", float(values[t]), 0.0, int(t) + 1)

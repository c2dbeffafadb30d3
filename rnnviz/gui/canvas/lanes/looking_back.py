"""Looking back: the attention weights of a decoder over the time steps of the encoder, as pictures need them."""

from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.trace import CallTrace, Trace
from rnnviz.gui.canvas.lanes.row import stretch


@dataclass(frozen=True, eq=False)
class LookingBack:
    """α[k, s] of one sequence."""

    weights: Array  # (U, S)
    later: range  # the decoder's time steps, 0-based on the axis
    earlier: range  # the encoder's

    def at(self, time_step: int) -> Array | None:
        """(S,) the weights at a time step of the decoder, from 1; None elsewhere."""
        return self.weights[time_step - 1 - self.later.start] if time_step - 1 in self.later else None


def looking_back(trace: Trace) -> LookingBack | None:
    """None without attention."""
    for call in trace.calls:
        head = call.call.head
        if head is not None and head.attention is not None:
            over = trace.calls[head.attention.over]
            later, earlier = stretch(call), stretch(over)
            scores = _outputs(call, later) @ head.attention.score @ _outputs(over, earlier).T
            with np.errstate(invalid="ignore"):
                sizes = np.exp(scores - scores.max(axis=1, keepdims=True))
                return LookingBack(sizes / sizes.sum(axis=1, keepdims=True), later, earlier)
    return None


def _outputs(call: CallTrace, own: range) -> Array:
    """(time steps, P) of a call of one sequence."""
    return call.output[own.start : own.stop, 0].astype(np.float64)

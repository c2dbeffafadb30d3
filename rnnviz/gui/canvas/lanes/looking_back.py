"""Looking back: the attention weights of a decoder over the time steps of the encoder, as pictures need them."""

from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.trace import Trace
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
        attention = None if call.head is None else call.head.attention
        if attention is not None:
            later, earlier = stretch(call), stretch(trace.calls[attention.over])
            weights = attention.weights[later.start : later.stop, 0].astype(np.float64)
            return LookingBack(weights, later, earlier)
    return None

"""Looking back: the attention weights of a decoder over the time steps of the encoder, as pictures need them."""

from dataclasses import dataclass

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.trace import Trace


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
    head = trace.head
    if head is None or head.attention is None:
        return None
    later, first = range(head.start, head.stop), head.attention.start
    earlier = range(first, first + head.attention.time_steps)
    return LookingBack(head.attention.weights[later.start : later.stop, 0], later, earlier)

"""What every cell offers, and the records its sweeps hand over.

Shapes: S time steps in the layer's own order, `B` is () for one sequence or (N,) for several, H hidden units,
P units of h (H without projection), G rows of the stacked weights (BLOCKS · H).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rnnviz.core.arrays import Array

Hold = Callable[[str, Array], None]  # ("h", "c", "a" or a gate's letter, its values), which it may write over


@dataclass(frozen=True)
class Weights:
    """The parameters of one layer and direction, torch's shapes and block order."""

    weight_ih: Array  # (G, I)
    weight_hh: Array  # (G, P)
    bias_ih: Array | None  # (G,)
    bias_hh: Array | None  # (G,)
    weight_hr: Array | None  # (P, H), the LSTM's projection


@dataclass(frozen=True)
class Forward:
    """What a cell computed at S time steps, all (S, *B, H) but h, which is (S, *B, P)."""

    h: Array
    c: Array | None
    previous_c: Array | None
    gates: dict[str, Array]
    pre_activations: dict[str, Array]
    inner: dict[str, Array]  # intermediate results the backward sweep asks for again


@dataclass(frozen=True)
class Backward:
    """The gradients of S time steps; hidden = direct + carried."""

    hidden: Array  # (S, *B, P)  ∂L/∂h
    carried: Array  # (S, *B, P)  the part of it that came from the next time step
    cell: Array | None  # (S, *B, H)  ∂L/∂c
    cell_path: Array | None  # (S, *B, H)  the part of it that came along c alone: f_{t+1} ⊙ ∂L/∂c_{t+1}
    delta: Array  # (S, *B, G)  ∂L/∂pre-activation, the factor of weight_ih's gradient
    recurrent_delta: Array  # (S, *B, G)  the same for weight_hh; another array only in the GRU


class Cell(Protocol):
    """One kind of cell: equations only; the loop over layers, directions and sequences belongs to the caller."""

    @property
    def blocks(self) -> tuple[str, ...]:
        """The pre-activations in the order in which torch stacks their rows."""

    @property
    def joint_bias(self) -> bool:
        """Whether b_ih + b_hh is all that counts, so that it can be added once."""

    def forward(
        self,
        weights: Weights,
        a_ih: Array,
        a_hh: Array,
        previous_h: Array,
        c0: Array | None,
        hold: Hold | None = None,
    ) -> Forward:
        """All quantities from a_ih = W_ih x + b_ih and a_hh = W_hh h_{t−1} + b_hh, both (S, *B, G) and used up.
        With `joint_bias` the first has both biases and the second none.

        `previous_h` (S, *B, P) is h_{t−1} of every time step, `c0` (*B, H) the LSTM's first cell state. `hold` is
        shown each quantity as soon as it is computed and before anything uses it; c's for one time step at a time only.
        """

    def slopes(self, forward: Forward, previous_h: Array) -> dict[str, Array]:
        """The derivatives of each time step's operations, as the backward sweep multiplies them."""

    def close(self, slopes: Mapping[str, Array], name: str, where: Array) -> None:
        """Zeroes, in place, the derivatives that end where the quantity called `name` was set by hand.

        `where` (…, H) is True there; not for h, whose own gradient is what must not be passed on.
        """

    def backward(self, weights: Weights, slopes: Mapping[str, Array], direct: Array) -> Backward:
        """The reverse scan: from direct ∂L_t/∂h_t (S, *B, P) to all gradients, last time step first."""

    def pull_back(
        self, weights: Weights, slopes: Mapping[str, Array], hidden: Array, cell: Array | None
    ) -> tuple[Array, Array | None, Array]:
        """One time step backward for K gradients at once, slopes of that time step without axis S.

        `hidden` (K, P) is ∂/∂h_t, `cell` (K, H) what arrives at c_t other than through h_t. Returns both for
        time step t−1 and the pre-activations' gradient (K, G).
        """


def sigmoid(a: Array, out: Array | None = None) -> Array:
    """1 / (1 + e^−a), exact to the last bits also where it is tiny; a below −88 (float32) gives 0, not an error."""
    out = np.negative(a, out=out)
    np.exp(out, out=out)
    out += 1
    return np.reciprocal(out, out=out)

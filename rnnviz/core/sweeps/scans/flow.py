"""Where gradients go: the gradient-flow matrix, step Jacobians, their norms and spectra, and the geometric bound.

Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013.
"""

import math
from collections.abc import Mapping

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps.scans.lanes import lanes
from rnnviz.core.sweeps.scans.swept import Swept, all_rows, cut_before, known_jacobians
from rnnviz.core.sweeps.scans.wanted import Wanted, finished
from rnnviz.core.sweeps.steps.nodes import StepBack
from rnnviz.core.sweeps.steps.window import folded_back


def gradient_flow(layer: Swept, sample: int) -> Array:
    """(T, T) float64 F[k, t] = ‖∂L_k/∂h_t‖ of one sequence, from one reverse scan that carries every k at once;
    of a cell whose output is not carried it is that of its states.

    L_k is the loss at time step k, seeded by ∂L_k/∂output_k, through a pooling over time by ∂L_k/∂output_t of every
    t ≤ k; below the top layer each k comes down through the layers above. Zero where k does not reach t, and beyond the
    sequence's length.
    """
    return finished(lanes(layer, sample, Wanted(all_rows(layer)))).norms


def input_flow(layer: Swept, sample: int) -> Array:
    """(T, T) float64 ‖∂L_k/∂x_t‖ of one sequence, by one direction of the lowest layer; a window's gradients are folded
    back to the inputs in it."""
    found = finished(lanes(layer, sample, Wanted(all_rows(layer), inputs=True)))
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(l2(folded_back(found.inputs, layer.window)).T)


def loss_parts(layer: Swept, t: int, sample: int) -> tuple[Array, Mapping[str, Array]]:
    """What of every L_k comes to the output of one time step t (0-based) from outside of it (T of k, P), and what of it
    the neighbouring time step sends to each state (T of k, ·). Their sums over k are `direct_grad` + `arriving` of the
    output, and `arriving`."""
    found = finished(lanes(layer, sample, Wanted(all_rows(layer), stop=t)))
    return found.hidden, found.arriving


@np.errstate(all="ignore")
def step_jacobian(layer: Swept, t: int, sample: int = 0) -> Array:
    """∂h_t/∂h_{t−1} (P, P) of one sequence, `t` 0-based; of a cell with several states that of all, for an LSTM of
    (h, c), (P + H, P + H); of one without states (0, 0).

    In a reverse layer t−1 is the neighbour its own direction came from. Row: output; column: what it is derived by.
    """
    sizes = [layer.structure.units(state) for state in layer.equations.states]
    if not sizes:
        return np.zeros((0, 0), layer.output.dtype)
    if layer.equations.recorded:
        known = known_jacobians(layer).step[t]
        return np.zeros_like(known) if cut_before(layer, t) else known
    lanes = np.eye(sum(sizes), dtype=layer.output.dtype)
    given = dict(zip(layer.equations.states, np.split(lanes, np.cumsum(sizes)[:-1], axis=1), strict=True))
    before, _ = StepBack(layer.slopes)((t, sample), given, layer.closed)
    if cut_before(layer, t):
        return np.zeros_like(lanes)
    parts = [
        before.get(state, np.zeros((len(lanes), size), lanes.dtype))
        for state, size in zip(layer.equations.states, sizes, strict=True)
    ]
    return np.concatenate(parts, axis=-1)


def spectral_norm(matrix: Array) -> float:
    """The largest singular value; NaN where the matrix is not finite."""
    exact = np.asarray(matrix, np.float64)
    return _largest(np.linalg.svd(exact, compute_uv=False)) if np.isfinite(exact).all() else math.nan


def spectral_radius(matrix: Array) -> float:
    """The largest |eigenvalue| of a square matrix; NaN where it is not finite."""
    exact = np.asarray(matrix, np.float64)
    return _largest(np.abs(np.linalg.eigvals(exact))) if np.isfinite(exact).all() else math.nan


def _largest(sizes: Array) -> float:
    """0 where there are none: the Jacobian of a cell without states."""
    return float(sizes.max(initial=0.0))


def geometric_rate(layer: Swept, sample: int = 0) -> float:
    """γ of the bound ‖∂h_k/∂h_t‖ ≤ γ^{k−t}.

    Vanilla: ‖W_hh‖ · max φ′, known without any data (Pascanu 2013, eq. 6). Gated cells have no such constant, so γ is
    the largest spectral norm of their step Jacobians in this sequence.
    """
    if layer.equations.slope_limit is not None:
        return spectral_norm(layer.weights["weight_hh"]) * layer.equations.slope_limit
    return max(spectral_norm(step_jacobian(layer, t, sample)) for t in layer.times(sample))


@np.errstate(all="ignore")
def geometric_bound(rate: float, time_steps: int) -> Array:
    """(T, T) float64 γ^{k−t} for t ≤ k and 0 elsewhere, to be drawn beside F[k, t] / F[k, k]."""
    distance = np.subtract.outer(np.arange(time_steps), np.arange(time_steps))
    return np.where(distance >= 0, np.power(rate, np.maximum(distance, 0), dtype=np.float64), 0.0)

"""Where gradients go: the gradient-flow matrix, step Jacobians, their norms and spectra, and the geometric bound.

Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer


@np.errstate(all="ignore")
def gradient_flow(layer: "Layer", sample: int) -> Array:
    """(T, T) float64 F[k, t] = ‖∂L_k/∂h_t‖ of one sequence, from one reverse scan that carries every k at once.

    L_k is the loss at time step k, seeded by ∂L_k/∂output_k; below the top layer each k comes down through the layers
    above. Zero where k does not reach t, and beyond the sequence's length.
    """
    return _lanes(layer, sample, inputs_wanted=False).norms


@np.errstate(all="ignore")
def loss_parts(layer: "Layer", t: int, sample: int) -> tuple[Array, Array | None]:
    """∂L_k/∂h_t (T of k, P) for one time step t (0-based) and every k, and what comes to c_t along the cell state
    (T of k, H; None without one). Their sums over k are `hidden_grad` and `cell_path_grad`."""
    lanes = _lanes(layer, sample, inputs_wanted=False, stop=t)
    return lanes.hidden, lanes.cell


class _Lanes(NamedTuple):
    """The lanes of all L_k after a reverse scan, or where it was stopped."""

    norms: Array  # F[k, t]
    inputs: Array  # (T of t, T of k, I) ∂L_k/∂x_t if wanted for the layer below, else empty
    hidden: Array  # (T of k, P)
    cell: Array | None  # (T of k, H)


def _lanes(layer: "Layer", sample: int, inputs_wanted: bool, stop: int = -1) -> _Lanes:
    """The reverse scan of all lanes at once, or as far as time step `stop`, which keeps its ∂L_k/∂h."""
    time_steps = len(layer.h)
    length = time_steps if layer.lengths is None else int(layer.lengths[sample])
    arriving = _arriving(layer, sample)  # (T of t, T of k, P) or None at the top
    hidden = np.zeros((time_steps, layer.h.shape[-1]), layer.h.dtype)  # lane k in row k
    cell = None if layer.c is None else np.zeros((time_steps, layer.c.shape[-1]), layer.h.dtype)
    norms = np.zeros((time_steps, time_steps))
    inputs = np.zeros((time_steps, time_steps, layer.x.shape[-1]) if inputs_wanted else (0, 0, 0), layer.h.dtype)
    both_ways = len(layer.above) > 1
    for t in range(length) if layer.reverse else range(length - 1, -1, -1):
        # lanes that have begun; the others are zero anyway
        lanes = slice(0, length) if both_ways else slice(0, t + 1) if layer.reverse else slice(t, length)
        if arriving is None:
            hidden[t] += layer.direct_grad[t, sample]
        else:
            hidden[lanes] += arriving[t, lanes]
        norms[lanes, t] = l2(hidden[lanes])
        if t == stop:
            break
        before = pull_back(layer, t, sample, hidden[lanes], None if cell is None else cell[lanes])
        hidden[lanes] = before[0]
        if cell is not None:
            cell[lanes] = before[1]
        if inputs_wanted:
            np.dot(before[2], layer.weights.weight_ih, out=inputs[t, lanes])
    return _Lanes(norms, inputs, hidden, cell)


def _arriving(layer: "Layer", sample: int) -> Array | None:
    """(T of t, T of k, P) what the layer above hands down to h_t from each L_k."""
    if not layer.above:
        return None
    width = layer.h.shape[-1]
    start = width if layer.reverse else 0
    whole = [_lanes(above, sample, inputs_wanted=True).inputs for above in layer.above]
    return np.asarray(sum(part[..., start : start + width] for part in whole))


def pull_back(
    layer: "Layer", t: int, sample: int, hidden: Array, cell: Array | None
) -> tuple[Array, Array | None, Array]:
    """`Cell.pull_back` of one sequence at time step `t` (0-based), ending where a state was set or the gradient cut."""
    slopes = {name: slope[t, sample] for name, slope in layer.slopes.items()}
    if layer.held is not None:
        hidden = np.where(layer.held[t, sample], hidden.dtype.type(0), hidden)
    before, along, delta = layer.equations.pull_back(layer.weights, slopes, hidden, cell)
    previous = t + 1 if layer.reverse else t - 1
    if layer.cut is not None and 0 <= previous < len(layer.cut) and layer.cut[previous]:
        before, along = np.zeros_like(before), None if along is None else np.zeros_like(along)
    return before, along, delta


@np.errstate(all="ignore")
def step_jacobian(layer: "Layer", t: int, sample: int = 0) -> Array:
    """∂h_t/∂h_{t−1} (P, P) of one sequence, `t` 0-based; for an LSTM of the joint state (h, c), (P + H, P + H).

    In a reverse layer t−1 is the neighbour its own direction came from. Row: output; column: what it is derived by.
    """
    width = layer.h.shape[-1]
    size = width + (0 if layer.c is None else layer.c.shape[-1])
    lanes = np.eye(size, dtype=layer.h.dtype)
    cell = None if layer.c is None else lanes[:, width:]
    hidden, along, _ = pull_back(layer, t, sample, lanes[:, :width], cell)
    return hidden if along is None else np.concatenate((hidden, along), axis=-1)


def spectral_norm(matrix: Array) -> float:
    """The largest singular value; NaN where the matrix is not finite."""
    exact = np.asarray(matrix, np.float64)
    return float(np.linalg.norm(exact, 2)) if np.isfinite(exact).all() else math.nan


def spectral_radius(matrix: Array) -> float:
    """The largest |eigenvalue| of a square matrix; NaN where it is not finite."""
    exact = np.asarray(matrix, np.float64)
    return float(np.abs(np.linalg.eigvals(exact)).max()) if np.isfinite(exact).all() else math.nan


def geometric_rate(layer: "Layer", sample: int = 0) -> float:
    """γ of the bound ‖∂h_k/∂h_t‖ ≤ γ^{k−t}.

    Vanilla: ‖W_hh‖ · max φ′, known without any data (Pascanu 2013, eq. 6). Gated cells have no such constant, so γ is
    the largest spectral norm of their step Jacobians in this sequence.
    """
    if layer.cell == "vanilla":
        return spectral_norm(layer.weights.weight_hh) * (0.25 if layer.activation == "sigmoid" else 1.0)
    length = len(layer.h) if layer.lengths is None else int(layer.lengths[sample])
    return max(spectral_norm(step_jacobian(layer, t, sample)) for t in range(length))


@np.errstate(all="ignore")
def geometric_bound(rate: float, time_steps: int) -> Array:
    """(T, T) float64 γ^{k−t} for t ≤ k and 0 elsewhere, to be drawn beside F[k, t] / F[k, k]."""
    distance = np.subtract.outer(np.arange(time_steps), np.arange(time_steps))
    return np.where(distance >= 0, np.power(rate, np.maximum(distance, 0), dtype=np.float64), 0.0)

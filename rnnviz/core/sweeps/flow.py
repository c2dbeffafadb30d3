"""Where gradients go: the gradient-flow matrix, step Jacobians, their norms and spectra, and the geometric bound.

Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.cells import Cell
from rnnviz.core.magnitude import l2
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.nodes import Slopes, StepBack
from rnnviz.core.sweeps.pooling import PooledGrads
from rnnviz.core.sweeps.window import folded_back


class Swept(Protocol):
    """What of a layer tells where its gradients go."""

    @property
    def structure(self) -> Structure: ...
    @property
    def equations(self) -> Cell: ...
    @property
    def slopes(self) -> Slopes: ...
    @property
    def weights(self) -> Mapping[str, Array]: ...
    @property
    def above(self) -> "Sequence[Swept]": ...
    @property
    def reverse(self) -> bool: ...
    @property
    def lengths(self) -> Array | None: ...
    @property
    def cell_input(self) -> Array: ...
    @property
    def window(self) -> int: ...
    @property
    def output(self) -> Array: ...
    @property
    def direct_grad(self) -> Array: ...
    @property
    def closed(self) -> Mapping[str, Array] | None: ...
    @property
    def cut(self) -> Array | None: ...
    @property
    def pooled(self) -> PooledGrads | None: ...


@one_blas_thread
@np.errstate(all="ignore")
def gradient_flow(layer: Swept, sample: int) -> Array:
    """(T, T) float64 F[k, t] = ‖∂L_k/∂h_t‖ of one sequence, from one reverse scan that carries every k at once;
    of a cell whose output is not carried it is that of its states.

    L_k is the loss at time step k, seeded by ∂L_k/∂output_k, through a pooling over time by ∂L_k/∂output_t of every
    t ≤ k; below the top layer each k comes down through the layers above. Zero where k does not reach t, and beyond the
    sequence's length.
    """
    return _lanes(layer, sample, inputs_wanted=False).norms


@one_blas_thread
@np.errstate(all="ignore")
def input_flow(layer: Swept, sample: int) -> Array:
    """(T, T) float64 ‖∂L_k/∂x_t‖ of one sequence, by one direction of the lowest layer; a window's gradients are folded
    back to the inputs in it."""
    parts = folded_back(_lanes(layer, sample, inputs_wanted=True).inputs, layer.window)
    return np.ascontiguousarray(l2(parts).T)


@np.errstate(all="ignore")
def loss_parts(layer: Swept, t: int, sample: int) -> tuple[Array, Mapping[str, Array]]:
    """What of every L_k comes to the output of one time step t (0-based) from outside of it (T of k, P), and what of it
    the neighbouring time step sends to each state (T of k, ·). Their sums over k are `direct_grad` + `arriving` of the
    output, and `arriving`."""
    lanes = _lanes(layer, sample, inputs_wanted=False, stop=t)
    return lanes.hidden, lanes.arriving


class _Lanes(NamedTuple):
    """The lanes of all L_k after a reverse scan, or where it was stopped."""

    norms: Array  # F[k, t]
    inputs: Array  # (T of t, T of k, ·) ∂L_k/∂ what the cell reads at t if wanted for what is below, else empty
    hidden: Array  # (T of k, P)
    arriving: Mapping[str, Array]  # (T of k, ·) by state


def _lanes(layer: Swept, sample: int, inputs_wanted: bool, stop: int = -1) -> _Lanes:
    """The reverse scan of all lanes at once, or as far as time step `stop`, which keeps its ∂L_k/∂h."""
    cell, time_steps = layer.equations, len(layer.output)
    length = time_steps if layer.lengths is None else int(layer.lengths[sample])
    from_above = _from_above(layer, sample)  # (T of t, T of k, P) or None at the top
    states = {
        state: np.zeros((time_steps, layer.structure.units(state)), layer.output.dtype)  # lane k in row k
        for state in cell.states
    }
    hidden = np.zeros((time_steps, layer.output.shape[-1]), layer.output.dtype)
    norms = np.zeros((time_steps, time_steps))
    inputs = np.zeros(
        (time_steps, time_steps, layer.cell_input.shape[-1]) if inputs_wanted else (0, 0, 0), layer.output.dtype
    )
    both_ways = len(layer.above) > 1 or (layer.reverse and layer.pooled is not None)
    back = StepBack(layer.slopes, inputs_wanted)
    for t in range(length) if layer.reverse else range(length - 1, -1, -1):
        # lanes that have begun; the others are zero anyway
        lanes = slice(0, length) if both_ways else slice(0, t + 1) if layer.reverse else slice(t, length)
        arriving = {state: lane[lanes] for state, lane in states.items()}
        given = dict(arriving)
        direct = np.zeros_like(hidden[lanes])
        if from_above is not None:
            direct += from_above[t, lanes]
        elif layer.pooled is not None:
            direct += layer.pooled.reaching(t, sample)[lanes]
        else:
            direct[t - lanes.start] = layer.direct_grad[t, sample]
        given[cell.output] = given[cell.output] + direct if cell.output in given else direct
        before, found = back((t, sample), given, layer.closed)
        norms[lanes, t] = _norms([found[node.name] for node in cell.followed if node.name in found])
        if t == stop:
            hidden[lanes] = given[cell.output]
            break
        if inputs_wanted and "x" in found:
            inputs[t, lanes] = found["x"]
        for state, lane in states.items():
            lane[lanes] = 0 if _cut_before(layer, t) else before.get(state, 0)
    return _Lanes(norms, inputs, hidden, states)


def _norms(parts: Sequence[Array]) -> Array:
    """Of each lane, of all parts together."""
    return l2(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1))


def _cut_before(layer: Swept, t: int) -> bool:
    """Whether nothing is carried from time step `t` to the state it began with."""
    previous = t + 1 if layer.reverse else t - 1
    return layer.cut is not None and 0 <= previous < len(layer.cut) and bool(layer.cut[previous])


def _from_above(layer: Swept, sample: int) -> Array | None:
    """(T of t, T of k, P) what the layer above hands down to h_t from each L_k."""
    if not layer.above:
        return None
    width = layer.output.shape[-1]
    start = width if layer.reverse else 0
    whole = [_lanes(above, sample, inputs_wanted=True).inputs for above in layer.above]
    return np.asarray(sum(part[..., start : start + width] for part in whole))


@np.errstate(all="ignore")
def step_jacobian(layer: Swept, t: int, sample: int = 0) -> Array:
    """∂h_t/∂h_{t−1} (P, P) of one sequence, `t` 0-based; of a cell with several states that of all, for an LSTM of
    (h, c), (P + H, P + H); of one without states (0, 0).

    In a reverse layer t−1 is the neighbour its own direction came from. Row: output; column: what it is derived by.
    """
    sizes = [layer.structure.units(state) for state in layer.equations.states]
    if not sizes:
        return np.zeros((0, 0), layer.output.dtype)
    lanes = np.eye(sum(sizes), dtype=layer.output.dtype)
    given = dict(zip(layer.equations.states, np.split(lanes, np.cumsum(sizes)[:-1], axis=1), strict=True))
    before, _ = StepBack(layer.slopes)((t, sample), given, layer.closed)
    if _cut_before(layer, t):
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
    length = len(layer.output) if layer.lengths is None else int(layer.lengths[sample])
    return max(spectral_norm(step_jacobian(layer, t, sample)) for t in range(length))


@np.errstate(all="ignore")
def geometric_bound(rate: float, time_steps: int) -> Array:
    """(T, T) float64 γ^{k−t} for t ≤ k and 0 elsewhere, to be drawn beside F[k, t] / F[k, k]."""
    distance = np.subtract.outer(np.arange(time_steps), np.arange(time_steps))
    return np.where(distance >= 0, np.power(rate, np.maximum(distance, 0), dtype=np.float64), 0.0)

"""Weight gradients as sums over time: the whole, the share of each time step, and how much has been accumulated.

Every weight gradient is Σ_t Σ_n δ_{t,n} v_{t,n}ᵀ with a factor δ (T, N, R) and a partner v (T, N, C); a bias has no
partner. The T matrices themselves are never built where it can be avoided: ‖δ vᵀ‖_F = ‖δ‖ ‖v‖ for one sequence, and for
several ‖Σ_n δ_n v_nᵀ‖_F² = Σ_{n,m} (δ_n·δ_m)(v_n·v_m), the sum over a product of Gram matrices.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.magnitude import l2

_GRAM_COLUMNS = 4096  # above this many (t, n) pairs the T × T Gram matrix costs more memory than adding up does


class Factors(NamedTuple):
    """The two factors of one parameter's gradient, (T, N, R) and (T, N, C) or None for a bias."""

    delta: Array
    partner: Array | None

    def turned(self) -> "Factors":
        """The same with the last time step first."""
        return Factors(self.delta[::-1], None if self.partner is None else self.partner[::-1])


@one_blas_thread
@np.errstate(all="ignore")
def totals(parameters: Mapping[str, Factors]) -> dict[str, Array]:
    """∂L/∂W (R, C) or ∂L/∂b (R,) of each parameter, summed over t and n by one GEMM."""
    found, sums = dict[str, Array](), dict[int, Array]()
    for name, (delta, partner) in parameters.items():
        rows = delta.reshape(-1, delta.shape[-1])
        if partner is not None:
            found[name] = np.asarray(np.dot(rows.T, partner.reshape(-1, partner.shape[-1])))
        else:
            if id(delta) not in sums:  # both biases, but in the GRU, have the same gradient
                sums[id(delta)] = rows.sum(axis=0)
            found[name] = sums[id(delta)]
    return found


@one_blas_thread
@np.errstate(all="ignore")
def all_shares(parameters: Mapping[str, Factors]) -> dict[str, Array]:
    """(T,) float64 ‖(∂L/∂W)|_t‖_F of each time step t, for each parameter."""
    norms = dict[int, Array]()  # parameters have factors in common: for one sequence each is measured once

    def norm(values: Array) -> Array:
        if id(values) not in norms:
            norms[id(values)] = l2(values[:, 0])
        return norms[id(values)]

    found = dict[str, Array]()
    for name, factors in parameters.items():
        if factors.delta.shape[1] > 1:
            found[name] = _batch_shares(factors)
        elif factors.partner is None:
            found[name] = norm(factors.delta)
        else:
            found[name] = norm(factors.delta) * norm(factors.partner)
    return found


def _batch_shares(factors: Factors) -> Array:
    """The shares of several sequences, by Gram matrices."""
    delta, partner = factors
    if partner is None:
        return l2(delta.sum(axis=1, dtype=np.float64))
    delta, delta_scale = _scaled(delta, axis=(1, 2))
    partner, partner_scale = _scaled(partner, axis=(1, 2))
    squares = (_gram(delta) * _gram(partner)).sum(axis=(1, 2))
    return np.asarray(np.sqrt(np.maximum(squares, 0)) * delta_scale[:, 0, 0] * partner_scale[:, 0, 0])


@one_blas_thread
@np.errstate(all="ignore")
def accumulated(factors: Factors) -> Array:
    """(T,) float64 ‖Σ_{s≥t} (∂L/∂W)|_s‖_F: what the backward sweep has gathered once it has done t, last t first."""
    delta, delta_scale = _scaled(factors.delta, axis=(0, 1, 2))
    partner, scale = factors.partner, delta_scale[0, 0, 0]
    if partner is None:
        return np.asarray(l2(np.cumsum(delta.sum(axis=1)[::-1], axis=0)[::-1]) * scale)
    partner, partner_scale = _scaled(partner, axis=(0, 1, 2))
    length, sequences = delta.shape[:2]
    if length * sequences <= _GRAM_COLUMNS:
        norms = _accumulated_by_gram(
            delta.reshape(length * sequences, -1), partner.reshape(length * sequences, -1), length
        )
    else:
        norms = _accumulated_by_sum(delta, partner)
    return np.asarray(norms * scale * partner_scale[0, 0, 0])


def _accumulated_by_gram(delta: Array, partner: Array, length: int) -> Array:
    """‖Σ_{s≥t}‖² grows by the product of Gram matrices in row and column t when t is added."""
    pairs = np.dot(delta, delta.T) * np.dot(partner, partner.T)
    width = len(delta) // length
    blocks = pairs.reshape(length, width, length, width).sum(axis=(1, 3))  # (T, T)
    added = np.diagonal(blocks) + 2 * np.triu(blocks, 1).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(np.cumsum(added[::-1])[::-1], 0)))


def _accumulated_by_sum(delta: Array, partner: Array) -> Array:
    norms = np.empty(len(delta))
    gathered = np.zeros((delta.shape[-1], partner.shape[-1]))
    for t in range(len(delta) - 1, -1, -1):
        gathered += np.dot(delta[t].T, partner[t])
        norms[t] = np.sqrt(np.vdot(gathered, gathered))
    return norms


def _gram(values: Array) -> Array:
    """(T, N, N) inner products of the sequences at each time step."""
    return np.asarray(np.matmul(values, values.swapaxes(1, 2)))


def _scaled(values: Array, axis: tuple[int, ...]) -> tuple[Array, Array]:
    """float64 values with the largest along `axis` brought to 1, and the scale that was taken out."""
    exact = values.astype(np.float64)
    largest = np.max(np.abs(exact), axis=axis, keepdims=True, initial=0)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    return exact / scale, scale

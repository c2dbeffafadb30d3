"""Asked step Jacobians: what only the engine can tell of a user's own cell, and gradients of losses carried by them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.cells import Cell
from rnnviz.core.errors import RnnvizError
from rnnviz.core.magnitude import l2
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.heads.pooling import PooledGrads
from rnnviz.core.sweeps.scans.wanted import Wanted


class Driven(Protocol):
    """What of a layer is needed beside its step Jacobians."""

    @property
    def structure(self) -> Structure: ...
    @property
    def equations(self) -> Cell: ...
    @property
    def output(self) -> Array: ...
    def times(self, sample: int) -> range: ...
    @property
    def cut(self) -> Array | None: ...
    @property
    def direct_grad(self) -> Array: ...
    @property
    def pooled(self) -> PooledGrads | None: ...


@dataclass(frozen=True, eq=False)
class Asked(FrozenArrays):
    """The step Jacobians of one sequence, as the engine told them; S units of all states side by side.

    Every state counts as a value of its own, also where one is computed from another in the same time step: `within`
    says how. ∂L/∂ state_t = within_tᵀ λ_t, where λ_t is what comes to each state from outside of its time step.
    """

    step: Array  # (T, S, S) ∂ states_t / ∂ states_{t−1}
    within: Array  # (T, S, S) ∂ states_t / ∂ states_t of the same time step, 1 on the diagonal
    inputs: Array  # (T, S, I) ∂ states_t / ∂x_t


class NotAskedError(RnnvizError):
    """What is wanted is known to the engine alone, which was not asked yet."""


@dataclass(eq=False)
class Carried:
    """What a scan has gathered so far, one row for each of K losses."""

    norms: Array  # (K, T) of the output
    states: dict[str, Array]  # (K, T) by state that is wanted
    inputs: Array  # (T, K, I) if wanted, else empty
    hidden: Array  # (K, P) ∂L_k/∂ output where it was stopped
    arriving: dict[str, Array] = field(default_factory=dict)  # (K, ·) what had come there


@np.errstate(all="ignore")
def carry(layer: Driven, asked: Asked, wanted: Wanted, found: Carried) -> Iterator[int]:
    """Fills `found` from the last time step of the one sequence to the first; yields the multiply-adds of each."""
    cell, places, start = layer.equations, dict[str, slice](), 0
    for state in cell.states:
        places[state] = slice(start, start + layer.structure.units(state))
        start = places[state].stop
    came = np.zeros((len(found.norms), start), layer.output.dtype)
    for t in reversed(layer.times(0)):
        if t == wanted.stop:
            found.arriving = {state: came[:, columns].copy() for state, columns in places.items()}
        output = places[cell.output]
        came[:, output] += _direct(layer, wanted, t)
        total = _times(came, asked.within[t])
        found.norms[:, t] = l2(total[:, output])
        for state, norms in found.states.items():
            norms[:, t] = l2(total[:, places[state]])
        if wanted.inputs:
            found.inputs[t] = _times(came, asked.inputs[t])
        if t == wanted.stop:
            found.hidden[...] = total[:, output]
            return
        came = _times(came, asked.step[t]) if t and not (layer.cut is not None and layer.cut[t - 1]) else came * 0
        for state in wanted.detached:
            came[:, places[state]] = 0
        yield max(came.size * start, 1)


@one_blas_thread
def _times(rows: Array, matrix: Array) -> Array:
    return np.asarray(np.dot(rows, matrix))


def _direct(layer: Driven, wanted: Wanted, t: int) -> Array:
    """(K, P) what comes to the output of one time step from each loss, from outside the layer."""
    own = layer.direct_grad[t, 0]
    if wanted.summed:
        return np.asarray(own[None])
    if layer.pooled is not None and wanted.unit is None:
        return np.asarray(layer.pooled.reaching(t, 0)[wanted.rows])
    sent = own if wanted.unit is None else wanted.unit.astype(own.dtype)
    return np.where((wanted.rows == t)[:, None], sent, own.dtype.type(0))

"""Lyapunov spectrum of a driven network: how fast small changes of its state grow or fade, per time step.

The exponents are the mean logarithms of the diagonal of R where step Jacobians go into an orthonormal basis that a QR
sets up anew (Benettin et al. 1980; for recurrent networks Engelken, Wolf & Abbott 2020): with λ₁ < 0 a network forgets
how it began, with λ₁ > 0 it is chaotic.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.gradients.jacobians import jacobian_blocks, time_steps
from rnnviz.core.gradients.orthonormal import rounding, triangle
from rnnviz.core.sweeps.layer import Layer

TRANSIENT = 0.1  # the share of a sequence that is left out: until the basis has turned


@dataclass(frozen=True, eq=False)
class Lyapunov(FrozenArrays):
    """Lyapunov exponents, as far as the time steps up to now tell them."""

    exponents: Array  # (S,) falling, per time step; −∞ of a direction that is lost, NaN before any is counted and
    # where a step Jacobian is not finite
    counted: int  # time steps they are the mean of
    left_out: int  # before these


def lyapunov(jacobians: Iterable[Array], left_out: int = 0, every: int = 1) -> Iterator[Lyapunov]:
    """The exponents after each QR, from step Jacobians (S, S) in the order of time; none of none.

    `left_out`: the transient, in time steps, of which no logarithms are counted. `every`: Jacobians between two QRs;
    above 1 it is quicker, and loses exponents that are ln(1e16) / `every` below the largest.
    """
    stream, passed, counted = iter(jacobians), 0, 0
    basis, total = np.zeros((0, 0)), np.zeros(0)
    while some := list(islice(stream, min(every, left_out - passed) if passed < left_out else every)):
        if not passed:
            basis, total = np.eye(len(some[0])), np.zeros(len(some[0]))
        basis, logs = _stretched(some, basis)
        passed += len(some)
        if passed > left_out:
            total, counted = total + logs, counted + len(some)
        elif np.isnan(logs).any():
            total = logs
        exponents = -np.sort(-total) / counted if counted else np.full(len(total), np.nan)
        yield Lyapunov(frozen(exponents), counted, passed - counted)
        if np.isnan(total).any():
            return


@one_blas_thread
@np.errstate(all="ignore")
def _stretched(jacobians: Sequence[Array], basis: Array) -> tuple[Array, Array]:
    """The basis after some Jacobians, and (S,) the logarithms of what each direction was stretched by."""
    product = basis
    for jacobian in jacobians:
        before, last = product, jacobian.astype(np.float64, copy=False)
        product = last @ before
    if not np.isfinite(product).all():
        return basis, np.full(len(basis), np.nan)
    basis, upper = triangle(product)
    diagonal = np.diagonal(upper)
    return basis, np.log(np.where(diagonal > rounding(last, before), diagonal, 0))


def layer_lyapunov(layer: Layer, sample: int = 0, transient: float = TRANSIENT, every: int = 1) -> Iterator[Lyapunov]:
    """The exponents of one layer driven by one sequence, along its own direction, after each QR; `transient` is the
    share of its time steps that is left out."""
    blocks = jacobian_blocks(layer, sample, layer.reverse)
    jacobians = (one for _, block in blocks for one in (block[::-1] if layer.reverse else block))
    return lyapunov(jacobians, int(transient * time_steps(layer, sample)), every)

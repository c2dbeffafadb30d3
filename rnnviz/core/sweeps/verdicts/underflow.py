"""Underflow: gradients below what float32 holds, which the float64 rebuild of a trace still has."""

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps.layer import Layer

SURE = 1e-34  # from here up float32 keeps a norm's digits; its smallest normal number is 1.2e-38


def underflows(layer: Layer) -> bool:
    """Whether the gradient that is followed falls below what float32 holds at a time step it has come to."""
    if layer.h.dtype != np.float32 or layer.equations.recorded:  # what was recorded cannot be rebuilt in float64
        return False
    norms = l2(layer.followed_grad)  # (T, N)
    small = (norms < SURE) & layer.inside  # padding is truly 0
    if layer.reverse:
        norms, small = norms[::-1], small[::-1]
    reached = np.logical_or.accumulate(norms[::-1] > 0)[::-1]  # time steps after the last loss are truly 0
    return bool((reached & small).any())


def held(kept: Array, exact: Array) -> tuple[Array, Array]:
    """Magnitudes of float32 numbers, with the exact ones (both float64) where float32 is not sure of its digits, and
    True where it has lost them: where the exact one is no normal number of float32, and not zero."""
    unsure = (kept < SURE) & (exact > 0)
    lost = (exact > 0) & (exact < float(np.finfo(np.float32).tiny)) & unsure
    return np.where(unsure, exact, kept), lost


def unlost(kept: Array, exact: Array) -> Array:
    """float64 numbers of any sign: those of float32, and the exact ones where float32 is not sure of their digits."""
    return np.where((np.abs(kept) < SURE) & (exact != 0), exact, kept.astype(np.float64))

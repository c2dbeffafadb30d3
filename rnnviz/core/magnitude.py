"""Magnitude of a quantity: norms in float64, logarithms that keep zero and NaN, saturation."""

import numpy as np

from rnnviz.core.arrays import Array

SATURATED_BELOW, SATURATED_ABOVE = 0.1, 0.9  # Karpathy 2015


def l2(array: Array, axis: int = -1) -> Array:
    """The L2 norm along `axis` in float64: never 0 unless every value is 0, never ∞ unless one is; NaN stays NaN.

    A float32 norm reads 0 long before the gradient is: squares of float32 values always fit float64, those of
    float64 values are scaled by the largest first.
    """
    values = array if axis == -1 else np.moveaxis(array, axis, -1)
    if values.dtype == np.float64:
        return _scaled_l2(values)
    values = values.astype(np.float64)
    return np.asarray(np.sqrt(np.vecdot(values, values)))


@np.errstate(all="ignore")
def _scaled_l2(values: Array) -> Array:
    norms = np.sqrt(np.vecdot(values, values))
    risky = ~((norms > 1e-140) & (norms < 1e140))  # squares that left the range of float64, or zero, ∞ and NaN
    if values.shape[-1] and risky.any():
        largest = np.max(np.abs(values), axis=-1)
        scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
        scaled = values / scale[..., None]
        norms = np.where(risky, np.sqrt(np.vecdot(scaled, scaled)) * scale, norms)
    return np.asarray(norms)


@np.errstate(all="ignore")
def log10(values: Array) -> Array:
    """log₁₀ in float64; zero becomes −∞ and NaN stays NaN, so that a view can draw each as itself."""
    return np.log10(np.asarray(values, np.float64))


@np.errstate(all="ignore")
def saturation(gate: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """The share of a gate's values below 0.1 or above 0.9 (Karpathy 2015), over `axis`, by default over all."""
    return np.asarray(np.mean((gate < SATURATED_BELOW) | (gate > SATURATED_ABOVE), axis=axis))

"""A magnitude in words, from its logarithm."""

import numpy as np

from rnnviz.core.numbers import power, short


def magnitude_words(log: float) -> str:
    """A magnitude from its log₁₀: 5.3·10⁻⁸, 0, NaN, +∞."""
    if np.isneginf(log):
        return "0"
    if not np.isfinite(log) or -300 < log < 300:
        return short(10.0**log)
    return power(round(log))

"""Gradient noise: Gaussian numbers added to the gradient, smaller from training step to training step.

ĝ_s = g̃_s + σ_s ξ_s with σ_s² = ν / s^0.55 (Neelakantan et al. 2015, equation 1, whose t is s − 1), ξ standard normal.
The numbers depend on seed, training step, model and parameter alone, so that whoever shows an update has them too.
"""

import math
import zlib

import numpy as np

from rnnviz.core.arrays import Array

FADING = 0.55  # γ of the paper
_STREAM = 5  # which stream of random numbers: batches and validation have others


def deviation(noise: float, training_step: int) -> float:
    """σ_s of the update that completes a training step, counted from 1; `noise` is ν."""
    return math.sqrt(noise / training_step**FADING)


def drawn(seed: int, training_step: int, model: int, parameter: str, shape: tuple[int, ...]) -> Array:
    """ξ of one parameter, float32: of the model at this place, in the update that completes the training step."""
    key = zlib.crc32(parameter.encode())
    generator = np.random.default_rng([seed, _STREAM, training_step, model, key])
    return generator.standard_normal(shape, np.float32)

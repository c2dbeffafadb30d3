"""Truncation bias: how far a truncated weight gradient lies from the full one of the same losses, as angle and ratio.

The full gradient is that of the same weights, inputs and ∂L/∂output without a cut: values are the same in both.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.verdicts.fidelity import weight_grads
from rnnviz.core.sweeps.verdicts.precision import in_float64

ALL = ""  # the parameter of the bias of all parameters together, side by side


@dataclass(frozen=True)
class Bias:
    """Of one parameter's gradient ĝ, truncated, against the full g."""

    parameter: str  # "weight_hh_l0", of a further call "decoder.weight_hh_l0"; `ALL`
    angle: float  # degrees between them, 0 to 180; NaN where it is not known
    ratio: float  # ‖ĝ‖ / ‖g‖; NaN where it is not known
    unknown: str = ""  # why an angle or a ratio is not known, in words

    @property
    def known(self) -> bool:
        return not self.unknown


def truncated(capture: Capture) -> bool:
    """Whether the gradient is cut anywhere."""
    return any(call.cut is not None and call.cut[:-1].any() for call in capture.calls)


def full(capture: Capture) -> Capture:
    """The same without a cut, and without torch's gradients, which were truncated."""
    return replace(capture, calls=tuple(replace(call, cut=None) for call in capture.calls), grads={}, own=None)


def biases(capture: Capture, sample: int | None = None) -> tuple[Bias, ...]:
    """Of all parameters together, then of each parameter of each layer, in the order of their layers; of one sequence
    (0-based), or of all together. In float64.

    The parameters of a head are not there: no cut lies between them and the losses.
    """
    wide = in_float64(capture if sample is None else capture.sample(sample))
    cut, whole = (weight_grads(one, rebuild(one).layers) for one in (wide, full(wide)))
    each = [_bias(name, cut[name].ravel(), whole[name].ravel()) for name in whole]
    together = (np.concatenate([one[name].ravel() for name in whole]) for one in (cut, whole))
    return (_bias(ALL, *together), *each)


@np.errstate(all="ignore")
def _bias(parameter: str, truncated: Array, full: Array) -> Bias:
    if not (np.isfinite(truncated).all() and np.isfinite(full).all()):
        return Bias(parameter, math.nan, math.nan, "a gradient is not finite")
    (one, size), (other, whole) = _unit(truncated), _unit(full)
    if not size and not whole:
        return Bias(parameter, math.nan, math.nan, "both gradients are 0")
    if not whole:
        return Bias(parameter, math.nan, math.nan, "the full gradient is 0")
    if not size:
        return Bias(parameter, math.nan, 0.0, "the truncated gradient is 0, which has no direction")
    # Kahan: exact for small angles too, where the cosine has lost them.
    angle = 2 * math.atan2(float(np.linalg.norm(one - other)), float(np.linalg.norm(one + other)))
    return Bias(parameter, math.degrees(angle), size / whole)


def _unit(gradient: Array) -> tuple[Array, float]:
    """Of length 1, and its length; no square of it over- or underflows."""
    largest = float(np.abs(gradient).max(initial=0.0))
    if not largest:
        return gradient, 0.0
    scaled = gradient / largest
    norm = float(np.linalg.norm(scaled))
    return scaled / norm, norm * largest

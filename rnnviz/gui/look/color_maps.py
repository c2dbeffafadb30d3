"""Colour maps in steps of equal perceived size, by interpolation in OKLab (Ottosson 2020)."""

from functools import cache

import numpy as np

from rnnviz.core.arrays import Array, frozen

SIZE = 256
_FAR_BEYOND_ONE = 3.0

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@cache
def between(*colors: str) -> Array:
    """A lookup table (256, 3) uint8 through `colors` (#rrggbb, two or more).

    Two stops are one straight line in OKLab; more are spaced by their perceived distance, except that a table of three
    (a signed map) keeps the neutral colour exactly in the middle.
    """
    stops = np.array([oklab(color) for color in colors])  # (S, 3)
    if len(colors) == 3:
        places = np.array([0.0, 0.5, 1.0])
    else:
        places = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(stops, axis=0), axis=1))])
        places /= places[-1]
    at = np.linspace(0.0, 1.0, SIZE)
    lab = np.stack([np.interp(at, places, stops[:, channel]) for channel in range(3)], axis=1)
    return frozen(_to_srgb(lab))


def bent(values: Array, high: float, knee: float) -> Array:
    """`values` between ±high on a scale from −1 to 1: half of it is linear up to ±knee, the rest logarithmic.

    So a model that stays within ±knee has half of the colours, whatever another one grows to.
    """
    wide = values.astype(np.float64)
    size = np.abs(wide)
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = 1.0 + np.log(np.maximum(size, knee) / knee) / np.log(high / knee)
    return np.asarray(np.sign(wide) * np.where(size <= knee, size / knee, beyond) / 2)


def beyond_one(values: Array) -> bool:
    """Whether a finite value is beyond ±1, by more than rounding."""
    return bool((np.abs(values[np.isfinite(values)]) > 1.0 + 1e-6).any())


def knee_at_one(largest: float) -> float:
    """The knee of values that should stay within ±1, but reach `largest`: 1 where they are far beyond; else 0, for a
    linear scale."""
    return float(largest > _FAR_BEYOND_ONE)


def oklab(color: str) -> Array:
    """(3,) lightness, green–red, blue–yellow of #rrggbb."""
    srgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(_TO_LAB @ np.cbrt(_TO_LMS @ linear))


def _to_srgb(lab: Array) -> Array:
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    linear = np.clip(linear, 0.0, 1.0)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(srgb * 255.0), dtype=np.uint8)

"""Network values back in the units of the data."""

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.tasks.info import Scale


def column_name(labels: tuple[str, ...], number: int) -> str:
    """What a column is called; x1, x2, … where it has no name."""
    return labels[number] if number < len(labels) else f"x{number + 1}"


def undone(column: Array, scales: tuple[Scale, ...], number: int) -> Array:
    """One column (T,) in the units of the data."""
    scale = scales[number] if number < len(scales) else Scale()
    with np.errstate(over="ignore", invalid="ignore"):  # what a network says of huge data may well be infinite
        return np.asarray(scale.offset + scale.factor * column.astype(float))

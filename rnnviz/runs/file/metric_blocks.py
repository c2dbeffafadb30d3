"""Metric blocks: the training steps and values of one metric of one model, as bytes with a checksum."""

from collections.abc import Sequence

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.checksums import row_crc32

MOST_VALUES = 256  # of a block, which is written again with every commit until it is full


def block_data(steps: Sequence[int], values: Sequence[float]) -> bytes:
    """int64 training steps, then float64 values; NaN and ±inf as they are."""
    return np.array(steps, "<i8").tobytes() + np.array(values, "<f8").tobytes()


def block_crc32(model: int, name: str, first: int, last: int, data: bytes) -> int:
    """The checksum of a block's row; the metric's name is in it, so that a renamed one is noticed."""
    return row_crc32(model, name, first, last, data=data)


def read_block(model: int, name: str, row: tuple[object, ...]) -> tuple[Array, Array]:
    """(K,) int64 training steps and (K,) float64 values of a row (first, last, crc32, data). Raises RnnvizError."""
    first, last, crc32, data = row
    whole = isinstance(first, int) and isinstance(last, int) and isinstance(data, bytes)
    if not whole or len(data) % 16 or not data or block_crc32(model, name, first, last, data) != crc32:  # type: ignore[arg-type]
        raise RnnvizError("does not match its checksum")
    count = len(data) // 16  # type: ignore[arg-type]
    steps = np.frombuffer(data, "<i8", count)  # type: ignore[call-overload]
    if (steps[0], steps[-1]) != (first, last) or steps[0] < 0 or not (steps[1:] > steps[:-1]).all():
        raise RnnvizError("has training steps that do not ascend from 0 on")
    return steps, np.frombuffer(data, "<f8", count, 8 * count)  # type: ignore[call-overload]

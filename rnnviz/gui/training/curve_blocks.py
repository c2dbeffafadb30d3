"""Extremes and sums of a growing curve in blocks, so that a million points are drawn as quickly as a thousand."""

import numpy as np

from rnnviz.core.arrays import Array

BLOCK = 256  # values in one block
LARGEST = 1e30  # the largest number Qt can still place; larger ones are drawn there
_MOST_BREAKS = 200


class Blocks:
    """What can be said of the values (K,) seen so far; `extend` looks only at those that are new.

    Only whole blocks are kept; the rest at the end is looked at anew each time.
    """

    def __init__(self) -> None:
        self.values: Array = np.zeros(0)  # (K,)
        self._low: Array = np.zeros(0)  # (B,) smallest finite value of a block, NaN where there is none
        self._high: Array = np.zeros(0)  # (B,)
        self._sums: Array = np.zeros(0)  # (B,) of the finite values
        self._counts: Array = np.zeros(0)  # (B,) how many those are
        self.breaks: Array = np.zeros(0, np.int64)  # indices at which a stretch of NaN or ∞ begins, the first 200

    def extend(self, values: Array) -> None:
        """Takes `values` (K,), which begin with those already known where they lie in the same memory."""
        if not _continues(self.values, values):
            self.__init__()  # type: ignore[misc]
        known, seen = len(self._low) * BLOCK, len(self.values)
        self.values = values
        self._find_breaks(values, seen)
        whole = len(values) // BLOCK * BLOCK
        if whole > known:
            part = finite(values[known:whole]).reshape(-1, BLOCK)
            there = np.isfinite(part)
            self._low = np.concatenate([self._low, np.fmin.reduce(part, axis=1)])
            self._high = np.concatenate([self._high, np.fmax.reduce(part, axis=1)])
            self._sums = np.concatenate([self._sums, np.where(there, part, 0.0).sum(axis=1)])
            self._counts = np.concatenate([self._counts, there.sum(axis=1)])

    def extremes(self, first: int, last: int, bins: int) -> tuple[Array, Array, Array]:
        """(indices, lowest, highest), (bins,) each, of the values from `first` up to but without `last`.

        Few enough values come as they are, with both extremes the same.
        """
        if last - first <= 2 * bins:
            part = finite(self.values[first:last])
            return np.arange(first, last), part, part
        if last - first < 2 * bins * BLOCK:
            part = finite(self.values[first:last])
            edges = np.arange(bins) * (last - first) // bins
            return first + edges, np.fmin.reduceat(part, edges), np.fmax.reduceat(part, edges)
        start, stop = first // BLOCK, min(-(-last // BLOCK), len(self._low))
        edges = start + np.arange(bins) * (stop - start) // bins
        low = np.fmin.reduceat(self._low[:stop], edges)
        high = np.fmax.reduceat(self._high[:stop], edges)
        tail = finite(self.values[stop * BLOCK : last])
        if np.isfinite(tail).any():
            low[-1], high[-1] = np.fmin(low[-1], np.nanmin(tail)), np.fmax(high[-1], np.nanmax(tail))
        return edges * BLOCK, low, high

    def means(self, at: Array, half: int) -> Array:
        """Means over `half` values to each side of the indices `at`, to whole blocks; NaN where nothing is finite."""
        last = len(self._low)
        left = np.clip(np.rint((at - half) / BLOCK).astype(np.int64), 0, max(last - 1, 0))
        right = np.clip(np.rint((at + half + 1) / BLOCK).astype(np.int64), left + 1, last)
        ends = np.stack([left, right], axis=1).ravel()
        sums, counts = (np.add.reduceat(np.append(part, 0.0), ends)[::2] for part in (self._sums, self._counts))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(sums / counts)

    def _find_breaks(self, values: Array, seen: int) -> None:
        if len(self.breaks) >= _MOST_BREAKS or len(values) == seen:
            return
        start = max(seen - 1, 0)  # one value back, to tell a new stretch from one that goes on
        broken = ~np.isfinite(values[start:])
        if not broken.any():
            return
        begins = np.flatnonzero(broken & ~np.concatenate([[False], broken[:-1]])) + start
        if seen:
            begins = begins[begins >= seen]
        self.breaks = np.concatenate([self.breaks, begins])[:_MOST_BREAKS]


def finite(values: Array) -> Array:
    """float64 copies of `values`, NaN for what is not finite, and nothing larger than Qt can place."""
    numbers = np.asarray(values, np.float64)
    return np.asarray(np.clip(np.where(np.isfinite(numbers), numbers, np.nan), -LARGEST, LARGEST))


def _continues(old: Array, new: Array) -> bool:
    """Whether `new` is a longer view of the memory of `old`, which is still alive and therefore nobody else's."""
    return len(new) >= len(old) > 0 and old.ctypes.data == new.ctypes.data and old.strides == new.strides

"""The time axis that all calls of a trace share: where each one lies on it, and which time steps a sequence has."""

from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array, frozen

Rows = slice | Array  # of the axis: those of one sequence


@dataclass(frozen=True)
class Place:
    """The stretch of the axis on which a call's own time steps lie; half open, 0-based."""

    start: int
    stop: int
    time_steps: int  # T of the whole axis

    @property
    def whole(self) -> bool:
        """Whether nothing of the axis lies outside."""
        return self.start == 0 and self.stop == self.time_steps

    def on_axis(self, array: Array) -> Array:
        """(T, …) an array (stop − start, …) where it belongs, 0 elsewhere; itself where it is there already."""
        if self.whole:
            return array
        found = np.zeros((self.time_steps, *array.shape[1:]), array.dtype)
        found[self.start : self.stop] = array
        return frozen(found)

    def alone(self, array: Array) -> Array:
        """(T, …) an array over the whole axis with 0 outside the stretch."""
        return array if self.whole else self.on_axis(array[self.start : self.stop])


@dataclass(frozen=True, eq=False)
class Axis:
    """The stretches of all calls of a batch of N sequences, padded at the end of each stretch."""

    starts: tuple[int, ...]
    sizes: tuple[int, ...]  # time steps of each
    lengths: tuple[Array | None, ...]  # (N,) of each, None if all sequences have all of them

    @property
    def time_steps(self) -> int:
        """T."""
        return max(start + size for start, size in zip(self.starts, self.sizes, strict=True))

    @property
    def padded(self) -> bool:
        """Whether a sequence may be shorter than the axis."""
        return any(one is not None for one in self.lengths)

    def place(self, call: int) -> Place:
        """Of one call, with its padding."""
        return Place(self.starts[call], self.starts[call] + self.sizes[call], self.time_steps)

    def own_length(self, call: int, n: int) -> int:
        """The time steps of sequence `n` in one call."""
        lengths = self.lengths[call]
        return self.sizes[call] if lengths is None else int(lengths[n])

    def length(self, n: int) -> int:
        """The time steps of sequence `n` in all calls."""
        return int(np.count_nonzero(self._having(n)))

    def rows(self, n: int) -> Rows:
        """The time steps of the axis that sequence `n` has, those of padding left out."""
        having = self._having(n)
        count = int(np.count_nonzero(having))
        return slice(0, count) if having[:count].all() else np.flatnonzero(having)

    def place_of(self, call: int, n: int) -> Place:
        """Where a call lies on the axis of sequence `n` alone."""
        start = int(np.count_nonzero(self._having(n)[: self.starts[call]]))
        return Place(start, start + self.own_length(call, n), self.length(n))

    def _having(self, n: int) -> Array:
        """(T,) bool."""
        having = np.zeros(self.time_steps, bool)
        for call, start in enumerate(self.starts):
            having[start : start + self.own_length(call, n)] = True
        return having

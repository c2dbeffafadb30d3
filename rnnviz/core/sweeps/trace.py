"""The trace: one forward and backward sweep with every intermediate tensor, rebuilt from a capture."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.backward import sweep_back
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.core.sweeps.fidelity import LIMITS, Check, cancellation, relative_difference
from rnnviz.core.sweeps.forward import joined, unroll
from rnnviz.core.sweeps.head import ReadoutTrace, read_out
from rnnviz.core.sweeps.layer import Layer

__all__ = ["Layer", "ReadoutTrace", "Trace", "rebuild"]


@dataclass(frozen=True, eq=False)
class Trace:
    """Everything that happened in one recurrent module over N sequences of T time steps; all arrays read-only."""

    structure: Structure
    layers: tuple[Layer, ...] = field(repr=False)  # torch's order: l0, l0_reverse, l1, …
    readout: ReadoutTrace | None = field(repr=False)
    lengths: Array | None  # (N,) of a packed batch, None if all are T
    check: Check = field(repr=False)  # of the whole trace, also in one that was cut out of it
    notes: tuple[str, ...] = ()  # what makes it differ from history, one sentence each

    @property
    def fidelity(self) -> float:
        """Largest relative difference to torch's own outputs and parameter gradients; NaN: nothing to compare with.

        Measured when first asked for, on the whole trace.
        """
        return self.check.difference

    @cached_property
    def fidelity_limit(self) -> float:
        """The largest difference that rounding explains: 1e-5 for float32, 1e-10 for float64.

        Where a weight gradient is a small rest of large shares that cancel, as in a network that has learnt its task,
        rounding of the shares is as many times larger in it, and so is the limit.
        """
        limit = LIMITS[self.layers[0].h.dtype.name]
        return limit if not self.fidelity > limit else limit * max(1.0, *map(cancellation, self.layers))

    @property
    def faithful(self) -> bool:
        """Whether torch's own numbers confirm the trace; False also when there were none to compare with."""
        return self.fidelity <= self.fidelity_limit

    @property
    def time_steps(self) -> int:
        """T, the longest sequence."""
        return len(self.layers[0].x)

    @property
    def sequences(self) -> int:
        """N."""
        return int(self.layers[0].x.shape[1])

    def sequence_length(self, sample: int) -> int:
        """The number of time steps of sequence `sample`, 0-based."""
        self._check(sample)
        return self.time_steps if self.lengths is None else int(self.lengths[sample])

    def layer(self, name: str) -> Layer:
        """The layer called `name`, for example "l0" or "l1_reverse"; RnnvizError if there is none."""
        found = self.find_layer(name)
        if found is not None:
            return found
        having = ", ".join(layer.name for layer in self.layers)
        raise RnnvizError(f"trace.layer: wanted one of {having}, got {name!r}")

    def find_layer(self, name: str) -> Layer | None:
        """The layer called `name`; None where the model is not as deep."""
        return next((layer for layer in self.layers if layer.name == name), None)

    def sample(self, n: int) -> "Trace":
        """The same trace with sequence `n` alone, cut to its length; weight gradients and shares are its own.

        The fidelity stays that of the whole trace.
        """
        length = self.sequence_length(n)
        if self.sequences == 1 and self.lengths is None:
            return self
        if n not in self._samples:
            self._samples[n] = self._cut(n, length)
        return self._samples[n]

    def _cut(self, n: int, length: int) -> "Trace":
        directions, layers = self.structure.directions, list[Layer]()
        above: tuple[Layer, ...] = ()
        for start in range(len(self.layers) - directions, -1, -directions):
            above = tuple(layer.sample(n, length, above) for layer in self.layers[start : start + directions])
            layers[:0] = above
        readout = None if self.readout is None else self.readout.sample(n, length)
        return replace(self, layers=tuple(layers), readout=readout, lengths=None)

    @cached_property
    def _samples(self) -> "dict[int, Trace]":
        return {}

    def _check(self, sample: int) -> None:
        if not 0 <= sample < self.sequences:
            raise RnnvizError(f"trace.sample: wanted a sequence from 0 to {self.sequences - 1}, got {sample}")


@np.errstate(all="ignore")
def rebuild(capture: Capture) -> Trace:
    """Both sweeps from the little a capture holds, checked against what torch itself computed.

    NaN and ∞ are carried through like any number. RnnvizError names an array whose shape does not fit.
    """
    check_shapes(capture)
    sweeps = unroll(capture, capture.output)
    output = joined(sweeps[-capture.structure.directions :])
    if capture.output is not None:
        difference = relative_difference(output, capture.output)
        if not difference <= LIMITS[output.dtype.name]:
            # torch's states do not follow from these weights: show what does, and how far it is from torch's
            sweeps = unroll(capture, None)
            output = joined(sweeps[-capture.structure.directions :])
    layers = sweep_back(capture, sweeps)
    readout = None if capture.readout is None else read_out(capture.readout, output)
    return Trace(capture.structure, layers, readout, capture.lengths, Check(capture, output, layers), capture.notes)

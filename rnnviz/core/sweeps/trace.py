"""The trace: one forward and backward sweep with every intermediate tensor, rebuilt from a capture."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.errors import RnnvizError
from rnnviz.core.memory import keep_pages_at_hand
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.backward import sweep_back
from rnnviz.core.sweeps.capture import Call, Capture
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.core.sweeps.fidelity import LIMITS, Check, cancellation, relative_difference
from rnnviz.core.sweeps.forward import LayerSweep, joined, unroll
from rnnviz.core.sweeps.head import HeadTrace, through_head
from rnnviz.core.sweeps.layer import Layer

__all__ = ["HeadTrace", "Layer", "Trace", "rebuild"]


@dataclass(frozen=True, eq=False)
class CallTrace(FrozenArrays):
    """What happened in one call of a recurrent module over N sequences of T time steps."""

    call: Call
    layers: tuple[Layer, ...] = field(repr=False)  # torch's order: l0, l0_reverse, l1, …
    output: Array = field(repr=False)  # (T, N, D·P) of the recurrent module
    head: HeadTrace | None = field(repr=False)
    lengths: Array | None  # (N,) of a packed batch, None if all are T

    def sample(self, n: int, length: int) -> "CallTrace":
        """The same with sequence `n` alone, cut to `length`."""
        directions, layers = self.call.structure.directions, list[Layer]()
        above: tuple[Layer, ...] = ()
        for start in range(len(self.layers) - directions, -1, -directions):
            above = tuple(layer.sample(n, length, above) for layer in self.layers[start : start + directions])
            layers[:0] = above
        head = None if self.head is None else self.head.sample(n, length)
        output = self.output[:length, n : n + 1]
        call = self.call.sample(n, length)
        return replace(self, call=call, layers=tuple(layers), output=output, head=head, lengths=None)


@dataclass(frozen=True, eq=False)
class Trace(FrozenArrays):
    """Everything that happened in the calls of one forward and backward sweep; all arrays read-only."""

    calls: tuple[CallTrace, ...]
    check: Check = field(repr=False)  # of the whole trace, also in one that was cut out of it
    notes: tuple[str, ...] = ()  # what makes it differ from history, one sentence each

    @property
    def structure(self) -> Structure:
        """Of the first call."""
        return self.calls[0].call.structure

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Of all calls, each in torch's order: l0, l0_reverse, l1, …"""
        return tuple(layer for call in self.calls for layer in call.layers)

    @property
    def head(self) -> HeadTrace | None:
        """Of the last call that has one."""
        return next((call.head for call in reversed(self.calls) if call.head is not None), None)

    @property
    def lengths(self) -> Array | None:
        """(N,) of a packed batch, None if all are T."""
        return self.calls[0].lengths

    @property
    def fidelity(self) -> float:
        """Largest relative difference to torch's own outputs and parameter gradients; NaN: nothing to compare with.

        Measured when first asked for, on the whole trace.
        """
        return self.check.difference

    @cached_property
    def fidelity_limit(self) -> float:
        """The largest difference that rounding explains: 1e-5 for float32, 1e-10 for float64.

        Where a weight gradient is a small rest of large shares that cancel, of time steps as in a network that has
        learnt its task or of sequences, rounding of the shares is as many times larger in it, and so is the limit.
        """
        limit = LIMITS[self.layers[0].h.dtype.name]
        return limit if not self.fidelity > limit else limit * max(1.0, *map(cancellation, self.layers))

    @property
    def faithful(self) -> bool:
        """Whether torch's own numbers confirm the trace; False also when there were none to compare with."""
        return self.fidelity <= self.fidelity_limit

    @property
    def time_steps(self) -> int:
        """T, the longest sequence, on the axis all calls share."""
        return max(call.call.start + len(call.layers[0].x) for call in self.calls)

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
        cut = []
        for call in self.calls:
            own = len(call.layers[0].x) if call.lengths is None else int(call.lengths[n])
            cut.append(call.sample(n, own if len(self.calls) > 1 else length))
        return replace(self, calls=tuple(cut))

    @cached_property
    def _samples(self) -> "dict[int, Trace]":
        return {}

    def _check(self, sample: int) -> None:
        if not 0 <= sample < self.sequences:
            raise RnnvizError(f"trace.sample: wanted a sequence from 0 to {self.sequences - 1}, got {sample}")


@one_blas_thread
@np.errstate(all="ignore")
def rebuild(capture: Capture) -> Trace:
    """Both sweeps from the little a capture holds, checked against what torch itself computed.

    NaN and ∞ are carried through like any number. RnnvizError names an array whose shape does not fit.
    """
    keep_pages_at_hand()
    check_shapes(capture)
    return swept(capture, [_unrolled(call, capture) for call in capture.calls], capture.notes)


def _unrolled(call: Call, capture: Capture) -> list[LayerSweep]:
    sweeps = unroll(call, capture.weights, call.output)
    if call.output is not None:
        output = joined(sweeps[-call.structure.directions :])
        if not relative_difference(output, call.output) <= LIMITS[output.dtype.name]:
            # torch's states do not follow from these weights: show what does, and how far it is from torch's
            return unroll(call, capture.weights, None)
    return sweeps


def swept(capture: Capture, sweeps: list[list[LayerSweep]], notes: tuple[str, ...]) -> Trace:
    """The trace of forward sweeps: read out, then swept back from the last call to the first."""
    found = list[CallTrace]()
    for call, unrolled in reversed(list(zip(capture.calls, sweeps, strict=True))):
        number = len(capture.calls) - 1 - len(found)
        output = joined(unrolled[-call.structure.directions :])
        layers = sweep_back(call, unrolled, _grad_final(call, number, found))
        head = None if call.head is None else through_head(call.head, output)
        found.append(CallTrace(call, layers, frozen(output), head, call.lengths))
    calls = tuple(reversed(found))
    outputs = tuple(call.output for call in calls)
    return Trace(calls, Check(capture, outputs, tuple(layer for call in calls for layer in call.layers)), notes)


def _grad_final(call: Call, number: int, later: list[CallTrace]) -> dict[str, Array]:
    """What comes to a call's final states: from outside, and from the calls that begin with them."""
    total = dict(call.grad_final)
    for one in later:
        if one.call.follows != number:
            continue
        for state in one.call.structure.equations.states:
            came = np.stack([layer.initial_grads[state] for layer in one.layers])
            total[state] = total[state] + came if state in total else came
    return total

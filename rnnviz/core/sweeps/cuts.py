"""Cuts of a sequence: between which time steps truncation lets no gradient through, and what no loss reaches there."""

from dataclasses import dataclass

import numpy as np

from rnnviz.core.sweeps.capture import Call, Capture


@dataclass(frozen=True)
class Cuts:
    """Time steps count from 1, on the axis of the sequence alone."""

    edges: tuple[int, ...] = ()  # nothing goes along time between each of them and the next time step
    beyond: int = 0  # the last time step that no loss reaches since an edge lies between; 0: there is none

    def words(self, time_step: int) -> str:
        """What is said of a time step that no loss reaches; "" of others."""
        if time_step > self.beyond:
            return ""
        return f"cut at t = {self.beyond + 1:,} (truncated): no gradient goes further back"

    def before(self, time_step: int) -> int:
        """The last edge before a time step; 0 without any."""
        return max((edge for edge in self.edges if edge < time_step), default=0)


def cuts_of(capture: Capture) -> tuple[Cuts, ...]:
    """Those of each sequence."""
    sequences = int(capture.inputs.shape[1])
    if all(call.cut is None for call in capture.calls):
        return (Cuts(),) * sequences
    return tuple(_of_one(capture.sample(n) if len(capture.calls) > 1 else capture, n) for n in range(sequences))


def _of_one(capture: Capture, n: int) -> Cuts:
    """Of sequence `n`, which in a capture of several calls stands alone."""
    edges, sources = list[int](), list[int]()
    for number, call in enumerate(capture.calls):
        place = 0 if len(capture.calls) > 1 else n
        length = len(call.inputs) if call.lengths is None else int(call.lengths[place])
        if call.cut is not None and call.structure.equations.states:
            edges += [call.start + 1 + int(t) for t in np.flatnonzero(call.cut[: length - 1])]
        asked = np.flatnonzero(call.grad_output[:length, place].any(axis=-1))  # NaN is not 0
        sources += [call.start + 1 + int(t) for t in asked[:1]]
        if length and (call.grad_final or any(_takes(other, number) for other in capture.calls)):
            sources.append(call.start + (1 if call.structure.bidirectional else length))  # where reverse layers end
        if any(other.head is not None and _attends(other) == number for other in capture.calls):
            sources.append(call.start + 1)
    first = min(sources, default=0)
    return Cuts(tuple(edges), max((edge for edge in edges if edge < first), default=0))


def _takes(call: Call, number: int) -> bool:
    """Whether a call begins with the final states of another."""
    return call.follows == number


def _attends(call: Call) -> int:
    """Which call's outputs its attention goes over; −1: none."""
    return -1 if call.head is None or call.head.attention is None else call.head.attention.over

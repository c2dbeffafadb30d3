"""Junctions: where a scan of lanes gathers gradients, a row for each lane, and what moves from one to another."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.steps.ways import Factor


@dataclass(eq=False)
class Move:
    """What one junction sends to another, at each time step."""

    source: Array  # (K, ·)
    into: Array  # (K, ·), or (K, blocks, H)
    columns: slice  # of the junction it goes to
    factor: Factor = None  # (T, …)
    weight: Array | None = None
    adds: bool = True

    def make(self, t: int, lanes: slice, spare: Array) -> None:
        source, into = self.source[lanes], self.into[lanes]
        if self.weight is not None:
            if self.adds or not into.flags.c_contiguous:
                part = np.dot(source, self.weight)
            else:
                np.dot(source, self.weight, into)
                return
        elif self.factor is None:
            part = source if into.ndim == source.ndim else source[:, None, :]
        else:
            source = source if into.ndim == source.ndim else source[:, None, :]
            target = into if not self.adds else spare[: into.size].reshape(into.shape)
            part = np.multiply(source, self.factor[t], target)
            if not self.adds:
                return
        if self.adds:
            np.add(into, part, into)
        else:
            into[...] = part


@dataclass(eq=False)
class Junction:
    """A node whose gradients the scan gathers, one row for each lane."""

    name: str
    gradient: Array  # (K, ·)
    moves: list[Move] = field(default_factory=list)  # that make it, of this time step
    gathers: bool = False  # whether something is there before its moves: what was carried, what came directly
    cleared: bool = False  # whether it begins with 0
    closed: Array | None = None  # (T, ·) of a product: True where it was set by hand
    direct: Callable[[int, slice], None] | None = None  # of the output: what adds to it from outside the layer
    norms: Array | None = None  # (T, K) where they are wanted
    kept: Array | None = None  # (T, K, ·) where it is wanted whole


def settle(junction: Junction) -> None:
    """Lets the first move to each block write it and the others add to it; all add to what is there already."""
    written = np.full(junction.gradient.shape[-1], junction.gathers)
    for move in junction.moves:
        here = written[move.columns]
        if here.any() and not here.all():  # begun in places only
            junction.cleared = True
        move.adds = bool(here.any())
        here[...] = True
    if junction.cleared:
        for move in junction.moves:
            move.adds = True

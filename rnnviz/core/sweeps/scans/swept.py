"""Swept: what of a layer tells where its gradients go, and what follows from it alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays
from rnnviz.core.cells import Cell
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.heads.attention import AttentionTrace
from rnnviz.core.sweeps.heads.pooling import PooledGrads
from rnnviz.core.sweeps.scans.asked import Asked, NotAskedError
from rnnviz.core.sweeps.scans.wanted import Wanted
from rnnviz.core.sweeps.steps.nodes import Slopes


class Swept(Protocol):
    """What of a layer tells where its gradients go."""

    @property
    def id(self) -> LayerId: ...
    @property
    def structure(self) -> Structure: ...
    @property
    def equations(self) -> Cell: ...
    @property
    def slopes(self) -> Slopes: ...
    @property
    def weights(self) -> Mapping[str, Array]: ...
    @property
    def above(self) -> "Sequence[Swept]": ...
    @property
    def reverse(self) -> bool: ...
    @property
    def start(self) -> int: ...
    def times(self, sample: int) -> range: ...
    @property
    def cell_input(self) -> Array: ...
    @property
    def window(self) -> int: ...
    @property
    def output(self) -> Array: ...
    @property
    def direct_grad(self) -> Array: ...
    @property
    def arriving(self) -> Mapping[str, Array]: ...
    @property
    def closed(self) -> Mapping[str, Array] | None: ...
    @property
    def cut(self) -> Array | None: ...
    @property
    def lengths(self) -> Array | None: ...
    @property
    def pooled(self) -> PooledGrads | None: ...
    @property
    def mask(self) -> Array | None: ...
    @property
    def residual(self) -> bool: ...
    @property
    def asked(self) -> Asked | None: ...
    @property
    def given(self) -> bool: ...
    @property
    def beyond(self) -> "Sequence[Beyond]": ...
    @property
    def attended(self) -> Sequence[AttentionTrace]: ...


@dataclass(frozen=True, eq=False)
class Beyond(FrozenArrays):
    """A layer of a later call that begins with the final states of a layer."""

    layer: Swept
    weights: Mapping[str, Array] | None = (
        None  # (units there, units here) by state, through a bridge; None: as they are
    )


def all_rows(layer: Swept) -> Array:
    """(T,) every time step."""
    return np.arange(len(layer.output))


def order_of(layer: Swept, sample: int) -> range:
    """The time steps as the scan goes through them."""
    times = layer.times(sample)
    return times if layer.reverse else times[::-1]


def own_part(layer: Swept, joined: Array) -> Array:
    """What of an array over the outputs of all directions belongs to this one."""
    width = layer.output.shape[-1]
    start = width if layer.reverse else 0
    return joined[..., start : start + width]


def cut_before(layer: Swept, t: int) -> bool:
    """Whether nothing is carried from time step `t` to the state it began with."""
    previous = t + 1 if layer.reverse else t - 1
    return layer.cut is not None and 0 <= previous < len(layer.cut) and bool(layer.cut[previous])


def both_ways(layer: Swept, wanted: Wanted) -> bool:
    """Whether a loss reaches this layer at time steps on both sides of its own."""
    elsewhere = wanted.unit is None and (layer.pooled is not None or layer.beyond or layer.attended)
    return wanted.summed or len(layer.above) > 1 or (layer.reverse and bool(elsewhere))


def known_jacobians(layer: Swept) -> Asked:
    """What the engine told of a user's own cell; NotAskedError while it did not."""
    if layer.asked is None:
        raise NotAskedError("Step Jacobians of a user's own cell are asked of the engine, which was not asked yet.")
    return layer.asked

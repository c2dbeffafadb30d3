"""Layer record: what the sweeps computed of one layer and direction, where it lies in time, and its values by name.

What the sweeps computed is kept; every other value follows from it when it is first asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Value
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.axis import Place, Rows
from rnnviz.core.sweeps.heads.attention import AttentionTrace
from rnnviz.core.sweeps.heads.pooling import PooledGrads
from rnnviz.core.sweeps.scans.asked import Asked
from rnnviz.core.sweeps.scans.swept import Beyond
from rnnviz.core.sweeps.steps.nodes import NodeValues
from rnnviz.core.sweeps.steps.window import newest


@dataclass(frozen=True, eq=False, repr=False)
class LayerRecord(FrozenArrays):
    """All arrays (T, N, ·) by position t on the time axis of the trace, zero outside the layer's own stretch of it and
    beyond a sequence's length.

    In a reverse layer "before", "after" and "carried" follow the layer's own direction: what is carried to t came
    from t − 1. H hidden units, P units of h (H without projection), G rows of the stacked weights.
    """

    id: LayerId
    structure: Structure
    weights: Mapping[str, Array]  # torch's names without the layer
    lengths: Array | None
    values: Mapping[str, Array]  # "x" and the nodes the forward sweep computed; `value` gives every node
    before: Mapping[str, Array]  # by state, that of the time step before
    initial: Mapping[str, Array]  # (N, ·) by state
    direct_grad: (
        Array  # (T, N, P) ∂L_t/∂h_t, through a pooling of all L_k with k ≥ t; below the top from the layer above
    )
    grads: Mapping[str, Array]  # ∂L/∂ the nodes the backward sweep computed; `grad` gives every node's
    arriving: Mapping[str, Array]  # by state, the part of its gradient that the neighbouring time step sent
    above: "tuple[Self, ...]" = ()  # the directions of the layer above, none at the top
    closed: Mapping[str, Array] | None = None  # by node, True where it was set by hand: its gradient goes no further
    cut: Array | None = None  # (T,) True where nothing is carried to a state from the time step after it
    given: bool = False  # at the top: direct_grad is a ∂L/∂output that was given, and of no loss that is known
    pooled: PooledGrads | None = None  # at the top: what of direct_grad comes from which L_k, through a pooling
    beyond: tuple[Beyond, ...] = ()  # the layers of later calls that begin with its final states
    attended: tuple[AttentionTrace, ...] = ()  # of later calls over the output of this layer's call, at the top
    place: Place | None = None  # the stretch of the time axis that its call covers; None: all of it
    mask: Array | None = None  # (T, N, P) of dropout, that output is multiplied by on its way up; None: by 1

    def __repr__(self) -> str:
        time_steps, sequences, units = self.output.shape
        return f"Layer({self.name!r}, {self.cell!r}, T={time_steps}, N={sequences}, h of {units})"

    @property
    def name(self) -> str:
        """torch's suffix: "l0", "l0_reverse", "l1", …"""
        return self.id.text

    @property
    def cell(self) -> str:
        """ "vanilla", "lstm", "gru", …"""
        return self.structure.cell

    @cached_property
    def equations(self) -> Cell:
        return self.structure.equations

    @property
    def asked(self) -> Asked | None:
        """What the engine told of a layer whose operations are not known, and has to be asked for."""
        return None

    @property
    def reverse(self) -> bool:
        """Whether the layer reads each sequence from its end."""
        return self.id.reverse

    @property
    def residual(self) -> bool:
        """Whether what it reads is added to what it gives, so that gradients have a way around it."""
        return self.structure.residual and self.id.depth > 0

    # where it lies on the time axis

    @property
    def start(self) -> int:
        """Its first time step, 0-based."""
        return 0 if self.place is None else self.place.start

    @property
    def stop(self) -> int:
        """The one after its last."""
        return len(self.output) if self.place is None else self.place.stop

    def times(self, sample: int = 0) -> range:
        """The time steps of one sequence in this layer, 0-based."""
        length = self.stop - self.start if self.lengths is None else int(self.lengths[sample])
        return range(self.start, self.start + length)

    @property
    def sequence_lengths(self) -> Array:
        """(N,) time steps of each sequence in this layer."""
        if self.lengths is not None:
            return self.lengths
        return frozen(np.full(self.output.shape[1], self.stop - self.start))

    @property
    def inside(self) -> Array:
        """(T, N) bool: where a sequence has a time step in this layer."""
        t = np.arange(len(self.output))[:, None]
        return frozen(np.asarray((t >= self.start) & (t < self.start + self.sequence_lengths)))

    @cached_property
    def _outside(self) -> Array | None:
        """(T, N) bool: where a sequence has no time step in this layer; None: nowhere."""
        return None if self.place is None and self.lengths is None else ~self.inside

    # its values by name

    def value(self, name: str) -> Array:
        """(T, N, ·) the node called `name`; RnnvizError that names the cell where it has none."""
        return self._all_values[name]

    def value_at(self, name: str, t: int, sample: int = 0) -> Array:
        """(·) the same at time step `t` of one sequence, both 0-based, without computing that of all."""
        return self._all_values.at(name, t, sample)

    def read(self, value: Value) -> Array:
        """(T, N, ·) what a node reads."""
        array = self.before[value.name] if value.before else self.value(value.name)
        return array[..., self._rows(value.block)] if value.block else array

    def _rows(self, block: str) -> slice:
        return self.equations.block_rows(block, self.structure.hidden_size)

    @cached_property
    def _all_values(self) -> NodeValues:
        hidden = self.structure.hidden_size
        return NodeValues(self.equations, self.values, self.before, self.weights, hidden, self._outside)

    @property
    def x(self) -> Array:
        """(T, N, I) the input of each time step: of a window the newest."""
        return self.cell_input if self.window == 1 else newest(self.cell_input, self.window)

    @property
    def cell_input(self) -> Array:
        """(T, N, ·) what the cell reads: x, or the window of the last inputs side by side."""
        return self.values["x"]

    @property
    def window(self) -> int:
        """How many inputs are read at each time step."""
        return self.structure.window if self.id.depth == 0 else 1

    @property
    def output(self) -> Array:
        """(T, N, P) what the layer gives at each time step: its hidden units, but of a Jordan network y."""
        return self.values[self.equations.output]

    @property
    def h(self) -> Array:
        """(T, N, P) the hidden units after each time step."""
        return self.value(self.equations.hidden)

    @property
    def c(self) -> Array | None:
        """(T, N, H) the cell state after each time step; None without one."""
        return self.values["c"] if "c" in self.equations.states else None

    @cached_property
    def gates(self) -> Mapping[str, Array]:
        """(T, N, H) by letter; lstm: i f g o, gru: r z n, vanilla: none."""
        return frozen_mapping({gate.name: self.value(gate.name) for gate in self.equations.gates})

    @cached_property
    def pre_activations(self) -> Mapping[str, Array]:
        """(T, N, H) one for each gate, without gates that of the output by its own name."""
        return frozen_mapping({name: self.read(value) for name, value in self.equations.pre_activations.items()})

    # of one sequence, and on another time axis

    def sample(
        self, n: int, rows: Rows, above: "tuple[Self, ...]", place: Place | None = None, copied: bool = False
    ) -> Self:
        """The layer with sequence `n` alone, cut to `rows` of the time axis, on which it then lies at `place`; `above`
        are its neighbours cut the same way. `copied`: in arrays of its own, so that it does not keep those of all
        sequences."""

        def cut(array: Array) -> Array:
            found = array[rows, n : n + 1]
            return frozen(found.copy()) if copied else frozen(found)

        pooled = (
            None if self.pooled is None else self.pooled.sample(n, rows, 0 if place is None else place.start, copied)
        )
        initial = {state: array[n : n + 1] for state, array in self.initial.items()}
        cut_at = None if self.cut is None else self.cut[rows].copy()
        if cut_at is not None and self.lengths is not None and not self.reverse:
            cut_at[(len(cut_at) if place is None else place.stop) - 1] = False  # its own end
        found = self._rearranged(cut, above, place, pooled, None if cut_at is None else frozen(cut_at))
        return replace(found, lengths=None, initial=frozen_mapping(initial))

    def placed(self, place: Place, above: "tuple[Self, ...]") -> Self:
        """The layer of a call by itself on the time axis of a trace of several; `above` are its neighbours there."""
        if place.whole:
            return replace(self, above=above)
        pooled = None if self.pooled is None else self.pooled.placed(place)
        return self._rearranged(
            place.on_axis, above, place, pooled, None if self.cut is None else place.on_axis(self.cut)
        )

    def _rearranged(
        self,
        turn: Callable[[Array], Array],
        above: "tuple[Self, ...]",
        place: Place | None,
        pooled: PooledGrads | None,
        cut: Array | None,
    ) -> Self:
        """With every array over time as `turn` makes it of (T, N, ·)."""
        same = dict[int, Array]()  # arrays that are one stay one

        def each(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
            for array in arrays.values():
                if id(array) not in same:
                    same[id(array)] = turn(array)
            return frozen_mapping({name: same[id(array)] for name, array in arrays.items()})

        return replace(
            self,
            values=each(self.values),
            before=each(self.before),
            direct_grad=turn(self.direct_grad),
            grads=each(self.grads),
            arriving=each(self.arriving),
            above=above,
            closed=None if self.closed is None else each(self.closed),
            cut=cut,
            pooled=pooled,
            place=place,
            mask=None if self.mask is None else turn(self.mask),
        )

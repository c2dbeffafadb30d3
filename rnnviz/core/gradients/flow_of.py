"""Gradient flow: F[k, t] = ‖∂L_k/∂h_t‖ of every loss or of a choice of them, and ∂L_k/∂c_t beside it.

Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.cells import Cell
from rnnviz.core.gradients.jacobians import axis_length
from rnnviz.core.gradients.losses import unit_vector
from rnnviz.core.sweeps.lanes import Lanes, Wanted, finished, lane_work, lanes
from rnnviz.core.sweeps.layer import Layer

Seed = Literal["loss", "unit"]

TOO_MUCH = 1_000_000_000  # multiply-adds above which not every k is carried
CHOSEN = 64  # how many are then, evenly spaced, beside the cursor's
_BYTES = 128 * 2**20  # that gradients on their way down through the layers may take


@dataclass(frozen=True, eq=False)
class Flow(FrozenArrays):
    """The gradient flow of one layer and sequence."""

    values: Array  # (K, T) float64 F[k, t]; 0 where k does not reach t
    rows: Array  # (K,) the k's, 0-based and ascending
    states: Mapping[str, Array]  # (K, T) float64 of each state beside the output: "c" of an LSTM; else empty
    layer: str  # "l0"
    cell: str  # its identifier
    symbol: str  # of what ∂L_k is taken by: "h", "(s′, s″)"
    seed: Seed  # the task's own losses, or uᵀ output_k at every k
    sampled: bool  # whether rows are a choice of the time steps
    length: int  # of the sequence, on the time axis of its trace
    reverse: bool  # whether the layer reads from the end, so that losses reach later time steps
    precision: str  # "float32": what the gradients were carried in
    times: range | None = None  # the time steps of the sequence in this layer, 0-based; None: all
    cut: Array | None = None  # (T,) bool `Layer.cut`, where the only way of a loss is back through this layer

    @property
    def time_steps(self) -> int:
        """T."""
        return int(self.values.shape[1])

    def row_of(self, k: int) -> int | None:
        """The row of time step `k`, 0-based; None where it is not among them."""
        found = int(np.searchsorted(self.rows, k))
        return found if found < len(self.rows) and self.rows[found] == k else None

    def of_state(self, state: str) -> "Flow":
        """The same with the norms by one state beside the output as its values; KeyError where there is none."""
        return replace(self, values=self.states[state], states=frozen_mapping({}), symbol=state)

    def joined(self, other: "Flow") -> "Flow":
        """The rows of both, each once; of the same layer, sequence and losses."""
        new = ~np.isin(other.rows, self.rows)
        rows = np.concatenate([self.rows, other.rows[new]])
        order = np.argsort(rows)

        def both(one: Array, another: Array) -> Array:
            return frozen(np.concatenate([one, another[new]])[order])

        states = {state: both(values, other.states[state]) for state, values in self.states.items()}
        return replace(
            self, values=both(self.values, other.values), rows=frozen(rows[order]), states=frozen_mapping(states)
        )

    def way(self, k: int) -> Array:
        """(n,) the time steps of the sequence from `k` on as a gradient walks back through this layer, k first, up to
        where it is cut."""
        own = range(self.length) if self.times is None else self.times
        way = np.arange(k, own.stop) if self.reverse else np.arange(k, own.start - 1, -1)
        if self.cut is None or not (ends := np.flatnonzero(self.cut[way[1:]])).size:
            return way
        return way[: int(ends[0]) + 1]

    def cut_way(self, k: int) -> bool:
        """Whether the way back from `k` ends at a cut."""
        return self.cut is not None and len(self.way(k)) < len(replace(self, cut=None).way(k))


def cell_states(cell: Cell) -> tuple[str, ...]:
    """The states that are carried beside the output: ("c",) of the LSTMs; () without one."""
    return tuple(state for state in cell.states if state != cell.output) if cell.output in cell.states else ()


def multiply_adds(layer: Layer, sample: int = 0, rows: int | None = None) -> int:
    """What the flow of `rows` losses takes, by default of all."""
    own = layer.times(sample)
    return lane_work(layer, sample, Wanted(np.arange(own.start, own.stop) if rows is None else np.arange(rows)))


def flow_of(layer: Layer, sample: int = 0, *, unit: bool = False, cursor: int | None = None) -> Flow:
    """F of one sequence, at once; `flow_steps` is the same with progress."""
    return finished(flow_steps(layer, sample, unit=unit, cursor=cursor))


def is_sampled(layer: Layer, sample: int = 0) -> bool:
    """Whether the losses of all time steps are too much, so that 64 of them are carried."""
    return len(layer.times(sample)) > CHOSEN and multiply_adds(layer, sample) > TOO_MUCH


def flow_steps(
    layer: Layer, sample: int = 0, *, unit: bool = False, cursor: int | None = None, rows: Array | None = None
) -> Generator[float, None, Flow]:
    """F of one sequence, as a generator that yields the share done, 0 to 1, every few milliseconds, and returns it.

    Closing it leaves the work. L_k are the sweep's own losses, through a pooling and the layers above; with `unit`
    uᵀ output_k of the whole call at every k. Above 10⁹ multiply-adds there are 64 rows evenly spaced and that of
    `cursor` (0-based), else one for every time step of the sequence; `rows`: those k's instead.
    """
    own = layer.times(sample)
    if rows is None:
        sampled = is_sampled(layer, sample)
        rows = chosen_rows(len(own), cursor, own.start) if sampled else np.arange(own.start, own.stop)
    u = unit_vector(layer) if unit else None
    beside = cell_states(layer.equations)
    whole = max(lane_work(layer, sample, Wanted(rows, u)), 1)
    found, done = list[Lanes](), 0
    for part in np.array_split(rows, _blocks(layer, len(rows))):
        steps = lanes(layer, sample, Wanted(part, u, norms_of=beside))
        while True:
            try:
                done += next(steps)
            except StopIteration as end:
                found.append(end.value)
                break
            yield min(done / whole, 1.0)
    return Flow(
        values=frozen(np.concatenate([one.norms for one in found])),
        rows=frozen(rows),
        states=frozen_mapping({state: np.concatenate([one.states[state] for one in found]) for state in beside}),
        layer=layer.name,
        cell=layer.cell,
        symbol=layer.equations.followed_symbol,
        seed="unit" if unit else "loss",
        sampled=len(rows) < len(own),
        length=axis_length(layer, sample),
        reverse=layer.reverse,
        precision=layer.output.dtype.name,
        times=own,
        cut=None if _pools(layer) and not unit else layer.cut,
    )


def _pools(layer: Layer) -> bool:
    """Whether losses come in through a pooling, at several time steps each."""
    return layer.pooled is not None or any(map(_pools, layer.above))


def chosen_rows(length: int, cursor: int | None = None, start: int = 0) -> Array:
    """(≤ 65,) 64 of so many time steps from `start` on evenly spaced, first and last among them, and the cursor's."""
    rows = start + np.unique(np.linspace(0, length - 1, min(CHOSEN, length)).round().astype(int))
    if cursor is not None and start <= cursor < start + length:
        rows = np.union1d(rows, [cursor])
    return np.asarray(rows)


def _blocks(layer: Layer, rows: int) -> int:
    """In how many parts the rows are carried, so that what comes down from the layers above stays within bounds."""
    if not layer.above:
        return 1
    structure, time_steps = layer.structure, len(layer.output)
    width = structure.output_size * structure.directions * (1 + structure.directions)
    return max(1, min(rows, -(-rows * time_steps * width * layer.output.itemsize // _BYTES)))

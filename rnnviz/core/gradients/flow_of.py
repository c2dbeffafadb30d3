"""Gradient flow: F[k, t] = ‖∂L_k/∂h_t‖ of every loss or of a choice of them, and ∂L_k/∂c_t beside it.

Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.cells import Cell
from rnnviz.core.gradients.jacobians import axis_length
from rnnviz.core.gradients.losses import loss_times, unit_vector
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.scans.lanes import lane_work, lanes
from rnnviz.core.sweeps.scans.wanted import Lanes, Wanted, finished

Seed = Literal["loss", "unit"]

TOO_MUCH = 1_000_000_000  # multiply-adds above which not every k is carried
CHOSEN = 64  # how many are then, evenly spaced, beside the cursor's
_BYTES = 128 * 2**20  # that gradients on their way down through the layers may take


class Stretch(NamedTuple):
    """The time steps of a sequence in one layer, 0-based and half open."""

    start: int
    stop: int
    reverse: bool

    def way(self, k: int) -> Array:
        """(n,) from `k` on as a gradient walks back, a later loss from where it comes in."""
        if k < self.start:
            return np.zeros(0, int)
        if self.reverse:
            return np.arange(self.start if k >= self.stop else k, self.stop)
        return np.arange(min(k, self.stop - 1), self.start - 1, -1)


@dataclass(frozen=True, eq=False)
class Flow(FrozenArrays):
    """The gradient flow of one layer and sequence, or of layers of several calls one after another."""

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
    stretches: tuple[Stretch, ...] = ()  # where its layers lie, in order of time; (): one over all of the axis
    crosses: bool = False  # whether losses come from a later stretch
    losses: range | None = None  # the time steps at which there may be losses, 0-based; None: all
    attention: Array | None = None  # (K, T) float64 of that what comes directly through attention; None: nothing
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
        attention = None
        if self.attention is not None and other.attention is not None:
            attention = both(self.attention, other.attention)
        return replace(
            self,
            values=both(self.values, other.values),
            rows=frozen(rows[order]),
            states=frozen_mapping(states),
            attention=attention,
        )

    def before(self, earlier: "Flow") -> "Flow":
        """The same rows with those of an earlier layer beside it, to which these losses go on."""

        def both(one: Array | None, another: Array | None) -> Array | None:
            return another if one is None else one if another is None else frozen(one + another)

        states = {state: frozen(values + earlier.states[state]) for state, values in self.states.items()}
        cut = earlier.cut if self.cut is None else self.cut if earlier.cut is None else self.cut | earlier.cut
        return replace(
            self,
            values=frozen(self.values + earlier.values),
            states=frozen_mapping(states),
            stretches=(*earlier.stretches, *self.stretches),
            crosses=earlier.crosses,
            attention=both(self.attention, earlier.attention),
            cut=cut,
        )

    @property
    def inside(self) -> Array:
        """(T,) bool: where its layers have time steps."""
        found = np.zeros(self.time_steps, bool)
        for one in self.stretches or (Stretch(0, self.length, self.reverse),):
            found[one.start : one.stop] = True
        return found

    @property
    def last(self) -> int:
        """The last time step at which there may be a loss, counted from 1."""
        return self.length if self.losses is None else self.losses.stop

    def way(self, k: int) -> Array:
        """(n,) the time steps of the sequence from `k` on as a gradient walks back through this layer, k first, up to
        where it is cut."""
        stretches = self.stretches or (Stretch(0, self.length, self.reverse),)
        ways = [one.way(k) for one in stretches[::-1] if self.crosses or one.start <= k < one.stop]
        way = np.concatenate(ways) if ways else np.zeros(0, int)
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
    losses = loss_times(layer, sample)
    every = np.arange(losses.start, losses.stop) if rows is None else np.arange(rows)
    return lane_work(layer, sample, Wanted(every))


def flow_of(layer: Layer, sample: int = 0, *, unit: bool = False, cursor: int | None = None) -> Flow:
    """F of one sequence, at once; `flow_steps` is the same with progress."""
    return finished(flow_steps(layer, sample, unit=unit, cursor=cursor))


def is_sampled(layer: Layer, sample: int = 0) -> bool:
    """Whether the losses of all time steps are too much, so that 64 of them are carried."""
    return len(loss_times(layer, sample)) > CHOSEN and multiply_adds(layer, sample) > TOO_MUCH


def rows_of(layer: Layer, sample: int = 0, *, unit: bool = False, cursor: int | None = None) -> Array:
    """(K,) the losses that are carried."""
    losses = layer.times(sample) if unit else loss_times(layer, sample)
    if is_sampled(layer, sample):
        return chosen_rows(len(losses), cursor, losses.start)
    return np.arange(losses.start, losses.stop)


def flow_steps(
    layer: Layer, sample: int = 0, *, unit: bool = False, cursor: int | None = None, rows: Array | None = None
) -> Generator[float, None, Flow]:
    """F of one sequence, as a generator that yields the share done, 0 to 1, every few milliseconds, and returns it.

    Closing it leaves the work. L_k are the sweep's own losses, through a pooling and the layers above; with `unit`
    uᵀ output_k of the whole call at every k. Above 10⁹ multiply-adds there are 64 rows evenly spaced and that of
    `cursor` (0-based), else one for every time step of the sequence; `rows`: those k's instead.
    """
    own, losses = layer.times(sample), loss_times(layer, sample)
    if rows is None:
        rows = rows_of(layer, sample, unit=unit, cursor=cursor)
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
        sampled=len(rows) < len(own if unit else losses),
        length=axis_length(layer, sample),
        reverse=layer.reverse,
        precision=layer.output.dtype.name,
        stretches=(Stretch(own.start, own.stop, layer.reverse),),
        crosses=not unit and losses.stop > own.stop,
        losses=own if unit else losses,
        attention=None if unit else _by_attention(layer, rows, sample),
        cut=None if _pools(layer) and not unit else layer.cut,
    )


def row_flow_steps(
    layers: Sequence[Layer], sample: int = 0, *, unit: bool = False, rows: Array | None = None
) -> Generator[float, None, Flow]:
    """F of layers of several calls that go on from each other, in order of time, as one flow: each state's time step is
    in one of them. As `flow_steps`."""
    if len(layers) == 1:
        return (yield from flow_steps(layers[0], sample, unit=unit, rows=rows))
    if rows is None:
        rows = np.unique(np.concatenate([rows_of(one, sample, unit=unit) for one in layers]))
    found: Flow | None = None
    for number, layer in enumerate(reversed(layers)):
        steps = flow_steps(layer, sample, unit=unit, rows=rows)
        while True:
            try:
                share = next(steps)
            except StopIteration as end:
                one: Flow = end.value
                break
            yield (number + share) / len(layers)
        found = one if found is None else found.before(one)
    assert found is not None  # there is a layer
    losses = range(min(found.stretches[0].start, *rows), found.length) if unit else found.losses
    return replace(found, losses=losses, sampled=losses is not None and len(rows) < len(losses))


@np.errstate(all="ignore")
def _by_attention(layer: Layer, rows: Array, sample: int) -> Array | None:
    """(K, T) float64 ‖the part of ∂L_k/∂ output_t that comes through attention to it alone‖."""
    found: Array | None = None
    width = layer.output.shape[-1]
    own = slice(width, 2 * width) if layer.reverse else slice(0, width)
    for attention in layer.attended:
        found = np.zeros((len(rows), len(layer.output))) if found is None else found
        times = slice(attention.start, attention.start + attention.time_steps)
        for part in np.array_split(np.arange(len(rows)), max(1, len(rows) // CHOSEN)):
            found[part, times] += l2(attention.read_grads(rows[part], sample)[..., own])
    return None if found is None else frozen(found)


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
    if not (layer.above or layer.beyond or layer.attended):
        return 1
    structure, time_steps = layer.structure, len(layer.output)
    width = structure.output_size * structure.directions * (1 + structure.directions)
    return max(1, min(rows, -(-rows * time_steps * width * layer.output.itemsize // _BYTES)))

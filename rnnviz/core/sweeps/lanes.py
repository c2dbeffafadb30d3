"""Lanes: one reverse scan over time that carries the gradients of many losses at once, each in a row of its own.

The derivatives between two matrices are multiplied together beforehand (`Ways`), so that a time step is the products by
the cell's matrices, over the rows of all losses that have begun, and few operations element by element.
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.cells import Cell
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import Matrix, Node
from rnnviz.core.magnitude import l2
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.asked import Asked, Carried, NotAskedError, carry
from rnnviz.core.sweeps.attention import AttentionTrace
from rnnviz.core.sweeps.nodes import Slopes
from rnnviz.core.sweeps.pooling import PooledGrads
from rnnviz.core.sweeps.ways import Factor, Ways, junctions_of

_AT_ONCE = 20_000_000  # multiply-adds between two moments at which a scan can be left: a few milliseconds
Found = TypeVar("Found")


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


@dataclass(frozen=True, eq=False)
class Wanted:
    """Whose gradients a scan carries, and what of it is kept."""

    rows: Array  # (K,) time steps k, 0-based and ascending, one lane for each
    unit: Array | None = None  # (D·P,) u of the losses uᵀ output_k of this call; None: the L_k of the sweep
    inputs: bool = False  # ∂L_k/∂ what the cell reads
    norms_of: tuple[str, ...] = ()  # states whose own norms are kept beside those that are followed
    detached: Collection[str] = ()  # states of this layer to which nothing is carried
    summed: bool = False  # one lane alone: the gradient of all losses of the sweep together
    stop: int = -1  # the time step at which the scan is left
    first: bool = False  # ∂L_k/∂ the states before the first time step


@dataclass(frozen=True, eq=False)
class Lanes:
    """What a scan has found of one layer."""

    norms: Array  # (K, T) float64 ‖∂L_k/∂h_t‖, or of the states that are followed together
    states: dict[str, Array]  # (K, T) float64 by state of `Wanted.norms_of`
    inputs: Array  # (T, K, ·) ∂L_k/∂ what the cell reads at t if wanted, else empty
    hidden: Array  # (K, P) ∂L_k/∂ output where it was stopped
    arriving: dict[str, Array]  # (K, ·) by state what had come there from the neighbouring time step
    first: dict[str, Array]  # (K, ·) by state ∂L_k/∂ those before the first time step, if wanted


Steps = Generator[int, None, Found]  # yields the multiply-adds done since it last did


def finished(steps: Generator[object, None, Found]) -> Found:
    """What they return once all are done."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Found = end.value
            return found


def lanes(layer: Swept, sample: int, wanted: Wanted) -> Steps[Lanes]:
    """The reverse scan of one sequence; below the top layer each lane comes down through the layers above, and losses
    of later calls come to the final states and through attention.

    NotAskedError of a user's own cell while the engine was not asked for its step Jacobians.
    """
    if layer.equations.recorded:
        return (yield from _asked_lanes(layer, wanted))
    if wanted.summed:
        return (yield from _scanned(layer, sample, wanted, None, None))
    return (yield from _all_down_to((layer,), sample, wanted))[id(layer)]


def _all_down_to(lowest: Sequence[Swept], sample: int, wanted: Wanted) -> Steps[dict[int, Lanes]]:
    """The scans of some layers of one depth and of all above them, by identity."""
    levels, found = _levels_above(lowest[0])[::-1], dict[int, Lanes]()
    final = yield from _from_later([*levels, lowest], sample, wanted)
    down = _through_attention((levels or [lowest])[0], sample, wanted)  # (T, K, D·P) to what a level gives
    above = Wanted(wanted.rows, wanted.unit, inputs=True, first=wanted.first)
    for level in levels:
        read: Array | None = None  # (T, K, ·) to what this level reads
        if level[0].residual:
            read = _at_once(level, sample, wanted) if down is None else down
        for one in level:
            given = None if down is None else _to_output(one, sample, down)
            found[id(one)] = scanned = yield from _scanned(one, sample, above, given, final.get(id(one)))
            with np.errstate(all="ignore"):
                read = scanned.inputs if read is None else read + scanned.inputs
        down = read
    for one in lowest:
        given = None if down is None else _to_output(one, sample, down)
        found[id(one)] = yield from _scanned(one, sample, wanted, given, final.get(id(one)))
    return found


def _from_later(levels: Sequence[Sequence[Swept]], sample: int, wanted: Wanted) -> Steps[dict[int, dict[str, Array]]]:
    """(K, ·) by state what each L_k of later calls sends to the final states of some layers, by their identity."""
    if wanted.unit is not None:
        return {}
    first = dict[int, dict[str, Array]]()
    for lowest in _lowest_of_later(levels):
        found = yield from _all_down_to(lowest, sample, Wanted(wanted.rows, first=True))
        first |= {one: scanned.first for one, scanned in found.items()}
    final = dict[int, dict[str, Array]]()
    for one in (one for level in levels for one in level if one.beyond):
        total = final[id(one)] = {state: np.zeros(0) for state in one.equations.states}
        for beyond in one.beyond:
            for state, grads in first[id(beyond.layer)].items():
                with np.errstate(all="ignore"):
                    part = grads if beyond.weights is None else grads @ beyond.weights[state]
                    total[state] = total[state] + part if total[state].size else part
    return final


def _lowest_of_later(levels: Sequence[Sequence[Swept]]) -> list[list[Swept]]:
    """For each later call the layers of the lowest depth that begin with final states of these."""
    found = dict[tuple[str, int], dict[int, Swept]]()
    for one in (beyond.layer for level in levels for own in level for beyond in own.beyond):
        found.setdefault((one.id.call, one.id.depth), {})[id(one)] = one
    lowest = {call: min(depth for other, depth in found if other == call) for call, _ in found}
    return [list(found[place].values()) for place in ((call, depth) for call, depth in lowest.items())]


def _through_attention(top: Sequence[Swept], sample: int, wanted: Wanted) -> Array | None:
    """(T, K, D·P) what each L_k sends to the output of a call, where later calls attend to it, with its own losses;
    None where none does. Of directions that are not among `top` it may be 0."""
    first = top[0]
    if wanted.unit is not None or not first.attended:
        return None
    width = first.structure.directions * first.output.shape[-1]
    total = np.zeros((len(first.output), len(wanted.rows), width), first.output.dtype)
    for one in top if not first.given else ():  # where it has no loss, all of ∂L/∂output came through attention
        _own_part(one, total)[...] = _at_once((one,), sample, wanted)
    for attention in first.attended:
        own = slice(attention.start, attention.start + attention.time_steps)
        total[own] += attention.read_grads(wanted.rows, sample).swapaxes(0, 1)
    return total


def _scanned(
    layer: Swept, sample: int, wanted: Wanted, from_above: Array | None, final: Mapping[str, Array] | None
) -> Steps[Lanes]:
    """The scan of one layer; `from_above` (T, K, P) is what each L_k sends to its output, None at the top, and `final`
    (K, ·) by state what it sends to the final ones, None where it is nothing."""
    scan = _Scan(layer, sample, wanted, from_above, final)
    begun, order = 0, scan.order
    while begun < len(order):
        end = begun + 1
        work = scan.work(order[begun])
        while end < len(order) and work < _AT_ONCE:
            work += scan.work(order[end])
            end += 1
        scan.run(order[begun:end])
        begun = end
        yield work
    return Lanes(scan.norms, scan.states, scan.inputs, scan.hidden, scan.arriving, scan.first)


def _asked_lanes(layer: Swept, wanted: Wanted) -> Steps[Lanes]:
    """The same by step Jacobians that were asked for."""
    asked = known_jacobians(layer)
    count, time_steps = 1 if wanted.summed else len(wanted.rows), len(layer.output)
    found = Carried(
        np.zeros((count, time_steps)),
        {state: np.zeros((count, time_steps)) for state in wanted.norms_of},
        np.zeros((time_steps, count, layer.cell_input.shape[-1]) if wanted.inputs else (0, 0, 0), layer.output.dtype),
        np.zeros((count, layer.output.shape[-1]), layer.output.dtype),
    )
    done = 0
    for work in carry(layer, asked, wanted, found):
        done += work
        if done >= _AT_ONCE:
            yield done
            done = 0
    return Lanes(found.norms, found.states, found.inputs, found.hidden, found.arriving, {})


def known_jacobians(layer: Swept) -> Asked:
    """What the engine told of a user's own cell; NotAskedError while it did not."""
    if layer.asked is None:
        raise NotAskedError("Step Jacobians of a user's own cell are asked of the engine, which was not asked yet.")
    return layer.asked


def all_rows(layer: Swept) -> Array:
    """(T,) every time step."""
    return np.arange(len(layer.output))


def lane_work(layer: Swept, sample: int, wanted: Wanted) -> int:
    """The multiply-adds that `lanes` takes, those of the layers above and of later calls included."""
    return _own_work(layer, sample, wanted) if wanted.summed else _work_down_to((layer,), sample, wanted)


def _work_down_to(lowest: Sequence[Swept], sample: int, wanted: Wanted) -> int:
    levels, above = _levels_above(lowest[0]), Wanted(wanted.rows, wanted.unit, inputs=True)
    work = sum(_own_work(one, sample, wanted) for one in lowest)
    work += sum(_own_work(one, sample, above) for level in levels for one in level)
    later = [] if wanted.unit is not None else _lowest_of_later([*levels, lowest])
    return work + sum(_work_down_to(one, sample, Wanted(wanted.rows)) for one in later)


def _own_work(layer: Swept, sample: int, wanted: Wanted) -> int:
    work = len(_order(layer, sample)) * _matrix_size(layer, wanted.inputs) * len(wanted.rows)
    return work if _both_ways(layer, wanted) else work // 2


def cut_before(layer: Swept, t: int) -> bool:
    """Whether nothing is carried from time step `t` to the state it began with."""
    previous = t + 1 if layer.reverse else t - 1
    return layer.cut is not None and 0 <= previous < len(layer.cut) and bool(layer.cut[previous])


def _levels_above(layer: Swept) -> list[Sequence[Swept]]:
    """The layers above, by depth, the next one first."""
    found, level = list[Sequence[Swept]](), layer.above
    while level:
        found.append(level)
        level = level[0].above
    return found


@np.errstate(all="ignore")
def _to_output(layer: Swept, sample: int, given: Array) -> Array:
    """(T, K, P) what of each L_k comes to a layer's output, where `given` (T, K, D·P) comes to what its depth gives."""
    own = _own_part(layer, given)
    return np.ascontiguousarray(own if layer.mask is None else own * layer.mask[:, sample, None])


def _at_once(top: Sequence[Swept], sample: int, wanted: Wanted) -> Array:
    """(T, K, D·P) what each L_k sends to the module's output, by its head alone."""
    rows, parts = wanted.rows, list[Array]()
    for layer in top:
        grad = layer.direct_grad[:, sample]
        part = np.zeros((len(grad), len(rows), grad.shape[-1]), grad.dtype)
        if wanted.unit is not None:
            part[rows, np.arange(len(rows))] = _own_part(layer, wanted.unit)
        elif layer.pooled is None:
            part[rows, np.arange(len(rows))] = grad[rows]
        else:
            for t in range(len(grad)):
                part[t] = layer.pooled.reaching(t, sample)[rows]
        parts.append(part)
    return np.concatenate(parts, axis=-1)


def _own_part(layer: Swept, joined: Array) -> Array:
    """What of an array over the outputs of all directions belongs to this one."""
    width = layer.output.shape[-1]
    start = width if layer.reverse else 0
    return joined[..., start : start + width]


def _order(layer: Swept, sample: int) -> range:
    """The time steps as the scan goes through them."""
    times = layer.times(sample)
    return times if layer.reverse else times[::-1]


def _both_ways(layer: Swept, wanted: Wanted) -> bool:
    """Whether a loss reaches this layer at time steps on both sides of its own."""
    elsewhere = wanted.unit is None and (layer.pooled is not None or layer.beyond or layer.attended)
    return wanted.summed or len(layer.above) > 1 or (layer.reverse and bool(elsewhere))


def _nodes(cell: Cell, inputs: bool) -> list[Node]:
    """The nodes through which gradients go to a state of the time step before, or with `inputs` to x; last first."""
    reached = set(cell.recurrent)
    if inputs:
        for node in cell.nodes:
            if any(value.name == "x" or value.name in reached for value in node.operation.values):
                reached.add(node.name)
    return [node for node in reversed(cell.nodes) if node.name in reached]


def _matrix_size(layer: Swept, inputs: bool) -> int:
    if layer.equations.recorded:
        return sum(map(layer.structure.units, layer.equations.states)) ** 2
    matrices = [node for node in _nodes(layer.equations, inputs) if isinstance(node.operation, Matrix)]
    return sum(int(layer.slopes.weight(Use(node, 0, node.operation.values[0])).size) for node in matrices)


@dataclass(eq=False)
class _Move:
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
class _Junction:
    """A node whose gradients the scan gathers, one row for each lane."""

    name: str
    gradient: Array  # (K, ·)
    moves: list[_Move] = field(default_factory=list)  # that make it, of this time step
    gathers: bool = False  # whether something is there before its moves: what was carried, what came directly
    cleared: bool = False  # whether it begins with 0
    closed: Array | None = None  # (T, ·) of a product: True where it was set by hand
    direct: Callable[[int, slice], None] | None = None  # of the output: what adds to it from outside the layer
    norms: Array | None = None  # (T, K) where they are wanted
    kept: Array | None = None  # (T, K, ·) where it is wanted whole


class _Scan:
    """The junctions of one layer, bound to the derivatives of one sequence."""

    @np.errstate(all="ignore")
    def __init__(
        self,
        layer: Swept,
        sample: int,
        wanted: Wanted,
        from_above: Array | None,
        final: Mapping[str, Array] | None = None,
    ) -> None:
        self._layer, self._sample, self._wanted, self._from_above = layer, sample, wanted, from_above
        self._cell, self._dtype = layer.equations, layer.output.dtype
        self.order = _order(layer, sample)
        time_steps, count = len(layer.output), 1 if wanted.summed else len(wanted.rows)
        inputs = (time_steps, count, layer.cell_input.shape[-1]) if wanted.inputs else (0, 0, 0)
        self.inputs = np.zeros(inputs, self._dtype)
        self.hidden = np.zeros((count, layer.output.shape[-1]), self._dtype)
        self.arriving: dict[str, Array] = {}
        self._count, self._stopped = count, False
        self._active = [slice(0, count)] * time_steps if _both_ways(layer, wanted) else self._begun(time_steps)
        self._places = np.full(time_steps, -1)
        if not wanted.summed:
            self._places[wanted.rows] = np.arange(count)
        self._size = _matrix_size(layer, wanted.inputs)
        self._unit = None if wanted.unit is None else _own_part(layer, wanted.unit).astype(self._dtype)
        self._bind()
        self.first = {state: before.gradient for state, before in self._before.items()}
        cut = False
        if layer.cut is not None and layer.lengths is None and len(self.order):  # truncation cuts inside alone
            cut = bool(layer.cut[self.order[0]])
        for state, came in ({} if final is None or cut else final).items():
            self._junctions[state].gradient[...] = came

    @property
    @np.errstate(all="ignore")
    def norms(self) -> Array:
        """(K, T) of what is followed."""
        found = [self._norms(node.name) for node in self._cell.followed]
        return found[0] if len(found) == 1 else l2(np.stack(found, axis=-1))

    @property
    def states(self) -> dict[str, Array]:
        """(K, T) by state."""
        return {state: self._norms(state) for state in self._wanted.norms_of}

    def _norms(self, name: str) -> Array:
        norms = self._junctions[name].norms
        assert norms is not None  # it was asked for
        return np.ascontiguousarray(norms.T)

    def work(self, t: int) -> int:
        """Multiply-adds of one time step."""
        active = self._active[t]
        return max((active.stop - active.start) * self._size, 1)

    def _begun(self, time_steps: int) -> list[slice]:
        """The lanes that have begun, at each time step."""
        times = np.arange(time_steps)
        if self._layer.reverse:
            return [slice(0, int(end)) for end in np.searchsorted(self._wanted.rows, times, "right")]
        return [slice(int(start), self._count) for start in np.searchsorted(self._wanted.rows, times, "left")]

    # bound once

    def _bind(self) -> None:
        cell, slopes = self._cell, self._layer.slopes
        nodes = _nodes(cell, self._wanted.inputs)
        names = junctions_of(cell, nodes)
        closed = {name: where[:, self._sample] for name, where in (self._layer.closed or {}).items()}
        self._ways = Ways(cell, slopes.hidden, nodes, names, self._slope, closed, self._dtype)
        output_node = cell.node(cell.output)
        going = nodes if output_node in nodes else [output_node, *nodes]
        self._spare = np.empty(self._count * max(map(self._units, going)), self._dtype)
        self._before = {state: _Junction(state, self._rows(cell.node(state))) for state in cell.states}
        self._junctions = {
            node.name: _Junction(node.name, self._rows(node), gathers=node.name in (*cell.states, cell.output))
            for node in going
            if node.name in names
        }
        for node in going:
            if isinstance(node.operation, Matrix):
                self._junctions[node.name].closed = closed.get(node.name)
        if "x" in names:
            width = self._layer.cell_input.shape[-1]
            self._junctions["x"] = _Junction("x", np.zeros((self._count, width), self._dtype))
            self._spare = np.empty(max(self._spare.size, self._count * width), self._dtype)
        for node in going:
            if node.name in self._junctions:
                self._leave(node)
        for junction in (*self._junctions.values(), *self._before.values()):
            _settle(junction)
        output = self._junctions[cell.output]
        output.direct = self._direct(output.gradient)
        output.cleared |= cell.output not in cell.states
        for name in {node.name for node in cell.followed} | set(self._wanted.norms_of):
            self._junctions[name].norms = np.zeros((len(self._active), self._count))
        if "x" in self._junctions:
            self._junctions["x"].kept = self.inputs
        if self._wanted.summed:  # what comes to the final states from outside
            for state in cell.states:
                came = self._layer.arriving[state][self.order[0], self._sample] if len(self.order) else 0
                self._junctions[state].gradient[...] = came

    def _slope(self, use: Use) -> Array | None:
        """The derivative of one sequence."""
        slope = self._layer.slopes.of(use)
        return slope[:, self._sample] if slope is not None and slope.ndim == 3 else slope

    def _units(self, node: Node) -> int:
        return self._cell.units(node, self._layer.slopes.hidden, self._layer.output.shape[-1])

    def _rows(self, node: Node) -> Array:
        return np.zeros((self._count, self._units(node)), self._dtype)

    def _leave(self, node: Node) -> None:
        """What goes from a junction to others."""
        source = self._junctions[node.name]
        if isinstance(node.operation, Matrix):
            value = node.operation.value
            target = self._before.get(value.name) if value.before else self._junctions.get(value.name)
            if target is not None and not (value.before and value.name in self._wanted.detached):
                columns = self._cell.block_rows(value.block, self._layer.slopes.hidden)
                weight = self._layer.slopes.weight(Use(node, 0, value))
                target.moves.append(_Move(source.gradient, target.gradient[:, columns], columns, weight=weight))
            return
        found, before = self._ways.from_junction(node.name)
        for name, spread in found.items():
            self._join(source, self._junctions[name], spread)
        for state, spread in before.items():
            if state not in self._wanted.detached:
                self._join(source, self._before[state], spread)

    def _join(self, source: _Junction, target: _Junction, spread: Mapping[str, Factor]) -> None:
        time_steps, hidden = len(self._layer.output), self._layer.slopes.hidden
        if "" in spread:
            factor = _over_time(spread[""], time_steps)
            target.moves.append(_Move(source.gradient, target.gradient, slice(None), factor))
            return
        stacked = target.gradient.reshape(self._count, len(self._cell.blocks), hidden)
        for first, factors in self._ways.neighbours(dict(spread)):
            factor = None
            if any(one is not None for one in factors):
                ones = np.ones((), self._dtype)
                parts = [np.broadcast_to(ones if one is None else one, (time_steps, hidden)) for one in factors]
                factor = np.stack(parts, axis=1)
            last = first + len(factors)
            columns = slice(first * hidden, last * hidden)
            target.moves.append(_Move(source.gradient, stacked[:, first:last], columns, factor))

    # the scan

    @one_blas_thread
    @np.errstate(all="ignore")
    def run(self, times: Sequence[int]) -> None:
        """Some time steps, one after the other."""
        for t in times:
            if not self._stopped:
                self._step(t)

    def _step(self, t: int) -> None:
        lanes = self._active[t]
        stopping = t == self._wanted.stop
        if stopping:
            self.arriving = {state: self._junctions[state].gradient.copy() for state in self._cell.states}
        if lanes.start == lanes.stop:
            self._stopped = stopping
            return
        for junction in self._junctions.values():
            gradient = junction.gradient[lanes]
            if junction.cleared:
                gradient[...] = 0
            if junction.direct is not None:
                junction.direct(t, lanes)
            for move in junction.moves:
                move.make(t, lanes, self._spare)
            if junction.norms is not None:
                junction.norms[t, lanes] = l2(gradient)
            if stopping and junction.direct is not None:
                self.hidden[lanes] = gradient
            if junction.closed is not None:
                gradient[:, junction.closed[t]] = 0
            if junction.kept is not None:
                junction.kept[t, lanes] = gradient
        self._stopped = stopping
        if t != self.order[-1] or self._wanted.first:
            self._carry(t, lanes)

    def _carry(self, t: int, lanes: slice) -> None:
        cut = cut_before(self._layer, t)
        for before in self._before.values():
            if cut or not before.moves:
                before.gradient[lanes] = 0
                continue
            for move in before.moves:
                move.make(t, lanes, self._spare)
        for state, before in self._before.items():
            self._junctions[state].gradient[lanes] = before.gradient[lanes]

    def _direct(self, into: Array) -> Callable[[int, slice], None]:
        """What adds to the output at a time step, for each loss, what comes from outside this layer."""
        layer, places, own = self._layer, self._places, self._layer.direct_grad[:, self._sample]
        rows, pooled, unit = self._wanted.rows, layer.pooled, self._unit

        def all_together(t: int, lanes: slice) -> None:
            into[0] += own[t]

        def from_above(t: int, lanes: slice) -> None:
            into[lanes] += self._from_above[t, lanes]  # type: ignore[index]

        def through_pooling(t: int, lanes: slice) -> None:
            into[lanes] += pooled.reaching(t, self._sample)[rows[lanes]]  # type: ignore[union-attr]

        def alone(t: int, lanes: slice) -> None:
            if places[t] >= 0:
                into[places[t]] += own[t] if unit is None else unit

        if self._wanted.summed:
            return all_together
        if self._from_above is not None:
            return from_above
        return through_pooling if pooled is not None and unit is None else alone


def _over_time(factor: Factor, time_steps: int) -> Factor:
    return factor if factor is None or factor.ndim > 1 else np.broadcast_to(factor, (time_steps, *factor.shape))


def _settle(junction: _Junction) -> None:
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

"""Scan: the lanes of one layer and sequence, all losses at once; or by step Jacobians asked for.

The derivatives between two matrices are multiplied together beforehand (`Ways`), so that a time step is the products by
the cell's matrices, over the rows of all losses that have begun, and few operations element by element.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.cells import Cell
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import Matrix, Node
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps.scans.asked import Carried, carry
from rnnviz.core.sweeps.scans.junctions import Junction, Move, settle
from rnnviz.core.sweeps.scans.swept import Swept, both_ways, cut_before, known_jacobians, order_of, own_part
from rnnviz.core.sweeps.scans.wanted import Lanes, Steps, Wanted
from rnnviz.core.sweeps.steps.ways import Factor, Ways, junctions_of

_AT_ONCE = 20_000_000  # multiply-adds between two moments at which a scan can be left: a few milliseconds


def scan_layer(
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


def scan_asked(layer: Swept, wanted: Wanted) -> Steps[Lanes]:
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


def scan_work(layer: Swept, sample: int, wanted: Wanted) -> int:
    work = len(order_of(layer, sample)) * _matrix_size(layer, wanted.inputs) * len(wanted.rows)
    return work if both_ways(layer, wanted) else work // 2


def _matrix_size(layer: Swept, inputs: bool) -> int:
    if layer.equations.recorded:
        return sum(map(layer.structure.units, layer.equations.states)) ** 2
    matrices = [node for node in _nodes(layer.equations, inputs) if isinstance(node.operation, Matrix)]
    return sum(int(layer.slopes.weight(Use(node, 0, node.operation.values[0])).size) for node in matrices)


def _nodes(cell: Cell, inputs: bool) -> list[Node]:
    """The nodes through which gradients go to a state of the time step before, or with `inputs` to x; last first."""
    reached = set(cell.recurrent)
    if inputs:
        for node in cell.nodes:
            if any(value.name == "x" or value.name in reached for value in node.operation.values):
                reached.add(node.name)
    return [node for node in reversed(cell.nodes) if node.name in reached]


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
        self.order = order_of(layer, sample)
        time_steps, count = len(layer.output), 1 if wanted.summed else len(wanted.rows)
        inputs = (time_steps, count, layer.cell_input.shape[-1]) if wanted.inputs else (0, 0, 0)
        self.inputs = np.zeros(inputs, self._dtype)
        self.hidden = np.zeros((count, layer.output.shape[-1]), self._dtype)
        self.arriving: dict[str, Array] = {}
        self._count, self._stopped = count, False
        self._active = [slice(0, count)] * time_steps if both_ways(layer, wanted) else self._begun(time_steps)
        self._places = np.full(time_steps, -1)
        if not wanted.summed:
            self._places[wanted.rows] = np.arange(count)
        self._size = _matrix_size(layer, wanted.inputs)
        self._unit = None if wanted.unit is None else own_part(layer, wanted.unit).astype(self._dtype)
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
        self._before = {state: Junction(state, self._rows(cell.node(state))) for state in cell.states}
        self._junctions = {
            node.name: Junction(node.name, self._rows(node), gathers=node.name in (*cell.states, cell.output))
            for node in going
            if node.name in names
        }
        for node in going:
            if isinstance(node.operation, Matrix):
                self._junctions[node.name].closed = closed.get(node.name)
        if "x" in names:
            width = self._layer.cell_input.shape[-1]
            self._junctions["x"] = Junction("x", np.zeros((self._count, width), self._dtype))
            self._spare = np.empty(max(self._spare.size, self._count * width), self._dtype)
        for node in going:
            if node.name in self._junctions:
                self._leave(node)
        for junction in (*self._junctions.values(), *self._before.values()):
            settle(junction)
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
                target.moves.append(Move(source.gradient, target.gradient[:, columns], columns, weight=weight))
            return
        found, before = self._ways.from_junction(node.name)
        for name, spread in found.items():
            self._join(source, self._junctions[name], spread)
        for state, spread in before.items():
            if state not in self._wanted.detached:
                self._join(source, self._before[state], spread)

    def _join(self, source: Junction, target: Junction, spread: Mapping[str, Factor]) -> None:
        time_steps, hidden = len(self._layer.output), self._layer.slopes.hidden
        if "" in spread:
            factor = _over_time(spread[""], time_steps)
            target.moves.append(Move(source.gradient, target.gradient, slice(None), factor))
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
            target.moves.append(Move(source.gradient, stacked[:, first:last], columns, factor))

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

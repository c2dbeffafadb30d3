"""Layer: one layer and direction of a trace, every quantity and gradient at every time step, read-only.

What the sweeps computed is kept; every other node and gradient follows from it when it is first asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.cells import Cell
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import Matrix, Node, Value
from rnnviz.core.errors import RnnvizError
from rnnviz.core.quantity import Quantity, quantities
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps import flow, shares
from rnnviz.core.sweeps.asked import Asked
from rnnviz.core.sweeps.attention import AttentionTrace
from rnnviz.core.sweeps.axis import Place, Rows
from rnnviz.core.sweeps.nodes import NodeValues, Slopes, StepBack, passed_back
from rnnviz.core.sweeps.pooling import PooledGrads
from rnnviz.core.sweeps.swept import Beyond
from rnnviz.core.sweeps.window import folded_back, newest

# L_t; every L_k with k ≥ t, through a pooling; the layer above; a ∂L/∂output that was given
DirectFrom = Literal["loss", "pooling", "above", "given"]

_FOUND_AGAIN = (  # the large ones
    "_all_values", "gates", "pre_activations", "slopes", "_more_grads", "_known_parts", "gate_grads", "factors",
    "_flows", "_folded_input_grad",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Layer(FrozenArrays):
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
    above: "tuple[Layer, ...]" = ()  # the directions of the layer above, none at the top
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
    def inside(self) -> Array:
        """(T, N) bool: where a sequence has a time step in this layer."""
        t = np.arange(len(self.output))[:, None]
        return frozen(np.asarray((t >= self.start) & (t < self.start + self.sequence_lengths)))

    @cached_property
    def _outside(self) -> Array | None:
        """(T, N) bool: where a sequence has no time step in this layer; None: nowhere."""
        return None if self.place is None and self.lengths is None else ~self.inside

    # what was computed

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

    # its gradients

    @cached_property
    def slopes(self) -> Slopes:
        """The derivatives of all nodes by what they read."""
        hidden = self.structure.hidden_size
        return Slopes(self.equations, self.weights, self._all_values, self.before, hidden, self._outside)

    @np.errstate(all="ignore")
    def grad(self, name: str) -> Array:
        """(T, N, ·) ∂L/∂ the node called `name`, all its uses summed, or for "x" what the cell reads."""
        found = self.grads.get(name)
        if found is None:
            found = self._more_grads.get(name)
        if found is None:
            self._more_grads[name] = found = frozen(self._summed(name))
        return found

    @one_blas_thread
    def _summed(self, name: str) -> Array:
        cell = self.equations
        if name != "x":
            cell.node(name)
        total: Array | None = self.direct_grad if name == cell.output else None
        by_block: Array | None = None
        for use in cell.uses[name]:
            if use.value.before:
                continue
            part = self.passed_back(use)
            if not use.value.block:
                total = part if total is None else total + part
                continue
            if by_block is None:
                by_block = np.zeros((*part.shape[:-1], self.structure.units(name)), part.dtype)
            by_block[..., self._rows(use.value.block)] += part
        if by_block is not None:
            total = by_block if total is None else total + by_block
        if name in self.arriving:
            total = self.arriving[name] if total is None else total + self.arriving[name]
        return np.zeros_like(self.value(name)) if total is None else total

    @cached_property
    def _more_grads(self) -> dict[str, Array]:
        return {}

    @np.errstate(all="ignore")
    def passed_back(self, use: Use, where: tuple[slice, slice] = (slice(None), slice(None))) -> Array:
        """(T, N, ·) what a node sends back to a value it reads, as this time step's part of that value's gradient.

        `where`: the time steps and sequences that are wanted, all of them unless it is said.
        """
        matrix = isinstance(use.node.operation, Matrix)
        slope = None if matrix else self.slopes.of(use)
        gradient = self.passed_on(use.node.name)[where]
        slope = slope[where] if slope is not None and slope.ndim == gradient.ndim else slope
        return passed_back(use, gradient, slope, self.slopes.weight(use) if matrix else None)

    def passed_on(self, name: str) -> Array:
        """(T, N, ·) what of a node's gradient goes on to what it reads: nothing where it was set by hand."""
        gradient = self.grad(name)
        if self.closed is None or name not in self.closed:
            return gradient
        return np.where(self.closed[name], gradient.dtype.type(0), gradient)

    @property
    def direct_from(self) -> DirectFrom:
        """Where `direct_grad` comes from."""
        if self.pooled is not None:
            return "pooling"
        return "above" if self.above else "given" if self.given else "loss"

    @property
    def hidden_grad(self) -> Array:
        """(T, N, P) ∂L/∂h_t = direct + carried."""
        return self.grad(self.equations.hidden)

    @property
    def followed_grad(self) -> Array:
        """(T, N, ·) what tells how far back a loss reaches: ∂L/∂h_t, or where h is not carried that of all states."""
        found = [self.grad(node.name) for node in self.equations.followed]
        return found[0] if len(found) == 1 else np.concatenate(found, axis=-1)

    @property
    def carried_grad(self) -> Array:
        """(T, N, P) the part of ∂L/∂h_t that comes from the neighbouring time step."""
        return self.carried(self.equations.hidden)

    @property
    def cell_grad(self) -> Array | None:
        """(T, N, H) ∂L/∂c_t; None without a cell state."""
        return self.grad("c") if self.c is not None else None

    @property
    def direct_cell_grad(self) -> Array | None:
        """(T, N, H) the part of ∂L/∂c_t that comes through the direct part of ∂L/∂h_t; None without a cell state."""
        return self.direct("c") if self.c is not None else None

    @property
    def carried_cell_grad(self) -> Array | None:
        """(T, N, H) the part of ∂L/∂c_t from the neighbouring time step, through h_t and along c_t."""
        return self.carried("c") if self.c is not None else None

    def direct(self, state: str) -> Array:
        """(T, N, ·) the part of a state's gradient that `direct_grad` brings."""
        if state == self.equations.output and not self._used_at_once(state):
            return self.direct_grad
        return self._parts(False).get(state, np.zeros_like(self.value(state)))

    def carried(self, state: str) -> Array:
        """(T, N, ·) the part of a state's gradient that comes from the neighbouring time step, on whatever way."""
        if state in self.arriving and not self._used_at_once(state):
            return self.arriving[state]
        return self._parts(True).get(state, np.zeros_like(self.value(state)))

    def _used_at_once(self, state: str) -> bool:
        return any(not use.value.before for use in self.equations.uses[state])

    def _parts(self, carried: bool) -> Mapping[str, Array]:
        """The states' gradients if only what was carried came, or only L_t."""
        if carried not in self._known_parts:
            given = dict(self.arriving) if carried else {self.equations.output: self.direct_grad}
            with np.errstate(all="ignore"):
                _, found = StepBack(self.slopes)(slice(None), given, self.closed)
            states = {name: found[name] for name in self.equations.hidden_nodes if name in found}
            self._known_parts[carried] = frozen_mapping(states)
        return self._known_parts[carried]

    @cached_property
    def _known_parts(self) -> dict[bool, Mapping[str, Array]]:
        return {}

    @cached_property
    @one_blas_thread
    @np.errstate(all="ignore")
    def initial_grads(self) -> Mapping[str, Array]:
        """(N, ·) ∂L/∂ the states before the first time step of each sequence."""
        rows = np.arange(self.output.shape[1])
        lasts = self.start + (self.sequence_lengths - 1 if self.reverse else np.zeros_like(rows))
        found = {}
        for state in self.equations.states:
            total = np.zeros_like(self.initial[state])
            for use in self.equations.uses[state]:
                if use.value.before:
                    part = self.passed_back(use)[lasts, rows]
                    total[..., self._rows(use.value.block)] += part
            found[state] = total
        return frozen_mapping(found)

    @property
    def sequence_lengths(self) -> Array:
        """(N,) time steps of each sequence in this layer."""
        if self.lengths is not None:
            return self.lengths
        return frozen(np.full(self.output.shape[1], self.stop - self.start))

    @cached_property
    def gate_grads(self) -> Mapping[str, Array]:
        """(T, N, H) gradients of the pre-activations, keys as in `pre_activations`; 0 where one was set by hand."""
        found = {}
        for name, value in self.equations.pre_activations.items():
            gradient = self.passed_on(value.name)
            found[name] = gradient[..., self._rows(value.block)] if value.block else gradient
        return frozen_mapping(found)

    @property
    def input_grad(self) -> Array:
        """(T, N, I) ∂L/∂x_t by this direction, of all windows that hold it."""
        return self.grad("x") if self.window == 1 else self._folded_input_grad

    @cached_property
    def _folded_input_grad(self) -> Array:
        return frozen(folded_back(self.grad("x"), self.window))

    # the gradients of its parameters

    @cached_property
    @np.errstate(all="ignore")
    def weight_grads(self) -> Mapping[str, Array]:
        """∂L/∂ each parameter, summed over t and N, torch's shapes: weight_ih weight_hh bias_ih bias_hh weight_hr."""
        totals = shares.totals(self.factors)
        return frozen_mapping({name: total.astype(self.output.dtype, copy=False) for name, total in totals.items()})

    @cached_property
    def weight_grad_shares(self) -> Mapping[str, Array]:
        """(T,) float64 ‖(∂L/∂W)|_t‖_F for each parameter."""
        return frozen_mapping(shares.all_shares(self.factors))

    @cached_property
    def weight_grad_so_far(self) -> Mapping[str, Array]:
        """(T,) float64 norm of what the backward sweep has gathered once it has done t."""
        found = {}
        for name, factors in self.factors.items():
            if self.reverse:
                gathered = np.ascontiguousarray(shares.accumulated(factors.turned())[::-1])
            else:
                gathered = shares.accumulated(factors)
            found[name] = gathered if self.place is None else self.place.alone(gathered)
        return frozen_mapping(found)

    @cached_property
    def factors(self) -> dict[str, shares.Factors]:
        """The factors whose products, summed over t and n, are each parameter's gradient."""
        return {parameter.name: self._factors(parameter.name) for parameter in self.equations.parameters}

    @np.errstate(all="ignore")
    def _factors(self, parameter: str) -> shares.Factors:
        uses = self.equations.weight_uses(parameter)
        node, weight = uses[0]
        if isinstance(node.operation, Matrix):
            return shares.Factors(self.passed_on(node.name), self.read(node.operation.value))
        if weight.block:
            return shares.Factors(self._stacked(parameter), None)
        parts = [self._added(node, place) for node, place in self.equations.weight_places(parameter)]
        return shares.Factors(sum(parts[1:], parts[0]), None)

    def _added(self, node: Node, place: int) -> Array:
        """(T, N, units) what a node adds to a vector of weights: one number a unit."""
        slope = self.slopes.by_weight(node, place)
        gradient = self.passed_on(node.name)
        return gradient if slope is None else np.asarray(gradient.astype(np.float64) * slope)

    def _stacked(self, parameter: str) -> Array:
        """The gradient of a bias whose blocks several nodes add: that of stacked rows the same nodes read, if any."""
        cell = self.equations
        adding = {(node.name, weight.block) for node, weight in cell.weight_uses(parameter)}
        for node in cell.nodes:
            if node.units == "rows" and {(use.node.name, use.value.block) for use in cell.uses[node.name]} == adding:
                return self.grad(node.name)
        by_block = {weight.block: self.passed_on(node.name) for node, weight in cell.weight_uses(parameter)}
        return np.concatenate([by_block[block] for block in cell.blocks], axis=-1)

    def gradient_flow(self, sample: int = 0) -> Array:
        """(T, T) float64 F[k, t] = ‖∂L_k/∂h_t‖, or where h is not carried of the states: 0 where no loss reaches."""
        if sample not in self._flows:
            self._flows[sample] = frozen(flow.gradient_flow(self, sample))
        return self._flows[sample]

    def input_flow(self, sample: int = 0) -> Array:
        """(T, T) float64 ‖∂L_k/∂x_t‖: which loss reaches which input, by this direction."""
        return frozen(flow.input_flow(self, sample))

    @cached_property
    def _flows(self) -> dict[int, Array]:
        return {}

    # by name

    def quantity(self, quantity: Quantity) -> Array:
        """The tensor (T, N, ·), or (T,), called `quantity`; RnnvizError where this cell has none."""
        own = quantities(self.equations).get(quantity.name)
        if own is None:
            raise RnnvizError(f"layer {self.name}: the {self.cell} cell has no {quantity.words}")
        match own.kind:
            case "input":
                return self.x
            case "value":
                return self.value(own.of)
            case "pre-activation":
                return self.pre_activations[own.of]
            case "gradient":
                return self.grad(own.of)
            case "direct gradient":
                return self.direct(own.of)
            case "carried gradient":
                return self.carried(own.of)
            case "input gradient":
                return self.input_grad
            case "pre-activation gradient":
                return self.gate_grads[own.of]
            case "share":
                return self.weight_grad_shares[own.of]
            case "so far":
                return self.weight_grad_so_far[own.of]

    def forget(self) -> None:
        """Drops what was computed from the sweeps; it is computed again when it is asked for."""
        for name in _FOUND_AGAIN:
            vars(self).pop(name, None)

    def sample(
        self, n: int, rows: Rows, above: "tuple[Layer, ...]", place: Place | None = None, copied: bool = False
    ) -> "Layer":
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

    def placed(self, place: Place, above: "tuple[Layer, ...]") -> "Layer":
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
        above: "tuple[Layer, ...]",
        place: Place | None,
        pooled: PooledGrads | None,
        cut: Array | None,
    ) -> "Layer":
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


def came_down(level: Sequence[Layer], around: Array | None) -> Array:
    """(T, N, ·) ∂L/∂ what the layers of one depth read: through them and, where there is a way around them, what came
    to what they give."""
    found = level[0].input_grad if len(level) == 1 else level[0].input_grad + level[1].input_grad
    return found + around if level[0].residual and around is not None else found

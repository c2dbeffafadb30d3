"""Layer: one layer and direction of a trace, every quantity and gradient at every time step, read-only.

Its gradients follow from what the sweeps computed when they are first asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array, frozen, frozen_mapping
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import Matrix
from rnnviz.core.errors import RnnvizError
from rnnviz.core.quantity import Quantity, quantities
from rnnviz.core.sweeps import shares
from rnnviz.core.sweeps.layer_record import LayerRecord
from rnnviz.core.sweeps.parameter_factors import all_factors
from rnnviz.core.sweeps.scans import flow
from rnnviz.core.sweeps.steps.nodes import Slopes, StepBack, passed_back
from rnnviz.core.sweeps.steps.window import folded_back

# L_t; every L_k with k ≥ t, through a pooling; the layer above; a ∂L/∂output that was given
DirectFrom = Literal["loss", "pooling", "above", "given"]

_FOUND_AGAIN = (  # the large ones
    "_all_values", "gates", "pre_activations", "slopes", "_more_grads", "_known_parts", "gate_grads", "factors",
    "_flows", "_folded_input_grad",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Layer(LayerRecord):
    """What the sweeps computed, the gradients of its nodes, states and parameters, and those of each loss alone."""

    # of its nodes

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

    # of its states, and where they come from

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

    # of its parameters

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
        return all_factors(self)

    # of each loss alone

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


def came_down(level: Sequence[Layer], around: Array | None) -> Array:
    """(T, N, ·) ∂L/∂ what the layers of one depth read: through them and, where there is a way around them, what came
    to what they give."""
    found = level[0].input_grad if len(level) == 1 else level[0].input_grad + level[1].input_grad
    return found + around if level[0].residual and around is not None else found

"""One layer and direction of a trace: every quantity and gradient at every time step, read-only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array, frozen, frozen_mapping
from rnnviz.core.cells import Cell, Weights
from rnnviz.core.errors import RnnvizError
from rnnviz.core.quantity import Quantity
from rnnviz.core.structure import Activation, CellName
from rnnviz.core.sweeps import flow, shares


@dataclass(frozen=True, eq=False, repr=False)
class Layer:
    """All arrays (T, N, ·) by position t in the sequence, zero beyond a sequence's length.

    In a "_reverse" layer "after" a time step and "carried" follow the layer's own direction: what is carried to t came
    from t − 1. H hidden units, P units of h (H without projection), G rows of the stacked weights.
    """

    name: str  # "l0", "l0_reverse", "l1", …
    cell: CellName
    activation: Activation
    equations: Cell
    weights: Weights
    lengths: Array | None
    x: Array  # (T, N, I)
    h: Array  # (T, N, P) after each time step
    c: Array | None  # (T, N, H) LSTM only
    h0: Array  # (N, P)
    c0: Array | None  # (N, H)
    previous_h: Array  # (T, N, P) before each time step
    gates: Mapping[str, Array]  # lstm: i f g o, gru: r z n, vanilla: none
    pre_activations: Mapping[str, Array]  # one for each gate, vanilla: "a"
    slopes: Mapping[str, Array]  # the derivatives of each time step's operations, see the cell
    direct_grad: Array  # (T, N, P) ∂L_t/∂h_t; below the top layer what comes down from the layer above
    carried_grad: Array  # (T, N, P) what comes from the neighbouring time step
    hidden_grad: Array  # (T, N, P) ∂L/∂h_t = direct + carried
    cell_grad: Array | None  # (T, N, H) ∂L/∂c_t
    cell_path_grad: Array | None  # (T, N, H) the part of ∂L/∂c_t that came along the cell state alone
    delta: Array  # (T, N, G) ∂L/∂pre-activation, blocks stacked as in torch's weights
    recurrent_delta: Array  # (T, N, G) the same for W_hh h + b_hh, which differs in the GRU's n only
    unprojected: Array | None  # (T, N, H) o ⊙ tanh(c) where weight_hr projects it
    above: "tuple[Layer, ...]" = ()  # the directions of the layer above, none at the top
    held: Array | None = None  # (T, N, P) True where h was set by hand: its gradient goes no further back
    cut: Array | None = None  # (T,) True where nothing is carried to a state from the time step after it

    def __repr__(self) -> str:
        time_steps, sequences, units = self.h.shape
        return f"Layer({self.name!r}, {self.cell!r}, T={time_steps}, N={sequences}, h of {units})"

    @property
    def reverse(self) -> bool:
        """Whether the layer reads each sequence from its end."""
        return self.name.endswith("_reverse")

    @cached_property
    def gate_grads(self) -> Mapping[str, Array]:
        """(T, N, H) gradients of the pre-activations, keys as in `pre_activations`."""
        size = self.delta.shape[-1] // len(self.equations.blocks)
        blocks = {name: self.delta[..., k * size : (k + 1) * size] for k, name in enumerate(self.equations.blocks)}
        return frozen_mapping(blocks)

    @cached_property
    @np.errstate(all="ignore")
    def direct_cell_grad(self) -> Array | None:
        """(T, N, H) the part of ∂L/∂c_t from L_t alone: ∂L_t/∂h_t · ∂h_t/∂c_t; None without a cell state."""
        return self._cell_part(self.direct_grad, None)

    @cached_property
    @np.errstate(all="ignore")
    def carried_cell_grad(self) -> Array | None:
        """(T, N, H) the part of ∂L/∂c_t from the neighbouring time step, through h_t and along c_t."""
        return self._cell_part(self.carried_grad, self.cell_path_grad)

    def _cell_part(self, hidden: Array, along: Array | None) -> Array | None:
        if self.cell_grad is None:
            return None
        hidden = self.passed_on(hidden)
        if self.weights.weight_hr is not None:
            hidden = hidden @ self.weights.weight_hr
        part = hidden * self.slopes["through"]
        return frozen(part if along is None else part + along)

    def passed_on(self, hidden: Array) -> Array:
        """What of a gradient (T, N, P) of h goes on into the cell: nothing where h was set by hand."""
        return hidden if self.held is None else np.where(self.held, hidden.dtype.type(0), hidden)

    @cached_property
    @np.errstate(all="ignore")
    def input_grad(self) -> Array:
        """(T, N, I) ∂L/∂x_t by this direction."""
        return frozen(self.delta @ self.weights.weight_ih)

    @cached_property
    def weight_grads(self) -> Mapping[str, Array]:
        """∂L/∂ each parameter, summed over t and N, torch's shapes: weight_ih weight_hh bias_ih bias_hh weight_hr."""
        return frozen_mapping(shares.totals(self.factors))

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
                found[name] = shares.accumulated(factors.turned())[::-1]
            else:
                found[name] = shares.accumulated(factors)
        return frozen_mapping(found)

    @cached_property
    def factors(self) -> dict[str, shares.Factors]:
        """The two factors whose products, summed over t and n, are each parameter's gradient."""
        found = {
            "weight_ih": shares.Factors(self.delta, self.x),
            "weight_hh": shares.Factors(self.recurrent_delta, self.previous_h),
        }
        if self.weights.bias_ih is not None:
            found["bias_ih"] = shares.Factors(self.delta, None)
            found["bias_hh"] = shares.Factors(self.recurrent_delta, None)
        if self.unprojected is not None:
            found["weight_hr"] = shares.Factors(self.passed_on(self.hidden_grad), self.unprojected)
        return found

    def gradient_flow(self, sample: int = 0) -> Array:
        """(T, T) float64 F[k, t] = ‖∂L_k/∂h_t‖: which loss reaches which state; 0 where none does."""
        if sample not in self._flows:
            self._flows[sample] = frozen(flow.gradient_flow(self, sample))
        return self._flows[sample]

    @cached_property
    def _flows(self) -> dict[int, Array]:
        return {}

    def quantity(self, quantity: Quantity) -> Array:
        """The tensor (T, N, ·) called `quantity`; RnnvizError where this cell has none."""
        if self.cell not in quantity.cells:
            having = " and ".join(quantity.cells)
            raise RnnvizError(f"layer {self.name}: the {quantity.words} is {having} only, but its cell is {self.cell}")
        if quantity.gate is not None:
            return self.gates[quantity.gate]
        found = {
            Quantity.INPUT: "x",
            Quantity.HIDDEN: "h",
            Quantity.CELL: "c",
            Quantity.HIDDEN_GRAD: "hidden_grad",
            Quantity.DIRECT_GRAD: "direct_grad",
            Quantity.CARRIED_GRAD: "carried_grad",
            Quantity.CELL_GRAD: "cell_grad",
            Quantity.INPUT_GRAD: "input_grad",
        }
        array: Array = self.pre_activations["a"] if quantity not in found else getattr(self, found[quantity])
        return array

    def sample(self, n: int, length: int, above: "tuple[Layer, ...]") -> "Layer":
        """The layer with sequence `n` alone, cut to `length`; `above` are its neighbours cut the same way."""

        def cut(array: Array) -> Array:
            return array[:length, n : n + 1]

        def maybe(array: Array | None) -> Array | None:
            return None if array is None else cut(array)

        def each(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
            return frozen_mapping({name: cut(array) for name, array in arrays.items()})

        return replace(
            self,
            lengths=None,
            x=cut(self.x),
            h=cut(self.h),
            c=maybe(self.c),
            h0=self.h0[n : n + 1],
            c0=None if self.c0 is None else self.c0[n : n + 1],
            previous_h=cut(self.previous_h),
            gates=each(self.gates),
            pre_activations=each(self.pre_activations),
            slopes=each(self.slopes),
            direct_grad=cut(self.direct_grad),
            carried_grad=cut(self.carried_grad),
            hidden_grad=cut(self.hidden_grad),
            cell_grad=maybe(self.cell_grad),
            cell_path_grad=maybe(self.cell_path_grad),
            delta=cut(self.delta),
            recurrent_delta=cut(self.recurrent_delta),
            unprojected=maybe(self.unprojected),
            above=above,
            held=maybe(self.held),
            cut=None if self.cut is None else self.cut[:length],
        )

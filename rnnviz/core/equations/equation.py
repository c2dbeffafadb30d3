"""Equations as records: their terms with symbol, meaning and time offset, so that they can be typeset and computed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.equations.places import at, check_place, from_after
from rnnviz.core.formula import Formula, Number, norm_of

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer

Kind = Literal["value", "gradient", "direct", "passed", "parameter", "added", "handed"]


@dataclass(frozen=True)
class Term:
    """One symbol of an equation and what it stands for.

    `of` is "x", a node or a parameter. "value": what the node computed; "gradient": what of its gradient goes on from
    it; "direct": ∂L_t/∂ of it, or what the layer above sends to it; "passed": what it sends back to the state of the
    time step before; "added": what a parameter's gradient gets at this time step; "handed": what comes to a final
    state from the call that begins with it.
    """

    symbol: str  # as in a layer that reads forward: "c_{t−1}"
    of: str
    offset: int = 0  # time steps from t in the layer's own direction: −1, 0 or 1
    kind: Kind = "value"
    block: str = ""  # the rows of one gate or pre-activation, "" for all there are

    def shown(self, reverse: bool = False) -> str:
        """The symbol as markup; in a reverse layer the time step before t is t+1."""
        if not reverse:
            return self.symbol
        return self.symbol.replace("t−1", "t·1").replace("t+1", "t−1").replace("t·1", "t+1")

    def shown_in(self, layer: "Layer") -> str:
        """The symbol as in this layer: what comes directly is ∂L_t/∂h_t only where no layer is above, L is known and no
        pooling lets every later L_k reach it."""
        if self.kind != "direct" or layer.direct_from == "loss":
            return self.shown(layer.reverse)
        if layer.direct_from == "pooling":
            return "Σ_{k≥t} " + self.symbol.replace("L_t", "L_k")
        if layer.direct_from == "given":
            return f"({self.symbol.replace('L_t', 'L')})^{{attention}}" if layer.attended else "∂L/∂output_t"
        # what layer 1 reads is h of layer 0, with its dropout mask and beside the way around
        return f"{'' if layer.mask is None else 'm_t ⊙ '}∂L/∂x_t^{{({layer.above[0].id.depth})}}"

    def value(self, layer: "Layer", t: int, sample: int = 0) -> Array:
        """The numbers, `t` 0-based; before the sequence the initial state, beyond it (or a cut gradient) zeros.

        A gradient is that which goes on from here: none where the quantity was set by hand.
        """
        check_place(layer, t, sample)
        if self.kind == "parameter":
            return self._rows(layer, np.asarray(layer.weights[self.of]))
        if self.offset < 0:
            return self._rows(layer, at(layer.before[self.of], t, sample))
        if self.offset > 0:
            place = from_after(layer, t, sample)
            found = self._here(layer, t if place is None else place, sample)
            return np.zeros_like(found) if place is None else found
        return self._here(layer, t, sample)

    def _here(self, layer: "Layer", t: int, sample: int) -> Array:
        if self.kind == "direct":
            return at(layer.direct_grad, t, sample)
        if self.kind == "gradient":
            return self._rows(layer, at(layer.passed_on(self.of), t, sample))
        if self.kind == "passed":
            return passed(layer, self.of, t, sample)
        if self.kind == "handed":
            return at(layer.arriving[self.of], t, sample)
        return self._rows(layer, at(layer.value(self.of), t, sample))

    def _rows(self, layer: "Layer", stacked: Array) -> Array:
        return stacked[layer.equations.block_rows(self.block, layer.structure.hidden_size)] if self.block else stacked


def passed(layer: "Layer", node: str, t: int, sample: int) -> Array:
    """(·,) what a matrix sends back to the one value it reads at this time step."""
    reads = layer.equations.node(node).operation.values
    use = next(use for use in layer.equations.uses[reads[0].name] if use.node.name == node)
    return at(layer.passed_back(use, (slice(t, t + 1), slice(sample, sample + 1))), 0, 0)


@dataclass(frozen=True)
class Equation(Formula[Term]):
    """An equation of a cell, computed element by element at one time step of a layer."""

    def text(self, reverse: bool = False) -> str:
        """The whole equation as markup with _{…} for subscripts."""
        return self.written(lambda term: term.shown(reverse))

    @np.errstate(all="ignore")
    def value(self, layer: "Layer", t: int, sample: int = 0) -> Array:
        """What the right-hand side comes to."""
        return np.asarray(self.formula(*(term.value(layer, t, sample) for term in self.terms)))

    def numbers(
        self, layer: "Layer", t: int, sample: int = 0, unit: int | None = None, gate: str = ""
    ) -> tuple[Number, ...]:
        """The number of the result and of each term, in their order; `unit` is 0-based, None for norms.

        `gate` says which block's unit is meant where all pre-activations are stacked (the first without). Matrices and
        inputs are given by their norm.
        """
        right = tuple(term.value(layer, t, sample) for term in self.terms)
        with np.errstate(all="ignore"):
            left = np.asarray(self.formula(*right))
        shown = zip((self.result, *self.terms), (left, *right), strict=True)
        return tuple(_number(layer, term, value, unit, gate) for term, value in shown)


def with_hand_over(equation: Equation, layer: "Layer", t: int, sample: int = 0) -> Equation:
    """The same with what a later call sends back to a final state, at the end of the layer's own way where there is
    any: the gradient of a state is no sum of this layer's alone there."""
    result, own = equation.result, layer.times(sample)
    state = result.of if result.kind == "gradient" and not result.offset else ""
    if state not in layer.equations.states or t != (own[0] if layer.reverse else own[-1]):
        return equation
    if not layer.arriving[state][t, sample].any():
        return equation
    name, _, _ = layer.equations.node(state).symbol.rpartition("_")
    handed = Term(f"∂L/∂{name}^{{enc}}_S", state, kind="handed")
    compute = equation.formula

    def formula(*values: Array) -> Array:
        return np.asarray(compute(*values[:-1]) + values[-1])

    return Equation(result, f"{equation.template} + {{}}", (*equation.terms, handed), formula)


def _number(layer: "Layer", term: Term, value: Array, unit: int | None, gate: str) -> Number:
    symbol, names = term.shown_in(layer), layer.equations.blocks
    size = layer.structure.hidden_size
    if unit is not None and value.ndim == 1 and term.of != "x":
        stacked = len(value) == size * len(names) and len(names) > 1
        place = (names.index(gate) if gate in names else 0) * size + unit if stacked else unit
        if 0 <= place < len(value) and unit < size:
            return Number(symbol, float(value[place]), norm=False)
    return norm_of(symbol, value)

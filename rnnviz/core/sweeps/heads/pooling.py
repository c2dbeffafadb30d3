"""Pooling over time: what a head reads of the outputs up to a time step, and where the gradient of that goes.

A running one: pooled_t is the output at t, or the mean or the maximum of the outputs 1 … t, so that every time step has
a prediction. Through a mean or a maximum L_k reaches every output_t with t ≤ k directly: each with 1/k of the
gradient, or, number by number, the one that held the maximum (the first of equals, as torch's `max`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.formula import Equation, Term
from rnnviz.core.sweeps.axis import Place, Rows
from rnnviz.core.sweeps.capture import Pooling


@dataclass(frozen=True)
class PoolingKind:
    """One pooling: its words, what it makes of the outputs, and how it is written at one time step."""

    name: Pooling
    short: str  # "mean"
    mark: str  # at the symbol of what it reads: "mean"; "" where it reads the output alone
    pooled: Callable[[Array], Array]  # output (T, N, P) → (T, N, P)
    forward: Callable[[str], Equation] | None = None  # of the symbol of the output; None: nothing is computed
    backward: Callable[[str], Equation] | None = None  # ∂L_t/∂ the outputs up to t

    @property
    def words(self) -> str:
        """ "mean over time"; "at the end"."""
        return f"{self.short} over time" if self.mark else self.short

    @property
    def through(self) -> str:
        """How a gradient came through it: "through the mean over time"; "" where it reads the output alone."""
        return f"through the {self.words}" if self.mark else ""

    def symbol(self, output: str) -> str:
        """Of what the head reads: "h^{mean}_t"."""
        name, _, place = output.partition("_")
        return f"{name}^{{{self.mark}}}_{place}" if self.mark else output


def _mean(output: Array) -> Array:
    count = np.arange(1.0, len(output) + 1)[:, None, None]
    return np.asarray((np.cumsum(output, axis=0, dtype=np.float64) / count).astype(output.dtype))


def _maximum(output: Array) -> Array:
    return np.asarray(np.maximum.accumulate(output, axis=0))


def holders(output: Array) -> Array:
    """(T, …) the time step, 0-based, whose number of `output` (T, …) is the largest up to each; of equals the first.
    The first NaN holds on, as it does in torch."""
    held = np.maximum.accumulate(output, axis=0)
    new = np.empty(output.shape, bool)
    new[:1] = True
    new[1:] = (output[1:] > held[:-1]) | (np.isnan(output[1:]) & ~np.isnan(held[:-1]))
    steps = np.arange(len(output)).reshape(-1, *(1,) * (output.ndim - 1))
    return np.asarray(np.maximum.accumulate(np.where(new, steps, 0), axis=0))


def _before(symbol: str) -> str:
    name, _, place = symbol.rpartition("_")
    return f"{name}_{{{place}−1}}"


def _mean_forward(output: str) -> Equation:
    result = Term(MEAN.symbol(output), "pooled", MEAN.words)
    outputs = Term(f"Σ_{{s≤t}} {_of_step(output)}", "output_sum", "sum of the outputs so far")
    return Equation(result, "{} / {}", (outputs, _COUNT), lambda total, count: total / count)


def _mean_backward(output: str) -> Equation:
    passed = Term(f"∂L_t/∂{MEAN.symbol(output)}", "pooled_grad")
    return Equation(
        Term(f"∂L_t/∂{_of_step(output)}", "output_grad"), "{} / {}", (passed, _COUNT), lambda grad, count: grad / count
    )


def _maximum_forward(output: str) -> Equation:
    symbol = MAXIMUM.symbol(output)
    before = Term(_before(symbol), "pooled_before", "that of the time step before")
    return Equation(Term(symbol, "pooled", MAXIMUM.words), "max({}, {})", (before, Term(output, "output")), np.maximum)


def _maximum_backward(output: str) -> Equation:
    passed = Term(f"∂L_t/∂{MAXIMUM.symbol(output)}", "pooled_grad")
    return Equation(Term(f"∂L_t/∂{_of_step(output)}", "output_grad"), "{}", (passed,), np.array)


def _of_step(output: str) -> str:
    return output.removesuffix("_t") + "_s"


_COUNT = Term("t", "time_steps", "time steps so far")
LAST = PoolingKind("last", "at the end", "", lambda output: output)
MEAN = PoolingKind("mean", "mean", "mean", _mean, _mean_forward, _mean_backward)
MAXIMUM = PoolingKind("max", "maximum", "max", _maximum, _maximum_forward, _maximum_backward)
POOLINGS: Mapping[Pooling, PoolingKind] = {kind.name: kind for kind in (LAST, MEAN, MAXIMUM)}


@dataclass(frozen=True, eq=False)
class PooledGrads(FrozenArrays):
    """∂L_k/∂pooled_k of every time step k, on its way to the outputs up to k."""

    pooling: Pooling
    grad: Array  # (T of k, N, P)
    holders: Array | None = None  # (T of k, N, P) of a maximum: the time step, 0-based, that holds it
    start: int = 0  # the first time step that is pooled

    @staticmethod
    def of(pooling: Pooling, grad: Array, output: Array) -> "PooledGrads":
        """Those of a pooling over `output` (T, N, P)."""
        return PooledGrads(pooling, frozen(grad), frozen(holders(output)) if pooling == "max" else None)

    def reaching(self, t: int, sample: int) -> Array:
        """(T of k, P) ∂L_k/∂output_t, directly, of one sequence; 0 for k < t."""
        grad = self.grad[:, sample]
        found = np.zeros_like(grad)
        if self.holders is not None:
            found[t:] = np.where(self.holders[t:, sample] == t, grad[t:], grad.dtype.type(0))
        elif self.pooling == "mean":
            found[t:] = grad[t:] / np.arange(t + 1 - self.start, len(grad) + 1 - self.start, dtype=grad.dtype)[:, None]
        else:
            found[t] = grad[t]
        return found

    @property
    def total(self) -> Array:
        """(T, N, P) ∂L/∂output_t, directly, of all L_k together."""
        if self.holders is not None:
            total = np.zeros_like(self.grad)
            rows, columns = (np.arange(size) for size in self.grad.shape[1:])
            np.add.at(total, (self.holders, rows[:, None], columns), self.grad)
            return total
        if self.pooling == "mean":
            count = np.arange(1 - self.start, len(self.grad) + 1 - self.start, dtype=self.grad.dtype)[:, None, None]
            total = np.cumsum((self.grad / np.where(count > 0, count, 1))[::-1], axis=0)[::-1]
            total[: self.start] = 0
            return np.asarray(total)
        return self.grad

    def of_units(self, units: slice) -> "PooledGrads":
        """Those of some units of the output, as of one direction."""
        held = None if self.holders is None else self.holders[..., units]
        return replace(self, grad=self.grad[..., units], holders=held)

    def sample(self, n: int, rows: Rows, start: int = 0, copied: bool = False) -> "PooledGrads":
        """The same with sequence `n` alone, cut to `rows` of the time axis and beginning at `start` there; `copied`: in
        arrays of its own."""

        def cut(array: Array) -> Array:
            found = array[rows, n : n + 1]
            return frozen(found.copy()) if copied else frozen(found)

        held = None if self.holders is None else cut(self.holders)
        if held is not None and start != self.start:
            held = frozen(held + (start - self.start))
        return replace(self, grad=cut(self.grad), holders=held, start=start)

    def placed(self, place: Place) -> "PooledGrads":
        """Those of a call by itself on the time axis of several."""
        held = None if self.holders is None else place.on_axis(self.holders + place.start)
        return replace(self, grad=place.on_axis(self.grad), holders=held, start=place.start)

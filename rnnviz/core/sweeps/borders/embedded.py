"""Embedding in the backward sweep: ∂L/∂ each token, and what its row of the table gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps import shares


@dataclass(frozen=True, eq=False)
class EmbeddingTrace(FrozenArrays):
    """The tokens of one call on the time axis, and the gradients of their rows of the table."""

    symbols: Array  # (T, N) int64; −1: no symbol, or none of the call's time steps
    table: Array  # (V, I)
    token_grad: Array  # (T, N, I) ∂L/∂x_t; 0 where there is no symbol

    @cached_property
    @np.errstate(all="ignore")
    def table_grad(self) -> Array:
        """(V, I) ∂L/∂table, row by row the sum over the time steps of that symbol."""
        total = np.zeros(self.table.shape, self.token_grad.dtype)
        there = self.symbols >= 0
        np.add.at(total, self.symbols[there], self.token_grad[there])
        return frozen(total)

    @property
    def symbol_grads(self) -> Array:
        """(V,) float64 ‖∂L/∂ the row of each symbol‖."""
        return l2(self.table_grad)

    @property
    def weight_grad_shares(self) -> Array:
        """(T,) float64 ‖(∂L/∂table)|_t‖_F of each time step."""
        return shares.all_shares(self._factors)[""]

    @property
    def weight_grad_so_far(self) -> Array:
        """(T,) float64 ‖Σ_{s≥t} (∂L/∂table)|_s‖_F."""
        return shares.accumulated(self._factors[""])

    @property
    def _factors(self) -> Mapping[str, shares.Factors]:
        which = np.zeros((*self.symbols.shape, len(self.table)), self.token_grad.dtype)
        there = np.nonzero(self.symbols >= 0)
        which[(*there, self.symbols[there])] = 1
        return {"": shares.Factors(which, self.token_grad)}

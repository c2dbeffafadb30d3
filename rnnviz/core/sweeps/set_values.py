"""Quantities set by hand in one layer: what the forward sweep puts in their place, where the backward sweep ends."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Backward, Cell, Forward, Hold, Weights


@dataclass(frozen=True, eq=False)
class Holding:
    """What is set in one layer and direction of one sequence, in the layer's own order of its S time steps."""

    where: Mapping[str, Array]  # (S, units) bool, by "h", "c", "a" or a gate's letter
    values: Mapping[str, Array]  # (S, units) what is set there
    cut: Array  # (S,) True where nothing is carried to a state from the time step after it

    def at(self, time_step: int) -> Hold | None:
        """What writes the values of this time step (0-based) over those computed; None where nothing is set."""
        here = {name: where[time_step] for name, where in self.where.items() if where[time_step].any()}
        if not here:
            return None

        def hold(name: str, computed: Array) -> None:
            if name in here:
                computed[..., here[name]] = self.values[name][time_step, here[name]]

        return hold

    @property
    def hidden(self) -> Array | None:
        """(S, P) True where h is set, so that its gradient goes no further back; None where it nowhere is."""
        return self.where.get("h")

    def closed(self, cell: Cell, slopes: Mapping[str, Array]) -> dict[str, Array]:
        """The slopes with zeros for all that a set quantity no longer depends on."""
        closed = {name: slope.copy() for name, slope in slopes.items()}
        for name, where in self.where.items():
            if name != "h":
                cell.close(closed, name, where)
        return closed

    def backward(self, cell: Cell, weights: Weights, slopes: Mapping[str, Array], direct: Array) -> Backward:
        """The reverse scan of `Cell.backward` for one sequence, direct (S, P), that respects what is set and cut."""
        carried, delta = np.zeros_like(direct), np.empty((len(direct), len(weights.weight_hh)), direct.dtype)
        passed = np.empty_like(direct)  # what of ∂L/∂h goes on into the cell
        path = np.zeros_like(slopes["forget"]) if "forget" in slopes else None
        for t in range(len(direct) - 1, -1, -1):
            passed[t] = direct[t] + carried[t]
            if self.hidden is not None:
                passed[t, self.hidden[t]] = 0
            here = {name: slope[t] for name, slope in slopes.items()}
            along = None if path is None else path[t : t + 1]
            before, before_cell, delta[t] = cell.pull_back(weights, here, passed[t : t + 1], along)
            if t and not self.cut[t - 1]:
                carried[t - 1] = before[0]
                if path is not None and before_cell is not None:
                    path[t - 1] = before_cell[0]
        total, recurrent_delta = None, delta
        if path is not None:
            total = (passed if weights.weight_hr is None else passed @ weights.weight_hr) * slopes["through"] + path
        if "recurrent" in slopes:
            recurrent_delta = np.concatenate((passed, passed, passed), axis=-1) * slopes["recurrent"]
        return Backward(direct + carried, carried, total, path, delta, recurrent_delta)


def in_one(steps: list[Forward]) -> Forward:
    """The forward sweeps of single time steps (1, ·) as one (S, ·)."""
    first = steps[0]

    def each(name: str) -> dict[str, Array]:
        return {key: np.concatenate([getattr(step, name)[key] for step in steps]) for key in getattr(first, name)}

    def maybe(name: str) -> Array | None:
        return None if getattr(first, name) is None else np.concatenate([getattr(step, name) for step in steps])

    h = np.concatenate([step.h for step in steps])
    return Forward(h, maybe("c"), maybe("previous_c"), each("gates"), each("pre_activations"), each("inner"))

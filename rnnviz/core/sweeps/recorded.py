"""Recorded layer: a user's own cell in a trace; values and gradients by name, no operations, no rebuilding.

Its step Jacobians, and all that follows from them, are known once the engine was asked: `Asked`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from rnnviz.core.arrays import Array, frozen, frozen_mapping
from rnnviz.core.cells.own import NOT_KNOWN
from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps import shares
from rnnviz.core.sweeps.axis import Place, Rows
from rnnviz.core.sweeps.capture import Call, RecordedCall
from rnnviz.core.sweeps.heads.pooling import PooledGrads
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.scans.asked import Asked
from rnnviz.core.sweeps.steps.nodes import Slopes


@dataclass(frozen=True, eq=False, repr=False)
class RecordedLayer(Layer):
    """A layer of a user's own cell."""

    recorded: RecordedCall | None = None  # always there: a field with a default, as those before it have one

    @property
    def told(self) -> RecordedCall:
        assert self.recorded is not None  # `recorded_layer` gives it
        return self.recorded

    @property
    def asked(self) -> Asked | None:
        """What the engine told of one sequence; None while it did not."""
        found: Asked | None = vars(self).get("_asked")
        return found

    def answer(self, asked: Asked) -> None:
        """Takes what the engine told. RnnvizError where it is of another size."""
        time_steps, sequences, inputs = self.x.shape
        units = sum(map(self.structure.units, self.equations.states))
        wanted = (time_steps, units, units), (time_steps, units, units), (time_steps, units, inputs)
        came = asked.step.shape, asked.within.shape, asked.inputs.shape
        if sequences != 1 or came != wanted:
            raise RnnvizError(f"step Jacobians: wanted the shapes {wanted} of one sequence, got {came}.")
        vars(self)["_asked"] = asked

    @cached_property
    def slopes(self) -> Slopes:
        raise RnnvizError(NOT_KNOWN)

    def direct(self, state: str) -> Array:
        self.equations.node(state)
        return self.told.direct[state]

    def carried(self, state: str) -> Array:
        self.equations.node(state)
        return self.told.carried[state]

    @cached_property
    def initial_grads(self) -> Mapping[str, Array]:
        return self.told.initial_grads

    @cached_property
    def weight_grads(self) -> Mapping[str, Array]:
        return frozen_mapping({name: array[0] for name, array in self.told.weight_grads.items()})

    @cached_property
    def weight_grad_shares(self) -> Mapping[str, Array]:
        return frozen_mapping({name: array[:, 0] for name, array in self.told.shares.items()})

    @cached_property
    def weight_grad_so_far(self) -> Mapping[str, Array]:
        return frozen_mapping({name: array[:, 0] for name, array in self.told.so_far.items()})

    @cached_property
    def factors(self) -> dict[str, shares.Factors]:
        return {}

    def sample(
        self, n: int, rows: Rows, above: "tuple[Self, ...]", place: Place | None = None, copied: bool = False
    ) -> Self:
        return replace(super().sample(n, rows, above, place, copied), recorded=self.told.sample(n, rows))


def recorded_layer(call: Call, weights: Mapping[str, Array], pooled: PooledGrads | None) -> RecordedLayer:
    """The one layer of a call that was recorded; `pooled`: as of `sweep_back`."""
    told, (layer,) = call.recorded, call.layer_ids
    assert told is not None  # the caller looked
    initial = {state: array[0] for state, array in call.initial.items()}
    before = {state: np.concatenate([initial[state][None], array[:-1]]) for state, array in told.states.items()}
    cell = call.structure.equations
    return RecordedLayer(
        id=layer,
        structure=call.structure,
        weights=frozen_mapping({one.name: weights[call.parameter(one.name, layer)] for one in cell.parameters}),
        lengths=call.lengths,
        values=frozen_mapping({"x": call.inputs, **told.states}),
        before=frozen_mapping(before),
        initial=frozen_mapping(initial),
        direct_grad=frozen(call.grad_output),
        grads=frozen_mapping({"x": told.input_grad, **told.grads}),
        arriving=told.arriving,
        cut=call.cut,
        given=call.head is None,
        pooled=pooled,
        recorded=told,
    )


def recorded_output(call: Call) -> Array:
    """(T, N, P) of a user's own cell, whose first state it is."""
    assert call.recorded is not None  # the caller looked
    return call.recorded.states[call.structure.equations.output]

"""Hand-over: a call begins with the final states of another, as they are or through a bridge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.sweeps.capture import Bridge, Call
from rnnviz.core.sweeps.forward import LayerSweep
from rnnviz.core.sweeps.verdicts.fidelity import relative_difference

States = Mapping[str, Array]  # (layers·D, N, ·) by name


def unroll_calls(
    calls: tuple[Call, ...], unroll: Callable[[Call, States | None], list[LayerSweep]]
) -> list[list[LayerSweep]]:
    """The forward sweeps of all calls, each by `unroll` from the first states it is given; None: the call's own.

    Those that a call takes over are torch's own where torch's output is known, else they follow from the sweeps.
    """
    found = list[list[LayerSweep]]()
    for call in calls:
        taken_over = call.follows is not None and call.output is None
        first = first_states(call.bridge, final_states(found[call.follows])) if taken_over else None  # type: ignore[index]
        found.append(unroll(call, first))
    return found


@np.errstate(all="ignore")
def made_otherwise(calls: tuple[Call, ...], sweeps: list[list[LayerSweep]]) -> dict[str, float]:
    """How far, relative, the first states and inputs that torch gave each call are from what makes them: final states
    of another call, through the bridge, and rows of the embedding. By what they are, in words."""
    found = dict[str, float]()
    for call in calls:
        if call.output is None:  # nothing here is torch's
            continue
        if call.follows is not None and sweeps[call.follows]:
            made = first_states(call.bridge, final_states(sweeps[call.follows]))
            for state, given in call.initial.items():
                found[f"the first {state} of {call.name}"] = relative_difference(made[state], given)
        if call.embedding is not None:
            there = call.embedding.symbols >= 0
            rows = call.embedding.table[call.embedding.symbols[there]]
            of = f" of {call.name}" if call.name else ""
            found[f"the inputs{of} by the embedding"] = relative_difference(rows, call.inputs[there])
    return found


def final_states(sweeps: list[LayerSweep]) -> dict[str, Array]:
    """(layers·D, N, ·) by state, of each sequence at the end of its own, which of a reverse layer is at t = 1."""
    return {state: np.stack([_last(sweep, state) for sweep in sweeps]) for state in sweeps[0].cell.states}


def _last(sweep: LayerSweep, state: str) -> Array:
    """(N, ·) in the layer's own order the last of each sequence."""
    values, lengths = sweep.values[state], sweep.order.lengths
    values = values[:, None] if sweep.single else values
    return np.asarray(values[-1] if lengths is None else values[lengths - 1, np.arange(values.shape[1])])


@np.errstate(all="ignore")
def first_states(bridge: Bridge | None, final: States) -> dict[str, Array]:
    """(layers·D, N, ·) by state what the next call begins with."""
    if bridge is None:
        return dict(final)
    return {
        state: np.matmul(beside(array), bridge.weight[state].swapaxes(1, 2)) + bridge.bias[state][:, None]
        for state, array in final.items()
    }


def beside(states: Array) -> Array:
    """(layers, N, 2·units) the states of both directions (2·layers, N, units) side by side."""
    return np.concatenate([states[0::2], states[1::2]], axis=-1)


@dataclass(frozen=True, eq=False)
class BridgeTrace(FrozenArrays):
    """A bridge in both sweeps, by state."""

    bridge: Bridge
    read: Mapping[str, Array]  # (layers, N, 2·units) the final states of both directions side by side
    first: Mapping[str, Array]  # (layers, N, units) what it makes of them
    grads: Mapping[str, Array]  # (layers, N, units) ∂L/∂ that

    @cached_property
    @np.errstate(all="ignore")
    def final_grads(self) -> Mapping[str, Array]:
        """(2·layers, N, units) ∂L/∂ the final states, in torch's order."""
        found = {}
        for state, grads in self.grads.items():
            read = np.matmul(grads, self.bridge.weight[state])  # (layers, N, 2·units)
            units = read.shape[-1] // 2
            both = np.stack([read[..., :units], read[..., units:]], axis=1)
            found[state] = both.reshape(-1, *both.shape[2:])
        return frozen_mapping(found)

    @cached_property
    @np.errstate(all="ignore")
    def weight_grads(self) -> Mapping[str, Array]:
        """∂L/∂ its parameters: "weight_h" (layers, units, 2·units), "bias_h" (layers, units), …"""
        found = {}
        for state, grads in self.grads.items():
            found[f"weight_{state}"] = np.matmul(grads.swapaxes(1, 2), self.read[state])
            found[f"bias_{state}"] = grads.sum(axis=1)
        return frozen_mapping(found)

    @property
    def parameters(self) -> Mapping[str, Array]:
        """By the names of `weight_grads`."""
        return {
            f"{name}_{state}": arrays[state]
            for state in self.grads
            for name, arrays in (("weight", self.bridge.weight), ("bias", self.bridge.bias))
        }

    def of_layer(self, state: str, depth: int, reverse: bool) -> Array:
        """(units, units) the part of a weight through which one direction of a layer reaches the next call."""
        weight = self.bridge.weight[state][depth]
        units = weight.shape[-1] // 2
        return np.asarray(weight[:, units:] if reverse else weight[:, :units])

    def sample(self, n: int) -> "BridgeTrace":
        """The same of sequence `n` alone."""

        def one(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
            return frozen_mapping({state: frozen(array[:, n : n + 1]) for state, array in arrays.items()})

        return replace(self, read=one(self.read), first=one(self.first), grads=one(self.grads))


def bridged(bridge: Bridge, final: States, grads: States) -> BridgeTrace:
    """The trace of a bridge that read `final`, whose results get `grads`."""
    read = {state: frozen(beside(array)) for state, array in final.items()}
    first = {state: frozen(array) for state, array in first_states(bridge, final).items()}
    return BridgeTrace(bridge, frozen_mapping(read), frozen_mapping(first), frozen_mapping(grads))

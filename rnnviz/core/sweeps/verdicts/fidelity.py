"""How far a rebuilt trace is from torch's own numbers, and how far rounding can take it."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays
from rnnviz.core.magnitude import l2
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.capture import Capture, RecordedCall
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.steps.nodes import SetByHand

LIMITS = {"float32": 1e-5, "float64": 1e-10}  # relative differences that rounding explains
LARGEST_LIMIT = 1e-2  # whatever cancels: beyond it a number has no digits left that could be compared
OUTPUT, OUTPUT_GRAD = "output", "output_grad"


def relative_difference(ours: Array, theirs: Array) -> float:
    """max |ours − theirs| / max |theirs|; 0 / 0 is 0. Where both are the same NaN or ∞ there is no difference."""
    if not theirs.size:
        return 0.0
    room = np.asarray(np.subtract(ours, theirs))  # of a single number, too
    difference, scale = _largest(room, room), _largest(theirs, room)
    if not (math.isfinite(difference) and math.isfinite(scale)):
        finite = np.isfinite(theirs) & np.isfinite(ours)
        if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
            return math.inf
        return relative_difference(ours[finite], theirs[finite])
    return difference / scale if scale else (0.0 if difference == 0 else math.inf)


def _largest(values: Array, room: Array) -> float:
    """max |values|; `room` of the same shape is written over."""
    return float(np.maximum.reduce(np.abs(values, out=room), axis=None))


@dataclass(frozen=True, eq=False)
class Check(FrozenArrays):
    """What is compared: the capture with torch's own numbers, and what was rebuilt from it."""

    capture: Capture
    outputs: tuple[Array, ...]  # (T, N, D·P) of each call
    layers: tuple[Layer, ...]  # of all calls
    by_hand: Mapping[LayerId, SetByHand] | None = None  # what was set by hand in it
    attended: Mapping[str, Array] = field(default_factory=dict)  # ∂L/∂ the outputs that attention reads, by call
    made: Mapping[str, float] = field(default_factory=dict)  # relative differences of what makes states and inputs

    @cached_property
    @np.errstate(all="ignore")
    def differences(self) -> Mapping[str, float]:
        """The relative difference to each output and parameter gradient of torch's there is, by name."""
        return {name: relative_difference(ours, theirs) for name, ours, theirs in self._pairs(self.theirs)}

    @property
    def difference(self) -> float:
        """The largest of them; NaN if there are none."""
        return max(self.differences.values(), default=math.nan)

    @cached_property
    def ours(self) -> Mapping[str, Array]:
        """Each call's output and each parameter's gradient as rebuilt, by name: "output", "weight_hh_l0"; of a user's
        own cell as each time step, run once more, gave them, with the gradients of its states: "∂L/∂h"."""
        states = {
            f"∂L/∂{state}": np.add(told.direct[state], told.carried[state])
            for told in self._recorded
            for state in told.states
        }
        attended = {_grad_name(call): grads for call, grads in self.attended.items()}
        return {**self._named_outputs(self.outputs), **states, **self.weight_grads, **attended}

    @property
    def recorded(self) -> bool:
        """Whether nothing was rebuilt: a user's own cell."""
        return bool(self._recorded)

    @property
    def _recorded(self) -> list[RecordedCall]:
        return [call.recorded for call in self.capture.calls if call.recorded is not None]

    @cached_property
    def weight_grads(self) -> Mapping[str, Array]:
        """Each parameter's gradient as rebuilt, by name."""
        return weight_grads(self.capture, self.layers)

    @cached_property
    def theirs(self) -> Mapping[str, Array]:
        """Those of torch's that the capture holds, by the same names."""
        outputs = self._named_outputs(tuple(call.output for call in self.capture.calls))
        attended = {_grad_name(one.name): one.grad_output for one in self.capture.calls if one.name in self.attended}
        states = {f"∂L/∂{state}": array for told in self._recorded for state, array in told.grads.items()}
        found = {**outputs, **states, **self.capture.grads, **attended}
        return {name: one for name, one in found.items() if one is not None}

    @cached_property
    def of_own_pass(self) -> Mapping[str, Array]:
        """Those of the person's own pass that are known, by the same names."""
        own = self.capture.own
        if own is None:
            return {}
        return {**({} if own.output is None else {OUTPUT: own.output}), **own.grads}

    @np.errstate(all="ignore")
    def differences_of(self, theirs: Mapping[str, Array]) -> dict[str, float]:
        """The relative difference of what was rebuilt to each of `theirs`."""
        return {name: relative_difference(ours, one) for name, ours, one in self._pairs(theirs)}

    @cached_property
    @np.errstate(all="ignore")
    def cancellation(self) -> Mapping[str, float]:
        """Σ_t Σ_n ‖(∂L/∂W)|_{t,n}‖ / ‖∂L/∂W‖ of each parameter, at least 1: how much larger rounding of the shares is
        in what is left of them."""
        wholes = {name: float(l2(self.ours[name].ravel())) for name in self.share_sums}
        return {
            name: max(1.0, one / wholes[name]) if wholes[name] > 0 and one < math.inf else 1.0
            for name, one in self.share_sums.items()
        }

    @cached_property
    @np.errstate(all="ignore")
    def share_sums(self) -> Mapping[str, float]:
        """Σ_t Σ_n ‖(∂L/∂W)|_{t,n}‖ of each parameter."""
        parts = dict[str, float]()
        calls = {call.name: call for call in self.capture.calls}
        for layer in self.layers:
            if layer.equations.recorded:
                told = layer.weight_grad_shares
                parts |= {calls[layer.id.call].parameter(name, layer.id): float(told[name].sum()) for name in told}
            for name, (delta, partner) in layer.factors.items():
                shares = l2(delta) if partner is None else l2(delta) * l2(partner)  # (T, N)
                whole = calls[layer.id.call].parameter(name, layer.id)
                parts[whole] = parts.get(whole, 0.0) + float(shares.sum())
        return parts

    def remembered(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once for the whole trace and all that is cut out of it."""
        if name not in self._remembered:
            self._remembered[name] = make()
        return self._remembered[name]

    def known(self, name: str) -> Any:
        """What is remembered by this name; None while it was not made."""
        return self._remembered.get(name)

    @staticmethod
    def gathered(
        capture: Capture,
        outputs: tuple[Array, ...],
        attended: Mapping[str, Array],
        weight_grads: Mapping[str, Array],
        share_sums: Mapping[str, float],
        made: Mapping[str, float],
    ) -> "Check":
        """The check of sequences that were rebuilt one after another: what is summed over them, and no layers."""
        check = Check(capture, outputs, (), None, attended, made)
        vars(check).update(weight_grads=weight_grads, share_sums=share_sums)
        return check

    def drop(self, name: str) -> None:
        """Forgets what is remembered by this name."""
        self._remembered.pop(name, None)

    def settled(self) -> "Check":
        """The same with what was found out, but without the arrays that were rebuilt: nothing more can be compared."""
        check = replace(self, outputs=(), layers=(), attended={})
        vars(check).update(differences=self.differences, _remembered=dict(self._remembered))
        check.drop("exact")
        return check

    @cached_property
    def _remembered(self) -> dict[str, Any]:
        return {}

    def _named_outputs(self, outputs: tuple[Array | None, ...]) -> dict[str, Any]:
        names = (f"{call.name}.{OUTPUT}" if call.name else OUTPUT for call in self.capture.calls)
        return dict(zip(names, outputs, strict=True))

    def _pairs(self, theirs: Mapping[str, Array]) -> Iterator[tuple[str, Array, Array]]:
        for name, one in theirs.items():
            if name in self.ours:
                yield name, self.ours[name], one


def _grad_name(call: str) -> str:
    """Of the gradient that comes to a call's output."""
    return f"{call}.{OUTPUT_GRAD}" if call else OUTPUT_GRAD


@np.errstate(all="ignore")
def weight_grads(capture: Capture, layers: tuple[Layer, ...]) -> dict[str, Array]:
    """The rebuilt gradient of each parameter of the capture, summed over the calls that share it."""
    found: dict[str, Array] = {}
    calls = {call.name: call for call in capture.calls}
    for layer in layers:
        call = calls[layer.id.call]
        for name, ours in layer.weight_grads.items():
            whole = call.parameter(name, layer.id)
            found[whole] = found[whole] + ours if whole in found else ours
    return found

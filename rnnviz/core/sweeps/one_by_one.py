"""Large traces: the sequences of a capture rebuilt one after another, of which one is kept; the verdict is of all."""

from collections.abc import Callable

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.sweeps.capture import Call, Capture
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.core.sweeps.trace import Trace, one_rounding_off, rebuild
from rnnviz.core.sweeps.verdicts.fidelity import Check
from rnnviz.core.sweeps.verdicts.not_finite import all_finite
from rnnviz.core.sweeps.verdicts.precision import in_float64, jittered
from rnnviz.core.sweeps.verdicts.verdict import judge


def rebuild_one(capture: Capture, sample: int) -> Trace:
    """`rebuild(capture).alone(sample)` in about an N-th of the memory, for never more than one sequence's arrays are
    there. Raises like `rebuild`."""
    check_shapes(capture)
    if capture.inputs.shape[1] == 1:
        return rebuild(capture)
    check, kept, found = _each_rebuilt(capture, sample)
    if kept is None or not (all_finite(check.ours) and all_finite(check.theirs)):
        return rebuild(capture).alone(sample)  # the verdict says where: the layers of all sequences are looked through
    check.remembered("verdict", lambda: judge(check, lambda seed: _in_float64(capture, seed)))
    check.remembered("underflows", lambda: found)
    return kept.standing_for(check.settled(), sample)


def _in_float64(capture: Capture, seed: int | None) -> Check:
    wide, dtype = in_float64(capture), capture.inputs.dtype.name
    if seed is None:
        return _each_rebuilt(wide)[0]
    return _each_rebuilt(jittered(wide, seed, dtype), make=lambda one: one_rounding_off(one, seed, dtype))[0]


def _each_rebuilt(
    capture: Capture, kept: int | None = None, make: Callable[[Capture], Trace] | None = None
) -> tuple[Check, Trace | None, bool]:
    """The check of all sequences without their layers, the trace of `kept` alone, and whether any underflows. `make`
    stands in for `rebuild`."""
    outputs = [np.zeros(call.grad_output.shape, call.grad_output.dtype) for call in capture.calls]
    grads, shares, attended = dict[str, Array](), dict[str, float](), dict[str, Array]()
    trace, underflows, made = None, False, dict[str, float]()
    for n in sorted(range(capture.inputs.shape[1]), key=lambda n: n == kept):  # the one that is kept comes last
        one = (make or rebuild)(capture.sample(n))
        for whole, own in zip(outputs, one.check.outputs, strict=True):
            whole[: len(own), n] = own[:, 0]
        for call, own in one.check.attended.items():
            if call not in attended:
                attended[call] = np.zeros_like(next(one.grad_output for one in capture.calls if one.name == call))
            attended[call][: len(own), n] = own[:, 0]
        for name, gradient in one.check.weight_grads.items():
            grads[name] = grads[name] + gradient if name in grads else gradient
        for name, share in one.check.share_sums.items():
            shares[name] = shares.get(name, 0.0) + share
        made |= {name: max(far, made.get(name, 0.0)) for name, far in one.check.made.items()}
        underflows = underflows or one.underflows
        one.forget()
        trace = one if n == kept else trace
        del one  # before the next one is made
    check = Check.gathered(capture, tuple(map(frozen, outputs)), attended, grads, shares, made)
    return check, trace, underflows


def trace_bytes(capture: Capture) -> int:
    """About what `rebuild(capture)` takes in memory."""
    time_steps = capture.axis.time_steps
    sizes = [_call_bytes(call, time_steps) for call in capture.calls]
    for call in capture.calls:
        if call.head is not None and (attention := call.head.attention) is not None:
            over = len(capture.calls[attention.over].inputs)
            units = 2 * over + 2 * sum(attention.combine.shape)  # scores and weights; contexts, outputs, gradients
            sizes.append(time_steps * call.inputs.shape[1] * units * call.inputs.itemsize)
    return sum(sizes)


def _call_bytes(call: Call, time_steps: int) -> int:
    """Of the arrays of one call on an axis of so many time steps."""
    structure, cell = call.structure, call.structure.equations
    units = sum(structure.units(node.name) for node in cell.nodes)
    units += 3 * sum(structure.units(state) for state in cell.states)  # before, and both parts of its gradient
    return int(time_steps * call.inputs.shape[1] * units * len(call.layer_ids) * call.inputs.itemsize)

"""The trace a sequence would have had: both sweeps, head and loss recomputed with interventions in them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.borders.hand_over import unroll_calls
from rnnviz.core.sweeps.call_trace import head_of
from rnnviz.core.sweeps.capture import Call, Capture
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.core.sweeps.forward import LayerSweep, module_output, unroll
from rnnviz.core.sweeps.steps.nodes import SetByHand
from rnnviz.core.sweeps.trace import Trace, rebuild, swept
from rnnviz.core.sweeps.what_if.changed_capture import changed_capture, set_name
from rnnviz.core.sweeps.what_if.interventions import Clamp, CutGradient, Intervention, SetInput, SetValue

ByHand = Mapping[LayerId, SetByHand]


def rebuild_changed(capture: Capture, interventions: Sequence[Intervention], sample: int = 0) -> Trace:
    """The trace of sequence `sample` (0-based; N = 1, cut to its length) as the interventions would have made it.

    The loss follows the head; without one ∂L/∂output stays as captured. A gradient of what was set is that of the
    set value and goes no further back. Later interventions win over earlier ones. The fidelity is NaN, for torch never
    computed this, and each intervention is a note. Without any it is `rebuild(capture).sample(sample)`.
    RnnvizError for an intervention that does not fit the capture.
    """
    return recompute(capture, interventions, sample) if interventions else rebuild(capture).sample(sample)


@one_blas_thread
@np.errstate(all="ignore")
def recompute(capture: Capture, interventions: Sequence[Intervention] = (), sample: int = 0) -> Trace:
    """`rebuild_changed`, but without interventions too one time step after the other, as with them: what to compare a
    changed trace with, for where nothing reaches it is the same to the last bit. History differs by rounding."""
    check_shapes(capture)
    changed = changed_capture(capture, interventions, sample)
    by_hand = _by_hand(changed, interventions)
    changed, sweeps = _read(changed, by_hand, interventions)
    notes = (*capture.notes, *(f"Not history: {one.words}." for one in interventions))
    return swept(_with_losses(changed, sweeps), sweeps, notes, by_hand)


def _read(
    capture: Capture, by_hand: ByHand, interventions: Sequence[Intervention]
) -> tuple[Capture, list[list[LayerSweep]]]:
    """The forward sweeps; a decoder that reads its own output reads that of these, but where its input is set by hand.

    Each round is right for one time step more, and most often the first one is for all.
    """
    by_user, weights = {one.time_step - 1 for one in interventions if isinstance(one, SetInput)}, capture.weights
    while True:
        sweeps = unroll_calls(capture.calls, lambda call, first: unroll(call, weights, None, by_hand, first))
        fed = [_fed_back(capture, number, sweeps, by_user) for number in range(len(capture.calls))]
        if all(new is call for new, call in zip(fed, capture.calls, strict=True)):
            return capture, sweeps
        capture = replace(capture, calls=tuple(fed))


def _fed_back(capture: Capture, number: int, sweeps: list[list[LayerSweep]], by_user: set[int]) -> Call:
    """A call with the symbols it holds for the likeliest where it reads its own output, up to the first that differs;
    itself where all are these. The first symbol is that of the start, so that answer 0 is symbol 1."""
    call = capture.calls[number]
    if call.told is None or call.told.all() or call.head is None:
        return call
    head = head_of(capture, number, _outputs(capture, sweeps))
    assert head is not None  # the call has one
    symbols = call.inputs[:, 0].argmax(axis=-1) if call.embedding is None else call.embedding.symbols[:, 0]
    for k in np.flatnonzero(~call.told[:, 0]):
        own = int(head.prediction[k - 1, 0].argmax()) + 1
        if k and own != symbols[k] and call.start + k not in by_user:
            return _with_symbol(call, int(k), own)
    return call


def _with_symbol(call: Call, k: int, symbol: int) -> Call:
    inputs, embedding = call.inputs.copy(), call.embedding
    if embedding is None:
        inputs[k, 0] = 0
        inputs[k, 0, symbol] = 1
    else:
        symbols = embedding.symbols.copy()
        symbols[k, 0], inputs[k, 0] = symbol, embedding.table[symbol]
        embedding = replace(embedding, symbols=symbols)
    return replace(call, inputs=inputs, embedding=embedding)


def _outputs(capture: Capture, sweeps: list[list[LayerSweep]]) -> tuple[Array, ...]:
    return tuple(module_output(call, one) for call, one in zip(capture.calls, sweeps, strict=True))


def _with_losses(capture: Capture, sweeps: list[list[LayerSweep]]) -> Capture:
    """With the ∂L/∂output that the heads and their attention send now; without either it stays as captured."""
    outputs, calls = _outputs(capture, sweeps), list[Call]()
    heads = [head_of(capture, number, outputs) for number in range(len(capture.calls))]
    attended = [head.attention for head in heads if head is not None and head.attention is not None]
    for number, (call, head) in enumerate(zip(capture.calls, heads, strict=True)):
        parts = [] if head is None else [head.output_grad]
        parts += [one.read_grad for one in attended if one.over == number]
        calls.append(replace(call, grad_output=sum(parts[1:], parts[0])) if parts else call)
    return replace(capture, calls=tuple(calls))


def _by_hand(capture: Capture, interventions: Sequence[Intervention]) -> ByHand:
    """For each layer what is set or cut in it, in its own order of time steps. Layers in which nothing is have one
    too, so that all are computed the same way."""
    return {layer: _in_layer(call, layer, interventions) for call in capture.calls for layer in call.layer_ids}


def _in_layer(call: Call, layer: LayerId, interventions: Sequence[Intervention]) -> SetByHand:
    time_steps, dtype = len(call.inputs), call.inputs.dtype
    where, values, cut = dict[str, Array](), dict[str, Array](), np.zeros(time_steps, bool)
    for one in interventions:
        if isinstance(one, CutGradient) and (one.layer == layer.text or not one.layer):
            cut |= np.arange(time_steps) == one.time_step - 1 - call.start
        if not isinstance(one, SetValue | Clamp) or one.layer != layer.text:
            continue
        name = set_name(one, call.structure)
        if name not in where:
            shape = (time_steps, call.structure.units(name))
            where[name], values[name] = np.zeros(shape, bool), np.zeros(shape, dtype)
        first, last = (one.time_step,) * 2 if isinstance(one, SetValue) else (one.first, one.last)
        times = slice(max(first - 1 - call.start, 0), None if last is None else max(last - call.start, 0))
        units = slice(None) if one.unit is None else slice(one.unit - 1, one.unit)
        where[name][times, units] = True
        values[name][times, units] = one.value
    if layer.reverse:
        where = {name: array[::-1] for name, array in where.items()}
        values = {name: array[::-1] for name, array in values.items()}
        cut = cut[::-1]
    return SetByHand(where, values, cut)

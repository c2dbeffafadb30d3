"""The trace a sequence would have had: both sweeps, head and loss recomputed with interventions in them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.core.sweeps.forward import module_output, unroll
from rnnviz.core.sweeps.head import through_head
from rnnviz.core.sweeps.interventions import (
    Clamp,
    CutGradient,
    Intervention,
    SetInput,
    SetState,
    SetValue,
    SetWeight,
    check_numbers,
)
from rnnviz.core.sweeps.nodes import SetByHand
from rnnviz.core.sweeps.trace import Trace, rebuild, swept

HEAD = ("head.weight", "head.bias")


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
    sweeps = unroll(changed.calls[0], changed.weights, None, by_hand)
    head = changed.head
    if head is not None:
        output = module_output(changed.calls[0], sweeps)
        changed = changed.with_call(grad_output=through_head(head, output).output_grad)
    notes = (*capture.notes, *(f"Not history: {one.words}." for one in interventions))
    return swept(changed, [sweeps], notes, by_hand)


def changed_capture(capture: Capture, interventions: Sequence[Intervention], sample: int = 0) -> Capture:
    """The capture of sequence `sample` alone, without torch's numbers, with its weights, input and initial state as
    the interventions set them. RnnvizError for one that does not fit."""
    changed = _alone(capture, sample)
    weights, inputs = _parameters(changed), changed.inputs.copy()
    states = {state: array.copy() for state, array in changed.initial.items()}
    for one in interventions:
        check_numbers(one)
        match one:
            case SetWeight():
                _set_weight(weights, one)
            case SetInput():
                _check_time(one, one.time_step, len(inputs))
                inputs[one.time_step - 1, 0] = _fitting(one, one.values, inputs.shape[-1])
            case SetState():
                rows = states[_settable(one, changed.structure, changed.structure.equations.states)]
                row = rows[_layer_number(one, one.layer, changed.structure)]
                row[0] = _fitting(one, one.values, rows.shape[-1])
            case SetValue() | Clamp() | CutGradient():
                _check_held(one, changed)
    head = changed.head
    if head is not None:
        head = replace(head, weight=weights.pop("head.weight", None), bias=weights.pop("head.bias", None))
    return replace(changed.with_call(inputs=inputs, initial=states, head=head), weights=weights)


def changed_weights(capture: Capture, interventions: Sequence[Intervention]) -> dict[str, Array]:
    """All parameters under the names of rnnviz's own models ("recurrent.weight_ih_l0", …, "head.weight"), as set by
    the interventions; what is no weight does not matter here. RnnvizError for one that does not fit."""
    weights = _parameters(capture)
    for one in interventions:
        if isinstance(one, SetWeight):
            check_numbers(one)
            _set_weight(weights, one)
    return {name if name in HEAD else f"recurrent.{name}": weight for name, weight in weights.items()}


def _alone(capture: Capture, sample: int) -> Capture:
    """The capture with sequence `sample` only, cut to its length."""
    time_steps, sequences = capture.inputs.shape[:2]
    if len(capture.calls) > 1:
        raise RnnvizError("what-if: wanted a model of one recurrent module, got one of several")
    if not 0 <= sample < sequences:
        raise RnnvizError(f"what-if: wanted a sequence from 0 to {sequences - 1}, got {sample}")
    length = time_steps if capture.lengths is None else int(capture.lengths[sample])
    alone = replace(capture.calls[0].sample(sample, length), output=None, grad_final={})
    return Capture(capture.weights, (alone,), notes=capture.notes)


def _parameters(capture: Capture) -> dict[str, Array]:
    """All parameters by name, the head's with "head." before it."""
    weights = dict(capture.weights)
    if capture.head is not None:
        weights |= {f"head.{name}": weight for name, weight in capture.head.parameters.items()}
    return weights


def _set_weight(weights: dict[str, Array], one: SetWeight) -> None:
    weight = weights.get(one.parameter)
    if weight is None:
        raise RnnvizError(f"{one.words}: there is no parameter {one.parameter}; there are {', '.join(weights)}.")
    weight = weight.copy()
    table = weight if weight.ndim == 2 else weight[:, None]
    for wanted, size, word in ((one.row, table.shape[0], "row"), (one.column, table.shape[1], "column")):
        if wanted is not None and not 1 <= wanted <= size:
            raise RnnvizError(f"{one.words}: the {word} must be from 1 to {size}, not {wanted}.")
    rows = slice(None) if one.row is None else slice(one.row - 1, one.row)
    columns = slice(None) if one.column is None else slice(one.column - 1, one.column)
    place = table[rows, columns]
    place[...] = np.reshape(_fitting(one, one.values, place.size), place.shape)
    weights[one.parameter] = weight


def _fitting(one: Intervention, values: tuple[float, ...], size: int) -> Array:
    """(size,) the values, a single one repeated."""
    if len(values) not in (1, size):
        raise RnnvizError(f"{one.words}: wanted 1 or {size} values, got {len(values)}.")
    return np.full(size, values, np.float64)


def _check_time(one: Intervention, time_step: int, time_steps: int) -> None:
    if not 1 <= time_step <= time_steps:
        raise RnnvizError(f"{one.words}: the time step must be from 1 to {time_steps}, not {time_step}.")


def _layer_number(one: Intervention, layer: str, structure: Structure) -> int:
    if layer not in structure.layer_names:
        raise RnnvizError(f"{one.words}: there is no layer {layer!r}; there are {', '.join(structure.layer_names)}.")
    return structure.layer_names.index(layer)


def _settable(one: SetValue | Clamp | SetState, structure: Structure, wanted: Sequence[str] | None = None) -> str:
    """The name of what is set; RnnvizError where this cell has none or nobody can set it."""
    cell = structure.equations
    names = [node.name for node in cell.settable] if wanted is None else wanted
    if one.quantity in names:
        return one.quantity
    node = cell.by_name.get(one.quantity)
    if not names:
        raise RnnvizError(f"{one.words}: the {structure.cell} cell carries no state that could be set.")
    words = node.words if node is not None and node.words else one.quantity
    raise RnnvizError(f"{one.words}: in the {structure.cell} cell {', '.join(names)} can be set, not the {words}.")


def _check_held(one: SetValue | Clamp | CutGradient, capture: Capture) -> None:
    time_steps, structure = len(capture.inputs), capture.structure
    if isinstance(one, CutGradient):
        _check_time(one, one.time_step, time_steps)
        if one.layer:
            _layer_number(one, one.layer, structure)
        return
    _layer_number(one, one.layer, structure)
    width = structure.units(_settable(one, structure))
    if one.unit is not None and not 1 <= one.unit <= width:
        raise RnnvizError(f"{one.words}: the unit must be from 1 to {width}, not {one.unit}.")
    if isinstance(one, SetValue):
        _check_time(one, one.time_step, time_steps)
    else:
        _check_time(one, one.first, time_steps)
        if one.last is not None and one.last < one.first:
            raise RnnvizError(f"{one.words}: the last time step must not be before {one.first}, but is {one.last}.")


def _by_hand(capture: Capture, interventions: Sequence[Intervention]) -> Mapping[LayerId, SetByHand]:
    """For each layer what is set or cut in it, in its own order of time steps. Layers in which nothing is have one
    too, so that all are computed the same way."""
    return {layer: _in_layer(capture, layer, interventions) for layer in capture.structure.layer_ids}


def _in_layer(capture: Capture, layer: LayerId, interventions: Sequence[Intervention]) -> SetByHand:
    time_steps, dtype = len(capture.inputs), capture.inputs.dtype
    where, values, cut = dict[str, Array](), dict[str, Array](), np.zeros(time_steps, bool)
    for one in interventions:
        if isinstance(one, CutGradient) and one.layer in ("", layer.text):
            cut[one.time_step - 1] = True
        if not isinstance(one, SetValue | Clamp) or one.layer != layer.text:
            continue
        name = _settable(one, capture.structure)
        if name not in where:
            shape = (time_steps, capture.structure.units(name))
            where[name], values[name] = np.zeros(shape, bool), np.zeros(shape, dtype)
        times = slice(one.time_step - 1, one.time_step) if isinstance(one, SetValue) else slice(one.first - 1, one.last)
        units = slice(None) if one.unit is None else slice(one.unit - 1, one.unit)
        where[name][times, units] = True
        values[name][times, units] = one.value
    if layer.reverse:
        where = {name: array[::-1] for name, array in where.items()}
        values = {name: array[::-1] for name, array in values.items()}
        cut = cut[::-1]
    return SetByHand(where, values, cut)

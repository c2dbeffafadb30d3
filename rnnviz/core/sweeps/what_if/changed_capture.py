"""The capture of one sequence as interventions set what its sweeps begin with: weights, inputs and first states."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.borders.learnt import beside_recurrent, learnt
from rnnviz.core.sweeps.capture import Bridge, Call, Capture
from rnnviz.core.sweeps.what_if.interventions import (
    Clamp,
    CutGradient,
    Intervention,
    SetInput,
    SetState,
    SetValue,
    SetWeight,
    check_numbers,
)


def changed_capture(capture: Capture, interventions: Sequence[Intervention], sample: int = 0) -> Capture:
    """The capture of sequence `sample` alone, without torch's numbers, with its weights, inputs and first states as
    the interventions set them. RnnvizError for one that does not fit."""
    changed = _alone(capture, sample)
    weights = _parameters(changed)
    for one in interventions:
        check_numbers(one)
        match one:
            case SetWeight():
                _set_weight(weights, one)
            case SetInput():
                changed = _replaced(changed, _with_input(_call_at(one, one.time_step, changed), one))
            case SetState():
                changed = _replaced(changed, _with_state(call_of(one, one.layer, changed), one))
            case SetValue() | Clamp() | CutGradient():
                _check_held(one, changed)
    return _with_parameters(changed, weights)


def changed_weights(capture: Capture, interventions: Sequence[Intervention]) -> dict[str, Array]:
    """All parameters under the names of rnnviz's own models ("recurrent.weight_ih_l0", …, "head.weight"), as set by
    the interventions; what is no weight does not matter here. RnnvizError for one that does not fit."""
    weights = _parameters(capture)
    for one in interventions:
        if isinstance(one, SetWeight):
            check_numbers(one)
            _set_weight(weights, one)
    return learnt(_with_parameters(capture, weights))


def settable_parameters(capture: Capture) -> dict[str, tuple[int, ...]]:
    """The shapes of the parameters that can be set, by name, module by module in torch's order; of a bridge the rows of
    all layers are one below the other."""
    weights, modules = _parameters(capture), {call.module: call.structure for call in capture.calls}
    names = [
        f"{module}.{name}" if module else name for module, one in modules.items() for name in one.parameter_shapes()
    ]
    ordered = dict.fromkeys([*names, *weights])
    return {name: weights[name].shape if weights[name].ndim == 1 else _table(weights[name]).shape for name in ordered}


def call_of(one: Intervention, layer: str, capture: Capture) -> Call:
    """The call that has the layer called `layer`; RnnvizError where none has."""
    for call in capture.calls:
        if any(layer == own.text for own in call.layer_ids):
            return call
    having = ", ".join(own.text for call in capture.calls for own in call.layer_ids)
    raise RnnvizError(f"{one.words}: there is no layer {layer!r}; there are {having}.")


def set_name(one: SetValue | Clamp | SetState, structure: Structure, wanted: Sequence[str] | None = None) -> str:
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


def _alone(capture: Capture, sample: int) -> Capture:
    """The capture with sequence `sample` only, cut to its length."""
    sequences = capture.inputs.shape[1]
    if not 0 <= sample < sequences:
        raise RnnvizError(f"what-if: wanted a sequence from 0 to {sequences - 1}, got {sample}")
    if any(call.recorded is not None for call in capture.calls):
        raise RnnvizError("what-if: what a cell of your own computes is not known here, so nothing can be set in it")
    alone = capture.sample(sample)
    return replace(alone, calls=tuple(replace(call, output=None, grad_final={}) for call in alone.calls))


def _replaced(capture: Capture, new: Call) -> Capture:
    """With the call of the same name replaced."""
    return replace(capture, calls=tuple(new if call.name == new.name else call for call in capture.calls))


def _call_at(one: SetInput | CutGradient, time_step: int, capture: Capture) -> Call:
    """The call that has a time step of the axis."""
    for call in capture.calls:
        if call.start < time_step <= call.start + len(call.inputs):
            return call
    last = max(call.start + len(call.inputs) for call in capture.calls)
    raise RnnvizError(f"{one.words}: the time step must be from 1 to {last}, not {time_step}.")


def _with_input(call: Call, one: SetInput) -> Call:
    """A symbol of a table is its row; other values are no symbol, and no picture."""
    t, inputs = one.time_step - 1 - call.start, call.inputs.copy()
    embedding, convolution = call.embedding, call.convolution
    if embedding is not None:
        symbols = embedding.symbols.copy()
        symbols[t, 0] = _symbol(one, len(embedding.table))
        inputs[t, 0] = (
            embedding.table[symbols[t, 0]] if symbols[t, 0] >= 0 else _fitting(one, one.values, inputs.shape[-1])
        )
        return replace(call, inputs=inputs, embedding=replace(embedding, symbols=symbols))
    if convolution is not None:
        pictures = convolution.pictures.copy()
        pictures[t, 0] = 0
        convolution = replace(convolution, pictures=pictures)
    inputs[t, 0] = _fitting(one, one.values, inputs.shape[-1])
    return replace(call, inputs=inputs, convolution=convolution)


def _symbol(one: SetInput, size: int) -> int:
    """The number of the symbol, from 0, that one-hot values of this size stand for; −1: they stand for none."""
    named = len(one.values) == size and sorted(one.values) == [0.0] * (size - 1) + [1.0]
    return one.values.index(1.0) if named else -1


def _with_state(call: Call, one: SetState) -> Call:
    if call.follows is not None:
        raise RnnvizError(
            f"{one.words}: it begins with what is handed over; set what the encoder has at its last time step instead."
        )
    name, states = set_name(one, call.structure, call.structure.equations.states), dict(call.initial)
    rows = states[name].copy()
    number = next(number for number, layer in enumerate(call.layer_ids) if layer.text == one.layer)
    rows[number, 0] = _fitting(one, one.values, rows.shape[-1])
    return replace(call, initial=states | {name: rows})


def _parameters(capture: Capture) -> dict[str, Array]:
    """All parameters by name, but for a convolution's kernel: pictures are not read anew."""
    kernels = {
        f"{call.module}_front.weight" if call.module else "front.weight" for call in capture.calls if call.convolution
    }
    beside = {name: weight for name, weight in beside_recurrent(capture).items() if name not in kernels}
    return {**capture.weights, **beside}


def _with_parameters(capture: Capture, weights: Mapping[str, Array]) -> Capture:
    """The same with these parameters, and inputs that are rows of a table as it is now."""
    calls = tuple(_with_own(call, weights) for call in capture.calls)
    return replace(capture, weights={name: weights[name] for name in capture.weights}, calls=calls)


def _with_own(call: Call, weights: Mapping[str, Array]) -> Call:
    head, bridge, embedding, inputs = call.head, call.bridge, call.embedding, call.inputs
    if head is not None:
        attention = head.attention
        if attention is not None:
            score, combine = weights["attention.score"], weights["attention.combine"]
            attention = replace(attention, score=score, combine=combine)
        weight, bias = weights.get("head.weight"), weights.get("head.bias")
        head = replace(head, weight=weight, bias=bias, attention=attention)
    if bridge is not None:
        bridge = Bridge(
            {state: weights[f"bridge.weight_{state}"] for state in bridge.weight},
            {state: weights[f"bridge.bias_{state}"] for state in bridge.bias},
        )
    if embedding is not None:
        table = weights[f"{call.module}_front.weight" if call.module else "front.weight"]
        if table is not embedding.table:
            there = (embedding.symbols >= 0)[..., None]
            inputs = np.where(there, table[embedding.symbols], inputs)
            embedding = replace(embedding, table=table)
    return replace(call, head=head, bridge=bridge, embedding=embedding, inputs=inputs)


def _table(weight: Array) -> Array:
    """A view in rows and columns."""
    return weight[:, None] if weight.ndim == 1 else weight.reshape(-1, weight.shape[-1])


def _set_weight(weights: dict[str, Array], one: SetWeight) -> None:
    weight = weights.get(one.parameter)
    if weight is None:
        raise RnnvizError(f"{one.words}: there is no parameter {one.parameter}; there are {', '.join(weights)}.")
    weight = weight.copy()
    table = _table(weight)
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


def _check_held(one: SetValue | Clamp | CutGradient, capture: Capture) -> None:
    if isinstance(one, CutGradient):
        call = call_of(one, one.layer, capture) if one.layer else _call_at(one, one.time_step, capture)
        _check_time(one, one.time_step, call)
        return
    call = call_of(one, one.layer, capture)
    width = call.structure.units(set_name(one, call.structure))
    if one.unit is not None and not 1 <= one.unit <= width:
        raise RnnvizError(f"{one.words}: the unit must be from 1 to {width}, not {one.unit}.")
    if isinstance(one, SetValue):
        _check_time(one, one.time_step, call)
    elif one.first > call.start or one.first < 1:
        _check_time(one, one.first, call)
    if isinstance(one, Clamp) and one.last is not None and one.last < one.first:
        raise RnnvizError(f"{one.words}: the last time step must not be before {one.first}, but is {one.last}.")


def _check_time(one: Intervention, time_step: int, call: Call) -> None:
    first, last = call.start + 1, call.start + len(call.inputs)
    if not first <= time_step <= last:
        raise RnnvizError(f"{one.words}: the time step must be from {first} to {last}, not {time_step}.")

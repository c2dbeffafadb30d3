"""The check of a capture: every array there, of the right shape and dtype, so that a trace can be rebuilt from it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Call, Capture, Head, RecordedCall

_BY_STATE = ("states", "grads", "direct", "carried", "arriving")
DTYPES = {np.dtype(name) for name in ("float32", "float64")}


def check_shapes(capture: Capture) -> None:
    """RnnvizError naming the first array of `capture` that is missing or has another shape or dtype than it must."""
    known = set[str]()
    for number, call in enumerate(capture.calls):
        known |= _check_call(capture, call)
        if call.follows is not None and not 0 <= call.follows < number:
            raise RnnvizError(f"capture.follows: wanted an earlier call, got number {call.follows} for {number}")
        _check_links(capture, call, number)
    foreign = sorted(set(capture.weights) - known)
    if foreign:
        raise RnnvizError(f"capture.weights[{foreign[0][:60]}]: wanted none of that name in this structure")


def _check_call(capture: Capture, call: Call) -> set[str]:
    """Checks one call; the names of its parameters."""
    structure = call.structure
    if call.inputs.ndim != 3 or 0 in call.inputs.shape[:2]:
        raise RnnvizError(f"capture.inputs: wanted (T, N, I) with T and N at least 1, got {call.inputs.shape}")
    time_steps, sequences = call.inputs.shape[:2]
    layers = structure.num_layers * structure.directions
    output = (time_steps, sequences, structure.directions * structure.output_size)
    states = structure.equations.states
    for state, given in call.initial.items():
        if state not in states:
            raise RnnvizError(f"capture.{state}0: wanted nothing for the cell {structure.cell}, got {given.shape}")
    dtype = call.inputs.dtype
    if dtype not in DTYPES:
        raise RnnvizError(f"capture.inputs: wanted float32 or float64, got {dtype.name}")

    def check(array: Array | None, shape: tuple[int, ...], name: str, of: str = "") -> None:
        if array is None or array.shape != shape or array.dtype != dtype:
            came = "nothing" if array is None else f"{array.dtype.name} {array.shape}"
            raise RnnvizError(f"capture.{name}{f'[{of}]' if of else ''}: wanted {dtype.name} {shape}, got {came}")

    check(call.inputs, (time_steps, sequences, structure.input_size), "inputs")
    for state in states:
        each = layers, sequences, structure.units(state)
        check(call.initial.get(state), each, f"{state}0")
        if state in call.grad_final:
            check(call.grad_final[state], each, "grad_final", state)
    check(call.grad_output, output, "grad_output")
    if call.output is not None:
        check(call.output, output, "output")
    if capture.own is not None and capture.own.output is not None and call is capture.calls[0]:
        check(capture.own.output, output, "own.output")
    module = f"{call.module}." if call.module else ""
    parameters = {module + parameter: shape for parameter, shape in structure.parameter_shapes().items()}
    for name, shape in parameters.items():
        check(capture.weights.get(name), shape, "weights", name)
        if name in capture.grads:
            check(capture.grads[name], shape, "grads", name)
        if capture.own is not None and name in capture.own.grads:
            check(capture.own.grads[name], shape, "own.grads", name)
    missing = [name for name in parameters if name not in capture.grads]
    if capture.grads and missing and call.recorded is None:  # or less would be compared, without a word
        raise RnnvizError(f"capture.grads[{missing[0]}]: wanted it as that of other parameters, got nothing")
    _check_lengths(call.lengths, time_steps, sequences)
    if call.masks is not None:
        check(call.masks, (structure.num_layers - 1, *output), "masks")
    if call.cut is not None and (call.cut.shape != (time_steps,) or call.cut.dtype != bool):
        raise RnnvizError(f"capture.cut: wanted {time_steps} of true or false, got {call.cut.shape} {call.cut.dtype}")
    if (embedding := call.embedding) is not None:
        rows = len(embedding.table)
        check(embedding.table, (rows, structure.input_size), "embedding.table")
        symbols = embedding.symbols
        whole = symbols.dtype.kind == "i" and symbols.shape == (time_steps, sequences)
        if not whole or not -1 <= symbols.min() <= symbols.max() < rows:
            raise RnnvizError(f"capture.embedding.symbols: wanted (T, N) whole numbers from -1 to {rows - 1}")
    _check_pictures(call)
    if call.told is not None and (call.told.shape != (time_steps, sequences) or call.told.dtype != bool):
        came = f"{call.told.shape} {call.told.dtype}"
        raise RnnvizError(f"capture.told: wanted {time_steps} by {sequences} of true or false, got {came}")
    if call.head is not None:
        _check_head(call.head, output)
    if structure.equations.recorded != (call.recorded is not None):
        came = "nothing" if call.recorded is None else "it of a cell whose operations are known"
        raise RnnvizError(f"capture.recorded: wanted it of a user's own cell, got {came}")
    if call.recorded is not None:
        _check_recorded(call, call.recorded, dtype, set(structure.parameter_shapes()))
    return set(parameters)


def _check_pictures(call: Call) -> None:
    """Checks what a call's inputs are features of."""
    if (convolution := call.convolution) is None:
        return
    time_steps, sequences, features = call.inputs.shape
    kernel, pictures = convolution.kernel, convolution.pictures
    if kernel.ndim != 3 or not len(kernel) or features % len(kernel):
        raise RnnvizError(f"capture.convolution.kernel: wanted (C, rows, columns), got {kernel.shape}")
    if pictures.ndim != 3 or pictures.shape[:2] != (time_steps, sequences):
        wanted = f"({time_steps}, {sequences}, pixels)"
        raise RnnvizError(f"capture.convolution.pictures: wanted {wanted}, got {pictures.shape}")
    rows = convolution.rows
    if rows < 1 or pictures.shape[2] % rows or len(kernel) * (rows // 2) * (pictures.shape[2] // rows // 2) != features:
        raise RnnvizError(f"capture.convolution.rows: wanted pictures with {features} features, got {rows} rows")


def _check_recorded(call: Call, told: RecordedCall, dtype: np.dtype[Any], parameters: set[str]) -> None:
    """Checks what was recorded of a user's own cell."""
    structure, (time_steps, sequences, inputs) = call.structure, call.inputs.shape
    units = {state: structure.units(state) for state in structure.equations.states}
    over_time: dict[str, tuple[int, ...]] = {state: (time_steps, sequences, count) for state, count in units.items()}
    shapes = {parameter: structure.parameter_shapes()[parameter] for parameter in parameters}
    columns = next((array.shape[0] for array in told.weight_grads.values()), 0)
    if columns not in (1, 1 + sequences):
        raise RnnvizError(f"capture.recorded.weight_grads: wanted 1 or {1 + sequences} of each, got {columns}")
    by_name = {name.removesuffix("_l0"): shape for name, shape in shapes.items()}
    wanted: dict[str, dict[str, tuple[int, ...]]] = dict.fromkeys(_BY_STATE, over_time)
    wanted["initial_grads"] = {state: (sequences, count) for state, count in units.items()}
    wanted["weight_grads"] = {name: (columns, *shape) for name, shape in by_name.items()}
    wanted["shares"] = wanted["so_far"] = dict.fromkeys(by_name, (time_steps, columns))
    for field, named in wanted.items():
        arrays: Mapping[str, Array] = getattr(told, field)
        kind = np.dtype(np.float64) if field in ("shares", "so_far") else dtype
        if arrays.keys() != named.keys():
            raise RnnvizError(f"capture.recorded.{field}: wanted {', '.join(named)}, got {', '.join(arrays)[:80]}")
        for name, shape in named.items():
            if arrays[name].shape != shape or arrays[name].dtype != kind:
                came = f"{arrays[name].dtype.name} {arrays[name].shape}"
                raise RnnvizError(f"capture.recorded.{field}[{name}]: wanted {kind.name} {shape}, got {came}")
    for field, array, last in (("input_grad", told.input_grad, inputs), ("again", told.again, structure.output_size)):
        if array.shape != (time_steps, sequences, last) or array.dtype != dtype:
            raise RnnvizError(f"capture.recorded.{field}: wanted {(time_steps, sequences, last)}, got {array.shape}")


def _check_links(capture: Capture, call: Call, number: int) -> None:
    """Checks what a call has of earlier ones: its first states through a bridge, and what its head attends to."""
    if call.bridge is not None:
        if call.follows is None:
            raise RnnvizError("capture.bridge: wanted none, for the call follows no other")
        _check_bridge(call, capture.calls[call.follows].structure)
    elif call.follows is not None:
        taken, there = (_state_shapes(one.structure) for one in (call, capture.calls[call.follows]))
        if taken != there:
            raise RnnvizError(f"capture.initial: wanted states like those handed over, {there}, got {taken}")
    attention = None if call.head is None else call.head.attention
    if attention is None:
        return
    if not 0 <= attention.over < number:
        raise RnnvizError(f"capture.head.attention: wanted it over an earlier call, got number {attention.over}")
    if call.head is not None and call.head.pooling != "last":
        raise RnnvizError(f"capture.head.pooling: wanted last beside attention, got {call.head.pooling}")
    own, other = (one.structure.directions * one.structure.output_size for one in (call, capture.calls[attention.over]))
    for name, array, shape in (
        ("score", attention.score, (own, other)),
        ("combine", attention.combine, (own, other + own)),
    ):
        if array.shape != shape or array.dtype != call.inputs.dtype:
            came = f"{array.dtype.name} {array.shape}"
            raise RnnvizError(f"capture.head.attention.{name}: wanted {call.inputs.dtype.name} {shape}, got {came}")


def _state_shapes(structure: Structure) -> dict[str, tuple[int, int]]:
    """(layers·D, units) of each state."""
    rows = structure.num_layers * structure.directions
    return {state: (rows, structure.units(state)) for state in structure.equations.states}


def _check_bridge(call: Call, source: Structure) -> None:
    bridge, structure = call.bridge, call.structure
    assert bridge is not None  # the caller looked
    for state in structure.equations.states:
        units, wide = structure.units(state), source.directions * source.units(state)
        for name, arrays, shape in (
            ("weight", bridge.weight, (structure.num_layers, units, wide)),
            ("bias", bridge.bias, (structure.num_layers, units)),
        ):
            array = arrays.get(state)
            if array is None or array.shape != shape or array.dtype != call.inputs.dtype:
                came = "nothing" if array is None else f"{array.dtype.name} {array.shape}"
                wanted = f"{call.inputs.dtype.name} {shape}"
                raise RnnvizError(f"capture.bridge.{name}[{state}]: wanted {wanted}, got {came}")


def _check_lengths(lengths: Array | None, time_steps: int, sequences: int) -> None:
    if lengths is None:
        return
    whole = lengths.dtype.kind == "i"
    if not whole or lengths.shape != (sequences,) or lengths.min() < 1 or lengths.max() > time_steps:
        raise RnnvizError(f"capture.lengths: wanted {sequences} numbers from 1 to {time_steps}, got {lengths.tolist()}")


def _check_head(head: Head, output: tuple[int, int, int]) -> None:
    """`output`: (T, N, D·H) of the module below."""
    time_steps, sequences, units = output
    answers = _answers(head, units)
    asked = (time_steps, sequences)
    wanted: dict[str, tuple[Array, tuple[int, ...]]] = {
        "loss_weight": (head.loss_weight, asked),
        "targets": (head.targets, asked if head.loss == "cross entropy" else (*asked, answers)),
    }
    if head.weight is not None:
        wanted = {"weight": (head.weight, (answers, units)), **wanted}
    for name, (array, shape) in wanted.items():
        if array.shape != shape:
            raise RnnvizError(f"capture.head.{name}: wanted {shape}, got {array.shape}")
    if head.loss != "cross entropy":
        return
    targets = head.targets[head.loss_weight != 0]  # what nobody asks for may be anything
    if targets.dtype.kind != "i" or (targets.size and not 0 <= targets.min() <= targets.max() < answers):
        raise RnnvizError(f"capture.head.targets: wanted whole numbers from 0 to {answers - 1}")


def _answers(head: Head, units: int) -> int:
    """V, or −1 where the bias does not say; RnnvizError for a weight without a bias or the other way round."""
    if (head.weight is None) != (head.bias is None):
        there, missing = ("bias", "weight") if head.weight is None else ("weight", "bias")
        raise RnnvizError(f"capture.head.{missing}: wanted one, as there is a {there}, got nothing")
    if head.bias is None:
        return units
    return int(head.bias.shape[0]) if head.bias.ndim == 1 else -1

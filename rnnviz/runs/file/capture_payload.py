"""A capture as tensors and details, and back with everything checked: `to_payload` and `from_payload`.

`runs.file.schema` says how the tensors are named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array, frozen_mapping
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import plain, read_record
from rnnviz.core.sweeps.capture import (
    Attention,
    Bridge,
    Call,
    Capture,
    CaptureKind,
    Convolution,
    Embedding,
    Head,
    LossName,
    OwnPass,
    Pooling,
    RecordedCall,
    Reduction,
)
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.runs.file.payload import DETAILS, check_whose, load_details, load_tensors, save_tensors
from rnnviz.runs.file.records import FIRST_MODULE, Module, Probe, RunModel

PROBE_PREFIX = "probe."
_OWN_OUTPUT, _OWN_GRADS = "own pass.output", "own pass.grads."  # no call has a space in its name


@dataclass(frozen=True)
class CallDetails:
    """What of one call of a module is no array."""

    name: str
    module: str
    arrays: tuple[tuple[str, str], ...]  # what the call calls an array, and which tensor that is: "probe.inputs"
    loss: LossName | None = None  # of its head
    first_time_step: int = 1  # on the capture's time axis
    initial: int = -1  # the earlier call, counted from 0, whose final state it begins with; −1: a value of its own
    pooling: Pooling = "last"  # of its head
    reduction: Reduction = "mean"  # over time, of its head's losses
    attends: int = -1  # the earlier call, counted from 0, that its head's attention goes over; −1: it has none
    picture_rows: int = 0  # of the pictures that its inputs are features of; 0: of none


@dataclass(frozen=True)
class CaptureDetails:
    """What of a capture is no array, and whose it is."""

    training_step: int
    model: int
    kind: CaptureKind
    calls: tuple[CallDetails, ...]
    training: bool = False  # in training mode, with its dropout, or as in evaluation
    notes: tuple[str, ...] = ()
    time_labels: tuple[str, ...] = ()  # one for each time step, or none
    doubts: tuple[str, ...] = ()  # of the person's own pass, and causes, as in OwnPass
    causes: tuple[str, ...] = ()
    batch_size: int = 0  # of the training batch whose first sequences these are; 0: of none


def to_payload(capture: Capture, probe: Probe | None, training_step: int, model: int) -> bytes:
    """A capture as safetensors bytes, without the arrays that are the probe's own."""
    tensors = {f"weights.{_stored(capture, name)}": array for name, array in capture.weights.items()}
    tensors |= {f"grads.{_stored(capture, name)}": array for name, array in capture.grads.items()}
    own = OwnPass() if capture.own is None else capture.own
    tensors |= {f"{_OWN_GRADS}{_stored(capture, name)}": array for name, array in own.grads.items()}
    tensors |= {} if own.output is None else {_OWN_OUTPUT: own.output}
    known = {} if probe is None else probe.arrays
    calls = []
    for call in capture.calls:
        places = []
        for name, array in _call_arrays(call).items():
            place = next((PROBE_PREFIX + known_name for known_name, one in known.items() if _same(array, one)), "")
            if not place:
                place = f"{call.name or FIRST_MODULE}.{name}"
                tensors[place] = array
            places.append((name, place))
        follows = -1 if call.follows is None else call.follows
        module = call.module or FIRST_MODULE
        one = CallDetails(call.name or FIRST_MODULE, module, tuple(places), None, call.start + 1, follows)
        if (head := call.head) is not None:
            attends = -1 if head.attention is None else head.attention.over
            one = replace(one, loss=head.loss, pooling=head.pooling, reduction=head.reduction, attends=attends)
        if call.convolution is not None:
            one = replace(one, picture_rows=call.convolution.rows)
        calls.append(one)
    details = CaptureDetails(
        training_step,
        model,
        capture.kind,
        tuple(calls),
        notes=capture.notes,
        doubts=own.doubts,
        causes=own.causes,
        batch_size=capture.batch_size,
    )
    return save_tensors(tensors, plain(details))


def from_payload(
    payload: bytes, training_step: int, model: RunModel, probe: Probe | None, kind: CaptureKind = "probe"
) -> Capture:
    """The capture in `payload`, every shape and dtype checked against the model's structure and the probe.

    Raises RnnvizError (what is wrong, without the file).
    """
    tensors = load_tensors(payload)
    details = _details(tensors, training_step, model.number, kind)
    if not details.calls:
        raise RnnvizError("its capture holds no call of a module")
    modules = {module.name: module for module in model.modules}
    calls = tuple(_call(one, modules, tensors, probe) for one in details.calls)
    capture = Capture(
        frozen_mapping(_read_back(tensors, "weights.")),
        calls,
        frozen_mapping(_read_back(tensors, "grads.")),
        details.notes,
        details.kind,
        _own_pass(details, tensors),
        details.batch_size,
    )
    check_shapes(capture)
    return capture


def _own_pass(details: CaptureDetails, tensors: Mapping[str, Array]) -> OwnPass | None:
    grads = _read_back(tensors, _OWN_GRADS)
    if not (grads or _OWN_OUTPUT in tensors or details.doubts or details.causes):
        return None
    return OwnPass(tensors.get(_OWN_OUTPUT), frozen_mapping(grads), details.doubts, details.causes)


_HEAD, _ASKED = ("weight", "bias"), ("targets", "loss_weight")  # of a head; the first may have none
_ATTENTION = ("score", "combine")
_RECORDED = tuple(field.name for field in fields(RecordedCall))


def _call(
    details: CallDetails, modules: Mapping[str, Module], tensors: Mapping[str, Array], probe: Probe | None
) -> Call:
    if details.module not in modules:
        raise RnnvizError(f"its capture calls the module {details.module[:60]}, which its model does not have")
    arrays = {name: _array(place, name, tensors, probe) for name, place in details.arrays}
    head = None
    if details.loss is not None:
        weight, bias = (arrays.get(f"head.{name}") for name in _HEAD)
        targets, loss_weight = (_of(arrays, f"head.{name}") for name in _ASKED)
        attention = None
        if details.attends >= 0:
            score, combine = (_of(arrays, f"head.attention.{name}") for name in _ATTENTION)
            attention = Attention(details.attends, score, combine)
        head = Head(weight, bias, details.loss, targets, loss_weight, details.pooling, details.reduction, attention)
    weights, biases = (frozen_mapping(_named(arrays, f"bridge.{name}.")) for name in ("weight", "bias"))
    symbols, pictures = arrays.get("embedding.symbols"), arrays.get("convolution.pictures")
    return Call(
        modules[details.module].structure,
        _of(arrays, "inputs"),
        frozen_mapping(_named(arrays, "initial.")),
        _of(arrays, "grad_output"),
        arrays.get("lengths"),
        arrays.get("output"),
        head,
        frozen_mapping(_named(arrays, "grad_final.")),
        "" if details.name == FIRST_MODULE else details.name,
        "" if details.module == FIRST_MODULE else details.module,
        details.first_time_step - 1,
        None if details.initial < 0 else details.initial,
        Bridge(weights, biases) if weights else None,
        arrays.get("masks"),
        arrays.get("cut"),
        None if symbols is None else Embedding(symbols, _of(arrays, "embedding.table")),
        None if pictures is None else Convolution(pictures, _of(arrays, "convolution.kernel"), details.picture_rows),
        arrays.get("told"),
        _recorded(arrays),
    )


def _stored(capture: Capture, parameter: str) -> str:
    """A parameter's name in a file: its module's, and then torch's."""
    module, _, rest = parameter.rpartition(".")
    return parameter if module in {call.module for call in capture.calls if call.module} else f"{FIRST_MODULE}.{rest}"


def _read_back(tensors: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    """By their names in a capture, where the first module's have none in front."""
    return {name.removeprefix(f"{FIRST_MODULE}."): array for name, array in _named(tensors, prefix).items()}


def _call_arrays(call: Call) -> dict[str, Array]:
    """The arrays of a call by their names in a file, those there are."""
    named: dict[str, Array | None] = {"inputs": call.inputs, "lengths": call.lengths}
    named |= {f"initial.{state}": array for state, array in call.initial.items()}
    named |= {"grad_output": call.grad_output, "output": call.output}
    named |= {f"grad_final.{state}": array for state, array in call.grad_final.items()}
    named |= {"masks": call.masks, "cut": call.cut, "told": call.told}
    if call.bridge is not None:
        named |= {f"bridge.weight.{state}": array for state, array in call.bridge.weight.items()}
        named |= {f"bridge.bias.{state}": array for state, array in call.bridge.bias.items()}
    if call.embedding is not None:
        named |= {"embedding.symbols": call.embedding.symbols, "embedding.table": call.embedding.table}
    if call.convolution is not None:
        named |= {"convolution.pictures": call.convolution.pictures, "convolution.kernel": call.convolution.kernel}
    if call.head is not None:
        named |= {f"head.{name}": getattr(call.head, name) for name in (*_HEAD, *_ASKED)}
        if (attention := call.head.attention) is not None:
            named |= {f"head.attention.{name}": getattr(attention, name) for name in _ATTENTION}
    if (told := call.recorded) is not None:
        for field in _RECORDED:
            found = getattr(told, field)
            if isinstance(found, np.ndarray):
                named[f"recorded.{field}"] = found
            else:
                named |= {f"recorded.{field}.{name}": array for name, array in found.items()}
    return {name: array for name, array in named.items() if array is not None}


def _recorded(arrays: Mapping[str, Array]) -> RecordedCall | None:
    """What was recorded of a user's own cell, if it is one."""
    if "recorded.again" not in arrays:
        return None
    found: dict[str, Any] = {}
    for field in _RECORDED:
        whole = field in ("input_grad", "again")
        named = frozen_mapping(_named(arrays, f"recorded.{field}."))
        found[field] = _of(arrays, f"recorded.{field}") if whole else named
    return RecordedCall(**found)


def _details(tensors: Mapping[str, Array], training_step: int, model: int, kind: CaptureKind) -> CaptureDetails:
    table = load_details(tensors)
    details = read_record(CaptureDetails, table, "its capture", DETAILS)
    check_whose(table, training_step, model)
    if details.kind != kind:
        raise RnnvizError(f"its tensors are those of the kind {details.kind}")
    return details


def _array(place: str, name: str, tensors: Mapping[str, Array], probe: Probe | None) -> Array:
    known = tensors
    if place.startswith(PROBE_PREFIX):
        known, place = ({} if probe is None else probe.arrays), place.removeprefix(PROBE_PREFIX)
    if place not in known:
        raise RnnvizError(f"its capture lacks {name}")
    return known[place]


def _of(arrays: Mapping[str, Array], name: str) -> Array:
    if name not in arrays:
        raise RnnvizError(f"its capture lacks {name}")
    return arrays[name]


def _named(tensors: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def _same(array: Array, other: Array) -> bool:
    if array.shape != other.shape or array.dtype != other.dtype:
        return False
    return array is other or array.tobytes() == other.tobytes()

"""A capture as tensors and details, and back with everything checked: `to_payload` and `from_payload`.

`runs.file.schema` says how the tensors are named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rnnviz.core.arrays import Array, frozen_mapping
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import plain, read_record
from rnnviz.core.sweeps.capture import Capture, LossName, Readout
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.runs.file.payload import DETAILS, check_whose, load_details, load_tensors, save_tensors
from rnnviz.runs.file.records import FIRST_MODULE, Probe, RunModel

CaptureKind = Literal["probe", "batch", "generated"]
PROBE_PREFIX = "probe."


@dataclass(frozen=True)
class CallDetails:
    """What of one call of a module is no array."""

    name: str
    module: str
    arrays: tuple[tuple[str, str], ...]  # what the call calls an array, and which tensor that is: "probe.inputs"
    loss: LossName | None = None  # of its head
    first_time_step: int = 1  # on the capture's time axis
    initial: int = -1  # the earlier call, counted from 0, whose final state it begins with; −1: a value of its own


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


def capture_kind(_capture: Capture) -> CaptureKind:
    """What was captured: every capture is of the probe."""
    return "probe"


def to_payload(capture: Capture, probe: Probe | None, training_step: int, model: int) -> bytes:
    """A capture as safetensors bytes, without the arrays that are the probe's own."""
    tensors = {f"weights.{FIRST_MODULE}.{name}": array for name, array in capture.weights.items()}
    tensors |= {f"grads.{FIRST_MODULE}.{name}": array for name, array in capture.grads.items()}
    known = {} if probe is None else probe.arrays
    places = []
    for name, array in _call_arrays(capture).items():
        place = next((PROBE_PREFIX + known_name for known_name, one in known.items() if _same(array, one)), "")
        if not place:
            place = f"{FIRST_MODULE}.{name}"
            tensors[place] = array
        places.append((name, place))
    loss = capture.readout.loss if capture.readout is not None else None
    call = CallDetails(FIRST_MODULE, FIRST_MODULE, tuple(places), loss)
    details = CaptureDetails(training_step, model, capture_kind(capture), (call,), notes=capture.notes)
    return save_tensors(tensors, plain(details))


def from_payload(
    payload: bytes, training_step: int, model: RunModel, probe: Probe | None, kind: CaptureKind = "probe"
) -> Capture:
    """The capture in `payload`, every shape and dtype checked against the model's structure and the probe.

    Raises RnnvizError (what is wrong, without the file).
    """
    tensors = load_tensors(payload)
    details = _details(tensors, training_step, model.number, kind)
    if len(details.calls) != 1 or details.calls[0].module != FIRST_MODULE or details.calls[0].initial != -1:
        raise RnnvizError("its capture has calls that this rnnviz cannot show: wanted one of the module recurrent")
    call = details.calls[0]
    arrays = {name: _array(place, name, tensors, probe) for name, place in call.arrays}
    head = None
    if call.loss is not None:
        weight, bias, targets, loss_weight = (_of(arrays, f"head.{name}") for name in _HEAD)
        head = Readout(weight, bias, call.loss, targets, loss_weight)
    capture = Capture(
        model.structure,
        frozen_mapping(_named(tensors, f"weights.{FIRST_MODULE}.")),
        inputs=_of(arrays, "inputs"),
        lengths=arrays.get("lengths"),
        h0=_of(arrays, "initial.h"),
        c0=arrays.get("initial.c"),
        grad_output=_of(arrays, "grad_output"),
        output=arrays.get("output"),
        grads=frozen_mapping(_named(tensors, f"grads.{FIRST_MODULE}.")),
        readout=head,
        notes=details.notes,
    )
    check_shapes(capture)
    return capture


_HEAD = ("weight", "bias", "targets", "loss_weight")


def _call_arrays(capture: Capture) -> dict[str, Array]:
    """The arrays of the call by their names in a file, those there are."""
    named = {"inputs": capture.inputs, "lengths": capture.lengths, "initial.h": capture.h0, "initial.c": capture.c0}
    named |= {"grad_output": capture.grad_output, "output": capture.output}
    if capture.readout is not None:
        named |= {f"head.{name}": getattr(capture.readout, name) for name in _HEAD}
    return {name: array for name, array in named.items() if array is not None}


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

"""Captures and the probe as safetensors bytes in chunks with a checksum each, and back with everything checked."""

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from rnnviz.core.arrays import Array, frozen, frozen_mapping
from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.capture import Capture, Readout
from rnnviz.core.sweeps.fidelity import check_shapes
from rnnviz.runs.file.records import Probe, RunModel
from rnnviz.runs.file.schema import CHUNK_BYTES

LARGEST_HEADER = 1 << 20  # bytes of JSON in front of the tensors
PROBE_NAMES = ("inputs", "lengths", "targets", "loss_weight")


def chunks(payload: bytes) -> Iterator[tuple[int, int, memoryview]]:
    """(place, CRC32, bytes) of each piece, in order."""
    view = memoryview(payload)
    for place, start in enumerate(range(0, len(view), CHUNK_BYTES)):
        piece = view[start : start + CHUNK_BYTES]
        yield place, zlib.crc32(piece), piece


def probe_payload(probe: Probe) -> bytes:
    """The probe's arrays as safetensors bytes."""
    return _save({name: getattr(probe, name) for name in PROBE_NAMES if getattr(probe, name) is not None})


def capture_payload(capture: Capture, probe: Probe, training_step: int, model: int) -> bytes:
    """A capture as safetensors bytes, without the arrays that are the probe's own."""
    details = _details(capture, training_step, model).encode("utf-8")
    tensors: dict[str, Array] = {"details": np.frombuffer(details, np.uint8)}
    tensors |= {f"weights.{name}": array for name, array in capture.weights.items()}
    tensors |= {f"grads.{name}": array for name, array in capture.grads.items()}
    tensors |= {f"{state}0": array for state, array in capture.initial.items()}
    tensors["grad_output"] = capture.grad_output
    optional = {"output": capture.output, "lengths": capture.lengths, "inputs": capture.inputs}
    if capture.readout is not None:
        tensors |= {"readout.weight": capture.readout.weight, "readout.bias": capture.readout.bias}
        optional |= {"targets": capture.readout.targets, "loss_weight": capture.readout.loss_weight}
    for name, array in optional.items():
        if array is not None and not (name in PROBE_NAMES and _same(array, getattr(probe, name))):
            tensors[name] = array
    return _save(tensors)


def read_probe(payload: bytes) -> Probe:
    """The probe in `payload`. Raises RnnvizError (what is wrong, without the file)."""
    tensors = _load(payload)
    unknown = set(tensors) - set(PROBE_NAMES)
    if unknown or "inputs" not in tensors:
        raise RnnvizError(f"its probe holds {sorted(tensors)[:6]}, wanted {list(PROBE_NAMES)}")
    probe = Probe(*(tensors.get(name) for name in PROBE_NAMES))  # type: ignore[arg-type]
    _check_sequences(probe.inputs, probe.lengths, probe.targets, probe.loss_weight)
    return probe


def read_capture(payload: bytes, training_step: int, model: RunModel, probe: Probe) -> Capture:
    """The capture in `payload`, every shape and dtype checked against the model's structure and the probe.

    Raises RnnvizError (what is wrong, without the file).
    """
    tensors = _load(payload)
    loss, notes, sequences = _read_details(_tensor(tensors, "details"), training_step, model.number)
    for name in sequences:
        joined = tensors.get(name, getattr(probe, name))
        if joined is None:
            raise RnnvizError(f"its capture lacks {name}")
        tensors[name] = joined
    weights = {name[8:]: array for name, array in tensors.items() if name.startswith("weights.")}
    readout = None
    if loss is not None:
        wanted = ("readout.weight", "readout.bias", "targets", "loss_weight")
        weight, bias, targets, loss_weight = (_tensor(tensors, name) for name in wanted)
        readout = Readout(weight, bias, loss, targets, loss_weight)
    states = model.structure.equations.states
    capture = Capture.of_one(
        frozen_mapping(weights),
        structure=model.structure,
        inputs=_tensor(tensors, "inputs"),
        lengths=tensors.get("lengths"),
        initial=frozen_mapping({state: _tensor(tensors, f"{state}0") for state in states}),
        grad_output=_tensor(tensors, "grad_output"),
        output=tensors.get("output"),
        grads=frozen_mapping({name[6:]: array for name, array in tensors.items() if name.startswith("grads.")}),
        readout=readout,
        notes=notes,
    )
    check_capture(capture)
    return capture


def _sequences(capture: Capture) -> dict[str, Array | None]:
    """The arrays of a capture that may be the probe's."""
    readout = capture.readout
    return {
        "inputs": capture.inputs,
        "lengths": capture.lengths,
        "targets": readout.targets if readout is not None else None,
        "loss_weight": readout.loss_weight if readout is not None else None,
    }


def _same(array: Array, other: Array | None) -> bool:
    if other is None or array.shape != other.shape or array.dtype != other.dtype:
        return False
    return array is other or array.tobytes() == other.tobytes()


def _save(tensors: Mapping[str, Array]) -> bytes:
    return safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in tensors.items()})


def _load(payload: bytes) -> dict[str, Array]:
    if len(payload) < 8 or int.from_bytes(payload[:8], "little") > LARGEST_HEADER:
        raise RnnvizError("its tensors have no safetensors header of a sensible size")
    try:
        return {name: frozen(array) for name, array in safetensors.numpy.load(payload).items()}
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RnnvizError(f"its tensors are no safetensors ({str(error)[:80]})") from None


def _details(capture: Capture, training_step: int, model: int) -> str:
    """What of a capture is no array, as JSON, and whose it is."""
    loss = capture.readout.loss if capture.readout is not None else None
    sequences = [name for name, array in _sequences(capture).items() if array is not None]
    whose = {"training_step": training_step, "model": model}
    return json.dumps(whose | {"loss": loss, "notes": list(capture.notes), "sequences": sequences})


def _read_details(details: Array, training_step: int, model: int) -> tuple[Any, tuple[str, ...], list[str]]:
    try:
        table = json.loads(details.tobytes())
        loss, notes, sequences = table["loss"], table["notes"], table["sequences"]
        whose = (table["training_step"], table["model"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RnnvizError("the details of its capture are no JSON of rnnviz") from None
    texts = isinstance(notes, list) and all(isinstance(note, str) for note in notes)
    known = isinstance(sequences, list) and all(name in PROBE_NAMES for name in sequences)
    if loss not in (None, "cross entropy", "mean squared error") or not texts or not known:
        raise RnnvizError("the details of its capture are not as rnnviz writes them")
    if whose != (training_step, model):
        raise RnnvizError(f"its tensors are of training step {whose[0]} and model {whose[1]}")
    return loss, tuple(notes), sequences


def _tensor(tensors: Mapping[str, Array], name: str) -> Array:
    if name not in tensors:
        raise RnnvizError(f"its capture lacks {name}")
    return tensors[name]


def check_capture(capture: Capture) -> None:
    """RnnvizError (what is wrong, without the file) unless every array has its shape and dtype."""
    structure = capture.structure
    _check_sequences(capture.inputs, capture.lengths, None, None)
    if set(capture.weights) != set(structure.parameter_shapes()):
        raise RnnvizError(f"its capture holds weights {sorted(capture.weights)[:6]}, which are not its model's")
    check_shapes(capture)
    if capture.readout is not None:
        length, batch = capture.inputs.shape[:2]
        _check_readout(capture.readout, (length, batch, structure.output_size * structure.directions))


def _check_readout(readout: Readout, top: tuple[int, int, int]) -> None:
    length, batch, units = top
    outputs = readout.bias.shape[0] if readout.bias.ndim == 1 else -1
    _check_array("readout.weight", readout.weight, (outputs, units))
    _check_array("loss_weight", readout.loss_weight, (length, batch))
    if readout.loss == "cross entropy":
        _check_array("targets", readout.targets, (length, batch))
        targets = readout.targets
        if targets.dtype.kind != "i" or (targets.size and not 0 <= targets.min() <= targets.max() < outputs):
            raise RnnvizError(f"its targets are not whole numbers from 0 to {outputs - 1}")
    else:
        _check_array("targets", readout.targets, (length, batch, outputs))


def _check_sequences(inputs: Array, lengths: Array | None, targets: Array | None, loss_weight: Array | None) -> None:
    if inputs.ndim != 3 or 0 in inputs.shape:
        raise RnnvizError(f"its inputs have the shape {inputs.shape}, wanted (T, N, I)")
    length, batch, _ = inputs.shape
    if lengths is not None:
        _check_array("lengths", lengths, (batch,))
        if lengths.dtype.kind != "i" or lengths.min() < 1 or lengths.max() > length:
            raise RnnvizError(f"its lengths are not whole numbers from 1 to {length}")
    if targets is not None and targets.shape[:2] != (length, batch):
        raise RnnvizError(f"its targets have the shape {targets.shape}, wanted ({length}, {batch}, …)")
    if loss_weight is not None:
        _check_array("loss_weight", loss_weight, (length, batch))


def _check_array(name: str, array: Array, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise RnnvizError(f"its {name} has the shape {array.shape}, wanted {shape}")

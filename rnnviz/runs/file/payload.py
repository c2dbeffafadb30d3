"""Payloads: named tensors as safetensors bytes, in chunks with a checksum each, and back with everything checked."""

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from rnnviz.core.arrays import Array, frozen, frozen_mapping
from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.records import OptimiserSnapshot, Probe
from rnnviz.runs.file.schema import CHUNK_BYTES

LARGEST_HEADER = 1 << 20  # bytes of JSON in front of the tensors
PROBE_NAMES = ("inputs", "lengths", "targets", "loss_weight")
DETAILS = "details"  # the tensor that holds JSON as bytes


def chunks(payload: bytes) -> Iterator[tuple[int, int, memoryview]]:
    """(place, CRC32, bytes) of each piece, in order."""
    view = memoryview(payload)
    for place, start in enumerate(range(0, len(view), CHUNK_BYTES)):
        piece = view[start : start + CHUNK_BYTES]
        yield place, zlib.crc32(piece), piece


def save_tensors(tensors: Mapping[str, Array], details: object = None) -> bytes:
    """`tensors` as safetensors bytes, with `details` as JSON among them unless it is None."""
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    if details is not None:
        arrays = {DETAILS: np.frombuffer(json.dumps(details).encode("utf-8"), np.uint8)} | arrays
    return safetensors.numpy.save(arrays)


def load_tensors(payload: bytes) -> dict[str, Array]:
    """The tensors in `payload`, read-only. Raises RnnvizError (what is wrong, without the file)."""
    if len(payload) < 8 or int.from_bytes(payload[:8], "little") > LARGEST_HEADER:
        raise RnnvizError("its tensors have no safetensors header of a sensible size")
    try:
        return {name: frozen(array) for name, array in safetensors.numpy.load(payload).items()}
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RnnvizError(f"its tensors are not safetensors ({str(error)[:80]})") from None


def load_details(tensors: Mapping[str, Array]) -> dict[str, Any]:
    """The JSON table among `tensors`. Raises RnnvizError."""
    if DETAILS not in tensors:
        raise RnnvizError(f"it lacks {DETAILS}")
    try:
        table = json.loads(tensors[DETAILS].tobytes())
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        raise RnnvizError("its details are not JSON of rnnviz")
    return table


def probe_payload(probe: Probe) -> bytes:
    """The probe's arrays as safetensors bytes."""
    return save_tensors(probe.arrays)


def read_probe(payload: bytes) -> Probe:
    """The probe in `payload`. Raises RnnvizError (what is wrong, without the file)."""
    tensors = load_tensors(payload)
    if "inputs" not in tensors:
        raise RnnvizError(f"its probe holds {sorted(tensors)[:6]}, wanted inputs among them")
    named = {name: tensors.pop(name) for name in PROBE_NAMES if name in tensors}
    probe = Probe(**named, more=frozen_mapping(tensors))
    _check_probe(probe)
    return probe


def optimiser_payload(snapshot: OptimiserSnapshot, training_step: int, model: int) -> bytes:
    """A snapshot as safetensors bytes."""
    whose = {"training_step": training_step, "model": model}
    return save_tensors(snapshot.state, whose | {"name": snapshot.name, "settings": dict(snapshot.settings)})


def read_optimiser(payload: bytes, training_step: int, model: int) -> OptimiserSnapshot:
    """The snapshot in `payload`. Raises RnnvizError (what is wrong, without the file)."""
    tensors = load_tensors(payload)
    details = load_details(tensors)
    name, settings = details.get("name"), details.get("settings")
    numbers = isinstance(settings, dict) and all(isinstance(one, int | float) for one in settings.values())
    if not isinstance(name, str) or not numbers:
        raise RnnvizError("its details are not as rnnviz writes them")
    check_whose(details, training_step, model)
    del tensors[DETAILS]
    return OptimiserSnapshot(name, settings or {}, frozen_mapping(tensors))


def check_whose(details: Mapping[str, Any], training_step: int, model: int) -> None:
    """RnnvizError unless the details are of that training step and model."""
    whose = details.get("training_step"), details.get("model")
    if whose != (training_step, model):
        raise RnnvizError(f"its tensors are of training step {whose[0]} and model {whose[1]}")


def _check_probe(probe: Probe) -> None:
    if probe.inputs.ndim != 3 or 0 in probe.inputs.shape:
        raise RnnvizError(f"its inputs have the shape {probe.inputs.shape}, wanted (T, N, I)")
    length, batch, _ = probe.inputs.shape
    lengths, targets, loss_weight = probe.lengths, probe.targets, probe.loss_weight
    whole = lengths is None or (lengths.shape == (batch,) and lengths.dtype.kind == "i")
    if not whole or (lengths is not None and not 1 <= lengths.min() <= lengths.max() <= length):
        raise RnnvizError(f"its lengths are not {batch} whole numbers from 1 to {length}")
    if targets is not None and targets.shape[:2] != (length, batch):
        raise RnnvizError(f"its targets have the shape {targets.shape}, wanted ({length}, {batch}, …)")
    if loss_weight is not None and loss_weight.shape != (length, batch):
        raise RnnvizError(f"its loss_weight has the shape {loss_weight.shape}, wanted {(length, batch)}")

"""torch state dicts (.pt, .pth, .bin, .ckpt): loaded with weights_only=True, walked with bounds, never executed."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.magic import HEAD_BYTES, PICKLE, ZIP, looks_like
from rnnviz.core.structure import Activation, Structure
from rnnviz.engine.checkpoints.archive import MAX_PICKLE_BYTES, check_archive
from rnnviz.engine.checkpoints.hints import MOST_HINTS, hint
from rnnviz.engine.checkpoints.names import shown
from rnnviz.engine.checkpoints.own_exports import said_activation, structure_in_values
from rnnviz.engine.checkpoints.records import Hint, StoredTensor, StoredTensors
from rnnviz.engine.checkpoints.wrappings import WRAPPINGS, Place, tensor_names, version_notes

MAX_DEPTH = 12
MAX_NODES = 200_000
MAX_TENSORS = 50_000
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_OBJECT_ON_TOP = re.compile(rb"(\x80.)?(?!ccollections\nOrderedDict)c", re.DOTALL)  # a pickle that begins with no table
_THEN_TABLE = rb"(q.|r....)?(\}|ccollections\nOrderedDict|[hj])"  # what a pickle has after a key whose value is a table
_CODE_NAMES = re.compile(r"GLOBAL ([\w.]+)|(?:types?|function|class) '?((?:\w+\.)+\w+)")


def read_state_dict(path: Path, file: BinaryIO, size: int) -> StoredTensors:
    """The tensors of an open torch file; RnnvizError, one sentence, for anything that is not plain tensors."""
    kind = looks_like(file.read(HEAD_BYTES))
    notes: tuple[str, ...] = ()
    try:
        if kind == ZIP:
            pickled, notes = check_archive(file, size, path.name)
        else:
            file.seek(0)
            pickled = file.read(MAX_PICKLE_BYTES)
            notes = ("torch's old format carries no checksums, so a damaged number would not be noticed.",)
    except RnnvizError as problem:
        raise RnnvizError(f"{path} {problem}.") from None
    if kind == PICKLE:
        raise RnnvizError(
            f"{path} is a Python pickle that torch.save did not write{_named(_globals(pickled))}: wanted a state dict "
            f"written by torch.save, or safetensors."
        )
    found = _walked(path, _load(path, file, pickled))
    try:
        names = tensor_names(found.places)
    except RnnvizError as problem:
        raise RnnvizError(f"{path} {problem}.") from None
    tensors = {name: _stored(value) for name, value in zip(names, found.tensors, strict=True)}
    notes += version_notes(found.places)
    return StoredTensors(tensors, notes, found.activations, tuple(found.hints), found.structures)


def _load(path: Path, file: BinaryIO, pickled: bytes) -> object:
    """What torch's restricted unpickler makes of the file."""
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded: object = torch.load(file, map_location="cpu", weights_only=True, mmap=False)
            return loaded
    except MemoryError:
        raise RnnvizError(f"{path} would need more memory than a checkpoint of its size may take.") from None
    except RecursionError:
        raise RnnvizError(f"{path} is nested too deeply: wanted a flat state dict.") from None
    # On damaged files torch raises at least thirteen classes, among them AssertionError, KeyError and struct.error.
    except Exception as problem:
        # Before this mark torch says how to load the file all the same, which nobody should be told here.
        message = str(problem).rpartition("WeightsUnpickler error: ")[2]
        if "allocate memory" in message or "enough memory" in message:
            raise RnnvizError(f"{path} would need more memory than a checkpoint of its size may take.") from None
        named = _CODE_NAMES.search(message)
        if named and ("nsupported" in message or "not an allowed" in message or "llowlist" in message):
            raise RnnvizError(_code_sentence(path, named[1] or named[2], pickled)) from None
        raise RnnvizError(
            f"{path} is damaged, cut short or not a state dict: torch cannot make tensors of it."
        ) from None


def _code_sentence(path: Path, code: str, pickled: bytes) -> str:
    """Which object needs code, and the two lines that take the weights out where the person trusts the file."""
    if b"_all_weight_values" in pickled:
        return (
            f"{path} holds quantised weights that torch has packed: wanted floating point; save the state dict of the "
            "model before it is quantised, or that of a quantised module m, rounded, with  "
            'torch.save({k: v.dequantize() for k, v in {**m.get_weight(), **m.get_bias()}.items()}, "weights.pt").'
        )
    whole = b"_modules" in pickled and b"_parameters" in pickled
    what = "is a whole pickled module, not a state dict" if whole else "holds more than tensors"
    return (
        f"{path} {what}: it names {shown(code)}, and loading it could run a stranger's code; where you trust "
        f"the file, convert it with the two lines  loaded = torch.load({path.name!r}, weights_only=False)  and  "
        f'torch.save({_taken(pickled, whole)}, "weights.pt").'
    )


def _taken(pickled: bytes, whole: bool) -> str:
    """The expression that takes the weights out of `loaded`."""
    if whole and _OBJECT_ON_TOP.match(pickled):
        return "loaded.state_dict()"
    if whole:
        return '{k: v.state_dict() for k, v in loaded.items() if hasattr(v, "state_dict")}'
    for name in WRAPPINGS:
        text = re.escape(b"X" + len(name).to_bytes(4, "little") + name.encode())
        if re.search(text + _THEN_TABLE, pickled, re.DOTALL):
            return f'loaded["{name}"]'
    return "{k: v for k, v in loaded.items() if torch.is_tensor(v) or isinstance(v, dict)}"


def _globals(pickled: bytes) -> list[str]:
    """The first few names a pickle would import, read without running it."""
    found = re.findall(rb"c([\w.]{1,60})\n([\w.]{1,60})\n", pickled[:65536])
    return [f"{module.decode('ascii', 'replace')}.{name.decode('ascii', 'replace')}" for module, name in found[:3]]


def _named(names: list[str]) -> str:
    return f" (it names {', '.join(shown(name) for name in names)})" if names else ""


@dataclass
class _Found:
    """What the walk through the nested dictionaries of a file has met so far."""

    places: list[Place] = field(default_factory=list)  # of each tensor: the keys that lead to it
    tensors: list[torch.Tensor] = field(default_factory=list)
    activations: dict[str, Activation] = field(default_factory=dict)
    hints: list[Hint] = field(default_factory=list)
    structures: dict[str, Structure] = field(default_factory=dict)


def _walked(path: Path, loaded: object) -> _Found:
    """Every tensor in nested dicts, lists and tuples; each container once, bounded."""
    nodes, found = 0, _Found()
    seen: set[int] = set()
    waiting: list[tuple[Place, object]] = [((), loaded)]
    while waiting:
        where, value = waiting.pop()
        nodes += 1
        if nodes > MAX_NODES:
            raise RnnvizError(f"{path} holds more than {MAX_NODES:,} objects, wanted at most that many.")
        if isinstance(value, torch.Tensor):
            if len(found.tensors) == MAX_TENSORS:
                raise RnnvizError(f"{path} holds more than {MAX_TENSORS:,} tensors, wanted at most that many.")
            found.places.append(where)
            found.tensors.append(value)
            continue
        if (one := hint(where, value)) is not None and len(found.hints) < MOST_HINTS:
            found.hints.append(one)
        children = _children(value)
        if children is None or id(value) in seen:
            continue
        seen.add(id(value))
        if len(where) >= MAX_DEPTH:
            raise RnnvizError(f"{path} is nested more than {MAX_DEPTH} deep: wanted a flat state dict.")
        if len(children) > MAX_NODES:
            raise RnnvizError(f"{path} holds more than {MAX_NODES:,} objects, wanted at most that many.")
        _keep_said(where, value, found, path)
        waiting.extend(((*where, str(key)), child) for key, child in reversed(children) if type(key) in (str, int))
    return found


def _children(value: object) -> list[tuple[object, object]] | None:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, (list, tuple)):
        return list(enumerate(value))
    return None


def _keep_said(where: Place, value: object, found: _Found, path: Path) -> None:
    """rnnviz writes the structure beside the version in the state dict's own metadata."""
    metadata = getattr(value, "_metadata", None)
    if not isinstance(metadata, Mapping) or len(metadata) > MAX_NODES:
        return
    for prefix, entry in metadata.items():
        if not isinstance(prefix, str):
            continue
        activation, structure = said_activation(entry), structure_in_values(entry, str(path))
        for keys in (where, [part for part in where if part not in WRAPPINGS]):
            module = ".".join([*keys, prefix]) + "."
            if activation:
                found.activations[module] = activation
            if structure:
                found.structures[module] = structure


def _stored(tensor: torch.Tensor) -> StoredTensor:
    """The claim of one tensor: logical size against storage, and kinds whose numbers are not what they seem."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    problem = _kind_problem(tensor, dtype)
    shape = tuple(int(size) for size in tensor.shape)
    return StoredTensor(shape, dtype, problem, lambda: _array(tensor))


def _kind_problem(tensor: torch.Tensor, dtype: str) -> str:
    if tensor.is_nested or tensor.layout != torch.strided:
        return f"is sparse or nested ({str(tensor.layout).removeprefix('torch.')}), wanted a plain dense tensor"
    if tensor.is_quantized:
        return f"is quantised ({dtype}), wanted floating point"
    if tensor.device.type != "cpu":
        return f"has no values (it lies on the device {tensor.device.type!r}), wanted them in the file"
    if tensor.dtype not in _FLOATS:
        return f"has dtype {dtype}, wanted float32, float64, float16 or bfloat16"
    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        return "is a tensor subclass, wanted a plain tensor"
    return _size_problem(tensor)


def _size_problem(tensor: torch.Tensor) -> str:
    storage = tensor.untyped_storage().nbytes()
    claimed = tensor.numel() * tensor.element_size()
    last = tensor.storage_offset() + sum(
        (size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True)
    )
    if claimed > storage or any(stride < 0 for stride in tensor.stride()):
        return f"claims {tensor.numel():,} numbers over a storage of {storage:,} bytes, which cannot hold them"
    if tensor.numel() and (last + 1) * tensor.element_size() > storage:
        return f"reaches beyond its storage of {storage:,} bytes"
    return ""


def _array(tensor: torch.Tensor) -> Array:
    """A copy as float32 or float64; half precision is widened."""
    plain = tensor.detach().resolve_conj().resolve_neg()
    dtype = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    return np.array(plain.to(dtype).contiguous().numpy())

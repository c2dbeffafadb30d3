"""safetensors files, read without torch: the header is checked against the file's bytes before any is copied."""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.engine.checkpoints.hints import metadata_hints
from rnnviz.engine.checkpoints.names import shown
from rnnviz.engine.checkpoints.own_exports import RECURRENT, said_activation, structures_in_texts
from rnnviz.engine.checkpoints.records import StoredTensor, StoredTensors

MAX_HEADER_BYTES = 100 * 1024**2
MAX_TENSORS = 50_000
_FLOATS = {"F64": ("float64", 8), "F32": ("float32", 4), "F16": ("float16", 2), "BF16": ("bfloat16", 2)}
_WIDTHS = {  # bits of one value of every other dtype the format knows, so that sizes can be checked there too
    8: ("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"),
    4: ("F4",),
    6: ("F6_E2M3", "F6_E3M2"),
    16: ("I16", "U16"),
    32: ("I32", "U32"),
    64: ("I64", "U64", "C64"),
}
_BITS = {name: 8 * size for name, (_, size) in _FLOATS.items()} | {
    name: width for width, names in _WIDTHS.items() for name in names
}


def read_safetensors(path: Path, file: BinaryIO, size: int) -> StoredTensors:
    """The tensors of an open safetensors file; RnnvizError, one sentence, for a header that lies."""
    try:
        header, begin = _header(file, size)
        metadata = header.pop("__metadata__", {})
        if len(header) > MAX_TENSORS:
            raise RnnvizError(f"holds {len(header):,} tensors, wanted at most {MAX_TENSORS:,}")
        spans: list[tuple[int, int]] = []
        tensors = {name: _stored(file, name, entry, begin, size - begin, spans) for name, entry in header.items()}
        _check_spans(spans, size - begin)
    except RnnvizError as problem:
        raise RnnvizError(f"{path} {problem}.") from None
    activation, structures = said_activation(metadata), structures_in_texts(metadata, str(path))
    return StoredTensors(
        tensors,
        activations={RECURRENT: activation} if activation else {},
        hints=metadata_hints(metadata),
        structures=structures,
    )


def _header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """The JSON header and where the data begin."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > MAX_HEADER_BYTES:
        raise RnnvizError(f"has a header of {length:,} bytes, wanted at most {MAX_HEADER_BYTES:,}")
    if 8 + length > size:
        raise RnnvizError(f"is cut short: its header should have {length:,} bytes, the file has {size:,}")
    try:
        header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError):  # also UnicodeDecodeError and JSONDecodeError
        raise RnnvizError("has a header that is not JSON: it is damaged or not a safetensors file") from None
    if not isinstance(header, dict):
        raise RnnvizError("has a header that does not list tensors")
    return header, 8 + length


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise RnnvizError("names one tensor twice")
    return table


def _stored(
    file: BinaryIO, name: str, entry: object, begin: int, data_bytes: int, spans: list[tuple[int, int]]
) -> StoredTensor:
    where = f"describes {shown(name)!r} wrongly:"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise RnnvizError(f"{where} wanted dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise RnnvizError(f"{where} no known dtype ({shown(str(dtype), 20)})")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2 or len(shape) > 64:
        raise RnnvizError(f"{where} shape and data_offsets must be lists of whole numbers")
    first, last = offsets
    if not first <= last <= data_bytes:
        raise RnnvizError(f"{where} its bytes {first:,} to {last:,} are not within the {data_bytes:,} of the file")
    if math.prod(shape) * _BITS[dtype] != 8 * (last - first):
        raise RnnvizError(f"{where} shape {tuple(shape)[:8]} of {dtype} does not fill {last - first:,} bytes")
    spans.append((first, last))
    if dtype not in _FLOATS:
        return StoredTensor(tuple(shape), dtype, f"has dtype {dtype}, wanted F32, F64, F16 or BF16", _nothing)
    read: Callable[[], Array] = partial(_array, file, begin + first, last - first, dtype, tuple(shape))
    return StoredTensor(tuple(shape), _FLOATS[dtype][0], "", read)


def _sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 2**63 for one in value)


def _check_spans(spans: list[tuple[int, int]], data_bytes: int) -> None:
    """Tensors must lie one after the other over all the data, as the format demands."""
    end = 0
    for first, last in sorted(spans):
        if first < end:
            raise RnnvizError("holds tensors that overlap")
        if first > end:
            raise RnnvizError(f"has a gap of {first - end:,} bytes between its tensors")
        end = last
    if end != data_bytes:
        raise RnnvizError(f"has {data_bytes - end:,} bytes after its last tensor that belong to none")


def _array(file: BinaryIO, begin: int, length: int, dtype: str, shape: tuple[int, ...]) -> Array:
    file.seek(begin)
    content = file.read(length)
    if len(content) != length:
        raise RnnvizError("the file became shorter while it was read")
    if dtype == "BF16":  # the upper half of a float32
        return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[dtype]
    return np.frombuffer(content, kind).astype(np.float64 if dtype == "F64" else np.float32).reshape(shape)


def _nothing() -> Array:
    raise RnnvizError("has no floating-point values")

"""Transport of a checkpoint through a pipe, from the confined process to its parent: JSON and raw numbers only."""

import json
import math
from dataclasses import asdict
from typing import IO

import numpy as np

from rnnviz.core.arrays import Array, frozen_mapping
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.engine.checkpoints.records import Checkpoint, RecurrentModule, Unused

_MOST_JSON = 64 * 1024**2
_DTYPES = ("float32", "float64")


def write_refusal(sentence: str, stream: IO[bytes]) -> None:
    """Says why there is no checkpoint; `read` raises it on the other side."""
    _write_json({"refusal": sentence}, stream)


def write(checkpoint: Checkpoint, stream: IO[bytes], with_weights: bool) -> None:
    """The whole checkpoint; without its weights where only a look is wanted."""
    modules = []
    for module in checkpoint.modules:
        weights = module.weights.items() if with_weights else ()
        modules.append(
            {
                "prefix": module.prefix,
                "structure": asdict(module.structure),
                "is_cell": module.is_cell,
                "weights": [(name, weight.dtype.name, weight.shape) for name, weight in weights],
                "sources": dict(module.sources),
                "notes": module.notes,
                "read_by": module.read_by,
                "guess": module.guess,
                "hint": module.hint,
            }
        )
    header = {
        "path": checkpoint.path,
        "kind": checkpoint.kind,
        "notes": checkpoint.notes,
        "unused": [asdict(one) for one in checkpoint.unused],
        "more_unused": checkpoint.more_unused,
        "modules": modules,
    }
    _write_json(header, stream)
    for module in checkpoint.modules if with_weights else ():
        for weight in module.weights.values():
            stream.write(np.ascontiguousarray(weight).data)
    stream.flush()


def read(stream: IO[bytes]) -> Checkpoint:
    """What `write` wrote; RnnvizError with the sentence of `write_refusal`; EOFError when the writer ended early."""
    length = int.from_bytes(_exactly(stream, 8), "little")
    if length > _MOST_JSON:
        raise EOFError("the answer is no header")
    header = json.loads(_exactly(stream, length))
    if "refusal" in header:
        raise RnnvizError(header["refusal"])
    modules = tuple(
        RecurrentModule(
            prefix=entry["prefix"],
            structure=Structure(**entry["structure"]),
            is_cell=entry["is_cell"],
            weights=frozen_mapping(
                {name: _array(stream, dtype, tuple(shape)) for name, dtype, shape in entry["weights"]}
            ),
            sources={name: tuple(names) for name, names in entry["sources"].items()},
            notes=tuple(entry["notes"]),
            read_by=tuple(entry["read_by"]),
            guess=entry["guess"],
            hint=entry["hint"],
        )
        for entry in header["modules"]
    )
    unused = tuple(Unused(**one | {"shape": tuple(one["shape"])}) for one in header["unused"])
    notes = tuple(header["notes"])
    return Checkpoint(header["path"], header["kind"], modules, notes, unused, header["more_unused"])


def _write_json(value: object, stream: IO[bytes]) -> None:
    content = json.dumps(value).encode("ascii")
    stream.write(len(content).to_bytes(8, "little") + content)
    stream.flush()


def _array(stream: IO[bytes], dtype: str, shape: tuple[int, ...]) -> Array:
    if dtype not in _DTYPES:
        raise EOFError("the answer holds no plain numbers")
    content = _exactly(stream, math.prod(shape) * np.dtype(dtype).itemsize)
    return np.frombuffer(content, dtype).reshape(shape)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) != length:
        raise EOFError("the answer ended early")
    return content

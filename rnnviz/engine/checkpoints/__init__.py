"""Checkpoints of strangers: one reader file per format; which it is, a file's first bytes say."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.formats import CHECKPOINTS, SAFETENSORS, STATE_DICT, wanted
from rnnviz.core.files.magic import HEAD_BYTES, looks_like
from rnnviz.core.structure import Activation
from rnnviz.engine.checkpoints.finding import find_modules
from rnnviz.engine.checkpoints.opening import open_regular
from rnnviz.engine.checkpoints.records import Checkpoint, CheckpointKind, RecurrentModule, StoredTensors

__all__ = ["Checkpoint", "CheckpointKind", "RecurrentModule", "checkpoint_kind", "read_checkpoint", "reader"]

Reader = Callable[[Path, BinaryIO, int], StoredTensors]

# module and function by format, imported when needed: torch takes seconds
_READERS = {
    STATE_DICT.name: ("rnnviz.engine.checkpoints.state_dict", "read_state_dict"),
    SAFETENSORS.name: ("rnnviz.engine.checkpoints.safetensors_file", "read_safetensors"),
}
_COPY_SLACK = 64 * 1024**2


def checkpoint_kind(path: str | Path) -> CheckpointKind:
    """The format by the first bytes alone, never by the ending; RnnvizError saying what the file looks like instead."""
    file, _ = open_regular(Path(path))
    with file:
        looks = looks_like(file.read(HEAD_BYTES))
    for one in CHECKPOINTS:
        if looks in one.looks:
            return one.name
    raise RnnvizError(f"{path} is {looks}: wanted {wanted(CHECKPOINTS)}.")


def reader(kind: CheckpointKind) -> Reader:
    """The reader of a format, with every library it needs."""
    module, function = _READERS[kind]
    found: Any = getattr(import_module(module), function)
    return found  # type: ignore[no-any-return]


def read_checkpoint(path: str | Path, activation: Activation | None = None) -> Checkpoint:
    """The recurrent modules of a torch state dict or safetensors file of a stranger, as plain arrays.

    `activation` is a vanilla cell's, which a state dict does not say. RnnvizError, one sentence, for every file
    that holds no usable recurrent module. Nothing in the file is executed, but a hostile one may take all memory
    and time: `rnnviz.engine.checkpoints.sandbox.read_confined` calls this in a child process with limits.
    """
    path = Path(path)
    kind = checkpoint_kind(path)
    file, size = open_regular(path)
    with file:
        stored = reader(kind)(path, file, size)
        modules, problems = find_modules(stored, activation, _COPY_SLACK + 4 * size)
    if not modules:
        raise RnnvizError(f"{path} holds no usable nn.RNN, nn.LSTM or nn.GRU: {_why(problems, len(stored.tensors))}")
    return Checkpoint(str(path), kind, tuple(modules), stored.notes + tuple(problems))


def _why(problems: list[str], tensors: int) -> str:
    if problems:
        return problems[0][:1].lower() + problems[0][1:]
    return f"none of its {tensors:,} tensors is named like weight_hh_l0." if tensors else "it holds no tensors."

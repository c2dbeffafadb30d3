"""Foreign checkpoints: one reader file per format; which it is, a file's first bytes say."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.formats import CHECKPOINTS, SAFETENSORS, STATE_DICT, wanted
from rnnviz.core.files.magic import HEAD_BYTES, looks_like
from rnnviz.core.plain_records import listed
from rnnviz.core.structure import Activation
from rnnviz.engine.checkpoints.aside import left_aside, unused_tensors
from rnnviz.engine.checkpoints.finding import find_modules
from rnnviz.engine.checkpoints.names import shown
from rnnviz.engine.checkpoints.opening import open_regular
from rnnviz.engine.checkpoints.other_names import other_names, own_cells
from rnnviz.engine.checkpoints.parts import parts_of
from rnnviz.engine.checkpoints.records import Checkpoint, CheckpointKind, RecurrentModule, StoredTensors

__all__ = ["Checkpoint", "CheckpointKind", "RecurrentModule", "checkpoint_kind", "read_checkpoint", "reader"]

Reader = Callable[[Path, BinaryIO, int], StoredTensors]

# module and function by format, imported when needed: torch takes seconds
_READERS = {
    STATE_DICT.name: ("rnnviz.engine.checkpoints.state_dict", "read_state_dict"),
    SAFETENSORS.name: ("rnnviz.engine.checkpoints.safetensors_file", "read_safetensors"),
}
MOST_UNUSED = 1000  # tensors that are handed on by name
_COPY_SLACK = 64 * 1024**2


def checkpoint_kind(path: str | Path) -> CheckpointKind:
    """The format by the first bytes alone, never by the ending; RnnvizError saying what the file looks like instead.

    The format of a checkpoint in several files is that of all its parts.
    """
    kinds = [_kind(part) for part in parts_of(Path(path))]
    if len(set(kinds)) > 1:
        raise RnnvizError(f"{path} stands for parts of several formats ({listed(sorted(set(kinds)))}): wanted one.")
    return kinds[0]


def _kind(path: Path) -> CheckpointKind:
    file, _ = open_regular(path)
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
    kind, parts = checkpoint_kind(path), parts_of(path)
    with ExitStack() as files:  # tensors are read from them when they are needed
        stored, size = _stored(parts, reader(kind), files)
        found = find_modules(stored, activation, _COPY_SLACK + 4 * size)
    if not found.modules:
        raise RnnvizError(f"{path} holds no usable nn.RNN, nn.LSTM or nn.GRU: {_why(found.problems, stored)}")
    unused = unused_tensors(stored.tensors, found)
    notes = (*stored.notes, *found.problems, *left_aside(unused))
    more = max(0, len(unused) - MOST_UNUSED)
    return Checkpoint(str(path), kind, tuple(found.modules), notes, unused[:MOST_UNUSED], more)


def _stored(parts: Sequence[Path], read: Reader, files: ExitStack) -> tuple[StoredTensors, int]:
    """The tensors of all parts, and how many bytes these have."""
    together, total = StoredTensors({}), 0
    for part in parts:
        file, size = open_regular(part)
        stored = read(part, files.enter_context(file), size)
        together, total = together.beside(stored, str(part)), total + size
    if len(parts) > 1:
        note = f"Read from {len(parts)} files: {listed([shown(part.name) for part in parts])}."
        together = replace(together, notes=(note, *together.notes))
    return together, total


def _why(problems: Sequence[str], stored: StoredTensors) -> str:
    if not stored.structures and (own := own_cells(stored.tensors)):
        return own
    if problems:
        return problems[0][:1].lower() + problems[0][1:]
    return other_names(stored.tensors) if stored.tensors else "it holds no tensors."

"""Foreign checkpoints: one file per format; `read_checkpoint` finds the format by the file's first bytes."""

from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Activation
from rnnviz.engine.checkpoints.finding import find_modules
from rnnviz.engine.checkpoints.opening import (
    HEAD_BYTES,
    LEGACY,
    PICKLE,
    SAFETENSORS,
    ZIP,
    looks_like,
    open_regular,
)
from rnnviz.engine.checkpoints.records import Checkpoint, CheckpointKind, RecurrentModule, StoredTensors

__all__ = ["Checkpoint", "CheckpointKind", "RecurrentModule", "checkpoint_kind", "read_checkpoint"]

_COPY_SLACK = 64 * 1024**2


def checkpoint_kind(path: str | Path) -> CheckpointKind:
    """The format by the first bytes alone, never by the ending; RnnvizError saying what the file looks like instead."""
    file, _ = open_regular(Path(path))
    with file:
        kind = looks_like(file.read(HEAD_BYTES))
    if kind == SAFETENSORS:
        return "safetensors"
    if kind in (ZIP, LEGACY, PICKLE):
        return "state dict"
    raise RnnvizError(f"{path} is {kind}: wanted a torch state dict (.pt, .pth, .bin) or a safetensors file.")


def read_checkpoint(path: str | Path, activation: Activation | None = None) -> Checkpoint:
    """The recurrent modules of a torch state dict or safetensors file of a stranger, as plain arrays.

    `activation` is a vanilla cell's, which a state dict does not say. RnnvizError, one sentence, for every file
    that holds no usable recurrent module. Nothing in the file is executed, but a hostile one may take all memory
    and time: `rnnviz.engine.checkpoints.sandbox.read_confined` calls this in a child process with limits.
    """
    path = Path(path)
    name = checkpoint_kind(path)
    file, size = open_regular(path)
    with file:
        stored: StoredTensors
        if name == "safetensors":
            from rnnviz.engine.checkpoints.safetensors_file import read_safetensors

            stored = read_safetensors(path, file, size)
        else:
            from rnnviz.engine.checkpoints.state_dict import read_state_dict  # imports torch, seconds

            stored = read_state_dict(path, file, size)
        modules, problems = find_modules(stored, activation, _COPY_SLACK + 4 * size)
    if not modules:
        raise RnnvizError(f"{path} holds no usable nn.RNN, nn.LSTM or nn.GRU: {_why(problems, len(stored.tensors))}")
    return Checkpoint(str(path), name, tuple(modules), stored.notes + tuple(problems))


def _why(problems: list[str], tensors: int) -> str:
    if problems:
        return problems[0][:1].lower() + problems[0][1:]
    return f"none of its {tensors:,} tensors is named like weight_hh_l0." if tensors else "it holds no tensors."

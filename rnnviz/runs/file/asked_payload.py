"""Asked step Jacobians as a file between the engine and the window, and back with everything checked."""

from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.whole import write_whole
from rnnviz.core.sweeps.scans.asked import Asked
from rnnviz.runs.file.payload import load_tensors, save_tensors

_NAMES = ("step", "within", "inputs")
LARGEST = 1 << 31  # bytes


def write_asked(asked: Asked, path: Path) -> None:
    """The file is there whole or not at all. Raises RnnvizError."""
    write_whole(path, save_tensors({name: getattr(asked, name) for name in _NAMES}))


def read_asked(path: Path) -> Asked:
    """What `write_asked` wrote; whether the shapes are a layer's is checked where it is taken. Raises RnnvizError."""
    try:
        if path.stat().st_size > LARGEST:
            raise RnnvizError(f"{path} holds more than {LARGEST:,} bytes; wanted step Jacobians.")
        tensors = load_tensors(path.read_bytes())
    except OSError as error:
        raise RnnvizError(f"{path} cannot be read: {error.strerror}.") from None
    if sorted(tensors) != sorted(_NAMES):
        raise RnnvizError(f"{path} holds {sorted(tensors)[:6]}; wanted step Jacobians.")
    return Asked(**tensors)

"""Weights file: changed weights as a window or a person hands them over; read without torch."""

import os
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError

LARGEST_FILE = 1 << 30  # bytes


def read_weights(path: str | os.PathLike[str]) -> dict[str, Array]:
    """The tensors of a safetensors file. Raises RnnvizError for anything else."""
    path = Path(path)
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            raise RnnvizError(f"{path} is not a weights file; wanted safetensors of at most {LARGEST_FILE:,} bytes.")
        return dict(load(path.read_bytes()))
    except OSError as error:
        raise RnnvizError(f"{path} cannot be read: {error.strerror}.") from None
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise RnnvizError(f"{path} is not a safetensors file, or it is damaged.") from None

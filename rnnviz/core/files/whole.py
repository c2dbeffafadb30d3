"""Whole files: written beside their place and renamed, so that a reader never sees half of one."""

import os
import tempfile
from pathlib import Path

from rnnviz.core.errors import RnnvizError


def write_whole(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, whole or not at all; RnnvizError where the folder or the disk does not take it."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # a temporary file is its owner's alone
        os.replace(temporary, path)
    except OSError as problem:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise RnnvizError(f"{path} cannot be written: {problem.strerror or problem}.") from None

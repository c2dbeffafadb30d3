"""Opening: a file is opened without ever waiting for it."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from rnnviz.core.errors import RnnvizError

MAX_FILE_BYTES = 2 * 1024**3


def open_regular(path: Path, most_bytes: int = MAX_FILE_BYTES) -> tuple[BinaryIO, int]:
    """The open file and its size in bytes; RnnvizError for what is missing, no regular file, empty or too large."""
    try:
        # A FIFO without a writer would hang a plain open, and a device could do anything.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except IsADirectoryError:
        raise RnnvizError(f"{path} is a folder: wanted a file.") from None
    except (OSError, ValueError) as problem:
        if Path(path).is_dir():
            raise RnnvizError(f"{path} is a folder: wanted a file.") from None
        why = getattr(problem, "strerror", None) or "its name holds a zero character"
        raise RnnvizError(f"{path} cannot be opened: {why}.") from None
    status = os.fstat(descriptor)
    problem_words = ""
    if stat.S_ISDIR(status.st_mode):
        problem_words = "is a folder: wanted a file"
    elif not stat.S_ISREG(status.st_mode):
        problem_words = "is a pipe, socket or device: wanted a regular file"
    elif status.st_size == 0:
        problem_words = "is empty: wanted a file with something in it"
    elif status.st_size > most_bytes:
        problem_words = f"has {status.st_size:,} bytes: wanted at most {most_bytes:,}"
    if problem_words:
        os.close(descriptor)
        raise RnnvizError(f"{path} {problem_words}.")
    return os.fdopen(descriptor, "rb"), status.st_size

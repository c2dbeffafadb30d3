"""Text file of a person, read within bounds: regular, small enough, UTF-8; one sentence for each other case."""

import os
import stat
from pathlib import Path

from rnnviz.core.errors import RnnvizError


def read_text_file(path: Path, largest: int) -> str:
    """The text of `path`, decoded as UTF-8 with or without a byte order mark, line ends as "\\n".

    Raises RnnvizError for a missing or special file (a FIFO would hang), more than `largest` bytes, NUL bytes, and
    bytes that are not UTF-8 (naming byte and line).
    """
    data = _read_bytes(path, largest)
    if b"\0" in data[:65536]:
        raise RnnvizError(f"{path}: wanted a UTF-8 text file, came a binary file (a NUL byte at {data.index(0)}).")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RnnvizError(
            f"{path}, line {line}: wanted UTF-8 text, came byte 0x{data[error.start]:02x} at position {error.start} "
            f"of the file; save it as UTF-8."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_bytes(path: Path, largest: int) -> bytes:
    try:
        # Opened without blocking and judged by its descriptor, so that no other file can be slipped in between.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            status = os.fstat(descriptor)
            _check_kind(path, status, largest)
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(largest)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        raise RnnvizError(
            f"{path}: wanted a file to read, came: {getattr(error, 'strerror', None) or error}."
        ) from None


def _check_kind(path: Path, status: os.stat_result, largest: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or pipe"
        raise RnnvizError(f"{path}: wanted a regular file, came {kind}.")
    if status.st_size > largest:
        raise RnnvizError(
            f"{path}: wanted a file of at most {largest / 2**20:.0f} MiB, came {status.st_size / 2**20:.1f} MiB."
        )

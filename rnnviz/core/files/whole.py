"""Whole files: written beside their place and renamed, so that a reader never sees half of one."""

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnviz.core.errors import RnnvizError

ABANDONED_SECONDS = 3600.0


@contextmanager
def new_file(path: Path, also: tuple[str, ...] = (), private: bool = False) -> Iterator[Path]:
    """An empty file in the folder of `path`, to be filled and given its name; gone afterwards if it was not. OSError.

    `also`: endings of what a program may leave beside the new file, which is gone afterwards, too. `private`: only its
    owner may read it.
    """
    remove_abandoned(path.parent, f".{glob.escape(path.name)}.*.new*")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    os.close(handle)
    new = Path(name)
    try:
        if not private:
            new.chmod(0o644)  # a temporary file is its owner's alone
        yield new
    finally:
        for ending in ("", *also):
            new.with_name(new.name + ending).unlink(missing_ok=True)


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Removes files of such a name that nobody has written for an hour: of a process that was killed."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()


def put_in_place(new: Path, path: Path) -> None:
    """Gives `new` the name `path` once the disk has all of it. OSError."""
    with new.open("rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(new, path)


def write_whole(path: Path, content: bytes, private: bool = False) -> None:
    """Writes `content` to `path`, whole or not at all; RnnvizError where the folder or the disk does not take it."""
    try:
        with new_file(path, private=private) as new:
            new.write_bytes(content)
            put_in_place(new, path)
    except OSError as problem:
        raise RnnvizError(f"{path} cannot be written: {problem.strerror or problem}.") from None

"""Claim of a file name for a run that is about to begin: taken at once, also by a process that has yet to load torch.

A hidden file beside the run's place is locked by whoever will write there, until the run is there, whole; the system
gives the lock up when its process is killed.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.opening import check_file

if sys.platform != "win32":
    import fcntl


class TakenError(RnnvizError):
    """There is something of that name already, or another process has claimed it."""


class Claim:
    """A name this process may begin a run at; `replace`: also where a run is that nobody writes any more."""

    def __init__(self, path: Path, replace: bool) -> None:
        """Raises TakenError, RnnvizError or OSError."""
        self.path, self.replace = path, replace
        self._beside = path.with_name(f".{path.name}.claim")
        self._handle = _lock(self._beside, path)
        try:
            self.refuse_existing()
            if there(path):
                check_file(path)
        except BaseException:
            self.release()
            raise
        _claims[path.absolute()] = self

    def refuse_existing(self) -> None:
        """Raises TakenError where something is that is not to be replaced."""
        if not self.replace and there(self.path):
            raise TakenError(f"{self.path} exists already; wanted a new file, or --replace to overwrite that run.")

    def release(self) -> None:
        """Lets the name go: the run has begun, or never will."""
        _claims.pop(self.path.absolute(), None)
        handle, self._handle = self._handle, -1
        if handle >= 0:
            with contextlib.suppress(OSError):
                self._beside.unlink()
            os.close(handle)


_claims: dict[Path, Claim] = {}  # of this process


@contextmanager
def claimed(path: Path, *, replace: bool = False, another: bool = False) -> Iterator[Claim]:
    """While inside, only this process begins a run at `path`; a claim within a claim is the same one.

    `replace`: a run that is there may be given up. `another`: where the name is taken, the first free one of path-2,
    path-3, … instead. Raises TakenError, or RnnvizError where no file can be made there.
    """
    if (known := _claims.get(path.absolute())) is not None:
        yield known
        return
    try:
        if not path.parent.is_dir():
            raise RnnvizError(f"{path} cannot be written: the folder {path.parent} does not exist.")
        claim = _first_free(path) if another else Claim(path, replace)
    except OSError as error:
        raise RnnvizError(f"{path} cannot be written: {error.strerror or error}.") from None
    try:
        yield claim
    finally:
        claim.release()


def there(path: Path) -> bool:
    """Whether there is something that is not to be overwritten. OSError."""
    return path.exists() and (not path.is_file() or path.stat().st_size > 0)


def _first_free(path: Path) -> Claim:
    free, count = path, 1
    while True:
        if not free.exists():
            with contextlib.suppress(TakenError):
                return Claim(free, replace=False)
        count += 1
        free = path.with_stem(f"{path.stem}-{count}")


def _lock(beside: Path, path: Path) -> int:
    """A handle on the locked file. Raises TakenError where another process has locked it, or OSError."""
    while True:
        if sys.platform == "win32":  # where no file that is open can be removed
            beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform == "win32":
                return handle
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if beside.exists() and os.path.samestat(os.fstat(handle), beside.stat()):
                return handle
        except BlockingIOError:
            os.close(handle)
            raise TakenError(f"Another rnnviz is just creating the run {path}; wanted a file of its own.") from None
        except OSError:  # a file system without locks: then only the last moment decides
            return handle
        os.close(handle)  # whoever had locked it has just removed it

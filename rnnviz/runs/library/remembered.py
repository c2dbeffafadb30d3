"""Remembered runs: which lie elsewhere than in the data folder, which are pinned, and which was looked at last."""

import contextlib
import os
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import tomli_w

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.text_file import read_bytes
from rnnviz.core.files.whole import write_whole
from rnnviz.core.plain_records import plain, read_record
from rnnviz.runs.library.summary import Stamp

MOST = 500  # runs elsewhere that are remembered, the newest
_LARGEST = 4 << 20  # bytes


@dataclass(frozen=True)
class Remembered:
    """Paths as texts; `elsewhere` begins with the newest."""

    elsewhere: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    last: str = ""  # the run that was looked at last, where it was worth that
    last_at: float = 0.0  # when, seconds since the epoch

    def with_run(self, path: Path) -> "Remembered":
        """After the run at `path`, elsewhere, was opened or saved."""
        others = (one for one in self.elsewhere if one != str(path))
        return replace(self, elsewhere=(str(path), *others)[:MOST])

    def without(self, paths: Iterable[str]) -> "Remembered":
        """After these runs were deleted or forgotten."""
        gone = set(paths)
        return replace(self, elsewhere=tuple(one for one in self.elsewhere if one not in gone))

    def pinning(self, paths: Iterable[str], on: bool) -> "Remembered":
        """With these runs pinned, or not."""
        changed = tuple(paths)
        others = tuple(one for one in self.pinned if one not in changed)
        return replace(self, pinned=(*others, *changed) if on else others)


class Memory:
    """The file library.toml of the data folder; every change reads it anew, for another window may have written it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "library.toml"
        self._runs = folder / "runs"

    def read(self) -> Remembered:
        """What is remembered; nothing where the file is missing. One that is broken is set aside first."""
        if not self.path.exists():
            return Remembered()
        try:
            table = tomllib.loads(read_bytes(self.path, _LARGEST).decode("utf-8"))
            return read_record(Remembered, table, str(self.path), "")
        except (RnnvizError, ValueError, RecursionError):
            with contextlib.suppress(OSError):
                self.path.replace(self.path.with_name("library.broken.toml"))
            return Remembered()

    def change(self, change: Callable[[Remembered], Remembered]) -> Remembered:
        """Writes what `change` makes of it. RnnvizError where the folder does not let us."""
        before = self.read()
        after = change(before)
        if after != before:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RnnvizError(f"{self.path} cannot be written: {error.strerror}.") from None
            write_whole(self.path, tomli_w.dumps(plain(after)).encode(), private=True)
        return after

    def ours(self, path: Path | str) -> bool:
        """Whether a run lies in the data folder, where trainings are saved by themselves."""
        return Path(path).parent == self._runs

    def stamps(self) -> list[Stamp]:
        """Every run there is: those in the data folder and those remembered elsewhere, the newest first."""
        names: list[str] = []
        with contextlib.suppress(OSError), os.scandir(self._runs) as entries:
            names = [
                entry.path for entry in entries if entry.name.endswith(".rnnviz") and not entry.name.startswith(".")
            ]
        found = [Stamp.of(Path(name)) for name in dict.fromkeys((*names, *self.read().elsewhere))]
        return sorted(found, key=lambda stamp: -stamp.nanoseconds)

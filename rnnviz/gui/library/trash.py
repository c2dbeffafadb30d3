"""Trash: run files into the system's trash, and back out of it."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFile

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.opening import SIDE_FILES


@dataclass(frozen=True)
class Trashed:
    """A file that was moved: where it was, and where it is in the trash."""

    was: Path
    now: Path


def to_trash(path: Path) -> tuple[Trashed, ...]:
    """Moves the run at `path`, with what SQLite keeps beside it. RnnvizError where the system has no trash for it."""
    moved: list[Trashed] = []
    for suffix in ("", *SIDE_FILES):
        one = path.with_name(path.name + suffix)
        if not one.exists():
            continue
        file = QFile(str(one))
        if not file.moveToTrash():
            put_back(tuple(moved))
            raise RnnvizError(f"{one} cannot be moved to the trash; Show in folder leads to the file.")
        moved.append(Trashed(one, Path(file.fileName())))
    return tuple(moved)


def put_back(moved: tuple[Trashed, ...]) -> None:
    """Moves files back to where they were. RnnvizError where that cannot be."""
    for one in moved:
        if one.was.exists():
            raise RnnvizError(f"{one.was} cannot be put back: another file of that name is there now.")
        if not one.now.exists():
            raise RnnvizError(f"{one.was} cannot be put back: it is no longer in the trash.")
        try:
            os.rename(one.now, one.was)
        except OSError as error:
            raise RnnvizError(f"{one.was} cannot be put back: {error.strerror}.") from None
        with contextlib.suppress(OSError):  # what a desktop keeps beside it
            (one.now.parent.parent / "info" / f"{one.now.name}.trashinfo").unlink(missing_ok=True)

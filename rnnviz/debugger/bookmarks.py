"""Bookmarks: places in a run to come back to."""

from collections.abc import Sequence
from dataclasses import replace

from rnnviz.core.stopping.marks import Bookmark, Marks
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.debugger.cursor import Cursor, Phase


def bookmarked(bookmark: Bookmark) -> Cursor:
    """The place of a bookmark."""
    phase = Phase(bookmark.phase)
    return Cursor(bookmark.training_step, phase, bookmark.time_step, bookmark.layer, bookmark.operation)


def bookmark_at(cursor: Cursor, note: str = "", kind: CaptureKind = "probe") -> Bookmark:
    """A bookmark of the place the cursor stands on, in the probe or in the training batch."""
    step, time_step = cursor.training_step, cursor.time_step
    return Bookmark(step, cursor.phase.value, time_step, cursor.layer, cursor.operation, note, kind)


def bookmark_on(bookmarks: Sequence[Bookmark], cursor: Cursor, kind: CaptureKind = "probe") -> Bookmark | None:
    """The one of exactly this place, whatever is noted there."""
    wanted = bookmark_at(cursor, kind=kind)
    return next((one for one in bookmarks if replace(one, note="") == wanted), None)


def without_bookmark(marks: Marks, bookmark: Bookmark) -> Marks:
    """The marks without this one."""
    return replace(marks, bookmarks=tuple(one for one in marks.bookmarks if one != bookmark))

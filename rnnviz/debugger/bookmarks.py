"""Bookmarks: places in a run to come back to."""

from collections.abc import Sequence
from dataclasses import replace

from rnnviz.core.stopping.marks import Bookmark, Marks
from rnnviz.debugger.cursor import Cursor, Phase


def bookmarked(bookmark: Bookmark) -> Cursor:
    """The place of a bookmark."""
    phase = Phase(bookmark.phase)
    return Cursor(bookmark.training_step, phase, bookmark.time_step, bookmark.layer, bookmark.operation)


def bookmark_at(cursor: Cursor, note: str = "") -> Bookmark:
    """A bookmark of the place the cursor stands on."""
    return Bookmark(cursor.training_step, cursor.phase.value, cursor.time_step, cursor.layer, cursor.operation, note)


def bookmark_on(bookmarks: Sequence[Bookmark], cursor: Cursor) -> Bookmark | None:
    """The one of exactly this place, whatever is noted there."""
    wanted = bookmark_at(cursor)
    return next((one for one in bookmarks if replace(one, note="") == wanted), None)


def without_bookmark(marks: Marks, bookmark: Bookmark) -> Marks:
    """The marks without this one."""
    return replace(marks, bookmarks=tuple(one for one in marks.bookmarks if one != bookmark))

"""Commands that mark places in the program and go from one to the next."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks_file import LONGEST_NOTE
from rnnviz.debugger.bookmarks import bookmark_at, bookmark_on, without_bookmark
from rnnviz.debugger.breakpoints import breakpoint_at, placed_at
from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.needs import has_trace
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.stepping.debug_commands import CONTINUE
from rnnviz.gui.stepping.walker import Walker

MENU = "Debug"


def toggle_breakpoint(store: Store) -> None:
    """Sets a breakpoint at the place of the cursor, or removes the one that is there."""
    marks, cursor = store.state.debugging.marks, store.state.place.cursor
    there = placed_at(marks.breakpoints, cursor)
    kept = tuple(one for one in marks.breakpoints if one is not there)
    store.change(
        debugging=setting(
            marks=replace(marks, breakpoints=kept if there is not None else (*kept, breakpoint_at(cursor)))
        )
    )


def toggle_bookmark(store: Store, ask_note: Callable[[], None]) -> None:
    """Removes the bookmark at the place of the cursor, or asks for the note of a new one."""
    marks = store.state.debugging.marks
    there = bookmark_on(marks.bookmarks, store.state.place.cursor, store.state.place.kind)
    if there is None:
        ask_note()
    else:
        store.change(debugging=setting(marks=without_bookmark(marks, there)))


def set_bookmark(store: Store, note: str) -> None:
    """Bookmarks the place of the cursor. RnnvizError if the note is none."""
    note = note.strip()
    if len(note) > LONGEST_NOTE or (note and not note.isprintable()):
        raise RnnvizError(f"Wanted a note of one line, at most {LONGEST_NOTE} characters; these are {len(note)}.")
    marks, place = store.state.debugging.marks, store.state.place
    new = bookmark_at(place.cursor, note, place.kind)
    store.change(debugging=setting(marks=replace(marks, bookmarks=(*marks.bookmarks, new))))


def mark_commands(store: Store, walker: Walker, ask_note: Callable[[], None]) -> Sequence[Command]:
    """A breakpoint and a bookmark here; on to the next stop and back to the one before."""
    return (
        Command("toggle_breakpoint", "Breakpoint here", "a walk stops at this place; training does not",
                lambda: toggle_breakpoint(store), MENU, ("F9",), "", has_trace, section=2),
        Command("bookmark", "Bookmark here", "a note at this place to come back to; once more removes it",
                lambda: toggle_bookmark(store, ask_note), MENU, ("B",), "", has_trace, section=2),
        Command("continue_trace", "Continue in the training step",
                "to the next breakpoint or bookmark of this training step's program",
                lambda: walker.go_on(1), MENU, ("F8",), "", has_trace, section=2, submenu=CONTINUE),
        Command("continue_trace_back", "Reverse continue in the training step",
                "back to the breakpoint or bookmark before",
                lambda: walker.go_on(-1), MENU, ("Shift+F8",), "", has_trace, section=2, submenu=CONTINUE),
    )  # fmt: skip

"""Commands that mark places in the program and go from one to the next."""

from collections.abc import Sequence
from dataclasses import replace

from rnnviz.debugger.breakpoints import breakpoint_at, placed_at
from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.debug_commands import has_trace
from rnnviz.gui.commands.stepping import Stepping
from rnnviz.gui.store import Store

MENU = "Debug"


def toggle_breakpoint(store: Store) -> None:
    """Sets a breakpoint at the place of the cursor, or removes the one that is there."""
    marks, cursor = store.state.marks, store.state.cursor
    there = placed_at(marks.breakpoints, cursor)
    kept = tuple(one for one in marks.breakpoints if one is not there)
    store.update(marks=replace(marks, breakpoints=kept if there is not None else (*kept, breakpoint_at(cursor))))


def mark_commands(store: Store, stepping: Stepping) -> Sequence[Command]:
    """A breakpoint here; on to the next stop and back to the one before."""
    return (
        Command("toggle_breakpoint", "Breakpoint here", "a walk stops at this place; training goes on past it",
                lambda: toggle_breakpoint(store), MENU, ("F9",), "", has_trace, section=4),
        Command("continue_trace", "Continue in the training step",
                "to the next breakpoint or bookmark of this training step's program",
                lambda: stepping.go_on(1), MENU, ("F8",), "", has_trace, section=4),
        Command("continue_trace_back", "Reverse continue in the training step",
                "back to the breakpoint or bookmark before",
                lambda: stepping.go_on(-1), MENU, ("Shift+F8",), "", has_trace, section=4),
    )  # fmt: skip

"""Commands of the library, in the File menu: all runs, and the one that was worked with last."""

from collections.abc import Sequence

from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.needs import need
from rnnviz.gui.library.library import Library

MENU = "File"


def library_commands(library: Library) -> Sequence[Command]:
    """After those about single files."""
    has_last = need(lambda _state: library.last is not None, "no run is left from before this start")
    return (
        Command("library", "Runs …", "all runs: find, open, rename, pin, delete, tidy up",
                library.show, MENU, ("Ctrl+Shift+O",), "open"),
        Command("continue_last", "Continue with the last run", "the run that was open when the window was last closed",
                library.continue_last, MENU, enabled=has_last),
    )  # fmt: skip

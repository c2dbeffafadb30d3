"""Commands that ask the record: where breakpoints were met, and whether the gradients are right."""

from collections.abc import Callable, Sequence

from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.needs import has_run, has_trace, need
from rnnviz.gui.live.searching import Searching
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.stepping.debug_commands import CONTINUE

MENU = "Debug"


def search_commands(store: Store, searching: Searching, check: Callable[[], None]) -> Sequence[Command]:
    """Every hit, the next one and the one before; and the check."""

    has_past = has_run & need(
        lambda state: state.recorded.history.last_training_step > 0, "no training step has been recorded yet"
    )
    searches = need(
        lambda state: state.debugging.found is not None and state.debugging.found.running, "no search is running"
    )

    def find_all() -> None:
        store.change(look=setting(page="watches"))
        searching.find_all()

    def stop_too() -> None:
        store.change(debugging=setting(stop_at_bookmarks=not store.state.debugging.stop_at_bookmarks))

    return (
        Command("next_hit", "Continue to the next hit",
                "the next recorded training step at which a breakpoint is met",
                lambda: searching.go(1), MENU, ("F3",), "", has_past, section=2, submenu=CONTINUE, part=1),
        Command("previous_hit", "Reverse continue",
                "back to the last training step before this one at which a breakpoint is met",
                lambda: searching.go(-1), MENU, ("Shift+F3",), "", has_past, section=2, submenu=CONTINUE, part=1),
        Command("stop_at_bookmarks", "Stop at bookmarks too", "over the recorded past, forward and in reverse",
                stop_too, MENU, section=2, submenu=CONTINUE, part=1,
                checked=lambda state: state.debugging.stop_at_bookmarks),
        Command("find_hits", "Find all hits", "every recorded training step at which a breakpoint is met",
                find_all, MENU, ("Ctrl+F",), "", has_past, section=2, submenu=CONTINUE, part=1),
        Command("cancel_search", "Cancel the search", "what it has found stays", searching.cancel,
                enabled=searches),
        Command("check", "Check the gradients",
                "all gradients of the traces shown, against autograd and against finite differences",
                check, MENU, ("C",), "check", has_run & has_trace, section=4),
    )  # fmt: skip

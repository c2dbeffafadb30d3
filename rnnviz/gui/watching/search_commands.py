"""Commands that ask the record: where breakpoints were met, and whether the gradients are right."""

from collections.abc import Callable, Sequence

from rnnviz.gui.commands.actions import Command
from rnnviz.gui.live.searching import Searching
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.stepping.debug_commands import has_trace

MENU = "Debug"


def search_commands(store: Store, searching: Searching, check: Callable[[], None]) -> Sequence[Command]:
    """Every hit, the next one and the one before; and the check."""

    def has_past(state: State) -> bool:
        return state.run.path is not None and state.recorded.history.last_training_step > 0

    def find_all() -> None:
        store.change(look=setting(page="watches"))
        searching.find_all()

    def stop_too() -> None:
        store.change(debugging=setting(stop_at_bookmarks=not store.state.debugging.stop_at_bookmarks))

    return (
        Command("next_hit", "Continue to the next hit",
                "the next recorded training step at which a breakpoint is met",
                lambda: searching.go(1), MENU, ("F3",), "", has_past, section=5),
        Command("previous_hit", "Reverse continue",
                "back to the last training step before this one at which a breakpoint is met",
                lambda: searching.go(-1), MENU, ("Shift+F3",), "", has_past, section=5),
        Command("stop_at_bookmarks", "Stop at bookmarks too", "over the recorded past, forward and in reverse",
                stop_too, MENU, section=5,
                checked=lambda state: state.debugging.stop_at_bookmarks),
        Command("find_hits", "Find all hits", "every recorded training step at which a breakpoint is met",
                find_all, MENU, ("Ctrl+F",), "", has_past, section=5),
        Command("cancel_search", "Cancel the search", "what it has found stays", searching.cancel,
                enabled=lambda state: state.debugging.found is not None and state.debugging.found.running),
        Command("check", "Check the gradients",
                "all gradients of the traces shown, against autograd and against finite differences",
                check, MENU, ("C",), "check", lambda state: state.run.path is not None and has_trace(state), section=6),
    )  # fmt: skip

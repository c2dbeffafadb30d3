"""Commands that bring a page of the right column to the front."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rnnviz.gui.commands.actions import Command, key_words
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting

MENU = "View"


@dataclass(frozen=True)
class Page:
    """One page: what its command says; its shortcut is Ctrl and its place."""

    key: str
    words: str
    tooltip: str


PAGES = (
    Page("cursor", "Cursor", "the numbers of the time step the cursor stands on"),
    Page("variables", "Variables", "every array at the cursor, by layer and operation"),
    Page("watches", "Watches", "expressions with their values, in every model"),
    Page("what_if", "What-if", "set something by hand and see what would have happened"),
    Page("origin", "Origin", "what a gradient is made of: losses, paths and units"),
)


def page_shortcut(key: str) -> str:
    """The shortcut of a page as the keyboard says it, "" where it has none."""
    places = [page.key for page in PAGES]
    return key_words(f"Ctrl+{places.index(key) + 1}") if key in places else ""


def page_commands(store: Store, enter: Callable[[], None]) -> Sequence[Command]:
    """One command a page, in their order; `enter` takes the keyboard to the page in front."""
    return tuple(_command(store, enter, page, index) for index, page in enumerate(PAGES, 1))


def _show_page(store: Store, enter: Callable[[], None], key: str) -> None:
    store.change(look=setting(page=key))
    enter()


def _command(store: Store, enter: Callable[[], None], page: Page, number: int) -> Command:
    def in_front(state: State) -> bool:
        return state.look.page == page.key

    return Command(
        f"page_{page.key}",
        page.words,
        page.tooltip,
        partial(_show_page, store, enter, page.key),
        MENU,
        (f"Ctrl+{number}",),
        checked=in_front,
        submenu="Page",
    )

"""Commands that bring a view of the centre to the front, and look closer at the network or from farther away."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from rnnviz.gui.commands.actions import Command
from rnnviz.gui.network.levels import LEVELS, Level
from rnnviz.gui.state.laboratory import CARDS, DEFAULT_CARDS, CardName, Laboratory
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.views import VIEWS, View, shown_view

MENU = "View"
CENTRE, NETWORK, CARDS_MENU = (
    "Centre",
    "Network",
    "Gradient cards",
)  # the entries below which the views and what is the network's own are


def show_level(store: Store, level: Level) -> None:
    """Looks at the network that closely."""
    store.change(look=setting(view="network", level=level))


def centre_commands(store: Store) -> Sequence[Command]:
    """One command a view, and those of the network."""
    return (
        *(_view_command(store, view, number) for number, view in enumerate(VIEWS, 1)),
        *(_level_command(store, level, words) for level, words in LEVELS.items()),
        *(_card_command(store, card) for card in CARDS),
        Command(
            "usual_cards", "Usual cards", "the cards of the Gradients view as they were at first",
            lambda: _arrange(store, lambda laboratory: laboratory.arranged(DEFAULT_CARDS)), MENU,
            submenu=CARDS_MENU, part=1,
        ),
        Command(
            "animate", "Animate", "folding, unfolding and slow walks are seen to move",
            lambda: store.change(look=setting(animated=not store.state.look.animated)), MENU,
            checked=lambda state: state.look.animated, submenu=NETWORK, part=1,
        ),
    )  # fmt: skip


def _view_command(store: Store, view: View, number: int) -> Command:
    return Command(
        f"view_{view.key}", view.words, view.tooltip, lambda: store.change(look=setting(view=view.key)), MENU,
        (str(number),), checked=lambda state: shown_view(state) == view, submenu=CENTRE,
    )  # fmt: skip


def _arrange(store: Store, change: Callable[[Laboratory], Laboratory]) -> None:
    """Looks at the cards, differently arranged."""
    store.change(look=lambda look: replace(look, view="gradients", laboratory=change(look.laboratory)))


def _card_command(store: Store, card: CardName) -> Command:
    def switch() -> None:
        shown = card.key in store.state.look.laboratory.cards
        _arrange(store, lambda laboratory: laboratory.with_card(card.key, not shown))

    return Command(
        f"card_{card.key}", card.words, card.tooltip, switch, MENU, submenu=CARDS_MENU,
        checked=lambda state: card.key in state.look.laboratory.cards,
    )  # fmt: skip


def _level_command(store: Store, level: Level, words: str) -> Command:
    tooltips = {
        "folded": "one cell for every model, with its loop and its weights",
        "unrolled": "the time steps around the cursor",
        "inside": "the operations of the cell at the cursor's time step",
    }
    return Command(
        f"network_{level}", words, tooltips[level], partial(show_level, store, level), MENU,
        checked=lambda state: shown_view(state).key == "network" and state.look.level == level, submenu=NETWORK,
    )  # fmt: skip

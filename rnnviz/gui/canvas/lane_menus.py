"""Menus that open on the lanes: which lanes are shown, which layer of a model, and what could be set by hand."""

from collections.abc import Callable, Iterator
from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from rnnviz.core.cells.node import Node
from rnnviz.core.network import Network
from rnnviz.core.sweeps.what_if.interventions import Clamp
from rnnviz.debugger.places import to_layer
from rnnviz.gui.canvas.lane_picker import LanePicker
from rnnviz.gui.canvas.lanes.selection import LaneChoice, lane_choices, toggled
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.widgets.open_dialogs import show_held


def lanes_menu(store: Store, parent: QWidget) -> QMenu:
    """Every lane that can be switched on or off; the menu deletes itself when it closes."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    add_lanes(menu, store, parent)
    return menu


def add_lanes(menu: QMenu, store: Store, parent: QWidget) -> None:
    """An entry for each lane; those of a group have one together, which opens a list of them above `parent`."""

    def switch(choice: LaneChoice) -> None:
        store.change(look=setting(hidden_lanes=toggled(store.state.look.hidden_lanes, choice)))

    choices = lane_choices(store.state)
    for group, together in groupby(choices, key=lambda choice: choice.group):
        if group:
            on = [choice.on for choice in together]
            action = menu.addAction(f"{group} ({sum(on)} of {len(on)} shown)…")
            action.setToolTip(f"Lists the {group.lower()} with a box for each")
            action.triggered.connect(lambda _checked, group=group: show_held(LanePicker(store, group, parent)))
            continue
        for choice in together:
            action = menu.addAction(f"{choice.words} (no room)" if choice.folded and not choice.on else choice.words)
            action.setCheckable(True)
            action.setChecked(choice.on)
            action.triggered.connect(lambda _checked, choice=choice: switch(choice))


def layers_menu(store: Store, network: Network, shown: str, parent: QWidget) -> QMenu:
    """The layers of a model, the one that is `shown` checked; the menu deletes itself when it closes."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def show(name: str) -> None:
        store.go(to_layer, store.state.walkable, name)

    for name in network.layer_names:
        action = menu.addAction(network.words(name))
        action.setCheckable(True)
        action.setChecked(name == shown)
        action.triggered.connect(lambda _checked, name=name: show(name))
    return menu


def held_choices(node: Node, layer: str, unit: int | None, time_step: int) -> Iterator[tuple[str, Clamp]]:
    """What a state or gate can be held at, in words: all its units or the one under the pointer (from 1)."""
    gate = node.limits == (0.0, 1.0)
    for value in (1.0, 0.0) if gate else (0.0,):
        words = f"Set the {node.words} to {value:g} over the whole sequence"
        yield words, Clamp(layer, node.name, value)
    if unit is None:
        return
    for value in (1.0,) if gate else ():
        yield f"Set unit {unit} to {value:g} over the whole sequence", Clamp(layer, node.name, value, unit=unit)
    yield f"Switch unit {unit} off over the whole sequence", Clamp(layer, node.name, 0.0, unit=unit)
    yield f"Switch unit {unit} off from time step {time_step}", Clamp(layer, node.name, 0.0, time_step, unit=unit)


def offer_what_ifs(
    menu: QMenu, choices: Iterator[tuple[str, Clamp]], take: Callable[[Clamp], None], ask: Callable[[], None]
) -> None:
    """Entries that set something by hand, and one that asks for another value."""
    for words, clamp in choices:
        menu.addAction(words).triggered.connect(lambda _on, clamp=clamp: take(clamp))
    menu.addAction("Another value or other time steps …").triggered.connect(lambda: ask())

"""Menus that open on the lanes: which lanes are shown, and which layer of a model."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from rnnviz.core.structure import LayerId
from rnnviz.debugger.places import to_layer
from rnnviz.gui.canvas.lanes.selection import LaneChoice, lane_choices, toggled
from rnnviz.gui.state.store import Store, setting


def lanes_menu(store: Store, parent: QWidget) -> QMenu:
    """Every lane that can be switched on or off; the menu deletes itself when it closes."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def switch(choice: LaneChoice) -> None:
        store.change(look=setting(hidden_lanes=toggled(store.state.look.hidden_lanes, choice)))

    for choice in lane_choices(store.state):
        action = menu.addAction(f"{choice.words} (no room)" if choice.folded and not choice.on else choice.words)
        action.setCheckable(True)
        action.setChecked(choice.on)
        action.triggered.connect(lambda _checked, choice=choice: switch(choice))
    return menu


def layers_menu(store: Store, names: tuple[str, ...], shown: str, parent: QWidget) -> QMenu:
    """The layers of a model, the one that is `shown` checked; the menu deletes itself when it closes."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def show(name: str) -> None:
        store.go(to_layer, name)

    for name in names:
        action = menu.addAction(LayerId.read(name).words)
        action.setCheckable(True)
        action.setChecked(name == shown)
        action.triggered.connect(lambda _checked, name=name: show(name))
    return menu

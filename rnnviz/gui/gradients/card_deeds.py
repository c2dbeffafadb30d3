"""Card deeds: what can be done with a card as a whole, by its keys and in its menu."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QWidget

from rnnviz.gui.look.icons import icon

DeedName = Literal["enlarge", "hold", "copy", "move back", "move on", "take away", "loss after", "loss before"]
_PLAIN = Qt.KeyboardModifier.NoModifier
_ALT = Qt.KeyboardModifier.AltModifier
_CONTROL = Qt.KeyboardModifier.ControlModifier
WORDS = (
    "Alt+← and Alt+→ move the card, Return gives it the whole page and takes it back, P holds it at its training step, "
    "Ctrl+C copies its numbers, Delete takes it away, Alt+↑ and Alt+↓ look at the loss of another time step, the menu "
    "key shows all of this"
)


@dataclass(frozen=True)
class Deed:
    """One of them."""

    name: DeedName
    words: str
    keys: str  # as the menu says them
    held: Qt.KeyboardModifier
    pressed: tuple[Qt.Key, ...]
    back: str = ""  # what the menu says where it is done and would be undone
    of_loss: bool = False  # of cards of one loss


DEEDS = (
    Deed("enlarge", "Whole page", "Return", _PLAIN, (Qt.Key.Key_Return, Qt.Key.Key_Enter), back="Back to all cards"),
    Deed("hold", "Hold at this training step", "P", _PLAIN, (Qt.Key.Key_P,), back="Follow again"),
    Deed("copy", "Copy numbers", "Ctrl+C", _CONTROL, (Qt.Key.Key_C,)),
    Deed("move back", "Move back", "Alt+Left", _ALT, (Qt.Key.Key_Left,)),
    Deed("move on", "Move on", "Alt+Right", _ALT, (Qt.Key.Key_Right,)),
    Deed("take away", "Take away", "Del", _PLAIN, (Qt.Key.Key_Delete,)),
    Deed("loss after", "Loss of the time step after", "Alt+Up", _ALT, (Qt.Key.Key_Up,), of_loss=True),
    Deed("loss before", "Loss of the time step before", "Alt+Down", _ALT, (Qt.Key.Key_Down,), of_loss=True),
)


def pressed(event: QKeyEvent) -> Deed | None:
    """What its keys mean, those of the number pad as the others; None: nothing."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return next((deed for deed in DEEDS if deed.held == held and event.key() in deed.pressed), None)


def deeds_menu(parent: QWidget, done: Collection[str], has_loss: bool, run: Callable[[Deed], None]) -> QMenu:
    """`done`: the names of those that would be undone."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for deed in DEEDS:
        if has_loss or not deed.of_loss:
            action = menu.addAction(f"{deed.back if deed.name in done else deed.words}\t{deed.keys}")
            action.triggered.connect(lambda _=False, deed=deed: run(deed))
            if deed.name == "copy":
                action.setIcon(icon("copy"))
    return menu

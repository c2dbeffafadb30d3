"""Keys of the lanes, beside those that step: what each means while the lanes have the keyboard."""

from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

LaneWish = Literal["zoom", "whole", "unit", "scroll", "pan"]

WORDS = (
    "← → step through the program, Alt+↑ ↓ choose a unit, + − 0 zoom time,\nShift+← → move along it, Ctrl+↑ ↓ scroll, "
    "the menu key shows what else can be done"
)
_ZOOM, _PAN, _SCROLL = 1.25, 60.0, 60.0  # pixels a key goes
_KEY, _HELD = Qt.Key, Qt.KeyboardModifier
_WISHES: dict[tuple[Qt.Key, Qt.KeyboardModifier], tuple[LaneWish, float]] = {
    (_KEY.Key_Plus, _HELD.NoModifier): ("zoom", _ZOOM),
    (_KEY.Key_Plus, _HELD.ShiftModifier): ("zoom", _ZOOM),  # where + lies above =
    (_KEY.Key_Minus, _HELD.NoModifier): ("zoom", 1 / _ZOOM),
    (_KEY.Key_0, _HELD.NoModifier): ("whole", 0.0),
    (_KEY.Key_Up, _HELD.AltModifier): ("unit", -1),
    (_KEY.Key_Down, _HELD.AltModifier): ("unit", 1),
    (_KEY.Key_Up, _HELD.ControlModifier): ("scroll", -_SCROLL),
    (_KEY.Key_Down, _HELD.ControlModifier): ("scroll", _SCROLL),
    (_KEY.Key_Left, _HELD.ShiftModifier): ("pan", _PAN),
    (_KEY.Key_Right, _HELD.ShiftModifier): ("pan", -_PAN),
}


def lane_wish(event: QKeyEvent) -> tuple[LaneWish, float] | None:
    """What the key wants, and by how much; None where it is none of the lanes'."""
    return _WISHES.get((_KEY(event.key()), event.modifiers() & ~_HELD.KeypadModifier))

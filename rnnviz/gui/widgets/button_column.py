"""Button column: buttons below each other that are one stop of Tab; the arrow keys go from one to the next."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton

_KEY = Qt.Key


class ButtonColumn(QObject):
    """Goes through those that are shown. Tab comes to the one that was gone to last, else to the first."""

    def __init__(self, buttons: Sequence[QAbstractButton], parent: QObject) -> None:
        super().__init__(parent)
        self._buttons = tuple(buttons)
        for button in self._buttons:
            button.installEventFilter(self)
        self.start_anew()

    def start_anew(self) -> None:
        """Tab comes to the first one again, unless the keyboard is with one of them."""
        if not any(button.hasFocus() for button in self._buttons):
            self._stop_at(0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        shown = [number for number, button in enumerate(self._buttons) if not button.isHidden()]
        here = next((place for place, number in enumerate(shown) if self._buttons[number] is watched), None)
        if here is None:
            return False
        last = len(shown) - 1
        places = {_KEY.Key_Up: here - 1, _KEY.Key_Down: here + 1, _KEY.Key_Home: 0, _KEY.Key_End: last}
        place = places.get(_KEY(event.key()))
        if place is None:
            return False
        if event.type() == QEvent.Type.KeyPress:
            number = shown[min(max(place, 0), last)]
            self._stop_at(number)
            self._buttons[number].setFocus(Qt.FocusReason.ShortcutFocusReason)
        event.accept()  # of ShortcutOverride: with the focus here these keys are the column's own
        return True

    def _stop_at(self, number: int) -> None:
        for place, button in enumerate(self._buttons):
            policy = Qt.FocusPolicy.StrongFocus if place == number else Qt.FocusPolicy.ClickFocus
            button.setFocusPolicy(policy)

"""Areas of the window: F6 goes from one to the next, Tab through all their controls, Enter and Esc to the lanes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QScrollArea, QTabBar, QWidget

from rnnviz.gui.shell.keyboard.reading_order import controls, takes_tab

_MARGIN = 24  # pixels that are scrolled into sight around a control
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


@dataclass(frozen=True)
class Area:
    """A part of the window with a name; `parts` are read one after the other, each as it is drawn."""

    name: str
    parts: Callable[[], Iterable[QWidget]]

    @property
    def controls(self) -> list[QWidget]:
        """What Tab goes through here now; empty while the area is hidden."""
        return [control for part in self.parts() for control in controls(part)]


class Areas(QObject):
    """In the order in which they are seen. `home`, the view in front, has the keyboard whenever nothing else has."""

    def __init__(self, home: Callable[[], QWidget], parent: QObject) -> None:
        super().__init__(parent)
        self._home = home
        self._areas: list[Area] = []

    def add(self, name: str, parts: Callable[[], Iterable[QWidget]]) -> None:
        """Behind the others."""
        self._areas.append(Area(name, parts))

    @property
    def home(self) -> QWidget:
        """What is in the centre now."""
        return self._home()

    @property
    def ring(self) -> list[QWidget]:
        """Everything Tab goes through, in its order."""
        return [control for area in self._areas for control in area.controls]

    def go_round(self, direction: int) -> None:
        """To the first control of the next area, or of the one before."""
        filled = [found for area in self._areas if (found := area.controls)]
        here = self._here([control for found in filled for control in found], 1)
        place = next((n for n, found in enumerate(filled) if here in found), 0)
        focus(filled[(place + direction) % len(filled)][0])

    def enter(self, name: str) -> None:
        """To the first control of the area called `name`; nowhere while it has none."""
        for area in self._areas:
            if area.name == name and (found := area.controls):
                focus(found[0])

    def tab(self, forward: bool) -> bool:
        """To the next control of the ring, or to the one before."""
        ring, direction = self.ring, 1 if forward else -1
        if not ring:
            return False
        here = self._here(ring, direction)
        there = ring[(ring.index(here) + direction) % len(ring)] if here is QApplication.focusWidget() else here
        focus(there, Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
        return True

    def take(self, event: QKeyEvent) -> bool:
        """Whether the key ended what a person did in a control: it was left over by the control itself."""
        key, here = Qt.Key(event.key()), QApplication.focusWidget()
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if not plain or here is None or here is self.home or key not in (*_ENTER, Qt.Key.Key_Escape):
            return False
        if key in _ENTER and isinstance(here, QAbstractButton):
            here.click()
        elif key in _ENTER and isinstance(here, QTabBar):
            self.tab(forward=True)
        else:
            self.go_home()
        return True

    def go_home(self) -> None:
        """To the lanes, where Space trains and the arrows step."""
        focus(self.home)

    def _here(self, ring: list[QWidget], direction: int) -> QWidget:
        """Where the keyboard is; of a control that has just gone, the nearest that is still there."""
        here = QApplication.focusWidget()
        start, one = here, here
        while one is not None and one not in ring:
            one = one.nextInFocusChain() if direction > 0 else one.previousInFocusChain()
            if one is start:
                one = None
        outside = here is None or here.isWindow()
        return self.home if outside or one is None else one


def focus(control: QWidget, reason: Qt.FocusReason = Qt.FocusReason.ShortcutFocusReason) -> None:
    """Gives `control` the keyboard, so that it is seen to have it."""
    if not takes_tab(control):
        return
    control.setFocus(reason)
    above = control.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            above.ensureWidgetVisible(control, 0, _MARGIN)
        above = above.parentWidget()

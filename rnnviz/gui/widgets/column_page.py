"""Page of the right column: drawn anew when something it shows, or the theme, has changed."""

from typing import ClassVar

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

NARROWEST = 264  # pixels


class ColumnPage(QWidget):
    """A page, or a panel of one. It names the fields that it `shows` (the theme is always one of them), builds its
    widgets, then calls `begin`; `draw` puts a state into them."""

    shows: ClassVar[Fields]
    only_in_front: ClassVar[bool] = False  # drawn while it can be seen, and when it comes to the front

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    def begin(self) -> None:
        """Draws the state as it is, and listens from now on."""
        if not self.only_in_front:
            self.draw(self._store.state)
        self._store.changed.connect(self.show_state)

    def draw(self, state: State) -> None:
        """Puts the state into the widgets."""
        raise NotImplementedError

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        changed = new.look.dress != old.look.dress or self.shows.changed(old, new)
        if changed and (self.isVisible() or not self.only_in_front):
            self.draw(new)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.only_in_front:
            self.draw(self._store.state)

"""Page of the right column: dressed in the theme, and drawn anew when something it shows has changed."""

from typing import ClassVar

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from rnnviz.gui.look.form_style import form_sheet
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
        self._dress(self._store.state)
        if not self.only_in_front:
            self.draw(self._store.state)
        self._store.changed.connect(self.show_state)

    def draw(self, state: State) -> None:
        """Puts the state into the widgets."""
        raise NotImplementedError

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        dressed = new.look.dress != old.look.dress
        if dressed and self.isVisible():
            self._dress(new)
        if (dressed or self.shows.changed(old, new)) and (self.isVisible() or not self.only_in_front):
            self.draw(new)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._dress(self._store.state)
        if self.only_in_front:
            self.draw(self._store.state)

    def _dress(self, state: State) -> None:
        """Of a page behind another one not before it comes to the front: it takes a while. A panel wears what its page
        wears."""
        sheet = "" if self._in_a_page() else form_sheet(state.look.theme)
        if self.styleSheet() != sheet:
            self.setStyleSheet(sheet)

    def _in_a_page(self) -> bool:
        around = self.parentWidget()
        while around is not None and not isinstance(around, ColumnPage):
            around = around.parentWidget()
        return around is not None

"""The right column: pages that share one place, with their names in its head; the one in front is remembered."""

from collections.abc import Iterator

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from rnnviz.gui.shell.page_commands import page_shortcut
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.widgets.page_tabs import PageTabs


class RightColumn(QWidget):
    """`State.look.page` says which page is in front; while there is no page of that name, the first one is."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._keys: list[str] = []
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.tabs = PageTabs()
        self.tabs.setExpanding(True)
        self.tabs.setDrawBase(False)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the arrows to the lanes
        self.tabs.setAccessibleName("Pages")
        self.tabs.setAccessibleDescription("← and → turn to another page, Enter goes into it")
        self._stack = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)
        self._fit_tabs(store.state)
        self.tabs.tabBarClicked.connect(self._choose)
        self.tabs.currentChanged.connect(self._turn)
        store.changed.connect(self.show_state)

    def add_page(self, key: str, title: str, widget: QWidget) -> None:
        """Puts `widget` behind the others, under the name `title`."""
        self._keys.append(key)
        self._stack.addWidget(widget)
        number = self.tabs.addTab(title)
        shortcut = page_shortcut(key)
        if shortcut:
            self.tabs.setTabToolTip(number, f"{title}  ({shortcut})")
        self.tabs.setVisible(len(self._keys) > 1)
        self._show(self._store.state)

    @property
    def front(self) -> QWidget:
        """The page in front."""
        return self._stack.currentWidget()

    @property
    def page(self) -> str:
        """The key of the page in front."""
        return self._keys[self._stack.currentIndex()]

    def pages(self) -> Iterator[tuple[str, str, QWidget]]:
        """Key, name and widget of each page."""
        for number, key in enumerate(self._keys):
            if (page := self._stack.widget(number)) is not None:
                yield key, self.tabs.tabText(number), page

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.look.page != old.look.page:
            self._show(new)
        if new.look.scale != old.look.scale:
            self._fit_tabs(new)

    @Slot(int)
    def _choose(self, number: int) -> None:
        if number >= 0:
            self._store.change(look=setting(page=self._keys[number]))

    @Slot(int)
    def _turn(self, number: int) -> None:
        """With the arrow keys."""
        if self.tabs.hasFocus():
            self._choose(number)

    def _fit_tabs(self, state: State) -> None:
        """All of them are seen; large ones only where there is room, else arrows lead to the others."""
        self.tabs.setUsesScrollButtons(state.look.scale > 1.0)

    def _show(self, state: State) -> None:
        number = self._keys.index(state.look.page) if state.look.page in self._keys else 0
        self.tabs.setCurrentIndex(number)
        self._stack.setCurrentIndex(number)

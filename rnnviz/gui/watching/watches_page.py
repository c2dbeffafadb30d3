"""The page "Watches" of the right column."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from rnnviz.gui.look.form_style import form_sheet
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.watching.bookmarks import Bookmarks
from rnnviz.gui.watching.breakpoints import Breakpoints
from rnnviz.gui.watching.log_list import LogList
from rnnviz.gui.watching.past_search import Past
from rnnviz.gui.watching.watches import Watches


class WatchesPage(QWidget):
    """Sections below each other, scrolled together."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._theme = store.state.look.theme
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(264)
        self.watches = Watches(store)
        content = QWidget()
        self._sections = QVBoxLayout(content)
        self._sections.setContentsMargins(12, 8, 10, 12)
        self._sections.setSpacing(6)
        self.breakpoints = Breakpoints(store)
        self.past = Past(store)
        self.log = LogList(store)
        self._add("Watches", self.watches)
        self._add("Breakpoints", self.breakpoints)
        self.bookmarks = Bookmarks(store)
        self._bookmarks_title = self._add("Bookmarks", self.bookmarks)
        self._add("Hits in the recorded past", self.past)
        self._log_title = self._add("Stops and log", self.log)
        self._sections.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setProperty("role", "panel")
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll)
        self.setStyleSheet(form_sheet(self._theme))
        self._show_log(store.state)
        self._show_bookmarks(store.state)
        store.changed.connect(self.show_state)

    def show_state(self, old: State, new: State) -> None:
        if new.look.theme != old.look.theme:
            self.setStyleSheet(form_sheet(new.look.theme))
        if new.recorded.events is not old.recorded.events:
            self._show_log(new)
        if new.debugging.marks is not old.debugging.marks:
            self._show_bookmarks(new)

    def _show_log(self, state: State) -> None:
        for widget in (self._log_title, self.log):
            widget.setVisible(bool(state.recorded.events))

    def _show_bookmarks(self, state: State) -> None:
        for widget in (self._bookmarks_title, self.bookmarks):
            widget.setVisible(bool(state.debugging.marks.bookmarks))

    def _add(self, title: str, widget: QWidget) -> QLabel:
        label = QLabel(title)
        label.setProperty("role", "section")
        self._sections.addWidget(label)
        self._sections.addWidget(widget)
        return label

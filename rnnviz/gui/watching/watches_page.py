"""The page "Watches" of the right column."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from rnnviz.gui.look import fonts, scale
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.watching.bookmarks import Bookmarks
from rnnviz.gui.watching.breakpoints import Breakpoints
from rnnviz.gui.watching.log_list import LogList
from rnnviz.gui.watching.past_search import Past
from rnnviz.gui.watching.watches import Watches
from rnnviz.gui.widgets.column_page import NARROWEST, ColumnPage


class WatchesPage(ColumnPage):
    """Sections below each other, scrolled together."""

    shows = Fields("recorded.events", "debugging.marks", "place.kind")

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        scale.fit(self, least_width=NARROWEST)
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
        self.probe_alone = QLabel(
            "Training and searches ask them of the probe, not of the training batch.", wordWrap=True
        )
        self.probe_alone.setProperty("role", "label")
        scale.fit(self.probe_alone, font=fonts.text(fonts.SMALL))
        self._sections.addWidget(self.probe_alone)
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
        self.begin()

    def draw(self, state: State) -> None:
        """What there is nothing of takes no room."""
        for part, there in (
            ((self._log_title, self.log), state.recorded.events),
            ((self._bookmarks_title, self.bookmarks), state.debugging.marks.bookmarks),
        ):
            for widget in part:
                widget.setVisible(bool(there))
        self.probe_alone.setVisible(state.place.kind == "batch")

    def _add(self, title: str, widget: QWidget) -> QLabel:
        label = QLabel(title)
        label.setProperty("role", "section")
        self._sections.addWidget(label)
        self._sections.addWidget(widget)
        return label

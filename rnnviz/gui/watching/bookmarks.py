"""The bookmarks of the experiment: where they are, what is noted there; a click goes back to one."""

from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from rnnviz.core.stopping.marks import Bookmark
from rnnviz.debugger import goto
from rnnviz.debugger.bookmarks import bookmarked, without_bookmark
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.icons import icon
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting


class BookmarkCard(QFrame):
    """The place as a button, the note below it, and a button that removes the bookmark."""

    def __init__(self, one: Bookmark) -> None:
        super().__init__()
        point = goto.words(bookmarked(one), one.kind)
        self.setProperty("card", True)
        self.go: QPushButton = push_button(point, "Go there", "link")
        self.note = QLabel(one.note, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.remove: QPushButton = push_button("", "Remove this bookmark", "icon")
        self.remove.setAccessibleName(f"Remove the bookmark at {point}")
        scale.fit(self.remove, width=22, icon=14)
        rows = QGridLayout(self)
        rows.setContentsMargins(8, 3, 3, 3)
        rows.setSpacing(1)
        rows.setColumnStretch(0, 1)
        rows.addWidget(self.go, 0, 0, Qt.AlignmentFlag.AlignLeft)
        rows.addWidget(self.remove, 0, 1)
        rows.addWidget(self.note, 1, 0, 1, 2)
        self.note.setHidden(not one.note)  # now that it has a parent: without one it would be a window of its own


class Bookmarks(QWidget):
    """`wanted(bookmark)` when one is clicked; in the order of the training steps."""

    wanted = Signal(object)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.cards: list[BookmarkCard] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._show(store.state)
        store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.debugging.marks.bookmarks != old.debugging.marks.bookmarks or new.look.dress != old.look.dress:
            self._show(new)

    def _show(self, state: State) -> None:
        for card in self.cards:
            card.hide()
            card.deleteLater()
        self.cards = []
        for one in sorted(state.debugging.marks.bookmarks, key=lambda one: one.training_step):
            card = BookmarkCard(one)
            card.remove.setIcon(icon("close", theme(state.look.theme).muted))
            card.go.clicked.connect(partial(self._go, one))
            card.remove.clicked.connect(partial(self._remove, one))
            self._column.addWidget(card)
            self.cards.append(card)

    def _go(self, one: Bookmark) -> None:
        self.wanted.emit(one)

    def _remove(self, one: Bookmark) -> None:
        self._store.change(debugging=setting(marks=without_bookmark(self._store.state.debugging.marks, one)))

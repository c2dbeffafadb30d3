"""Bookmarks as cards: in the order of the training steps, with their notes, and dressed as the window is."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rnnviz.core.stopping.marks import Bookmark, Breakpoint, Marks
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.watching.bookmarks import BookmarkCard, Bookmarks

LATE, EARLY = Bookmark(742, "backward", 7, "l0", "", "a gate opens"), Bookmark(303, "forward", 12)


@pytest.fixture
def bookmarks(qtbot: QtBot, store: Store) -> Bookmarks:
    made = Bookmarks(store)
    qtbot.addWidget(made)
    made.show()
    return made


def ink(card: BookmarkCard) -> set[str]:
    """The colours of the cross that removes it, where it covers a pixel whole."""
    image = card.remove.icon().pixmap(56, 56).toImage()
    colors = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return {QColor(color.rgb()).name() for color in colors if color.alpha() == 255}


def test_each_has_a_card_that_leads_there_and_goes(store: Store, bookmarks: Bookmarks, qtbot: QtBot) -> None:
    store.change(debugging=setting(marks=Marks((Breakpoint("condition", "loss < 1"),), (), (LATE, EARLY))))
    QApplication.processEvents()  # cards are shown then
    first, second = bookmarks.cards
    assert (first.note.isVisible(), second.note.isVisible(), second.note.text()) == (False, True, "a gate opens")
    with qtbot.waitSignal(bookmarks.wanted) as wanted:
        qtbot.mouseClick(second.go, Qt.MouseButton.LeftButton)
    assert wanted.args == [LATE]
    qtbot.mouseClick(first.remove, Qt.MouseButton.LeftButton)
    assert [card.note.text() for card in bookmarks.cards] == ["a gate opens"]
    assert store.state.debugging.marks.bookmarks == (LATE,)
    assert store.state.debugging.marks.breakpoints != ()
    store.change(debugging=setting(marks=Marks(bookmarks=(replace(LATE, note="it closes"),))))
    assert [card.note.text() for card in bookmarks.cards] == ["it closes"]


def test_the_cross_has_the_colour_of_the_look(store: Store, bookmarks: Bookmarks) -> None:
    store.change(debugging=setting(marks=Marks(bookmarks=(LATE,))))
    for look in ("light", "dark", "light"):
        store.change(look=setting(theme=look))
        assert QColor(theme(look).muted).name() in ink(bookmarks.cards[0])

"""The list of completions: from its first offer on, whatever was shown before, and no higher than a glance."""

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from rnnviz.core.expressions.completion import Completion
from rnnviz.gui.look.theme import theme
from rnnviz.gui.widgets.completion_list import CompletionList


@pytest.fixture
def offered(qtbot: QtBot) -> CompletionList:
    field = QWidget()
    qtbot.addWidget(field)
    return CompletionList(field)


def offer(listed: CompletionList, count: int, word: str = "name") -> list[Completion]:
    offers = [Completion(f"{word} {number}", "quantity", "words", "(T, H)", 0, 1) for number in range(count)]
    listed.offer(offers, QPoint(40, 60), theme("light"))
    QApplication.processEvents()
    return offers


def seen(listed: CompletionList) -> list[str]:
    """The names that stand whole in the list, from the top."""
    rows = [listed.model().index(row, 0) for row in range(listed.model().rowCount())]
    return [row.data() for row in rows if listed.viewport().rect().contains(listed.visualRect(row))]


def test_other_offers_are_shown_from_their_first(offered: CompletionList) -> None:
    for count, word, whole in ((30, "first", 9), (20, "second", 9), (5, "third", 5)):
        offers = offer(offered, count, word)
        assert seen(offered) == [one.insert for one in offers[:whole]]
        assert not offered.has_choice
        offered.move_choice(-1)  # round to the last
        assert offered.has_choice
        assert seen(offered)[-1] == offers[-1].insert


def test_the_choice_else_the_first_is_taken_and_nothing_to_offer_shows_nothing(offered: CompletionList) -> None:
    taken = list[Completion]()
    offered.chosen.connect(taken.append)
    offers = offer(offered, 12)
    offered.accept()
    assert not offered.isVisible()
    offer(offered, 12)
    for _ in range(3):
        offered.move_choice(1)
    offered.accept()
    assert taken == [offers[0], offers[2]]
    offer(offered, 12)
    assert offered.isVisible()
    offer(offered, 0)
    assert not offered.isVisible()

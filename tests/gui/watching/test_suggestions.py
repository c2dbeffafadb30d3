"""Near misses in the fields of watches and breakpoints: what is suggested, and that Tab or one click takes it."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.gui.state.store import Store
from rnnviz.gui.watching.breakpoints import Breakpoints
from rnnviz.gui.watching.watches import Watches

KEY = Qt.Key


@pytest.fixture
def breakpoints(qtbot: QtBot, store: Store) -> Breakpoints:
    panel = Breakpoints(store)
    qtbot.addWidget(panel)
    panel.resize(300, 700)
    panel.show()
    return panel


def test_tab_takes_what_is_suggested_and_enter_sets_it(breakpoints: Breakpoints, store: Store) -> None:
    field, problem = breakpoints.add, breakpoints.problem
    field.setFocus()
    QTest.keyClicks(field, "gradient norm > 5")
    assert problem.isVisible()
    assert "Did you mean" in problem.suggestion.text()
    assert "grad_norm &gt; 5" in problem.suggestion.text()
    QTest.keyClick(field, KEY.Key_Tab)
    assert (field.text(), field.hasFocus(), problem.isVisible()) == ("grad_norm > 5", True, False)
    QTest.keyClick(field, KEY.Key_Return)
    assert store.state.debugging.marks.breakpoints == (Breakpoint("condition", "grad_norm > 5"),)


def test_an_accuracy_in_percent_is_no_accuracy(breakpoints: Breakpoints, store: Store) -> None:
    field = breakpoints.add
    field.setFocus()
    QTest.keyClicks(field, "accuracy >= 90")
    assert breakpoints.problem.text() == "An accuracy goes from 0 to 1, where all are right."
    QTest.keyClick(field, KEY.Key_Tab)
    assert field.text() == "accuracy >= 0.9"
    QTest.keyClicks(field, " and learning rate > 1")
    assert "“learning rate” here: it is a setting" in breakpoints.problem.text()
    assert "where a schedule changes it, learning_rate < 1e-3" in breakpoints.problem.text()


def test_one_click_takes_and_enters_it(qtbot: QtBot, store: Store) -> None:
    panel = Watches(store)
    qtbot.addWidget(panel)
    panel.resize(300, 700)
    panel.show()
    QTest.keyClicks(panel.add, "norm(forget gate)")
    panel.problem.suggestion.linkActivated.emit("take")
    assert store.state.debugging.watches == ("norm(f)",)
    QTest.keyClicks(panel.cards[0].field, " > ")
    assert not panel.cards[0].problem.suggestion.isVisible()  # a value is missing, and nobody knows which


def test_a_card_and_its_log_line_are_mended_too(breakpoints: Breakpoints, store: Store) -> None:
    QTest.keyClicks(breakpoints.add, "loss < 0.07")
    QTest.keyClick(breakpoints.add, KEY.Key_Return)
    card = breakpoints.cards[-1]
    card.field.setFocus()
    card.field.setText("test loss < 0.07")
    QTest.keyClick(card.field, KEY.Key_Tab)
    QTest.keyClick(card.field, KEY.Key_Return)
    assert store.state.debugging.marks.breakpoints[-1].expression == "test_loss < 0.07"
    card.edit.click()
    message = card.form.message
    message.setFocus()
    QTest.keyClicks(message, "is {los")
    assert message.completions.isVisible()
    QTest.keyClick(message, KEY.Key_Escape)
    QTest.keyClicks(message, "t test} now")
    assert "Did you mean is {test_loss} now?" not in card.form.rows[-1].sentence.text()
    message.setText("is {loss test} now")
    assert "Did you mean is {test_loss} now?" in card.form.rows[-1].sentence.text()
    QTest.keyClick(message, KEY.Key_Tab)
    QTest.keyClick(message, KEY.Key_Return)
    assert store.state.debugging.marks.breakpoints[-1].message == "is {test_loss} now"

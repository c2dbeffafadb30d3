"""The variables: the tree, its filter, what is said of each array, copying, and the way to the operation."""

from dataclasses import replace

import numpy as np
import pytest
from panels_state import make_state
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.variables import facts
from rnnviz.gui.cursor.variables_page import VariablesPage
from rnnviz.gui.state.store import Store, setting


@pytest.fixture
def store() -> Store:
    return Store(make_state(model=1, cursor=Cursor(0, Phase.FORWARD, 41)))


@pytest.fixture
def page(qtbot: QtBot, store: Store) -> VariablesPage:
    page = VariablesPage(store)
    page.resize(304, 700)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(page.isVisible)
    return page


def row(page: VariablesPage, words: str) -> QTreeWidgetItem:
    return page.tree.findItems(words, Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive)[0]


def test_every_operation_has_a_row_and_its_numbers_are_those_of_the_trace(page: VariablesPage, store: Store) -> None:
    layer = page.tree.topLevelItem(0)
    assert layer is not None
    assert layer.childCount() == 10  # the input and nine operations
    lstm = store.state.recorded.traces[1].layers[0]
    for words, wanted in (("forget gate", lstm.gates["f"]), ("cell state", lstm.c), ("∂L/∂h_t", lstm.hidden_grad)):
        found = page.known(page.tree.indexFromItem(row(page, words)))
        assert found is not None
        np.testing.assert_array_equal(found[0], wanted[40, 0])
    store.change(place=setting(cursor=Cursor(0, Phase.FORWARD, 7)))
    found = page.known(page.tree.indexFromItem(row(page, "forget gate")))
    assert found is not None
    np.testing.assert_array_equal(found[0], lstm.gates["f"][6, 0])


def test_facts_count_what_is_saturated_zero_and_not_finite() -> None:
    values = np.array([0.05, 0.5, 0.95, 0.0, 1e-40, 0.4, np.nan, np.inf], np.float32)
    said = facts(values, Structure("lstm", 1, 1).equations.node("f"))
    assert said.saturated == pytest.approx(5 / 8)  # below 0.1: three, above 0.9: two
    assert said.zero == pytest.approx(2 / 8)
    assert (said.low, said.high, said.odd) == (0.0, pytest.approx(0.95), 2)
    assert np.isnan(said.norm)
    assert "2 not finite" in said.text
    assert facts(values[:3]).saturated is None


def test_the_filter_leaves_what_it_names_and_what_holds_it(page: VariablesPage) -> None:
    QTest.keyClicks(page.filter, "forget")
    layer = page.tree.topLevelItem(0)
    assert layer is not None
    assert [layer.child(n).text(0) for n in range(10) if not layer.child(n).isHidden()] == ["f_t forget gate"]
    page.filter.setText("W_hh")
    left = [layer.child(n) for n in range(10) if not layer.child(n).isHidden()]
    assert all(item.isExpanded() or "W_hh" in item.text(0) for item in left)
    assert not row(page, "∂L/∂W_hh").isHidden()
    page.filter.clear()
    assert not any(layer.child(n).isHidden() for n in range(10))


def test_a_row_is_copied_as_numpy_text_that_gives_the_same_numbers(page: VariablesPage, store: Store) -> None:
    page.tree.setCurrentItem(row(page, "forget gate"))
    page.tree.setFocus()
    QTest.keyClick(page.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    name, _, code = QApplication.clipboard().text().partition(" = ")
    assert name == "f_41"
    np.testing.assert_array_equal(eval(code, {"np": np}), store.state.recorded.traces[1].layers[0].gates["f"][40, 0])


def test_a_double_click_goes_to_the_operation(page: VariablesPage, store: Store, qtbot: QtBot) -> None:
    item = row(page, "forget gate")
    spot = page.tree.visualItemRect(item).center()
    qtbot.mouseClick(page.tree.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseDClick(page.tree.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert store.state.place.cursor == Cursor(0, Phase.FORWARD, 41, "l0", "f")
    page.tree.itemActivated.emit(item.child(0), 0)
    assert store.state.place.cursor == Cursor(0, Phase.BACKWARD, 41, "l0", "f")


def test_the_menu_of_a_row_shows_it_as_a_lane(page: VariablesPage, store: Store) -> None:
    item = row(page, "input gate")
    page.tree.customContextMenuRequested.emit(page.tree.visualItemRect(item).center())
    menu = next(menu for menu in page.findChildren(QMenu) if menu.isVisible())
    entry = next(action for action in menu.actions() if action.text() == "Show as a lane")
    assert not entry.isChecked()
    entry.trigger()
    menu.close()
    assert store.state.look.hidden_lanes == {"+gates: i"}


def test_another_model_has_other_rows(page: VariablesPage, store: Store) -> None:
    store.change(place=setting(model=0))
    layer = page.tree.topLevelItem(0)
    assert layer is not None
    assert layer.childCount() == 5
    page.grab()  # every visible row is painted


def test_a_gradient_that_float32_has_lost_is_that_of_the_float64_rebuild(page: VariablesPage, store: Store) -> None:
    capture = store.state.recorded.traces[0].check.capture
    small = {name: weight * np.float32(0.02) for name, weight in capture.weights.items()}
    trace = rebuild(replace(capture, weights=small, grads={}))
    store.change(
        recorded=setting(traces=(trace, store.state.recorded.traces[1])),
        place=setting(model=0, sample=0, cursor=Cursor(0, Phase.BACKWARD, 1)),
    )
    found = page.known(page.tree.indexFromItem(row(page, "∂L/∂h_t")))
    assert found is not None
    assert not trace.sample(0).layers[0].hidden_grad[0].any()
    np.testing.assert_array_equal(found[0], trace.exact.sample(0).layers[0].hidden_grad[0, 0])
    assert 0 < found[1].norm < 1e-45

"""The variables: the tree, its filter, what is said of each array, copying, and the way to the operation."""

from dataclasses import replace

import numpy as np
import pytest
from panels_state import make_state
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from rnnviz.core.source import Given
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.variable_tree import LAYER
from rnnviz.gui.cursor.variables import facts
from rnnviz.gui.cursor.variables_page import VariablesPage
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.updating import update_at


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


def shown(page: VariablesPage) -> list[str]:
    """The rows that the filter leaves and that hold nothing else it leaves, as they are called."""
    found = page.tree.findItems("", Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive)
    left = [item for item in found if not item.isHidden() and item.parent() is not None]
    left = [item for item in left if item.data(0, LAYER) != "update"]
    return [item.text(0) for item in left if all(item.child(n).isHidden() for n in range(item.childCount()))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("W", {"W_hh parameter", "W_ih parameter", "W_ho parameter"}),
        ("h", {"h_t hidden state", "(∂a_t/∂h_t−1)ᵀ of the state before", "∂L_t/∂h_t of the head"}),
        ("c", {"c_t cell state"}),
        ("W_hh", {"W_hh parameter"}),
        ("weight", {"W_hh parameter", "W_ih parameter", "W_ho parameter"}),
        ("probab", {"p_t probabilities"}),
        ("hh", {"W_hh parameter", "b_hh parameter"}),
        ("FORGET", {"f_t forget gate"}),
        ("output gate", {"o_t output gate"}),
    ],
)
def test_the_filter_looks_for_symbols_as_they_are_written_and_then_for_words(
    page: VariablesPage, text: str, wanted: set[str]
) -> None:
    QTest.keyClicks(page.filter, text)
    left = shown(page)
    assert {words for words in left if not words.startswith("∂L/∂") and "gradient" not in words} >= (
        wanted if all("parameter" in words for words in wanted) else set()
    )
    symbols = {words.split()[0].removeprefix("∂L/∂") for words in left}
    assert symbols == {words.split()[0] for words in wanted}
    assert not page.nothing.isVisible()


def test_a_filter_that_finds_nothing_says_so(page: VariablesPage) -> None:
    QTest.keyClicks(page.filter, "zebra")
    assert shown(page) == []
    assert page.nothing.isVisible()
    assert "zebra" in page.nothing.text()
    page.filter.clear()
    assert not page.nothing.isVisible()


def test_gradients_stand_open_in_the_backward_phase_and_as_before_in_the_next_one(
    page: VariablesPage, store: Store
) -> None:
    layer = page.tree.topLevelItem(0)
    assert layer is not None
    operations = [layer.child(n) for n in range(1, layer.childCount())]  # the first is the input
    operations[2].setExpanded(True)
    store.change(place=setting(cursor=Cursor(0, Phase.BACKWARD, 12)))
    assert all(item.isExpanded() for item in operations)
    operations[4].setExpanded(False)  # a person's own choice stays while the sweep goes on
    store.change(place=setting(cursor=Cursor(0, Phase.BACKWARD, 11)))
    assert [item.isExpanded() for item in operations].count(False) == 1
    store.change(place=setting(cursor=Cursor(0, Phase.FORWARD, 11)))
    assert [n for n, item in enumerate(operations) if item.isExpanded()] == [2]


def test_a_matrix_is_drawn_with_its_rows_below_one_another(page: VariablesPage, store: Store) -> None:
    page.tree.expandAll()
    parameter, vector = row(page, "W_hh parameter"), row(page, "b_hh parameter")
    page.tree.scrollToItem(parameter)
    found = page.known(page.tree.indexFromItem(parameter))
    assert found is not None
    values, _, image = found
    assert values.shape == (48, 12)
    assert (image.width(), image.height()) == (12, 48)
    signed = theme(store.state.look.theme).signed_map().astype(int)
    largest = float(np.abs(values).max())
    for place in ((0, 0), (47, 11), (5, 3), tuple(int(n) for n in np.unravel_index(values.argmax(), values.shape))):
        wanted = signed[round(255 * (float(values[place]) / largest + 1) / 2)]
        got = image.pixelColor(place[1], place[0])
        assert np.abs(wanted - [got.red(), got.green(), got.blue()]).max() <= 3
    heights = [page.tree.visualItemRect(item).height() for item in (parameter, vector)]
    assert heights[0] > heights[1] + 40
    before = found
    store.change(place=setting(cursor=Cursor(0, Phase.FORWARD, 42)))
    assert page.known(page.tree.indexFromItem(parameter)) is before  # the same at every time step


@pytest.mark.parametrize("look", ["dark", "light"])
def test_the_row_that_is_chosen_has_one_ground_up_to_the_edge(page: VariablesPage, store: Store, look: str) -> None:
    store.change(look=setting(theme=look))
    item = row(page, "forget gate")
    page.tree.setCurrentItem(item)
    box = page.tree.visualItemRect(item)
    image = page.tree.viewport().grab().toImage()
    columns = {image.pixelColor(x, box.bottom() - 3).name() for x in (1, 4, 8, 20, image.width() - 3)}
    assert columns == {theme(look).raised}


def below(page: VariablesPage, top: str, words: str) -> QTreeWidgetItem:
    """The row with these words below the row at the left edge that is called `top`."""
    found = page.tree.findItems(words, Qt.MatchFlag.MatchStartsWith | Qt.MatchFlag.MatchRecursive)
    return next(item for item in found if item.data(0, LAYER) == top)


def numbers(page: VariablesPage, item: QTreeWidgetItem) -> np.ndarray:
    found = page.known(page.tree.indexFromItem(item))
    assert found is not None
    return found[0]


def test_the_head_has_its_rows_at_the_time_step_and_each_leads_into_the_loss(page: VariablesPage, store: Store) -> None:
    head = store.state.recorded.traces[1].head
    for words, wanted in (
        ("y_t logits", head.prediction[40, 0]),
        ("p_t probabilities", head.probabilities[40, 0]),
        ("∂L/∂y_t", head.prediction_grad[40, 0]),
        ("W_ho parameter", head.parameters["weight"]),
        ("∂L/∂W_ho its gradient", head.weight_grads["weight"]),
    ):
        np.testing.assert_array_equal(numbers(page, below(page, "head", words)), wanted)
    page.tree.itemActivated.emit(below(page, "head", "∂L/∂y_t"), 0)
    assert store.state.place.cursor == Cursor(0, Phase.LOSS, 41, "l0", "prediction_grad")


def test_the_update_has_a_row_for_each_parameter_and_a_row_leads_to_its_operation(
    page: VariablesPage, store: Store
) -> None:
    update = update_at(store.state)
    assert update is not None
    assert numbers(page, below(page, "update", "‖g_s‖ norm")) == pytest.approx(update.update.norm)
    item = below(page, "update", "ΔW_ho")
    np.testing.assert_array_equal(numbers(page, item), update.find("head.weight", "delta"))
    page.tree.itemActivated.emit(item, 0)
    assert store.state.place.cursor == Cursor(0, Phase.UPDATE, 41, "l0", "delta")
    assert store.state.place.parameter == "head.weight"
    store.change(place=setting(cursor=Cursor(9, Phase.UPDATE, 1)))  # where nobody kept what Adam had gathered
    assert page.known(page.tree.indexFromItem(item)) is None
    assert numbers(page, below(page, "update", "‖g_s‖ norm")) == pytest.approx(update.update.norm)
    page.grab()


def test_a_model_without_a_head_that_is_not_trained_has_neither(page: VariablesPage, store: Store) -> None:
    trace = store.state.recorded.traces[1]
    bare = rebuild(trace.check.capture.with_call(head=None))
    store.change(recorded=setting(traces=(None, bare)), run=setting(source=Given("model.pt")))
    tops = [page.tree.topLevelItem(n).text(0) for n in range(page.tree.topLevelItemCount())]
    assert tops == ["layer 0"]


def test_only_rows_that_hold_others_have_a_triangle_which_points_where_they_are_open(page: VariablesPage) -> None:
    QApplication.processEvents()
    pointing = dict[str, set[bool]]()
    for opened in (True, False):
        for holder in (page.tree.topLevelItem(0), row(page, "forget gate").parent()):
            assert holder is not None
            holder.setExpanded(opened)
        QApplication.processEvents()
        image = page.tree.viewport().grab().toImage()
        for item in visible(page):
            box = page.tree.visualItemRect(item)
            ground = image.pixelColor(box.left() - 12, box.top() + 1)
            inked = [
                (x, y)
                for x in range(box.left() - 12, box.left() - 2)
                for y in range(box.top(), min(box.bottom(), image.height()))
                if image.pixelColor(x, y) != ground
            ]
            assert bool(inked) == bool(item.childCount()), item.text(0)
            if inked:
                wide, high = (max(one) - min(one) for one in zip(*inked, strict=True))
                assert (wide > high) == item.isExpanded(), item.text(0)
                pointing.setdefault(item.text(0), set()).add(item.isExpanded())
    assert {True, False} in pointing.values()


def visible(page: VariablesPage) -> list[QTreeWidgetItem]:
    """The rows that are seen whole."""
    tree, found = page.tree, list[QTreeWidgetItem]()
    item = tree.itemAt(2, 2)
    while item is not None and tree.viewport().rect().contains(tree.visualItemRect(item)):
        found.append(item)
        item = tree.itemBelow(item)
    return found

"""The right column: a click brings a page to the front, the state says which."""

from flat_state import flat_state
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from rnnviz.gui.shell.right_column import RightColumn
from rnnviz.gui.state.store import Store


def test_a_click_on_a_name_brings_its_page_to_the_front(qtbot: QtBot) -> None:
    store = Store(flat_state(page="second"))
    column = RightColumn(store)
    qtbot.addWidget(column)
    first, second = QLabel("1"), QLabel("2")
    column.add_page("cursor", "Cursor", first)
    column.show()
    assert column.page == "cursor"  # the remembered one is not there yet
    assert not column.tabs.isVisible()  # one page needs no names
    column.add_page("second", "Second", second)
    assert column.page == "second"
    assert second.isVisible()
    qtbot.mouseClick(column.tabs, Qt.MouseButton.LeftButton, pos=column.tabs.tabRect(0).center())
    assert store.state.look.page == "cursor"
    assert first.isVisible()
    assert not second.isVisible()

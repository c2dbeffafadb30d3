"""Many predicted columns are picked from a list, with one entry in the menu of lanes."""

from fake_states import fake_state
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from rnnviz.gui.canvas.lane_menus import lanes_menu
from rnnviz.gui.canvas.lane_picker import LanePicker
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.selection import lane_choices
from rnnviz.gui.state.store import Store, setting


def predicted(store: Store) -> list[str]:
    return [choice.words for choice in lane_choices(store.state) if choice.group and choice.on]


def test_more_than_two_predictions_are_picked_from_a_list(qtbot: QtBot) -> None:
    store = Store(fake_state(kind="table", time_steps=13))
    stack = LaneStack(store)
    qtbot.addWidget(stack)
    stack.resize(900, 300)
    with qtbot.waitExposed(stack):
        stack.show()
    assert predicted(store) == ["Prediction of temperature"]  # there is room for one
    menu = lanes_menu(store, stack)
    words = [action.text() for action in menu.actions()]
    assert [text for text in words if "rediction" in text] == ["Predictions (1 of 3 shown)…"]
    next(action for action in menu.actions() if action.text().startswith("Predictions")).trigger()
    menu.close()
    picker = stack.findChild(LanePicker)
    assert picker is not None
    with qtbot.waitExposed(picker):
        picker.show()
    assert picker.list.accessibleName() == "Predictions shown as lanes"
    assert picker.filter.placeholderText() == "Filter by name"
    picker.list.setFocus()
    for _ in range(2):
        qtbot.keyClick(picker.list, Qt.Key.Key_Down)
    qtbot.keyClick(picker.list, Qt.Key.Key_Space)
    assert predicted(store) == ["Prediction of temperature", "Prediction of humidity"]
    assert [lane.key for lane in stack._lanes if lane.key.startswith("prediction")] == [
        "prediction",
        "prediction: humidity",
    ]
    assert picker.said.text() == "2 of 3 shown"
    picker.filter.setText("HUM")
    assert [picker.list.item(row).isHidden() for row in range(3)] == [True, True, False]
    qtbot.mouseClick(picker.none_button, Qt.MouseButton.LeftButton)
    assert predicted(store) == ["Prediction of temperature"]
    picker.filter.clear()
    qtbot.mouseClick(picker.none_button, Qt.MouseButton.LeftButton)
    assert predicted(store) == []
    assert store.state.look.hidden_lanes == {"prediction", "prediction: humidity"}
    qtbot.keyClick(picker, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: stack.findChild(LanePicker) is None)


def test_one_or_two_predictions_stand_in_the_menu_itself(qtbot: QtBot) -> None:
    store = Store(fake_state(kind="adding"))
    store.change(look=setting(hidden_lanes=frozenset({"prediction"})))
    stack = LaneStack(store)
    qtbot.addWidget(stack)
    menu = lanes_menu(store, stack)
    (entry,) = [action for action in menu.actions() if "rediction" in action.text()]
    assert entry.text() == "Prediction"
    assert entry.isCheckable()
    assert not entry.isChecked()
    menu.deleteLater()

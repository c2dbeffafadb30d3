"""An open lane stack with every lane switched on, and zooming in it as a person does."""

from collections.abc import Callable

from flat_state import update
from held_by_lanes import every_lane
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QGraphicsView
from pytestqt.qtbot import QtBot

from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

WIDTH, HEIGHT = 1100, 700
Opened = Callable[[State], tuple[LaneStack, Store]]
_CONTROL = Qt.KeyboardModifier.ControlModifier


def open_lanes(qtbot: QtBot, state: State) -> tuple[LaneStack, Store]:
    store = Store(state)
    update(store, hidden_lanes=every_lane(state))
    stack = LaneStack(store)
    qtbot.addWidget(stack)
    stack.resize(WIDTH, HEIGHT)
    with qtbot.waitExposed(stack):
        stack.show()
    return stack, store


def wheel(view: QGraphicsView, place: QPointF, notches: int, key: Qt.KeyboardModifier = _CONTROL) -> None:
    """Turns the wheel at a pixel of a view, away from the person where `notches` > 0: with Ctrl it zooms."""
    for _ in range(abs(notches)):
        turned = QPoint(0, 120 if notches > 0 else -120)
        event = QWheelEvent(
            place, QPointF(view.viewport().mapToGlobal(place)), QPoint(), turned, Qt.MouseButton.NoButton, key,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(view.viewport(), event)


def view_of(stack: LaneStack) -> QGraphicsView:
    found = stack.findChild(QGraphicsView)
    assert isinstance(found, QGraphicsView)
    return found


def plot_width(stack: LaneStack) -> float:
    """Pixels of the column in which time runs, beside labels, scales and the scroll bar."""
    bar = view_of(stack).verticalScrollBar()
    beside = LABEL_COLUMN + SCALE_COLUMN + (bar.sizeHint().width() if bar.maximum() > 0 else 0)
    return max(float(stack.width() - beside), 40.0)

"""Live tooltip: values stay under a resting pointer and are those of the newest capture."""

from collections.abc import Callable

import pytest
from flat_state import update
from open_lanes import open_lanes, view_of
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget
from pytestqt.qtbot import QtBot
from traced_states import GAINS, traced_state

from rnnviz.core.structure import Structure
from rnnviz.gui.cursor.values import ValuesPanel
from rnnviz.gui.look.columns import LABEL_COLUMN
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.live_tip import LiveTip

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # what Qt's screenless platform says
STRUCTURES = (Structure("gru", 0, 5), Structure("lstm", 0, 4))


def traced(seed: int) -> Store:
    return Store(traced_state("values", STRUCTURES, seed=seed, gains=GAINS).state)


def move(widget: QWidget, place: QPoint) -> None:
    kind, none = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
    where = QPointF(place)
    event = QMouseEvent(kind, where, QPointF(widget.mapToGlobal(place)), none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def rest(widget: QWidget, place: QPoint) -> None:
    """Qt asks for the tooltip once the pointer has rested a while."""
    QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, place, widget.mapToGlobal(place)))


def told() -> str:
    return QToolTip.text() if QToolTip.isVisible() else ""


def test_a_lane_tells_the_value_of_the_newest_capture(qtbot: QtBot) -> None:
    store = traced(5)
    stack, shown = open_lanes(qtbot, store.state)
    lane = next(lane for lane in stack._lanes if lane.key == "gradient")
    viewport = view_of(stack).viewport()
    place = view_of(stack).mapFromScene(QPointF(LABEL_COLUMN + 300, lane.rect.center().y()))
    move(viewport, place)
    before = told()
    assert before.startswith("t = ")
    QToolTip.hideText()  # as Qt does when anything in the window loses the focus
    update(shown, traces=traced(6).state.recorded.traces)
    qtbot.waitUntil(lambda: told() not in ("", before))
    assert told() == lane.tip(view_of(stack).mapToScene(place))
    leave(viewport)
    after = told()  # "" once Qt has faded it out
    update(shown, traces=store.state.recorded.traces)
    assert told() in ("", after)


def leave(widget: QWidget) -> None:
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))
    QToolTip.hideText()
    QApplication.processEvents()


def test_the_table_at_the_cursor_keeps_its_tooltip(qtbot: QtBot) -> None:
    store = traced(5)
    panel = ValuesPanel(store)
    qtbot.addWidget(panel)
    panel.resize(320, 700)
    panel.show()
    qtbot.waitExposed(panel)
    number = next(n for n, row in enumerate(panel.rows) if row.key == "hidden")
    rest(panel.table, panel.table.row_center(number))
    before = told()
    assert before == panel.tooltip(number)
    update(store, traces=traced(6).state.recorded.traces)
    qtbot.waitUntil(lambda: told() not in ("", before))
    assert told() == panel.tooltip(number)
    leave(panel.table)


@pytest.mark.parametrize("end", [QEvent.Type.Leave, QEvent.Type.Hide])
def test_it_ends_when_the_pointer_goes(qtbot: QtBot, end: QEvent.Type) -> None:
    widget, said = QWidget(), ["one"]
    tell: Callable[[QPoint], str] = lambda place: said[0]  # noqa: E731
    tip = LiveTip(widget, tell)
    qtbot.addWidget(widget)
    widget.resize(100, 40)
    widget.show()
    qtbot.waitExposed(widget)
    rest(widget, QPoint(20, 20))
    assert told() == "one"
    said[0] = "two"
    tip.refresh()
    assert told() == "two"
    QApplication.sendEvent(widget, QEvent(end))
    said[0] = "three"
    tip.refresh()
    assert told() != "three"
    rest(widget, QPoint(20, 20))
    move(widget, QPoint(60, 20))
    said[0] = "four"
    tip.refresh()
    assert told() != "four"
    QToolTip.hideText()

"""The page of cards: what is chosen, moved, held and pressed, and that every number on it is the trace's."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from open_gradients import frame_of, open_gradients, wait_until_found
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot
from traced_states import TRAINING_STEP, traced_state

from rnnviz.core.structure import Structure
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.places import Place, to_time_step
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.gradients import page
from rnnviz.gui.gradients.card import Partial
from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.gradients.card_table import CARD_OF
from rnnviz.gui.gradients.head_row import HeadRow
from rnnviz.gui.gradients.plots.marks import Raster
from rnnviz.gui.network.drawing import Text
from rnnviz.gui.shell.keyboard.reading_order import controls
from rnnviz.gui.state.laboratory import CARDS, DEFAULT_CARDS, Laboratory
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.preferences import Preferences, read_preferences
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting

LEFT, NONE, ALT, CONTROL = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
)
KEY = Qt.Key


@pytest.fixture(scope="module")
def state() -> State:
    structures = Structure("vanilla", 1, 4), Structure("lstm", 1, 5, num_layers=2)
    return traced_state("characters", structures, gains=(1.1, 1.5)).state


def raster_of(frame: CardFrame) -> Raster:
    found = frame.drawing.mark("flow")
    assert isinstance(found, Raster)
    return found


@pytest.mark.parametrize("sample", [0, 1])
def test_the_flow_of_each_model_is_that_of_its_trace(qtbot: QtBot, state: State, sample: int) -> None:
    view, store = open_gradients(qtbot, state, ["flow"], losses="task")
    store.change(place=setting(sample=sample))
    wait_until_found(qtbot, view)
    for number in (0, 1):
        frame = frame_of(view, "flow", number)
        trace = state.recorded.traces[number]
        assert trace is not None
        wanted = trace.sample(sample).layer("l0").gradient_flow(0)
        assert np.array_equal(raster_of(frame).values, wanted)
        places = frame.grab().toImage()
        assert not places.isNull()


def test_cards_are_chosen_moved_and_taken_away_by_keys_and_remembered(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow"])
    frame = frame_of(view, "flow", 0)
    QTest.keyClick(frame, KEY.Key_Return)
    assert store.state.look.laboratory.enlarged == "flow"
    QTest.keyClick(view.frames[0], KEY.Key_Return)
    QTest.keyClick(view.frames[0], KEY.Key_Delete)
    assert (store.state.look.laboratory.cards, view.frames) == ((), [])


def test_a_press_goes_to_the_time_step_and_the_loss(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow"])
    frame = frame_of(view, "flow", 1)
    box = raster_of(frame).rect
    count = raster_of(frame).values.shape[0]
    at = QPointF(box.left() + 3.5 / count * box.width(), box.bottom() - 8.5 / count * box.height())
    QTest.mouseClick(frame, LEFT, NONE, at.toPoint())
    place: Place = store.state.place
    assert (place.model, place.cursor.time_step, store.state.look.laboratory.loss) == (1, 4, 9)
    QTest.keyClick(frame, KEY.Key_Up, ALT)
    assert store.state.look.laboratory.loss == 10


def test_the_cursor_in_a_loss_looks_at_that_loss(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow"])
    store.change(place=setting(cursor=Cursor(TRAINING_STEP, Phase.LOSS, 7)))
    assert view.loss == 7
    assert frame_of(view, "flow", 0).sight.loss == 7  # type: ignore[union-attr]


def test_a_cursor_step_leaves_nothing_of_the_line_where_it_was(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow", "jacobians"])
    store.change(place=setting(cursor=Cursor(TRAINING_STEP, Phase.FORWARD, 3)))
    QApplication.processEvents()
    before = view.screen().grabWindow(view.winId()).toImage()
    store.change(place=setting(cursor=Cursor(TRAINING_STEP, Phase.FORWARD, 9)))
    QApplication.processEvents()
    painted = view.screen().grabWindow(view.winId()).toImage()
    assert painted != before
    assert painted == view.grab().toImage().convertToFormat(painted.format())


@pytest.mark.parametrize("patience", [60.0, 0.0])
def test_a_whole_picture_stays_a_moment_while_a_part_of_the_next_is_known(
    qtbot: QtBot, state: State, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    view, store = open_gradients(qtbot, state, ["jacobians"])
    frame, go_on = frame_of(view, "jacobians"), Event()
    before = frame.sight
    assert before is not None
    monkeypatch.setattr(page, "_PATIENCE", patience)

    def parts(*_: object) -> Iterator[Partial]:
        yield Partial(before.values[0], 0.25)
        go_on.wait(20)
        yield Partial(before.values[1])

    monkeypatch.setattr(CARD_OF["jacobians"], "find", parts)
    store.change(place=setting(sample=1))
    qtbot.waitUntil(lambda: [found.share for found in view._sight(frame).models] == [0.25, 0.25])
    assert (frame.sight is before) == (patience > 0)
    go_on.set()
    wait_until_found(qtbot, view)
    assert frame.sight is not None
    assert [found.value for found in frame.sight.models] == [before.values[1]] * 2


def test_a_held_card_stays_while_the_others_go_on(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow"])
    first, second = frame_of(view, "flow", 0), frame_of(view, "flow", 1)
    QTest.keyClick(first, KEY.Key_P)
    kept = raster_of(first).values
    store.change(place=setting(sample=1))
    wait_until_found(qtbot, view)
    assert raster_of(first).values is kept
    assert raster_of(second).values.shape != kept.shape
    assert "held at training step 42" in first._aside()
    QTest.keyClick(first, KEY.Key_P)
    assert raster_of(first).values.shape != kept.shape


def test_a_held_card_follows_the_theme(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow"])
    held, other = frame_of(view, "flow", 0), frame_of(view, "flow", 1)
    QTest.keyClick(held, KEY.Key_P)
    kept = raster_of(held).values
    store.change(look=setting(theme="light"), place=setting(sample=1))
    wait_until_found(qtbot, view)
    ground, edge = (QPoint(frame.width() // 2, frame.height() - 4) for frame in (held, other))
    assert held.grab().toImage().pixelColor(ground) == other.grab().toImage().pixelColor(edge)
    assert {text.color.name() for text in held.drawing.marks if isinstance(text, Text)} == {
        text.color.name() for text in other.drawing.marks if isinstance(text, Text)
    }
    assert raster_of(held).values is kept


def test_the_sliders_of_a_card_have_room_where_the_page_is_low(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["untrained", "flow"], (500, 400))
    controls = frame_of(view, "untrained").controls
    assert controls is not None
    assert controls.height() >= controls.minimumSizeHint().height()
    assert frame_of(view, "flow", 0).y() >= frame_of(view, "untrained").geometry().bottom()


@pytest.mark.parametrize("width", [300, 460, 900])
def test_nothing_above_the_cards_lies_on_each_other(qtbot: QtBot, state: State, width: int) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    head = HeadRow(Store(state))
    head.setParent(parent)
    head.setGeometry(0, 0, width, 40)
    parent.resize(width, 40)
    parent.show()
    row = head.layout()
    assert row is not None
    row.activate()
    items = (row.itemAt(place) for place in range(row.count()))
    shown = [item.widget() for item in items if item is not None and item.widget() is not None]
    shown = [widget for widget in shown if widget.isVisible()]
    assert all(one.geometry().right() < other.x() for one, other in pairwise(shown))
    assert shown[-1].geometry().right() < width
    assert head.losses.width() == 132 or width < 460


def test_numbers_are_copied_with_every_digit(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["flow"])
    frame = frame_of(view, "flow", 1)
    QTest.keyClick(frame, KEY.Key_C, CONTROL)
    lines = QGuiApplication.clipboard().text().splitlines()
    values = raster_of(frame).values
    assert [float(cell) for cell in lines[3].split("\t")[1:]] == list(values[2])


def test_the_pointer_is_told_the_value(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["flow"])
    frame = frame_of(view, "flow", 0)
    box = raster_of(frame).rect
    words = frame._words_at(QPoint(round(box.left()) + 2, round(box.top()) + 2))
    assert words.startswith(frame.sight.models[0].model.name)  # type: ignore[union-attr]
    assert "state at t = 1" in words
    for point, shape in ((box.topLeft(), Qt.CursorShape.CrossCursor), (QPointF(5, 5), Qt.CursorShape.OpenHandCursor)):
        QTest.mouseMove(frame, point.toPoint() + QPoint(2, 2))
        assert frame.cursor().shape() is shape


def test_a_layout_is_kept_by_its_name_and_brought_back(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow"])
    view.head.ask_name()
    popup = view.head._ask
    assert popup is not None
    QTest.keyClicks(popup.field, "flow & the lecture")
    QTest.keyClick(popup.field, KEY.Key_Return)
    QTest.keyClick(view.frames[0], KEY.Key_Delete)
    assert store.state.look.laboratory.layouts == (("flow & the lecture", ("flow",)),)
    view.head.open_menu()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert menu.toolTipsVisible()  # what each card shows
    next(action for action in menu.actions() if "flow && the lecture" in action.text()).trigger()
    menu.close()
    assert [frame.card.key for frame in view.frames] == ["flow", "flow"]


def test_preferences_remember_cards_layouts_and_threshold(tmp_path: Path) -> None:
    laboratory = Laboratory(("walk", "flow"), 1e-4, False, layouts=(("two", ("walk", "flow")),))
    store = Store()
    _saver = PreferenceSaver(store, Preferences(), tmp_path / "settings.toml")
    store.change(look=setting(laboratory=laboratory))
    found, sentence = read_preferences(tmp_path / "settings.toml")
    assert (found.laboratory, sentence) == (laboratory, "")
    (tmp_path / "settings.toml").write_text('cards = ["flow", "walk", "flow"]\n[layouts]\nnone = ""\n')
    again = read_preferences(tmp_path / "settings.toml")[0].laboratory
    assert (again.cards, again.layouts) == (("flow", "walk"), (("none", ()),))


def test_every_card_has_a_name_and_every_name_a_card() -> None:
    assert {name.key for name in CARDS} == set(CARD_OF)
    assert set(DEFAULT_CARDS) <= set(CARD_OF)


def test_cards_stand_in_rows_that_are_as_full_as_can_be(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["flow", "walk", "eigenvalues", "gates"])
    for width, rows in ((1500, [3, 3]), (520, [2, 2, 2]), (1900, [3, 3])):
        view.resize(width, 600)
        QApplication.processEvents()
        tops = [frame.y() for frame in view.frames]
        assert [tops.count(top) for top in dict.fromkeys(tops)] == rows


def test_the_menu_of_cards_stays_open_while_cards_are_ticked(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow"])
    view.head.open_menu()
    menu = next(one for one in view.head.findChildren(QMenu) if one.isVisible())
    actions = {action.text(): action for action in menu.actions()}
    QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(actions["Memory horizon"]).center())
    menu.setActiveAction(actions["Gate saturation"])
    QTest.keyClick(menu, KEY.Key_Space)
    assert store.state.look.laboratory.cards == ("flow", "horizon", "gates")
    assert menu.isVisible()
    QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(actions["Usual cards"]).center())
    assert (store.state.look.laboratory.cards, menu.isVisible()) == (DEFAULT_CARDS, False)


def test_tab_goes_through_the_head_row_and_then_card_by_card(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["gates", "untrained", "horizon"])
    store.change(look=lambda look: replace(look, laboratory=look.laboratory.moved("horizon", "gates")))
    view.resize(500, 240)
    view.cards_area.verticalScrollBar().setValue(300)
    found = [stop.accessibleName() or stop.text() for stop in controls(view)]  # type: ignore[attr-defined]
    assert found[:6] == ["Gradients", "Cards", "Losses", "Threshold", "Threshold is", "Memory horizon"]
    assert found[6:9] == ["What is drawn", "Gate saturation, net 2", "Untrained network"]
    rows = found[9:]
    assert rows[0] == f"Slider of {rows[1]}"
    assert rows[-1] == "As in the experiment"


def test_in_a_low_page_a_card_is_seen_whole(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["walk", "gates", "flow"])
    view.resize(300, 230)
    QApplication.processEvents()
    assert view.frames[0].height() <= view.cards_area.viewport().height()


def test_nothing_in_the_head_row_is_covered_where_it_is_narrow(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["flow"])
    head = view.head
    for width, words in ((900, True), (head.minimumSizeHint().width(), False)):
        view.resize(width, 500)
        QApplication.processEvents()
        assert head.common.isVisible() == words
        row = [one for one in head.children() if isinstance(one, QWidget) and one.isVisible()]
        edges = sorted((one.geometry().left(), one.geometry().right()) for one in row)
        assert all(right < left for (_, right), (left, _) in pairwise(edges))
        assert edges[-1][1] <= width


def test_lanes_behind_another_view_are_drawn_when_they_are_looked_at(qtbot: QtBot, state: State) -> None:
    store = Store(state)
    lanes = LaneStack(store)
    qtbot.addWidget(lanes)
    store.change(look=setting(view="gradients"))
    before = lanes._shown
    store.change(place=setting(sample=1))
    store.go(to_time_step, store.state.walkable, 5)
    assert lanes._shown is before
    store.change(look=setting(view="lanes"))
    assert (lanes._shown.sample, lanes._shown.cursor.time_step) == (1, 5)
    assert lanes.axis.time_steps == lanes._shown.time_steps

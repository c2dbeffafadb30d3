"""The lane stack: what a person sees and presses, and that a moving cursor rebuilds nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fake_states import TASKS, fake_state
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.canvas.items.chain import Chain
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.lane import Lane
from rnnviz.gui.canvas.lanes.selection import lane_choices
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting

# what Qt's screenless platform says when a menu or a tooltip opens
screenless = pytest.mark.qt_log_ignore("This plugin does not support")

Opened = tuple[LaneStack, Store]
STRUCTURES = {
    "deep": (Structure("gru", 8, 5, 2, True), Structure("lstm", 8, 6, 2, proj_size=3)),
    "one unit": (Structure("vanilla", 8, 1),),
    "relu": (Structure("vanilla", 8, 4, activation="relu"), Structure("vanilla", 8, 4)),
}


@pytest.fixture
def opened(qtbot: QtBot) -> Callable[..., Opened]:
    def open_stack(size: tuple[int, int] = (900, 650), **state: Any) -> Opened:
        store = Store(fake_state(**state))
        stack = LaneStack(store)
        qtbot.addWidget(stack)
        stack.resize(*size)
        with qtbot.waitExposed(stack):
            stack.show()
        return stack, store

    return open_stack


def column(stack: LaneStack, time_step: int) -> QPoint:
    """A pixel of the hidden-state lane at the middle of a time step."""
    lane = next(lane for lane in stack._lanes if lane.key == "hidden")
    return QPoint(round(stack._axis.x(time_step)), round(lane.rect.center().y()))


@pytest.mark.parametrize("look", ["dark", "light"])
@pytest.mark.parametrize("kind", ["symbols", "characters", "values", "table", "adding", "many", "none"])
@pytest.mark.parametrize("time_steps", [1, 12, 300])
def test_every_task_is_drawn_with_every_lane(
    opened: Callable[..., Opened], kind: str, time_steps: int, look: str
) -> None:
    everything = frozenset({"+loss", "+prediction", "+share", "+gates: i", "+gates: g", "+gates: o"})
    stack, _ = opened(kind=kind, time_steps=time_steps, theme=look, hidden_lanes=everything)
    image = stack.grab().toImage()
    assert len({image.pixel(x, y) for x in range(0, 900, 7) for y in range(0, 650, 7)}) > 12
    assert len(stack._lanes) >= 9


@pytest.mark.parametrize("structures", STRUCTURES.values(), ids=STRUCTURES)
@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e38, 1e-45])
def test_no_value_stops_the_drawing(
    opened: Callable[..., Opened], structures: tuple[Structure, ...], poison: float
) -> None:
    stack, store = opened(structures=structures, poison=poison, hidden_lanes=frozenset({"+share", "+prediction"}))
    for name in structures[0].layer_names:
        store.change(place=setting(cursor=replace(store.state.place.cursor, layer=name)))
        stack.grab()
    if np.isnan(poison):
        notes = [lane.label.note for lane in stack._lanes if lane.key == "hidden"]
        assert "not finite" in notes[0]


def test_the_default_lanes_fit_the_smallest_window(opened: Callable[..., Opened]) -> None:
    stack, _ = opened(size=(800, 560), time_steps=64, hidden=12)
    assert stack._view.verticalScrollBar().maximum() == 0
    assert stack.needed_height() <= 560
    assert stack._lanes[-1].rect.bottom() <= 560


SIDES = {"1280 × 800": (718, 513), "the same with a bar above": (718, 465), "1920 × 1080": (1354, 793)}
CELLS_BESIDE = [("lstm",), ("vanilla", "lstm"), ("vanilla", "lstm", "gru"), ("lstm", "lstm", "lstm")]


@pytest.mark.parametrize("size", SIDES.values(), ids=SIDES)
@pytest.mark.parametrize("cells", CELLS_BESIDE, ids=lambda cells: ", ".join(cells))
@pytest.mark.parametrize("kind", ["symbols", "characters", "table"])
def test_the_gradient_is_seen_without_scrolling(
    opened: Callable[..., Opened], kind: str, cells: tuple[str, ...], size: tuple[int, int]
) -> None:
    columns = len(TASKS[kind].input_labels)
    structures = tuple(Structure(cell, columns, 12) for cell in cells)
    stack, store = opened(size=size, kind=kind, time_steps=64, structures=structures)
    drawn = {lane.key for lane in stack._lanes}
    assert {"prediction", "gradient", "hidden"} <= drawn
    assert stack._view.verticalScrollBar().maximum() == 0
    assert stack._lanes[-1].rect.bottom() <= size[1]
    gradient = next(lane for lane in stack._lanes if lane.key == "gradient")
    assert gradient.rect.height() >= 60
    if size == SIDES["1920 × 1080"] and kind != "table":
        assert not [choice.key for choice in lane_choices(store.state) if choice.folded]


def test_all_plots_lie_on_the_same_pixels(opened: Callable[..., Opened]) -> None:
    stack, _ = opened(hidden_lanes=frozenset({"+loss", "+share"}))
    for lane in stack._lanes:
        plot = lane.items[1].rect
        assert (plot.left(), plot.right()) == (LABEL_COLUMN, 900 - SCALE_COLUMN), lane.key
    tops = [lane.rect.top() for lane in stack._lanes]
    assert tops == sorted(tops)
    for above, below in zip(stack._lanes, stack._lanes[1:], strict=False):
        assert above.rect.bottom() <= below.rect.top()


@screenless
def test_a_click_and_a_drag_choose_time_steps(opened: Callable[..., Opened], qtbot: QtBot) -> None:
    stack, _ = opened()
    chosen: list[int] = []
    stack.time_step_chosen.connect(chosen.append)
    view = stack._view.viewport()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=column(stack, 3))
    qtbot.mouseMove(view, column(stack, 5))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=column(stack, 5))
    assert chosen[0] == 3
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(20, column(stack, 3).y()))  # the label: nothing
    assert set(chosen) <= {3, 5}


def test_the_cursor_is_seen_in_all_lanes_and_leaves_no_trace(opened: Callable[..., Opened]) -> None:
    stack, store = opened()
    yellow = theme("dark").color("cursor")
    store.change(place=setting(cursor=Cursor(7, Phase.BACKWARD, 15)))
    image = stack.grab().toImage()
    x, y = column(stack, 15).x(), column(stack, 15).y()
    assert image.pixelColor(x, y) == yellow
    store.change(place=setting(cursor=Cursor(7, Phase.BACKWARD, 4)))
    image = stack.grab().toImage()
    assert image.pixelColor(x, y) != yellow
    assert image.pixelColor(column(stack, 4).x(), y) == yellow


def test_moving_the_cursor_replaces_no_item_and_no_data(opened: Callable[..., Opened]) -> None:
    stack, store = opened()
    items = stack._scene.items()
    shown: list[str] = []
    for lane in stack._lanes:
        lane.show = lambda _shown, key=lane.key: shown.append(key)  # type: ignore[method-assign]
    for phase in Phase:
        for time_step in range(1, 21):
            store.change(place=setting(cursor=Cursor(7, phase, time_step)))
    assert stack._scene.items() == items
    assert shown == []


def test_new_traces_are_put_into_the_same_items(opened: Callable[..., Opened]) -> None:
    stack, store = opened()
    items, before = stack._scene.items(), stack.grab().toImage()
    store.change(recorded=setting(traces=tuple(reversed(fake_state(structures=_swapped()).recorded.traces))))
    assert stack._scene.items() == items
    assert stack.grab().toImage() != before


def _swapped() -> tuple[Structure, ...]:
    return Structure("lstm", 8, 6), Structure("vanilla", 8, 6)


def test_the_sweep_follows_the_phase(opened: Callable[..., Opened]) -> None:
    stack, store = opened()
    chain = next(item for lane in stack._lanes for item in lane.items if isinstance(item, Chain))
    wanted = {
        Phase.FORWARD: (False, range(1, 5)),
        Phase.LOSS: (False, range(1, 21)),
        Phase.BACKWARD: (True, range(6, 21)),
        Phase.UPDATE: (True, range(1, 21)),
    }
    for phase, (backward, done) in wanted.items():
        store.change(place=setting(cursor=Cursor(7, phase, 5)))
        assert (chain._sweep.backward, chain._sweep.done) == (backward, done)


def test_zoom_pan_and_a_cursor_that_leaves_the_view(opened: Callable[..., Opened], qtbot: QtBot) -> None:
    stack, store = opened(time_steps=200)
    place = QPointF(500.0, 300.0)
    for modifiers, count in ((Qt.KeyboardModifier.ControlModifier, 8), (Qt.KeyboardModifier.ShiftModifier, 3)):
        for _ in range(count):
            event = QWheelEvent(
                place, place, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, modifiers,
                Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(stack._view.viewport(), event)
    assert stack._axis.zoomed
    assert len({lane.items[1].axis for lane in stack._lanes}) == 1  # linked
    store.change(place=setting(cursor=Cursor(7, Phase.FORWARD, 200)))
    assert 200 in stack._axis.visible()
    store.change(place=setting(cursor=Cursor(7, Phase.FORWARD, 1)))
    assert 1 in stack._axis.visible()
    stack.grab()
    qtbot.mouseDClick(stack._view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(500, 300))
    assert not stack._axis.zoomed


def test_many_lanes_scroll(opened: Callable[..., Opened]) -> None:
    hidden = frozenset({"+loss", "+prediction", "+share", "+gates: i", "+gates: g", "+gates: o"})
    stack, _ = opened(size=(800, 400), hidden_lanes=hidden)
    assert stack._view.verticalScrollBar().maximum() > 0
    assert stack.image().height() > 400


def test_before_the_first_trace_a_sentence_stands_there(qtbot: QtBot) -> None:
    store = Store(State())
    stack = LaneStack(store)
    qtbot.addWidget(stack)
    stack.resize(800, 560)
    assert stack._skeleton is not None
    assert stack._skeleton._sentence == "The engine is starting …"
    store.say(busy="Reading the run …")
    assert stack._skeleton._sentence == "Reading the run …"
    full = fake_state()
    store.change(run=setting(task=full.run.task, models=full.run.models))
    stack.grab()
    store.change(recorded=setting(traces=full.recorded.traces), place=setting(cursor=full.place.cursor))
    assert stack._skeleton is None
    stack.grab()
    store.change(recorded=setting(traces=(full.recorded.traces[0], None)))
    stack.grab()
    store.change(recorded=setting(traces=(None, None)))
    assert stack._skeleton is not None


def test_a_theme_is_changed_in_place(opened: Callable[..., Opened]) -> None:
    stack, store = opened()
    store.change(look=setting(theme="light"))
    assert stack.grab().toImage().pixelColor(2, 300) == QColor(theme("light").background)


def test_the_tooltip_says_what_is_under_the_pointer(opened: Callable[..., Opened]) -> None:
    stack, _ = opened()
    lane = next(lane for lane in stack._lanes if lane.key == "hidden")
    words = lane.tip(QPointF(column(stack, 9)))
    assert words.startswith("t = 9, unit ")
    gradient = stack._lanes[-1]
    lines = gradient.tip(QPointF(stack._axis.x(9), gradient.rect.center().y())).split("\n")
    assert [line.split(":")[0] for line in lines] == ["t = 9", "model 1", "model 2"]


@screenless
def test_the_label_of_a_deep_model_offers_its_layers(opened: Callable[..., Opened], qtbot: QtBot) -> None:
    stack, store = opened(structures=STRUCTURES["deep"])
    header = next(lane for lane in stack._lanes if lane.key == "chain")
    assert header.label.subtitle.startswith("layer 0")
    qtbot.mouseClick(stack._view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(30, round(header.rect.center().y())))
    menu = stack.findChild(QMenu)
    assert [action.text() for action in menu.actions()] == [
        "layer 0",
        "layer 0, reverse",
        "layer 1",
        "layer 1, reverse",
    ]
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["layer 0"]
    menu.actions()[1].trigger()
    menu.close()
    assert store.state.place.cursor.layer == "l0_reverse"
    assert header.label.subtitle.startswith("layer 0, reverse")
    assert next(item for item in header.items if isinstance(item, Chain)).leftwards


def test_a_higher_window_brings_the_loss_and_a_message_does_not_take_it(
    opened: Callable[..., Opened], qtbot: QtBot
) -> None:
    stack, store = opened(size=(900, 560), kind="characters")
    assert "loss" not in {lane.key for lane in stack._lanes}
    for height, there in ((830, True), (780, True), (480, False)):  # a message takes 48 pixels
        stack.resize(900, height)
        qtbot.waitUntil(lambda there=there: ("loss" in {lane.key for lane in stack._lanes}) == there)
    assert store.state.look.hidden_lanes == frozenset()


def test_every_column_is_drawn_on_its_own_axis_in_the_units_of_the_data(opened: Callable[..., Opened]) -> None:
    stack, store = opened(size=(900, 900), kind="table")
    inputs = [lane for lane in stack._lanes if lane.key == "input"]
    assert [lane.label.title for lane in inputs] == ["temperature", "pressure", "humidity"]
    scale = inputs[1].plot._scale  # type: ignore[attr-defined]
    assert 980 < scale.low < scale.high < 1046
    predicted = [lane for lane in stack._lanes if lane.key.startswith("prediction")]
    assert [lane.key for lane in predicted] == ["prediction", "prediction: pressure", "prediction: humidity"]
    assert [lane.label.title for lane in predicted] == ["temperature", "pressure", "humidity"]
    plot = predicted[1].plot.rect  # type: ignore[attr-defined]
    words = predicted[1].tip(QPointF(stack._axis.x(4), plot.center().y()))
    trace = store.state.recorded.traces[0]
    assert trace is not None
    assert trace.head is not None
    assert f"true: {short(1013 + 8 * float(trace.head.targets[3, 0, 1]))}" in words
    assert "t + 1" in predicted[1].label.tip(0, 0)


def test_many_columns_are_one_heat_map_with_their_names(opened: Callable[..., Opened]) -> None:
    stack, _ = opened(kind="many")
    (lane,) = [lane for lane in stack._lanes if lane.key == "input"]
    assert lane.label.subtitle == "6 columns"
    top = QPointF(stack._axis.x(2), lane.rect.top() + 2)
    assert lane.tip(top).startswith("t = 2, p: x = ")


def test_adding_shows_predicted_against_true_at_the_end_only(opened: Callable[..., Opened]) -> None:
    stack, _ = opened(kind="adding")
    lane = next(lane for lane in stack._lanes if lane.key == "prediction")
    middle = lane.plot.rect.center().y()  # type: ignore[attr-defined]
    assert "true" not in lane.tip(QPointF(stack._axis.x(3), middle))
    assert "true: 1.00" in lane.tip(QPointF(stack._axis.x(20), middle))


def test_the_tooltip_tells_a_loss_only_where_one_is_asked(opened: Callable[..., Opened]) -> None:
    stack, _ = opened(kind="adding", hidden_lanes=frozenset({"+loss"}))
    lane = next(lane for lane in stack._lanes if lane.key == "loss")
    middle = lane.plot.rect.center().y()  # type: ignore[attr-defined]
    assert lane.tip(QPointF(stack._axis.x(3), middle)) == "t = 3"
    assert "model 1: " in lane.tip(QPointF(stack._axis.x(20), middle))


def test_the_scale_of_magnitudes_stands_beside_the_first_chain_in_the_backward_phase(
    opened: Callable[..., Opened],
) -> None:
    stack, store = opened()
    legends = [lane.legend for lane in stack._lanes if lane.key == "chain"]  # type: ignore[attr-defined]
    assert [legend.isVisible() for legend in legends] == [True, False]
    assert "10⁻⁸" in legends[0].tip(0, 0)
    store.change(place=setting(cursor=Cursor(7, Phase.FORWARD, 3)))
    assert not legends[0].isVisible()


def test_the_cursor_line_does_not_strike_through_the_name_of_a_curve(opened: Callable[..., Opened]) -> None:
    stack, store = opened()
    lane = next(lane for lane in stack._lanes if lane.key == "gradient")
    plot = lane.plot  # type: ignore[attr-defined]
    box = plot.names.names[0].box
    t = stack._axis.time_step_at(box.center().x())
    store.change(place=setting(cursor=Cursor(7, Phase.BACKWARD, t)))
    image = stack.image()
    x, cursor = round(stack._axis.x(t)), QColor(theme("dark").cursor)
    assert box.left() < x < box.right()
    assert (
        image.pixelColor(x, round(plot.rect.bottom()) - 2) == cursor
        or image.pixelColor(x - 1, round(plot.rect.bottom()) - 2) == cursor
    )
    inside = [image.pixelColor(x + d, y) for d in (-1, 0) for y in range(round(box.top()) + 4, round(box.bottom()) - 4)]
    assert cursor not in inside


def ruler_of(stack: LaneStack) -> Lane:
    return next(lane for lane in stack._lanes if lane.key == "ruler")


@screenless
@pytest.mark.parametrize(
    ("height", "said"),
    [(330, ""), (318, "1 lane folded ▾"), (290, "2 lanes folded ▾"), (215, "4 lanes folded ▾")],
)
def test_lanes_without_room_are_told_beside_the_time_steps_and_a_press_offers_all(
    opened: Callable[..., Opened], qtbot: QtBot, height: int, said: str
) -> None:
    stack, store = opened(size=(578, height), time_steps=64, hidden=12)
    ruler = ruler_of(stack)
    assert ruler.label.subtitle == said
    qtbot.mouseClick(stack._view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(40, round(ruler.rect.center().y())))
    menu = stack.findChild(QMenu)
    assert (menu is not None) == bool(said)
    if menu is None:
        return
    tip = ruler.label.tip(0.0, 0.0)
    assert tip.startswith(f"{said.removesuffix(' ▾')}: make the window higher, or choose lanes\n")
    without = [action for action in menu.actions() if action.text().endswith(" (no room)")]
    assert all(action.text().removesuffix(" (no room)") in tip for action in without)
    for action in without:
        action.trigger()
    menu.close()
    assert ruler_of(stack).label.subtitle == ""
    assert not [choice.key for choice in lane_choices(store.state) if choice.default is True and not choice.on]


def test_a_gradient_of_exactly_zero_is_said_to_be_0(opened: Callable[..., Opened]) -> None:
    mlp = (Structure("mlp", 2, 4),)
    stack, _ = opened(kind="adding", structures=mlp, time_steps=12, hidden_lanes=frozenset({"+gradients: h"}))
    notes = [lane.label.note for lane in stack._lanes if lane.key == "gradients: h"]
    assert notes == ["44 of 48 are 0"]  # the loss asks at the last of 12 time steps alone, and nothing is carried

"""The network view under mouse and keys: what is pressed is gone to, and one looks closer or from farther away."""

from dataclasses import replace

import pytest
from open_network import at, open_network
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot
from traced_states import TRAINING_STEP, traced_state

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.what_if.interventions import Clamp
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.places import to_model, to_operation, to_phase, to_time_step
from rnnviz.gui.network.drawing import Box, Drawing, Target, between
from rnnviz.gui.network.network_view import NetworkView
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting

LEFT, NONE, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def state() -> State:
    structures = Structure("vanilla", 1, 4), Structure("lstm", 1, 5, num_layers=2)
    traced = traced_state("characters", structures, gains=(1.1, 1.5)).state
    return at(traced, Cursor(TRAINING_STEP, Phase.BACKWARD, 6))


def middle(view: NetworkView, **wanted: object) -> QPoint:
    """Where something with this target is, the topmost."""
    for region in reversed(view.drawing.regions):
        if all(getattr(region.target, name) == value for name, value in wanted.items()):
            point = region.rect.center()
            if view.drawing.at(point) is region:
                return point.toPoint()
    raise AssertionError(f"nothing leads to {wanted}")


def click(view: NetworkView, **wanted: object) -> None:
    QTest.mouseClick(view, LEFT, NONE, middle(view, **wanted))


def test_a_click_goes_to_time_step_model_and_layer(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, state)
    click(view, model=1, time_step=7, node="c")
    place = store.state.place
    assert (place.model, place.cursor.time_step, place.cursor.phase) == (1, 7, Phase.BACKWARD)
    click(view, model=1, layer="l1", time_step=6)
    assert (store.state.place.cursor.layer, store.state.place.cursor.time_step) == ("l1", 6)
    assert view.drawing.texts["1 words 0"].endswith("layer 1 of 2")


def test_a_click_on_the_loss_goes_there(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, state)
    click(view, phase="loss", model=0)
    assert store.state.place.cursor.phase is Phase.LOSS


@pytest.mark.parametrize("phase", [Phase.FORWARD, Phase.BACKWARD])
def test_a_click_on_a_node_goes_to_its_operation(qtbot: QtBot, state: State, phase: Phase) -> None:
    state = at(state, Cursor(TRAINING_STEP, phase, 6), model=1)
    view, store = open_network(qtbot, state, (900, 640), level="inside")
    click(view, operation="f", node="f")
    assert store.state.place.cursor == Cursor(TRAINING_STEP, phase, 6, "l0", "f")
    lit = view.drawing.mark("node f")
    other = view.drawing.mark("node i")
    assert isinstance(lit, Box)
    assert isinstance(other, Box)
    assert lit.border == view.drawing.mark("node f").border  # type: ignore[union-attr]
    assert lit.border != other.border


def test_stepping_into_the_cell_looks_inside_and_out_again(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, state)
    store.go(to_operation, store.state.walkable, Phase.BACKWARD, "l0", "bias")
    assert store.state.look.level == "inside"
    assert "inside title" in view.drawing.texts
    store.go(to_model, 1)  # whose operations are others: still inside
    assert store.state.look.level == "inside"
    assert "LSTM" in view.drawing.texts["inside title"]
    store.go(to_operation, store.state.walkable, Phase.BACKWARD, "l0", "f")
    store.go(to_phase, store.state.walkable, None, 5)
    assert store.state.look.level == "unrolled"


def test_plus_and_minus_go_from_the_loop_to_the_cell_and_back(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, state)
    seen = [store.state.look.level]
    counts = [len([key for key in view.drawing.texts if key.startswith("t ")])]
    for key in (Qt.Key.Key_Plus,) * 6 + (Qt.Key.Key_Minus,) * 12:
        QTest.keyClick(view, key)
        if store.state.look.level != seen[-1]:
            seen.append(store.state.look.level)
        counts.append(len([key for key in view.drawing.texts if key.startswith("t ")]))
    assert seen == ["unrolled", "inside", "unrolled", "folded"]
    assert len({count for count in counts if count}) > 2, "closer: fewer time steps"
    QTest.keyClick(view, Qt.Key.Key_0)
    assert store.state.look.level == "unrolled"
    assert len([key for key in view.drawing.texts if key.startswith("t ")]) == counts[0]


def test_control_and_the_wheel_zoom(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, state, level="folded")
    centre = QPointF(view.rect().center())
    for _ in range(1):
        QApplication.sendEvent(view, wheel(centre, 120, CONTROL))
    assert store.state.look.level == "unrolled"
    first = [key for key in view.drawing.texts if key.startswith("t ")]
    QApplication.sendEvent(view, wheel(centre, -120, NONE))  # without: along the time
    assert [key for key in view.drawing.texts if key.startswith("t ")] != first
    assert store.state.place.cursor.time_step == 6


def wheel(point: QPointF, turned: int, held: Qt.KeyboardModifier) -> QWheelEvent:
    phase = Qt.ScrollPhase.NoScrollPhase
    return QWheelEvent(point, point, QPoint(), QPoint(0, turned), Qt.MouseButton.NoButton, held, phase, False)


def test_the_cursor_is_always_seen_with_what_left_out_said(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, at(state, Cursor(TRAINING_STEP, Phase.FORWARD, 1)), (560, 460), level="unrolled")
    for t in (1, 2, 7, 13, 12, 3):
        store.go(to_time_step, store.state.walkable, t)
        texts = view.drawing.texts
        steps = sorted(int(key[2:]) for key in texts if key.startswith("t "))
        assert t in steps
        assert steps == list(range(steps[0], steps[-1] + 1))
        assert texts.get("0 earlier", "0").split()[0] == str(steps[0] - 1)
        assert texts.get("0 later", "0").split()[-1] == str(13 - steps[-1])
        if 1 < t < 13:
            assert {t - 1, t + 1} <= set(steps), "what comes and where it goes is seen"


def test_the_menu_offers_what_if_and_origin(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, at(state, Cursor(TRAINING_STEP, Phase.BACKWARD, 6), model=1, unit=2))
    wishes: list[tuple[int, object]] = []
    view.what_if_wanted.connect(lambda model, wish: wishes.append((model, wish)))
    origins: list[bool] = []
    view.origin_wanted.connect(lambda: origins.append(True))
    point = middle(view, model=1, time_step=7, node="c")
    QApplication.sendEvent(view, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, view.mapToGlobal(point)))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    inner = next(each for each in menu.findChildren(QMenu) if each.title() == "What if, in net 2")
    next(action for action in inner.actions() if action.text().startswith("Switch unit 3 off from")).trigger()
    assert wishes == [(1, Clamp("l0", "c", 0.0, 7, unit=3))]
    next(action for action in menu.actions() if action.text() == "Where its gradient comes from").trigger()
    assert origins == [True]
    assert store.state.place.cursor.time_step == 7
    menu.close()


def test_hovered_weights_light_up_and_go_out_again(qtbot: QtBot, state: State) -> None:
    view, _ = open_network(qtbot, state, (1100, 600))
    point = middle(view, model=1, parameter="weight_hh", time_step=None)
    QTest.mouseMove(view, point)
    qtbot.waitUntil(lambda: "1 share 6" in view.drawing.texts)
    assert view.drawing.at(QPointF(point)) is not None
    QTest.mouseMove(view, QPoint(view.width() - 3, view.height() - 3))
    qtbot.waitUntil(lambda: "1 share 6" not in view.drawing.texts)


def test_a_weight_stays_lit_by_the_menu_key(qtbot: QtBot, state: State) -> None:
    view, _ = open_network(qtbot, at(state, Cursor(TRAINING_STEP, Phase.BACKWARD, 6), model=1), (1100, 600))
    point = view.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, point, view.mapToGlobal(point))
    QApplication.sendEvent(view, event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    inner = next(each for each in menu.findChildren(QMenu) if each.title() == "Light up")
    assert [action.text() for action in inner.actions()] == ["W_ih", "W_hh", "W_ho"]
    inner.actions()[1].trigger()
    menu.close()
    assert "1 share 6" in view.drawing.texts
    assert "0 share 6" in view.drawing.texts


def test_while_it_folds_what_both_have_moves(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, state)
    old = view.drawing
    store.change(look=setting(level="inside"))
    new = view.drawing
    assert between(old, new, 1.0) is new
    halfway = between(old, new, 0.5)
    both = {mark.key for mark in old.marks} & {mark.key for mark in new.marks}
    assert both
    for key in both:
        one, other, between_both = old.mark(key), new.mark(key), halfway.mark(key)
        if isinstance(one, Box) and isinstance(other, Box) and isinstance(between_both, Box):
            assert between_both.rect.center().y() == pytest.approx(
                (one.rect.center().y() + other.rect.center().y()) / 2, abs=0.1
            )


def test_folding_is_animated_unless_it_is_switched_off(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, state)
    view.grab()
    store.change(look=setting(level="folded"))
    assert view._before is None
    store.change(look=setting(animated=True))
    view.grab()
    store.change(look=setting(level="unrolled"))
    assert isinstance(view._before, Drawing)
    qtbot.waitUntil(lambda: view._before is None)


def test_without_a_trace_it_says_why(qtbot: QtBot, state: State) -> None:
    store = Store(replace(state, recorded=replace(state.recorded, traces=())))
    view = NetworkView(store)
    qtbot.addWidget(view)
    view.resize(700, 400)
    view.show()
    view.grab()
    assert view.spoken_parts() == []
    assert view.drawing.marks == []


def test_every_place_is_said_in_words(qtbot: QtBot, state: State) -> None:
    view, store = open_network(qtbot, state)
    for level in ("folded", "unrolled", "inside"):
        store.change(look=setting(level=level))
        assert view.spoken_parts()
        assert all(region.words for region in view.drawing.regions)
        assert all(region.target != Target() for region in view.drawing.regions)

"""The debugger's keys, buttons and menus on a finished run of two models: each goes there and comes back."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.core.numbers import short
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.equations import EquationsPanel
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.updating import update_at

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> App:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    return app


def place(app: App) -> tuple[Phase, int, str]:
    cursor = app.store.state.place.cursor
    return cursor.phase, cursor.time_step, cursor.operation


def test_into_goes_through_the_operations_and_out_behind_them(app: App) -> None:
    press(app, Qt.Key.Key_Right)
    press(app, Qt.Key.Key_M)  # from the vanilla network to the LSTM
    press(app, Qt.Key.Key_I, 5)
    assert place(app) == (Phase.FORWARD, 2, "f")
    assert "forget gate" in app.toolbar.cursor_label.text
    press(app, Qt.Key.Key_Right)  # over one operation, as deep as the cursor stands
    assert place(app) == (Phase.FORWARD, 2, "g")
    press(app, Qt.Key.Key_Left)
    press(app, Qt.Key.Key_O)
    assert place(app) == (Phase.FORWARD, 3, "")
    press(app, Qt.Key.Key_O, modifier=SHIFT)
    assert place(app) == (Phase.FORWARD, 2, "f")
    press(app, Qt.Key.Key_I, 5, SHIFT)
    assert place(app) == (Phase.FORWARD, 2, "")


def test_the_buttons_step_into_and_out(app: App, qtbot: QtBot) -> None:
    qtbot.mouseClick(app.toolbar.button("step_into"), Qt.MouseButton.LeftButton)
    assert place(app) == (Phase.FORWARD, 1, "W x")
    qtbot.mouseClick(app.toolbar.button("step_out"), Qt.MouseButton.LeftButton)
    assert place(app) == (Phase.FORWARD, 2, "")
    qtbot.mouseClick(app.toolbar.button("step_out"), Qt.MouseButton.LeftButton)
    assert place(app)[0] is Phase.LOSS


def test_end_and_home_are_taken_back(app: App) -> None:
    last = app.store.state.program.time_steps
    press(app, Qt.Key.Key_Right, 3)
    press(app, Qt.Key.Key_End)
    assert place(app) == (Phase.FORWARD, last, "")
    press(app, Qt.Key.Key_End, modifier=SHIFT)
    assert place(app) == (Phase.FORWARD, 4, "")
    press(app, Qt.Key.Key_Home)
    assert place(app) == (Phase.FORWARD, 1, "")
    press(app, Qt.Key.Key_Home, modifier=SHIFT)
    assert place(app) == (Phase.FORWARD, 4, "")
    press(app, Qt.Key.Key_End, 3)  # the end of the phase, then that of the next, and of the next
    assert place(app) == (Phase.BACKWARD, 1, "")


def test_out_of_the_last_phase_leads_to_the_training_step_before_and_back(app: App, qtbot: QtBot) -> None:
    captured = [int(step) for step in app.store.state.recorded.history.captured]
    assert app.store.state.place.cursor.training_step == captured[-1]
    press(app, Qt.Key.Key_O, 4)
    assert app.store.state.notices.message is not None  # no later training step
    assert "no later training step" in app.store.state.notices.message.sentence
    press(app, Qt.Key.Key_Home, modifier=CONTROL)
    assert app.store.state.notices.message is None
    press(app, Qt.Key.Key_O, modifier=SHIFT)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == captured[-2])
    assert app.store.state.place.cursor.phase is Phase.UPDATE
    press(app, Qt.Key.Key_O)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == captured[-1])
    assert place(app) == (Phase.FORWARD, 1, "")


def test_a_place_is_typed_and_a_wrong_one_is_told(app: App, qtbot: QtBot) -> None:
    press(app, Qt.Key.Key_T)
    qtbot.waitUntil(app.jump_field.isVisible)
    field = app.jump_field.field
    QTest.keyClicks(field, "step 0, t 7 backward h")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 0)
    assert app.store.state.place.cursor == Cursor(0, Phase.BACKWARD, 7, "l0", "h")
    app.window.activateWindow()  # which a screen does when a popup closes
    qtbot.waitUntil(app.window.isActiveWindow)
    press(app, Qt.Key.Key_T)
    assert field.text() == "step 0 t 7 backward l0 h"
    QTest.keyClicks(field, "t=99")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert app.jump_field.isVisible()
    assert "anted a time step from 1 to 12" in app.jump_field.note.text()
    field.setText("unit 99")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "anted a unit from 1 to 6" in app.jump_field.note.text()
    field.setText("lstm unit 3")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert (app.store.state.place.model, app.store.state.place.unit) == (1, 2)
    app.walker.go_to("unit 2")
    assert app.store.state.place.unit == 1
    app.walker.go_to("t=7")
    app.window.activateWindow()
    qtbot.waitUntil(app.window.isActiveWindow)
    press(app, Qt.Key.Key_T)
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert not app.jump_field.isVisible()
    assert app.store.state.place.cursor.time_step == 7


def test_the_menu_of_the_lanes_runs_to_a_time_step_and_back(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    lanes = app.contents.lanes
    press(app, Qt.Key.Key_Right, 5)

    def choose(words: str) -> None:
        spot = QPoint(lanes.width() * 3 // 4, 200)
        lanes.contextMenuEvent(QContextMenuEvent(QContextMenuEvent.Reason.Mouse, spot, lanes.mapToGlobal(spot)))
        menu = next(menu for menu in lanes.findChildren(QMenu) if menu.isVisible())
        entry = next(action for action in menu.actions() if action.text().startswith(words))
        entry.trigger()
        menu.close()

    choose("Run to time step")
    ahead = place(app)
    assert ahead[0] is Phase.FORWARD
    assert ahead[1] > 5
    press(app, Qt.Key.Key_End, 3)
    choose("Run back to time step")
    assert place(app) == (Phase.BACKWARD, ahead[1], "")


def test_a_click_on_a_row_chooses_unit_and_model(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    lanes = app.contents.lanes
    view = lanes._view
    lane = next(lane for lane in lanes._lanes if lane.key == "hidden" and lane.model == 1)
    y = lane.rect.top() + lane.rect.height() * 2.5 / 5  # the third of five units
    spot = view.mapFromScene(lanes._axis.x(4), y)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    state = app.store.state
    assert (state.place.model, state.place.unit, state.place.cursor.time_step) == (1, 2, 4)
    assert [each.map.marked_row for each in lanes._lanes if each.key == "hidden"] == [None, 2]


def equation(app: App) -> EquationsPanel:
    panel = app.window.findChild(EquationsPanel)
    assert panel is not None
    return panel


def test_into_the_loss_and_back_again(app: App) -> None:
    last = app.store.state.program.time_steps
    press(app, Qt.Key.Key_O)
    assert place(app) == (Phase.LOSS, last, "")
    head = app.store.state.recorded.traces[0].sample(0).head
    said = []
    for _ in range(5):
        press(app, Qt.Key.Key_I)
        said.append(app.toolbar.cursor_label.text.split("  ")[-1])
        symbols, numbers = equation(app).view.text.split("\n")[:2]
        if place(app)[2] == "loss":
            assert symbols.startswith("L_t = ")
            assert numbers.startswith(f"{short(float(head.losses[last - 1, 0]))} = ")
        elif place(app)[2] == "weight_grads":
            norm = float(np.linalg.norm(np.outer(head.prediction_grad[last - 1, 0], head.output[last - 1, 0])))
            assert numbers.startswith(f"‖(∂L/∂W_ho)|_t‖ {short(norm)}, ")
    assert said[0] == "predicted values"
    assert said[-1] == "gradient passed to the recurrent output"
    press(app, Qt.Key.Key_I)
    assert place(app) == (Phase.BACKWARD, last, "")
    press(app, Qt.Key.Key_I, 6, SHIFT)
    assert place(app) == (Phase.LOSS, last, "")
    press(app, Qt.Key.Key_I)
    press(app, Qt.Key.Key_O)
    assert place(app) == (Phase.BACKWARD, last, "")
    press(app, Qt.Key.Key_O, modifier=SHIFT)
    assert place(app) == (Phase.LOSS, last, "logits")


def test_into_the_update_whose_parameter_can_be_chosen(app: App, qtbot: QtBot) -> None:
    app.walker.go_to("step 0 update")
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 0)
    press(app, Qt.Key.Key_I, 2)
    assert app.toolbar.cursor_label.text == "Update  of W_hh  clip"
    panel = equation(app)
    panel.parameter.setCurrentIndex(panel.parameter.findText("W_ho"))
    panel.parameter.activated.emit(panel.parameter.currentIndex())
    assert app.toolbar.cursor_label.text == "Update  of W_ho  clip"
    app.walker.go_to("delta")
    update = update_at(app.store.state)
    assert update is not None
    gradient = update.find("head.weight", "gradient")
    delta = update.find("head.weight", "delta")
    assert gradient is not None
    assert delta is not None
    symbols, numbers = panel.view.text.split("\n")[:2]
    assert symbols.startswith("ΔW_ho = −η m̂_s")
    assert numbers.startswith(f"{short(float(delta.flat[np.abs(gradient).argmax()]))} = −0.01 · ")
    assert "not of the batch" in panel.view.text
    press(app, Qt.Key.Key_Left, 9)
    press(app, Qt.Key.Key_I, modifier=SHIFT)
    assert not panel.parameter.isVisible()


@pytest.mark.parametrize("newest", [True, False])
def test_what_adam_had_gathered_is_shown_where_it_was_kept_and_not_known_elsewhere(
    app: App, qtbot: QtBot, newest: bool
) -> None:
    step = int(app.store.state.recorded.history.captured[-1 if newest else 1])
    app.walker.go_to(f"step {step} update delta")
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == step)
    update = update_at(app.store.state)
    assert update is not None
    assert (update.unknown == "") == newest
    text = equation(app).view.text
    assert text.split("\n")[1].startswith("– = −0.01 · – /") == (not newest)
    assert ("is not kept in this run" in text) == (not newest)
    assert (update.find("weight_hh_l0", "exp_avg_before") is None) == (not newest)

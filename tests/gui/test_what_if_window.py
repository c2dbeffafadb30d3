"""What a person does on the what-if page: sets something by hand, looks, takes it back, keeps it, compares."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.core.sweeps.what_if.interventions import Clamp, CutGradient, SetInput, SetState, SetValue, SetWeight
from rnnviz.gui.canvas.lanes.shown import Shown, resolve
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.store import setting
from rnnviz.gui.whatif.what_if_bar import WhatIfBar
from rnnviz.gui.whatif.what_if_page import WhatIfPage

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def app(open_app: OpenApp, run_file: Path, tmp_path: Path, qtbot: QtBot) -> App:
    path = shutil.copy(run_file, tmp_path / "mine.rnnviz")
    app: App = open_app(Path(path))
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.traces))
    app.actions["page_what_if"].trigger()
    app.store.change(place=setting(model=1))
    return app


def page(app: App) -> WhatIfPage:
    assert app.contents is not None
    return app.contents.what_if


def bar(app: App) -> WhatIfBar:
    found = app.window.findChild(WhatIfBar)
    assert isinstance(found, WhatIfBar)
    return found


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def computed(app: App, qtbot: QtBot) -> Shown:
    qtbot.waitUntil(lambda: app.store.state.what_if is not None)
    return resolve(app.store.state)


def hold_forget_gate(app: App, value: str = "0.25", unit: str = "2") -> None:
    editor = page(app).editor
    editor.kind.setCurrentIndex(1)
    editor.kind.activated.emit(1)
    editor.quantity.setCurrentIndex(editor.quantity.findData("f"))
    for field, text in ((editor.unit, unit), (editor.value, value)):
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
    click(editor.button)


def test_history_stands_beside_what_is_set(app: App, qtbot: QtBot) -> None:
    assert bar(app).isHidden()
    press(app, Qt.Key.Key_Right, 3)
    hold_forget_gate(app)
    shown = computed(app, qtbot)
    assert bar(app).isVisible()
    assert bar(app).words.text == "What-if: not history LSTM: f[4…T, 2] of l0 = 0.25"
    assert [model.name for model in shown.models] == ["LSTM", "LSTM, what-if"]
    history, changed = (model.gate("f") for model in shown.models)
    recorded = app.store.state.recorded.traces[1]
    assert recorded is not None
    np.testing.assert_allclose(history, recorded.layer("l0").gates["f"][:, 0], atol=1e-6)
    assert (changed[3:, 1] == 0.25).all()
    np.testing.assert_array_equal(changed[:3], history[:3])
    assert shown.models[0].color != shown.models[1].color
    assert "forget gate of unit 2" in page(app).result.text()
    app.window.resize(1280, 800)
    lanes = app.contents.lanes  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: lanes._lanes[-1].rect.bottom() <= lanes._view.height())
    assert lanes._lanes[-1].key == "gradient"
    assert lanes._view.verticalScrollBar().maximum() == 0
    assert "prediction" in {lane.key for lane in lanes._lanes}


def test_the_difference_is_zero_before_what_was_set(app: App, qtbot: QtBot) -> None:
    press(app, Qt.Key.Key_Right, 3)
    hold_forget_gate(app)
    computed(app, qtbot)
    click(page(app).difference)
    changed = resolve(app.store.state).models[1]
    assert not changed.state("h")[:3].any()
    assert changed.state("h")[3:, 1].any()
    click(page(app).difference)
    assert resolve(app.store.state).models[1].base is None


def test_undo_redo_and_discard(app: App, qtbot: QtBot) -> None:
    hold_forget_gate(app, "0.25")
    hold_forget_gate(app, "0.75", "1")
    app.window.setFocus()
    press(app, Qt.Key.Key_Z, modifier=CONTROL)
    assert [one.words for one in app.store.state.trial.whatif.interventions] == ["f[1…T, 2] of l0 = 0.25"]
    press(app, Qt.Key.Key_Z, modifier=CONTROL | SHIFT)
    assert len(app.store.state.trial.whatif.interventions) == 2
    click(bar(app).back)
    assert bar(app).isHidden()
    assert [model.name for model in resolve(app.store.state).models] == ["Vanilla", "LSTM"]
    click(page(app).undo)
    assert bar(app).isVisible()
    computed(app, qtbot)


def test_a_wrong_unit_is_refused_in_words(app: App) -> None:
    hold_forget_gate(app, unit="77")
    assert not app.store.state.trial.whatif.active
    assert page(app).editor.problem.text() == "The unit must be a whole number from 1 to 5, not “77”, nor “all”."
    hold_forget_gate(app, unit="5")
    assert app.store.state.trial.whatif.active
    assert page(app).editor.problem.isHidden()


def test_a_variant_is_kept_compared_with_and_opened(app: App, qtbot: QtBot) -> None:
    hold_forget_gate(app, "0.25")
    QTest.keyClicks(page(app).name, "forgets")
    click(page(app).keep)
    hold_forget_gate(app, "0.75")
    against = page(app).against
    against.activated.emit(against.findData("forgets"))
    shown = computed(app, qtbot)
    assert [model.name for model in shown.models] == ["LSTM, forgets", "LSTM, what-if"]
    assert (shown.models[0].gate("f")[:, 1] == 0.25).all()
    assert (shown.models[1].gate("f")[:, 1] == 0.75).all()
    app.whatifs.open("forgets")
    qtbot.waitUntil(lambda: bool((resolve(app.store.state).models[1].gate("f")[:, 1] == 0.25).all()))


def test_every_kind_can_be_set(app: App, qtbot: QtBot) -> None:
    press(app, Qt.Key.Key_Right, 3)
    editor, set_last = page(app).editor, list[type]()
    for number in range(editor.kind.count()):
        editor.kind.setCurrentIndex(number)
        editor.kind.activated.emit(number)
        click(editor.button)
        assert editor.problem.isHidden(), editor.problem.text()
        set_last.append(type(app.store.state.trial.whatif.interventions[-1]))
    assert set_last == [SetValue, *[Clamp] * 5, CutGradient, SetState, SetInput, SetWeight]
    computed(app, qtbot)
    found = app.store.state.what_if
    assert found is not None
    assert not found.trouble
    assert found.changed is not None
    layer = found.changed.layer("l0")
    assert not layer.h[3:].any()
    assert not layer.weights["weight_ih"].any()


def test_another_sequence_is_recomputed_with_the_same(app: App, qtbot: QtBot) -> None:
    hold_forget_gate(app)
    computed(app, qtbot)
    app.window.setFocus()
    press(app, Qt.Key.Key_BracketRight)
    shown = computed(app, qtbot)
    recorded = app.store.state.recorded.traces[1]
    assert recorded is not None
    assert app.store.state.place.sample == 1
    np.testing.assert_allclose(shown.models[0].gate("f"), recorded.layer("l0").gates["f"][:, 1], atol=1e-6)


def choose_kind(app: App, kind: str) -> None:
    choice = page(app).editor.kind
    choice.setCurrentIndex(choice.findData(kind))
    choice.activated.emit(choice.currentIndex())


def test_the_forget_gate_is_held_over_the_whole_sequence_in_one_go(app: App, qtbot: QtBot) -> None:
    press(app, Qt.Key.Key_Right, 3)
    editor = page(app).editor
    choose_kind(app, "whole")
    editor.quantity.setCurrentIndex(editor.quantity.findData("f"))
    editor.value.setFocus()
    editor.value.selectAll()
    QTest.keyClicks(editor.value, "1")
    QTest.keyClick(editor.value, Qt.Key.Key_Return)
    assert (computed(app, qtbot).models[1].gate("f") == 1).all()
    app.window.setFocus()
    press(app, Qt.Key.Key_Z, modifier=CONTROL)
    assert not app.store.state.trial.whatif.active


def test_a_range_of_time_steps_is_held(app: App, qtbot: QtBot) -> None:
    editor = page(app).editor
    choose_kind(app, "range")
    editor.quantity.setCurrentIndex(editor.quantity.findData("o"))
    for field, text in ((editor.unit, "4"), (editor.first, "3"), (editor.last, "7"), (editor.value, "0.5")):
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
    click(editor.button)
    assert app.store.state.trial.whatif.interventions == (Clamp("l0", "o", 0.5, 3, 7, 4),)
    held = computed(app, qtbot).models[1].gate("o")[:, 3] == 0.5
    assert held[2:7].all()
    assert not held[[0, 1, 7, 8]].any()
    editor.first.setText("8")
    click(editor.button)
    assert editor.problem.text().startswith("Until must be a whole number from 8 to")


def test_the_menu_of_a_lane_sets_a_gate_or_switches_a_unit_off(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    lanes = app.contents.lanes
    app.store.change(place=setting(model=0), look=setting(page="cursor"))
    lane = next(lane for lane in lanes._lanes if lane.key == "gates: f" and lane.model == 1)

    def entries(time_step: int, row: float) -> dict[str, QAction]:
        for menu in lanes.findChildren(QMenu):
            menu.close()
        y = lane.rect.top() + lane.rect.height() * (row + 0.5) / 5
        spot = lanes._view.mapTo(lanes, lanes._view.mapFromScene(lanes._axis.x(time_step), y))
        lanes.contextMenuEvent(QContextMenuEvent(QContextMenuEvent.Reason.Mouse, spot, lanes.mapToGlobal(spot)))
        menu = next(menu for menu in lanes.findChildren(QMenu) if menu.isVisible() and menu.parent() is lanes)
        inner = menu.findChild(QMenu)
        assert inner is not None
        assert inner.title() == "What if, in LSTM"
        return {action.text(): action for action in inner.actions()}

    entries(4, 2)["Set the forget gate to 1 over the whole sequence"].trigger()
    state = app.store.state
    assert (state.place.model, state.look.page) == (1, "what_if")
    assert state.trial.whatif.interventions == (Clamp("l0", "f", 1.0),)
    lane = next(lane for lane in lanes._lanes if lane.key == "gates: f" and lane.model == 1)
    entries(4, 2)["Switch unit 3 off from time step 4"].trigger()
    assert app.store.state.trial.whatif.interventions[-1] == Clamp("l0", "f", 0.0, 4, unit=3)
    computed(app, qtbot)
    app.whatifs.discard()
    lane = next(lane for lane in lanes._lanes if lane.key == "gates: f" and lane.model == 1)
    entries(5, 1)["Another value or other time steps …"].trigger()
    editor = page(app).editor
    assert (editor.kind.currentData(), editor.quantity.currentData(), editor.unit.text()) == ("range", "f", "2")
    for menu in lanes.findChildren(QMenu):
        menu.close()


def test_what_is_set_is_copied_and_pasted_as_text(app: App, qtbot: QtBot) -> None:
    hold_forget_gate(app, "0.1234567891234", "2")
    hold_forget_gate(app, "0.75", "1")
    wanted = app.store.state.trial.whatif.interventions
    click(page(app).copy)
    assert QApplication.clipboard().text() == "f[1…T, 2] of l0 = 0.1234567891234\nf[1…T, 1] of l0 = 0.75"
    click(page(app).discard)
    click(page(app).paste)
    assert app.store.state.trial.whatif.interventions == wanted
    click(page(app).undo)  # both at once
    assert not app.store.state.trial.whatif.active
    QApplication.clipboard().setText("f[1…T, 9] of l0 = 1")
    click(page(app).paste)
    assert "the unit must be from 1 to 5, not 9" in app.message_bar.sentence
    QApplication.clipboard().setText("good morning")
    click(page(app).paste)
    assert 'anted a line such as "f[1…T, 7] of l0 = 1", got "good morning"' in app.message_bar.sentence

"""What a gradient is made of, as a person reads it and walks along it."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press

from rnnviz.core.numbers import short
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.cursor.origin_page import OriginPage
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.store import setting


@pytest.fixture
def app(open_app: OpenApp, run_file: Path, qtbot: QtBot) -> App:
    app: App = open_app(run_file)
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.traces))
    app.store.change(place=setting(model=1, unit=1))
    press(app, Qt.Key.Key_Right, 3)
    app.actions["page_origin"].trigger()
    return app


def page(app: App) -> OriginPage:
    assert app.contents is not None
    return app.contents.origin


def value(app: App) -> float:
    """∂L/∂h at the cursor of the unit and model looked at."""
    state = app.store.state
    trace = state.recorded.traces[state.place.model]
    assert trace is not None
    layer = trace.layer(state.place.cursor.layer)
    return float(layer.hidden_grad[state.place.cursor.time_step - 1, state.place.sample, state.place.unit])


def told(app: App, qtbot: QtBot) -> None:
    place = app.store.state.place
    words = f"LSTM: ∂L/∂h[{place.cursor.time_step}, {place.unit + 1}] of l0 = {short(value(app))}"
    qtbot.waitUntil(lambda: page(app).place.text() == words)


def test_the_parts_of_the_value_at_the_cursor(app: App, qtbot: QtBot) -> None:
    told(app, qtbot)
    losses, paths, units = page(app).lists
    assert losses.buttons[0].text() == "L at t = 12"
    assert not losses.buttons[1].isVisible()
    assert any(button.text() == "through the forget gate at t = 5" for button in paths.buttons)
    assert units.buttons[0].text().endswith("at t = 5")
    assert not units.buttons[5].isHidden() or units.rest.isHidden()
    found = page(app)._found
    assert found is not None
    for shown, parts in ((losses, found.losses), (paths, found.paths), (units, found.units)):
        values = [part.value for part in parts]
        ratio = sum(map(abs, values)) / abs(sum(values))
        assert shown.cancelling.text() == (f"sizes add up to {short(ratio)}× the value" if ratio >= 1.05 else "")
    rest = [part.value for part in found.paths[6:]]
    share = sum(map(abs, rest)) / sum(abs(part.value) for part in found.paths)
    words = f"{len(rest)} more, together {short(sum(rest))}, {share:.0%}"
    if len(rest) > 1 and (ratio := sum(map(abs, rest)) / abs(sum(rest))) >= 1.05:
        words += f"; sizes add up to {short(ratio)}× that"
    assert paths.rest.isHidden() or paths.rest.text() == words
    press(app, Qt.Key.Key_Right)
    told(app, qtbot)


def test_a_click_walks_to_where_the_gradient_came_from(app: App, qtbot: QtBot) -> None:
    told(app, qtbot)
    page(app).of.activated.emit(0)
    leads_to = page(app)._found
    assert leads_to is not None
    first = leads_to.units[0].leads_to
    QTest.mouseClick(page(app).lists[2].buttons[0], Qt.MouseButton.LeftButton)
    cursor = app.store.state.place.cursor
    assert first is not None
    assert (cursor.phase, cursor.time_step, app.store.state.place.unit) == (Phase.BACKWARD, 5, first.unit - 1)
    qtbot.waitUntil(lambda: first.words in page(app).place.text())
    QTest.mouseClick(page(app).lists[0].buttons[0], Qt.MouseButton.LeftButton)
    assert app.store.state.place.cursor.phase is Phase.LOSS


def test_a_what_if_is_told_as_such(app: App, qtbot: QtBot) -> None:
    told(app, qtbot)
    assert app.contents is not None
    app.actions["page_what_if"].trigger()
    app.contents.what_if.editor.kind.set_value("cut")
    app.contents.what_if.editor.press()
    app.actions["page_origin"].trigger()
    qtbot.waitUntil(lambda: page(app).place.text() == "LSTM, what-if: ∂L/∂h[4, 2] of l0 = 0")


def test_the_heads_gradients_are_told_too(app: App, qtbot: QtBot) -> None:
    told(app, qtbot)
    origin = page(app)
    trace = app.store.state.recorded.traces[1]
    assert trace is not None
    head = trace.sample(0).head
    assert head is not None
    for name, words in (("W_ho", f"LSTM: ∂L/∂W_ho[1, 2] = {short(float(head.weight_grads['weight'][0, 1]))}"),
                        ("y", "LSTM: ∂L/∂y[4, 1] = 0")):  # fmt: skip
        origin.of.setCurrentIndex(origin.of.findData(name))
        origin.of.activated.emit(origin.of.currentIndex())
        qtbot.waitUntil(lambda words=words: origin.place.text() == words)
        if name == "W_ho":
            QTest.mouseClick(origin.lists[0].buttons[0], Qt.MouseButton.LeftButton)
            cursor = app.store.state.place.cursor
            assert (cursor.phase, cursor.time_step) == (Phase.LOSS, app.store.state.program.time_steps)
            app.walker.go_to("forward t 4")

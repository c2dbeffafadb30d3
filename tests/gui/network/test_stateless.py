"""Networks that carry nothing, in the window: no arrow in time, no row and no what-if of what there is not; and one
whose output goes back instead of its hidden units."""

import numpy as np
import pytest
from held_by_lanes import lanes_of, offered, plot_of
from open_lanes import open_lanes
from open_network import at, open_network
from pytestqt.qtbot import QtBot
from traced_states import TRAINING_STEP, traced_state

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.canvas.lanes.selection import lane_slots
from rnnviz.gui.canvas.lanes.shown import resolve
from rnnviz.gui.cursor.value_rows import value_rows
from rnnviz.gui.experiment.model_card import ModelCard, summary
from rnnviz.gui.network.drawing import Line, Strip
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting
from rnnviz.gui.whatif.what_if_editor import WhatIfEditor

WINDOW = 4
VANILLA, MLP = Structure("vanilla", 1, 5), Structure("mlp", 1, 6, activation="relu")
TDNN = Structure("tdnn", 1, 5, window=WINDOW)
JORDAN = Structure("jordan", 1, 6, proj_size=3)


def traced(*structures: Structure) -> State:
    return traced_state("characters", structures, gains=(1.1, 1.4, 1.2)[: len(structures)]).state


@pytest.mark.parametrize("phase", [Phase.FORWARD, Phase.BACKWARD])
@pytest.mark.parametrize("level", ["unrolled", "folded"])
def test_no_arrow_leads_to_the_next_time_step(qtbot: QtBot, phase: Phase, level: str) -> None:
    state = at(traced(VANILLA, MLP, TDNN), Cursor(TRAINING_STEP, phase, 6))
    view, _ = open_network(qtbot, state, (1200, 700), level=level)
    texts = view.drawing.texts
    lines = [mark.key for mark in view.drawing.marks if "h weights" in mark.key or "arrow loop" in mark.key]
    assert lines
    assert all(key.startswith("0 ") for key in lines)
    nothing = [key for key, text in texts.items() if text == "nothing is carried"]
    assert {key[0] for key in nothing} == {"1", "2"}
    if level == "unrolled":
        assert texts["2 window words"] == "x_{3…6}"
        assert "1 window words" not in texts
    else:
        assert texts["2 x"] == "x_{3…6}"
        assert texts["1 x"] == "x_{6}"


def test_at_the_start_the_window_holds_what_there_is(qtbot: QtBot) -> None:
    view, _ = open_network(qtbot, at(traced(TDNN), Cursor(TRAINING_STEP, Phase.FORWARD, 2)), (1200, 400))
    assert view.drawing.texts["0 window words"] == "x_{1…2}"


def test_the_inside_has_no_state(qtbot: QtBot) -> None:
    state = at(traced(TDNN), Cursor(TRAINING_STEP, Phase.FORWARD, 6))
    view, _ = open_network(qtbot, state, (1200, 500), level="inside")
    texts = view.drawing.texts
    assert texts["x"].startswith("X_{6}: x_{3…6}")
    assert not [key for key in texts if key.startswith(("before", "after"))]
    assert texts["node h symbol"] == "h_{6}"


def test_the_input_gradient_ends_where_the_window_does(qtbot: QtBot) -> None:
    state = traced_state("adding", (VANILLA, MLP, TDNN), gains=(1.1, 1.4, 1.2)).state
    assert "input_gradient" in offered(state)
    stack, _ = open_lanes(qtbot, state)
    lane = next(lane for lane in lanes_of(stack) if lane.slot.key == "input_gradient")
    drawn = [np.flatnonzero(np.isfinite(line.values)) + 1 for line in plot_of(lane).lines]
    last = 13  # the loss of this sequence
    assert [list(steps) for steps in drawn[1:]] == [[last], list(range(last - WINDOW + 1, last + 1))]
    assert list(drawn[0]) == list(range(1, last + 1))
    for structures, on in (((VANILLA, MLP), True), ((VANILLA,), False)):
        assert ("input_gradient" in {slot.key for slot in lane_slots(resolve(traced(*structures)))}) is on


def sequences(state: State) -> list[Trace]:
    return [trace.sample(0) for trace in state.recorded.traces if trace is not None]


def test_rows_of_what_is_carried() -> None:
    alone = {row.key: row for row in value_rows(sequences(traced(MLP, TDNN)), "l0", 5)}
    assert alone["hidden"].words == "hidden units"
    assert {"hidden_grad", "direct_grad"} <= set(alone)
    assert "carried_grad" not in alone
    assert "carried_grad" in {row.key for row in value_rows(sequences(traced(VANILLA, MLP)), "l0", 5)}


def test_what_if_offers_no_state(qtbot: QtBot) -> None:
    editor = WhatIfEditor()
    qtbot.addWidget(editor)
    state = traced(VANILLA, MLP)
    for model, there in ((0, True), (1, False), (0, True)):
        editor.show_state(at(state, Cursor(TRAINING_STEP, Phase.FORWARD, 3), model=model))
        kinds = {editor.kind.itemData(index) for index in range(editor.kind.count())}
        assert ({"cut", "state"} <= kinds) is there
        assert {"value", "input", "weight"} <= kinds
        assert [editor.quantity.itemData(index) for index in range(editor.quantity.count())] == ["h", "a"]


def test_the_form_offers_a_window_and_no_directions(qtbot: QtBot) -> None:
    card = ModelCard(ModelSettings("One", "tdnn"))
    qtbot.addWidget(card)
    assert not card.rows["bidirectional"].isVisibleTo(card)
    assert summary(card.settings) == "window 5, tanh, 12 units"
    card.header.click()
    assert card.rows["window"].isVisibleTo(card)
    assert not card.rows["bidirectional"].isVisibleTo(card)
    card.set_settings(card.settings.with_cell("gru"))
    assert card.rows["bidirectional"].isVisibleTo(card)
    assert not card.rows["window"].isVisibleTo(card)


def test_the_arrow_of_a_jordan_network_leads_from_its_output(qtbot: QtBot) -> None:
    state = at(traced(JORDAN), Cursor(TRAINING_STEP, Phase.BACKWARD, 5))
    view, store = open_network(qtbot, state, (1200, 500), level="unrolled")
    drawing, layer = view.drawing, sequences(state)[0].layers[0]
    assert "6 units" in drawing.texts["0 words 1"]
    came = layer.grad("a")[5, 0] @ layer.weights["weight_hh"]
    assert drawing.texts["0 y weights 5 size"] == short(float(np.linalg.norm(came.astype(np.float64))))
    assert not [key for key in drawing.texts if key.startswith("0 h weights")]
    line, y, h = (drawing.mark(key) for key in ("0 y weights 5", "0 y 5", "0 h 5"))
    assert isinstance(line, Line)
    assert isinstance(y, Strip)
    assert isinstance(h, Strip)
    assert y.rect.top() - 4 <= line.points[0].y() <= y.rect.bottom() + 4 < h.rect.top()
    store.change(look=setting(level="folded"))
    loop, y = view.drawing.mark("0 arrow loop"), view.drawing.mark("0 y 5")
    assert isinstance(loop, Line)
    assert isinstance(y, Strip)
    assert y.rect.top() <= loop.points[-1].y() <= y.rect.bottom()  # backward: it ends where it begins forward


def test_the_rows_of_a_jordan_network() -> None:
    state = traced(VANILLA, JORDAN)
    rows = {row.key: row for row in value_rows(sequences(state), "l0", 5)}
    assert [rows[key].symbol for key in ("hidden", "output", "hidden_grad", "output_grad")] == [
        "‖h_{5}‖", "‖y_{5}‖", "‖∂L/∂h_{5}‖", "‖∂L/∂y_{5}‖"
    ]  # fmt: skip
    assert "carried_grad" in rows


def test_no_layers_are_offered_of_a_jordan_network(qtbot: QtBot) -> None:
    card = ModelCard(ModelSettings("One", "jordan"))
    qtbot.addWidget(card)
    card.header.click()
    shown = {key for key, row in card.rows.items() if row.isVisibleTo(card)}
    assert {"activation", "hidden_size"} <= shown
    assert not {"num_layers", "bidirectional"} & shown


def test_a_card_says_in_one_line_what_its_model_is() -> None:
    settings = ModelSettings("One", "gru", 1, num_layers=2, residual=True, dropout=0.2, attention=True)
    assert summary(settings) == "1 unit, 2 layers, residual connections, dropout 0.2, attention"

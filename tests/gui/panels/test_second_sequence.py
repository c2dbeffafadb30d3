"""Every page of the right column reads the sequence, the model and the layer that are looked at, not the first ones."""

from collections.abc import Iterator

import numpy as np
import pytest
from flat_state import update
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from traced_states import LENGTHS, TRAINING_STEP, traced_state

from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import Layer
from rnnviz.core.sweeps.what_if.interventions import SetValue
from rnnviz.debugger.changes import what_changed_in_time
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.equations import EquationsPanel
from rnnviz.gui.cursor.origin_page import OriginPage
from rnnviz.gui.cursor.variables_page import VariablesPage
from rnnviz.gui.cursor.what_changed import WhatChanged
from rnnviz.gui.state.store import Store
from rnnviz.gui.stepping.cursor_label import place_words
from rnnviz.gui.whatif.what_if_commands import WhatIfs

MODEL, SAMPLE, UNIT, LAYER = 1, 1, 2, "l1_reverse"
STRUCTURES = Structure("gru", 0, 5), Structure("lstm", 0, 4, 2, True)


@pytest.fixture
def store() -> Store:
    store = Store(traced_state("characters", STRUCTURES, LAYER, seed=41).state)
    cursor = Cursor(TRAINING_STEP, Phase.FORWARD, 16, layer=LAYER)
    update(store, sample=SAMPLE, model=MODEL, unit=UNIT, cursor=cursor)
    return store


@pytest.fixture
def layer(store: Store) -> Layer:
    trace = store.state.recorded.traces[MODEL]
    assert trace is not None
    return trace.layer(LAYER)


@pytest.mark.parametrize("time_step", [1, 14, LENGTHS[SAMPLE]])
def test_the_numbers_of_an_equation(qtbot: QtBot, store: Store, layer: Layer, time_step: int) -> None:
    panel = EquationsPanel(store)
    qtbot.addWidget(panel)
    for phase, operation, values in (
        (Phase.FORWARD, "f", layer.gates["f"]),
        (Phase.BACKWARD, "c", layer.cell_grad),
        (Phase.FORWARD, "h", layer.h),
    ):
        assert values is not None
        update(store, cursor=Cursor(TRAINING_STEP, phase, time_step, LAYER, operation))
        numbers = panel.view.text.split("\n")[1]
        assert numbers.startswith(f"{short(float(values[time_step - 1, SAMPLE, UNIT]))} = "), (phase, operation)


@pytest.mark.parametrize("time_step", [1, 14, LENGTHS[SAMPLE]])
def test_the_arrays_of_the_variables(qtbot: QtBot, store: Store, layer: Layer, time_step: int) -> None:
    page = VariablesPage(store)
    qtbot.addWidget(page)
    page.show()
    update(store, cursor=Cursor(TRAINING_STEP, Phase.FORWARD, time_step, layer=LAYER))
    (top,) = page.tree.findItems("layer 1, reverse", Qt.MatchFlag.MatchContains)
    for words, values in (("forget gate", layer.gates["f"]), ("cell state", layer.c), ("input", layer.x)):
        row = next(top.child(n) for n in range(top.childCount()) if words in top.child(n).text(0))
        found = page.known(page.tree.indexFromItem(row))
        assert found is not None
        assert values is not None
        np.testing.assert_array_equal(found[0], values[time_step - 1, SAMPLE])


@pytest.fixture
def origin(qtbot: QtBot, store: Store) -> Iterator[OriginPage]:
    page = OriginPage(store)
    qtbot.addWidget(page)
    update(store, page="origin")
    page.show()
    yield page
    assert page.explaining.stop()


@pytest.mark.parametrize("unit", [UNIT, -1])
@pytest.mark.parametrize("time_step", [2, 18])
def test_what_a_gradient_is_made_of(
    qtbot: QtBot, store: Store, layer: Layer, origin: OriginPage, unit: int, time_step: int
) -> None:
    """Without a unit it is of the one with the largest gradient."""
    update(store, unit=unit, cursor=Cursor(TRAINING_STEP, Phase.BACKWARD, time_step, layer=LAYER))
    gradient = layer.hidden_grad[time_step - 1, SAMPLE]
    shown = unit if unit >= 0 else int(np.argmax(np.abs(gradient)))
    words = f"net 2: ∂L/∂h[{time_step}, {shown + 1}] of l1_reverse = {short(float(gradient[shown]))}"
    qtbot.waitUntil(lambda: origin.place.text() == words)


def test_what_changed_and_which_sequence_it_is(qtbot: QtBot, store: Store, layer: Layer) -> None:
    changed = WhatChanged(store)
    qtbot.addWidget(changed)
    for time_step in (15, 14):
        update(store, cursor=Cursor(TRAINING_STEP, Phase.FORWARD, time_step, layer=LAYER))
        assert changed.sentence.text() == what_changed_in_time(layer, time_step + 1, time_step, False, SAMPLE)
    assert changed.sentence.text() != what_changed_in_time(layer, 15, 14, False, 0)
    words = ("Forward", f"time step 14 of {LENGTHS[SAMPLE]}", "layer 1, reverse · sequence 2 of 2")
    assert place_words(store.state) == words


def test_what_is_set_by_hand_belongs_to_what_is_looked_at(store: Store) -> None:
    held: list[int] = []
    WhatIfs(store, held.append).add(SetValue(LAYER, "h", 4, 0.85, 2))
    whatif = store.state.trial.whatif
    assert (whatif.training_step, whatif.model, whatif.sample) == (TRAINING_STEP, MODEL, SAMPLE)
    assert held == [TRAINING_STEP]


@pytest.mark.parametrize("other", [False, True])
def test_what_was_taken_back_is_done_again_for_its_own_model_only(store: Store, other: bool) -> None:
    whatifs = WhatIfs(store, lambda _: None)
    first, second = SetValue(LAYER, "h", 4, 0.85, 2), SetValue(LAYER, "h", 9, -0.3, 1)
    whatifs.add(first)
    whatifs.discard()
    update(store, model=1 - MODEL if other else MODEL)
    whatifs.add(second)
    assert store.state.trial.whatif.model == (1 - MODEL if other else MODEL)
    whatifs.undo()
    assert not store.state.trial.whatif.active
    whatifs.undo()
    assert store.state.trial.whatif.interventions == (() if other else (first,))


def test_there_is_no_equation_without_a_trace(qtbot: QtBot, store: Store) -> None:
    panel, traces = EquationsPanel(store), store.state.recorded.traces
    qtbot.addWidget(panel)
    for shown in ((None, None), traces, (None, None)):
        update(store, traces=shown)
        assert panel.isHidden() == (shown is not traces)

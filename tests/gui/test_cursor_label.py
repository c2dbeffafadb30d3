"""The cursor's place in words: whole, whatever the phase, the layer and the operation are called."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from traced_states import traced_state

from rnnviz.core.equations.operations import operations
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.places import to_parameter
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.stepping.cursor_label import CursorLabel

STRUCTURES = (
    Structure("vanilla", 0, 4),
    Structure("lstm", 0, 5, 2, True, proj_size=3),
    Structure("gru", 0, 4, 2, True),
)


@pytest.mark.parametrize("model", range(3))
def test_nothing_of_the_place_is_cut(qtbot: QtBot, model: int) -> None:
    store = Store(
        traced_state("characters", (STRUCTURES[model], STRUCTURES[2]), STRUCTURES[model].layer_names[-1]).state
    )
    label = CursorLabel(store)
    qtbot.addWidget(label)
    label.show()
    qtbot.waitExposed(label)
    keys = ["", *(each.key for each in operations(store.state.run.models[0].structure))]
    for phase in (Phase.FORWARD, Phase.BACKWARD):
        for layer in STRUCTURES[model].layer_names:
            for key in keys:
                store.change(place=setting(cursor=Cursor(42, phase, 12, layer=layer, operation=key)))
                label.layout().activate()
                assert "…" not in label.text, label.text
                assert ("t = 12 of 13" if key else "time step 12 of 13") in label.text  # beside a layer
                for part in label.findChildren(QLabel):
                    if part.text():
                        metrics = QFontMetrics(part.font())
                        assert part.width() >= metrics.horizontalAdvance(part.text()), (part.text(), label.text)
                        assert label.rect().contains(part.geometry()), part.text()
                        assert part.height() >= metrics.tightBoundingRect(part.text()).height()


@pytest.mark.parametrize("kind", ["characters", "values"])
def test_inside_the_loss_and_the_update_it_says_where_and_nothing_is_cut(qtbot: QtBot, kind: str) -> None:
    store = Store(traced_state(kind, (STRUCTURES[1], STRUCTURES[2])).state)
    label = CursorLabel(store)
    qtbot.addWidget(label)
    label.show()
    qtbot.waitExposed(label)
    said = []
    for phase in (Phase.LOSS, Phase.UPDATE):
        for key in store.state.program.operations_in(phase):
            store.change(place=setting(cursor=Cursor(42, phase, 12, layer="l0", operation=key)))
            said.append(label.text)
            assert "…" not in label.text
    assert said[0] == f"Loss  time step 12 of 13  {'logits' if kind == 'characters' else 'predicted values'}"
    assert "Update  of W_hh  clip" in said
    assert len(said) == len(set(said)) > 10
    store.go(to_parameter, "head.weight")
    assert label.text == "Update  of W_ho  weights after the update"


def test_where_the_gradient_is_cut_it_says_so(qtbot: QtBot) -> None:
    traced = traced_state("adding", (STRUCTURES[2], STRUCTURES[2]))
    cut = np.isin(np.arange(1, 20), (4, 9))
    traces = tuple(rebuild(capture.with_call(cut=cut)) for capture in traced.captures)
    store = Store(replace(traced.state, recorded=replace(traced.state.recorded, traces=traces)))
    label = CursorLabel(store)
    qtbot.addWidget(label)
    said = {}
    for layer, t in (("l0", 9), ("l0", 10), ("l0", 11), ("l0_reverse", 9), ("l0_reverse", 10)):
        for phase in (Phase.FORWARD, Phase.BACKWARD):
            store.change(place=setting(cursor=Cursor(42, phase, t, layer=layer)))
            said[phase, layer, t] = label.text
    assert {place: "cut here" in words for place, words in said.items() if "cut here" in words} == {
        (Phase.BACKWARD, "l0", 10): True
    }
    assert "beyond the cut" in said[Phase.BACKWARD, "l0_reverse", 9]
    assert "beyond the cut" not in said[Phase.BACKWARD, "l0", 10] + said[Phase.FORWARD, "l0", 9]
    store.change(place=setting(cursor=Cursor(42, Phase.ACCUMULATE, 10)))
    assert "summed over 4" in label.text

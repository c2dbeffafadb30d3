"""Two paths of the LSTM: the curves are core's paths, of all losses or of one; cells without a cell state say so."""

import numpy as np
import pytest
from open_gradients import frame_of, open_gradients, wait_until_found
from plain_states import plain_state
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.paths import paths
from rnnviz.core.structure import Structure
from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.gradients.plots.marks import Curve
from rnnviz.gui.widgets.fields import Choice


def values(frame: CardFrame, key: str) -> Array:
    found = frame.drawing.mark(key)
    assert isinstance(found, Curve)
    assert found.values is not None
    return found.values


def test_paths_are_those_of_all_losses_or_of_the_loss_looked_at(qtbot: QtBot) -> None:
    structures = Structure("lstm", 1, 4), Structure("vanilla", 1, 4), Structure("lstm", 1, 3, num_layers=2)
    state = plain_state(structures, 15, (1.2, 1.0, 1.5))
    view, _ = open_gradients(qtbot, state, ["paths"], losses="unit", loss=11)
    for number in (0, 2):
        layer = view.shown.models[number].layer
        assert layer is not None
        frame, found = frame_of(view, "paths", number), paths(layer)
        for key, wanted in (("h", found.hidden_all), ("c", found.cell_all), ("c alone", found.cell_alone)):
            assert values(frame, key) == pytest.approx(np.log10(wanted))
    assert [frame.number for frame in view.frames] == [0, 2]

    frame = frame_of(view, "paths", 0)
    field = frame.controls
    assert isinstance(field, Choice)
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Down)
    wait_until_found(qtbot, view)
    layer = view.shown.models[0].layer
    assert layer is not None
    assert "unit loss" in frame._aside()
    for k in (11, 10):
        wait_until_found(qtbot, view)
        wanted = paths(layer, k=k - 1, unit=True).cell_alone
        with np.errstate(divide="ignore"):
            assert values(frame, "c alone") == pytest.approx(np.log10(wanted))
        QTest.keyClick(frame, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)


def test_what_float32_has_lost_is_dotted(qtbot: QtBot) -> None:
    state = plain_state((Structure("lstm", 1, 3),), 90, (0.2,), losses=(90,), grad=1e-20)
    view, _ = open_gradients(qtbot, state, ["paths"])
    frame = frame_of(view, "paths", 0)
    trace = view.shown.models[0].sequence
    assert trace is not None
    exact = paths(trace.exact.layer("l0"))
    assert 0 < exact.hidden_all[0] < 1e-45
    assert values(frame, "h")[0] == pytest.approx(np.log10(exact.hidden_all[0]))
    dotted = frame.drawing.mark("h lost")
    assert isinstance(dotted, Curve)
    assert np.isfinite(dotted.ys[0])
    assert not np.isfinite(dotted.ys[-1])


def test_without_a_cell_state_there_is_one_path(qtbot: QtBot) -> None:
    view, _ = open_gradients(qtbot, plain_state((Structure("vanilla", 1, 3),), 6, (1.0,)), ["paths"])
    assert [frame.sentence for frame in view.frames] == ["net 1 has no cell state beside h: there are no two paths."]

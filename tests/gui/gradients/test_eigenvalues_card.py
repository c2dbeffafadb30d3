"""Card "Eigenvalues of W_hh": dots on the complex plane are those of the recurrent weights, a gate at a time."""

from dataclasses import replace

import numpy as np
import pytest
from open_gradients import frame_of, open_gradients, wait_until_found
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot
from read_marks import dots
from traced_states import traced_state

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.eigenvalues import recurrent_eigenvalues
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.gui.gradients.plots.marks import Ring
from rnnviz.gui.network.drawing import Drawing
from rnnviz.gui.state.state import State
from rnnviz.gui.widgets.fields import Choice

STRUCTURES = Structure("vanilla", 1, 6), Structure("lstm", 1, 5)


@pytest.fixture(scope="module")
def state() -> State:
    return traced_state("characters", STRUCTURES, gains=(1.2, 2.3)).state


def by_circle(drawing: Drawing, values: Array) -> tuple[Array, Array]:
    """Pixels of complex numbers by the unit circle."""
    circle = drawing.mark("unit circle")
    assert isinstance(circle, Ring)
    centre, radius = circle.rect.center(), circle.rect.width() / 2
    assert circle.rect.height() == circle.rect.width()
    return centre.x() + radius * values.real, centre.y() - radius * values.imag


def held_against(drawing: Drawing, wanted: Array, color: QColor, bad: str) -> None:
    for key, where, hue in (
        ("inside", np.abs(wanted) <= 1, color.name()),
        ("outside", np.abs(wanted) > 1, bad),
    ):
        mark = dots(drawing, key)
        np.testing.assert_array_equal(mark.values, wanted[where])
        np.testing.assert_allclose((mark.xs, mark.ys), by_circle(drawing, wanted[where]), atol=1e-6)
        assert mark.color.name() == hue
    count = f"{(np.abs(wanted) > 1).sum()} of {len(wanted)} outside the unit circle"
    assert drawing.texts["count"].endswith(count)


def test_dots_are_the_eigenvalues_of_each_model_and_gate(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["eigenvalues"])
    bad = frame_of(view, "eigenvalues", 0).sight.theme.bad  # type: ignore[union-attr]
    radii = []
    for number, trace in enumerate(state.recorded.traces):
        assert trace is not None
        found = recurrent_eigenvalues(STRUCTURES[number], trace.layer("l0").weights).found
        frame = frame_of(view, "eigenvalues", number)
        shown = found[0] if number == 0 else next(one for one in found if one.words == "candidate")
        held_against(frame.drawing, shown.values, view.shown.models[number].color, bad)
        assert f"ρ {shown.radius:.2f}" in frame._aside()
        radii.append(frame.drawing.mark("unit circle").rect.width())  # type: ignore[union-attr]
    assert shown.radius > 1.4
    assert radii[0] == radii[1]  # also where a gate can be chosen
    assert radii[0] * shown.radius < frame_of(view, "eigenvalues", 0).area.height()  # there is room for both models'
    names = [frame_of(view, "eigenvalues", number).accessibleName() for number in (0, 1)]
    assert names == [f"Eigenvalues of W_hh, {model.name}" for model in view.shown.models]
    choice = frame.controls
    assert isinstance(choice, Choice)
    assert choice.currentText() == "candidate"
    assert frame_of(view, "eigenvalues", 0).controls.isHidden()  # type: ignore[union-attr]
    choice.setCurrentIndex(1)
    choice.activated.emit(1)
    wait_until_found(qtbot, view)
    held_against(frame.drawing, found[1].values, view.shown.models[1].color, bad)
    place = by_circle(frame.drawing, found[1].values[:1])
    at = QPoint(*(round(float(part[0])) for part in place))
    assert "net 2, W_hf: λ = " in frame._words_at(at)


def test_far_ones_are_logarithmic_beyond_the_circle_and_not_finite_weights_are_told(qtbot: QtBot) -> None:
    traced = traced_state("characters", STRUCTURES, gains=(1.2, 1e12))
    weights = {name: array * np.nan for name, array in traced.captures[0].weights.items()}
    broken = rebuild(replace(traced.captures[0], weights=weights))
    recorded = replace(traced.state.recorded, traces=(broken, traced.state.recorded.traces[1]))
    view, _ = open_gradients(qtbot, replace(traced.state, recorded=recorded), ["eigenvalues"])
    assert "not finite" in frame_of(view, "eigenvalues", 0).sentence
    drawing, far = frame_of(view, "eigenvalues", 1).drawing, None
    assert "log beyond 1" in drawing.texts["edge"]
    circle, edge = drawing.mark("unit circle"), drawing.mark("edge")
    assert isinstance(circle, Ring)
    assert isinstance(edge, Ring)
    far = dots(drawing, "outside")
    assert far.values is not None
    distances = np.hypot(far.xs - circle.rect.center().x(), far.ys - circle.rect.center().y())
    assert (distances > circle.rect.width() / 2).all()
    assert (distances <= edge.rect.width() / 2).all()
    assert np.array_equal(np.argsort(distances), np.argsort(np.abs(far.values)))
    assert QPointF(circle.rect.center()) == edge.rect.center()


def test_a_cell_without_recurrent_weights_is_told_in_a_sentence(qtbot: QtBot) -> None:
    state = traced_state("values", (Structure("mingru", 1, 4),), gains=(1.0,)).state
    view, _ = open_gradients(qtbot, state, ["eigenvalues"])
    assert "has no recurrent weights" in view.frames[0].sentence

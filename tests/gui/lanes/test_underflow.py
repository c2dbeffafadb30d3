"""What float32 loses is seen all the same, marked, in lanes, numbers and equation; what is NaN has not vanished."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from flat_state import flat_state, update
from held_by_lanes import cells_of, heat_of, lanes_of, plot_of
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot
from traced_states import LENGTHS, Traced, traced_state

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2
from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.sweeps.verdicts.precision import in_float64
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.lane import Lane
from rnnviz.gui.canvas.lanes.shown import resolve
from rnnviz.gui.cursor.equations import EquationsPanel
from rnnviz.gui.cursor.values import ValuesPanel
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

TINY = np.float32(np.finfo(np.float32).tiny)
SAMPLE, LENGTH = 1, LENGTHS[1]  # the sequence looked at, and its time steps


def fading(traced: Traced) -> tuple[State, tuple[Trace, ...]]:
    """The state with the first model's recurrent weights so small that its gradient leaves float32, and the traces
    rebuilt in float64 from the same captures."""
    first, second = traced.captures
    weights = {
        name: weight * np.float32(1e-5 if name.startswith("weight_hh") else 1) for name, weight in first.weights.items()
    }
    grad = np.zeros_like(first.grad_output)
    grad[[length - 1 for length in LENGTHS], range(len(LENGTHS))] = 1
    captures = replace(first.with_call(grad_output=grad), weights=weights), second
    state = flat_state(traced.state, traces=tuple(map(rebuild, captures)), sample=SAMPLE)
    return state, tuple(rebuild(in_float64(capture)) for capture in captures)


@pytest.fixture
def faded(qtbot: QtBot) -> tuple[Store, LaneStack, tuple[Trace, ...]]:
    state, exact = fading(traced_state("characters", (Structure("vanilla", 0, 5), Structure("lstm", 0, 7))))
    state = flat_state(state, hidden_lanes=frozenset({"+share", "+gradients: h"}), cursor=Cursor(42, Phase.BACKWARD, 3))
    store = Store(state)
    stack = LaneStack(store)
    qtbot.addWidget(stack)
    stack.resize(1100, 900)
    stack.show()
    return store, stack, exact


def lane(stack: LaneStack, key: str) -> Lane:
    return next(lane for lane in lanes_of(stack) if lane.key == key)


def logs(values: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log10(values)


def test_the_curve_goes_on_dashed_where_float32_has_lost_it(faded: tuple[Store, LaneStack, tuple[Trace, ...]]) -> None:
    _, stack, exact = faded
    norms = l2(exact[0].layers[0].hidden_grad[:LENGTH, SAMPLE])
    lost = norms < TINY
    assert 3 < lost.sum() < LENGTH - 3
    kept, beyond, other = plot_of(lane(stack, "gradient")).lines
    assert kept.name.startswith("net 1: ×")
    assert float(kept.name.removeprefix("net 1: ×").split("·10⁻")[0]) > 0
    assert beyond.name == "net 1, lost in float32"
    assert (kept.dashed, beyond.dashed, other.dashed) == (False, True, False)
    assert kept.color == beyond.color != other.color
    np.testing.assert_allclose(kept.values[~lost], logs(norms[~lost]), rtol=1e-4)
    np.testing.assert_allclose(beyond.values[lost], logs(norms[lost]), rtol=1e-4)
    assert np.isnan(kept.values[lost]).all()
    held = int(np.flatnonzero(~lost)[0])  # where the two meet
    assert not np.isnan(beyond.values[held])
    assert np.isnan(beyond.values[held + 1 :]).all()
    np.testing.assert_allclose(cells_of(lane(stack, "chain")).magnitudes, logs(norms), rtol=1e-4)


def test_the_two_curves_meet_wherever_it_was_lost(faded: tuple[Store, LaneStack, tuple[Trace, ...]]) -> None:
    """The dashed one goes on to the time steps beside those lost, at both ends and between."""
    store, stack, _ = faded
    curves, (model, _) = lane(stack, "gradient"), resolve(store.state).models
    assert isinstance(curves, CurveLane)
    values = -40 - np.arange(5.0)
    for lost in map(np.array, product((False, True), repeat=5)):
        drawn = curves.magnitudes(model, "words", values, lost)
        if not lost.any():
            assert [one.present for one in drawn] == [None]
            continue
        beside = [lost[max(t - 1, 0) : t + 2].any() for t in range(5)]
        kept, beyond = drawn
        assert (list(kept.present), list(beyond.present)) == (list(~lost), beside)


def test_the_tooltip_says_which_of_the_two_it_is(faded: tuple[Store, LaneStack, tuple[Trace, ...]]) -> None:
    _, stack, exact = faded
    norms = l2(exact[0].layers[0].hidden_grad[:LENGTH, SAMPLE])
    found = lane(stack, "gradient")
    plot = next(item for item in found.items if hasattr(item, "axis") and item.rect.height() > 50)
    for t, words in ((2, "net 1, lost in float32: "), (LENGTH - 1, "net 1: ")):
        tip = found.tip(QPointF(plot.axis.x(t), plot.rect.center().y()))
        assert f"{words}{short(norms[t - 1])}" in tip.split("\n")
    chain = lane(stack, "chain")
    item = next(item for item in chain.items if hasattr(item, "set_sweep"))
    assert item.tip(item.axis.x(2), 0).endswith(f"{short(norms[1])}, lost in float32")
    assert not item.tip(item.axis.x(LENGTH - 1), 0).endswith("lost in float32")


def test_shares_and_units_too(faded: tuple[Store, LaneStack, tuple[Trace, ...]]) -> None:
    _, stack, exact = faded
    layer = exact[0].sample(SAMPLE).layers[0]
    kept, beyond, _ = plot_of(lane(stack, "share")).lines
    wanted = layer.weight_grad_shares["weight_hh"]
    lost = wanted < TINY
    np.testing.assert_allclose(beyond.values[lost], logs(wanted[lost]), rtol=1e-4)
    np.testing.assert_allclose(kept.values[~lost], logs(wanted[~lost]), rtol=1e-4)
    units = heat_of(lane(stack, "gradients: h")).values
    np.testing.assert_allclose(units, logs(np.abs(layer.hidden_grad[:, 0])), rtol=1e-4)


def test_the_numbers_at_the_cursor_carry_a_star(
    faded: tuple[Store, LaneStack, tuple[Trace, ...]], qtbot: QtBot
) -> None:
    store, _, exact = faded
    panel, equations = ValuesPanel(store), EquationsPanel(store)
    for widget in (panel, equations):
        qtbot.addWidget(widget)
        widget.show()
    layer = exact[0].sample(SAMPLE).layers[0]
    panel.table.row_pressed.emit([row.key for row in panel.rows].index("fold"))  # the shares of all parameters
    rows = [row.key for row in panel.rows]
    gradient, share = rows.index("hidden_grad"), rows.index("share:weight_ih")
    first, second = panel.table.rows[gradient].cells
    assert first == f"{short(float(l2(layer.hidden_grad[2, 0])))} *"
    assert second is not None
    assert "*" not in second
    assert panel.table.rows[share].cells[0] == f"{short(float(layer.weight_grad_shares['weight_ih'][2]))} *"
    assert panel.table.rows[rows.index("direct_grad")].cells[0] == "0"  # nothing was lost of it
    assert "lost in float32" in panel.tooltip(gradient)
    assert equations.view.text.split("\n")[-1].startswith("lost in float32")
    update(store, cursor=Cursor(42, Phase.BACKWARD, LENGTH - 1))
    assert not any("*" in (cell or "") for row in panel.table.rows for cell in row.cells)
    assert "lost" not in equations.view.text


def test_what_is_nan_has_not_vanished(qtbot: QtBot) -> None:
    traced = traced_state("characters", (Structure("gru", 0, 5),), gains=(0.6,))
    (capture,) = traced.captures
    weights = {**capture.weights, "bias_ih_l0": np.full_like(capture.weights["bias_ih_l0"], np.nan)}
    state = flat_state(traced.state, traces=(rebuild(replace(capture, weights=weights)),))
    stack = LaneStack(Store(state))
    qtbot.addWidget(stack)
    stack.resize(1100, 900)
    stack.show()
    plot = plot_of(lane(stack, "gradient"))
    assert plot.zone is None
    assert [line.name for line in plot.lines] == ["net 1: not finite"]

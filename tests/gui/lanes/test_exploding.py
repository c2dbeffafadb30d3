"""A model that explodes beside others that do not: the others keep their colours and curves, and the lane says how."""

from functools import partial

import numpy as np
import pytest
from held_by_lanes import bar_of, heat_of, lanes_of, plot_of
from open_lanes import Opened, open_lanes
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot
from traced_states import traced_state

from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.lane import Lane
from rnnviz.gui.canvas.lanes.shown import round_up
from rnnviz.gui.look.color_maps import bent

RELU = Structure("vanilla", 0, 6, activation="relu")
MODELS = (RELU, RELU, Structure("lstm", 0, 5))
EXPLODES, CALM, BOUNDED = 0, 1, 2


@pytest.fixture
def opened(qtbot: QtBot) -> Opened:
    return partial(open_lanes, qtbot)


def open_exploding(opened: Opened, kind: str) -> LaneStack:
    stack, _ = opened(traced_state(kind, MODELS, gains=(14.0, 1.7, 1.0)).state)
    return stack


def lane(stack: LaneStack, key: str, model: int | None = None) -> Lane:
    return next(lane for lane in lanes_of(stack) if (lane.key, lane.model) == (key, model))


def colors_seen(stack: LaneStack, model: int) -> set[str]:
    """The colours of the middle of every cell of a model's hidden state."""
    shown = lane(stack, "hidden", model)
    heat, image, axis = heat_of(shown), stack.image(), shown.label.axis
    units = heat.values.shape[1]
    rows = [heat.rect.top() + (unit + 0.5) * heat.rect.height() / units for unit in range(units)]
    return {image.pixelColor(int(axis.x(t + 0.3)), int(y)).name() for t in range(1, 13) for y in rows}


def test_states_of_the_others_keep_their_colours(opened: Opened) -> None:
    stack = open_exploding(opened, "table")
    wild, calm, bounded = (lane(stack, "hidden", model) for model in range(3))
    largest = float(heat_of(wild).values.max())
    assert largest > 1e4 > 100 * float(heat_of(calm).values.max())
    assert heat_of(wild).levels == heat_of(calm).levels == (-round_up(largest), round_up(largest))
    assert len(colors_seen(stack, CALM)) > 8
    for each in (wild, calm):
        assert each.label.subtitle == f"h, log beyond ±{heat_of(each).knee:g}"
        assert bar_of(each).log
    assert (heat_of(bounded).levels, heat_of(bounded).knee, bar_of(bounded).log) == ((-1.0, 1.0), 0.0, False)
    assert heat_of(lane(stack, "cell", BOUNDED)).knee == 0.0  # the only model that has one, and it is calm
    assert isinstance(wild, HeatLane)
    place = QPointF(wild.map.axis.x(4), wild.map.rect.center().y())
    assert short(float(heat_of(wild).values[3, wild.map.row_at(place.y())])) in wild.tip(place)  # as it is


def test_the_bent_scale_is_linear_then_logarithmic_and_never_turns_back() -> None:
    knee, high = 2.0, 2000.0
    values = np.array([-2000.0, -2.0, -1.0, 0.0, 1.0, 2.0, 2.0 * 10**1.5, 2000.0])
    np.testing.assert_allclose(bent(values, high, knee), [-1, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1], atol=1e-12)
    assert (np.diff(bent(np.linspace(-high, high, 4001), high, knee)) > 0).all()


def test_losses_become_logarithmic_where_one_would_flatten_the_others(opened: Opened) -> None:
    loss = lane(open_exploding(opened, "characters"), "loss")
    assert plot_of(loss).logarithmic
    assert loss.label.subtitle.startswith("log₁₀ Lₜ")
    told = loss.tip(QPointF(loss.label.axis.x(6), loss.rect.center().y()))
    assert "net 1" in told
    assert "−" not in told  # losses, not their logarithms


def test_a_prediction_that_leaves_the_true_values_is_named(opened: Opened) -> None:
    stack = open_exploding(opened, "table")
    for shown in (each for each in lanes_of(stack) if each.key.startswith("prediction")):
        plot = plot_of(shown)
        truth = next(line for line in plot.lines if line.name == "true")
        span = np.nanmax(truth.values) - np.nanmin(truth.values)
        assert plot.high - plot.low < 6 * span
        assert shown.label.note.startswith("net 1")
        assert shown.label.note.endswith("off the scale")


@pytest.mark.parametrize("value", [1.996, 0.0313, 7.1e-9, 340.0, 8.0e307, 9.7e-301])
def test_levels_are_round_numbers_that_hold_the_value(value: float) -> None:
    level = round_up(value)
    assert value * (1 - 1e-9) <= level <= 1.5 * value
    assert len(f"{level:.12g}".split("e")[0].replace(".", "").strip("0")) <= 2


@pytest.mark.parametrize("value", [5e-324, 1.7e308])
def test_the_ends_of_the_numbers_are_levels_themselves(value: float) -> None:
    assert 0 < round_up(value) < np.inf

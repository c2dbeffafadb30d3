"""Made-up lanes, said nowhere but here: their kind in the table is all that menus, stack and settings need of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from fake_states import fake_state
from held_by_lanes import heat_of, lanes_of, plot_of
from pytestqt.qtbot import QtBot

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Node
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.layer import Layer
from rnnviz.gui.canvas.items.curve_plot import Curve
from rnnviz.gui.canvas.lane_menus import lanes_menu
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes import selection
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.heights import fitting
from rnnviz.gui.canvas.lanes.lane import Heights, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer, each_model, each_node
from rnnviz.gui.canvas.lanes.lane_table import LANES
from rnnviz.gui.canvas.lanes.shown import Shown, resolve
from rnnviz.gui.canvas.lanes.unit_lanes import STATES
from rnnviz.gui.canvas.lanes.value_axes import linear
from rnnviz.gui.state.store import Store

STRUCTURES = (Structure("gru", 8, 5), Structure("vanilla", 8, 4), Structure("lstm", 8, 6))


class LargestUnitLane(CurveLane):
    """The largest |h| of each time step, of one model."""

    heights = Heights(51, 73, 91, gap=7)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Largest", "max |hₜ|")

    def show(self, shown: Shown) -> None:
        model = self.shown_model(shown)
        values = np.abs(model.state("h")).max(axis=1)
        self.tips = [(model.name, values)]
        self.plot.set_curves([Curve(values, model.color, model.name)], linear([values], include=0.0))


class PreActivationLane(HeatLane):
    """A pre-activation of one model, one row a unit."""

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        self.node = slot.shown_node(shown)
        super().__init__(shown, slot, self.node.name, self.node.symbol, shown.theme.signed_map())

    def show(self, shown: Shown) -> None:
        layer = self.shown_model(shown).layer
        assert layer is not None
        self.set_values(layer.value(self.node.name)[: shown.time_steps, shown.sample], -3.0, 5.0, self.node.symbol)


def _pre_activations(cell: Cell) -> Sequence[Node]:
    return [cell.node(name) for name in cell.pre_activations]


LARGEST = LaneKind(lambda _: [Offer("largest", "Largest unit", False, LargestUnitLane)], each_model)
ROOMY = LaneKind(lambda _: [Offer("largest", "Largest unit", "room", LargestUnitLane, room=0.3)], each_model)
PRE_ACTIVATIONS = each_node(
    _pre_activations,
    lambda node: Offer(f"sums: {node.name}", f"Pre-activation {node.name}", False, PreActivationLane, node=node.name),
)
Opened = Callable[..., tuple[LaneStack, Store]]


@pytest.fixture
def opened(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Opened:
    def open_stack(kind: LaneKind, **state: Any) -> tuple[LaneStack, Store]:
        after = LANES.index(STATES) + 1
        monkeypatch.setattr(selection, "LANES", (*LANES[:after], kind, *LANES[after:]))
        store = Store(fake_state(structures=STRUCTURES, time_steps=13, **state))
        stack = LaneStack(store)
        qtbot.addWidget(stack)
        stack.resize(900, 700)
        with qtbot.waitExposed(stack):
            stack.show()
        return stack, store

    return open_stack


def switch(stack: LaneStack, store: Store, words: str) -> bool:
    """Presses an entry in the menu of the lanes; whether it was checked before."""
    menu = lanes_menu(store, stack)
    (entry,) = [action for action in menu.actions() if action.text() == words]
    checked = entry.isChecked()
    entry.trigger()
    menu.deleteLater()
    return checked


def layer(store: Store, model: int) -> Layer:
    trace = store.state.recorded.traces[model]
    assert trace is not None
    return trace.layer("l0")


def hidden(store: Store, model: int) -> Array:
    """(T, H) of the one sequence."""
    return layer(store, model).h[:, 0]


def test_a_made_up_lane_is_offered_switched_on_drawn_and_switched_off(opened: Opened) -> None:
    stack, store = opened(LARGEST)
    before, alone = [(lane.key, lane.model) for lane in lanes_of(stack)], stack.image()
    offered = [action.text() for action in lanes_menu(store, stack).actions()]
    assert offered.index("Largest unit") == offered.index("Cell state") + 1  # its place in the table

    assert not switch(stack, store, "Largest unit")
    assert store.state.look.hidden_lanes == {"+largest"}  # what is remembered in a person's settings
    after = [(lane.key, lane.model) for lane in lanes_of(stack)]
    assert [place for place in after if place[0] != "largest"] == before
    for model, above in enumerate(("hidden", "hidden", "cell")):
        assert after[after.index((above, model)) + 1] == ("largest", model)
    drawn = [lane for lane in lanes_of(stack) if lane.key == "largest"]
    for model, lane in enumerate(drawn):
        (line,) = plot_of(lane).lines
        wanted = np.abs(hidden(store, model)).max(axis=1)
        np.testing.assert_allclose(line.values, wanted, atol=1e-6)
        assert (line.name, line.color) == (f"model {model + 1}", stack._shown.models[model].color.name())
        assert 51 <= lane.rect.height() <= 91
    assert len({tuple(plot_of(lane).lines[0].values) for lane in drawn}) == len(STRUCTURES)
    rect, color = drawn[1].rect, stack._shown.models[1].color
    image = stack.image()
    pixels = {
        image.pixel(x, y) for x in range(150, 800) for y in range(round(rect.top()) + 1, round(rect.bottom()) - 1)
    }
    assert color.rgb() in pixels

    assert switch(stack, store, "Largest unit")
    assert store.state.look.hidden_lanes == frozenset()
    assert [(lane.key, lane.model) for lane in lanes_of(stack)] == before
    assert stack.image() == alone


def test_a_made_up_lane_of_each_node_stands_on_the_models_that_have_the_node(opened: Opened) -> None:
    stack, store = opened(PRE_ACTIVATIONS)
    offered = [choice.key for choice in selection.lane_choices(store.state) if choice.key.startswith("sums: ")]
    assert len(offered) == len(set(offered)) > 5
    for choice in selection.lane_choices(store.state):
        if choice.key in offered:
            assert not switch(stack, store, choice.words)
    drawn = [lane for lane in lanes_of(stack) if lane.key in offered]
    having = [(f"sums: {name}", n) for n, one in enumerate(STRUCTURES) for name in one.equations.pre_activations]
    assert [(lane.key, lane.model) for lane in drawn] == having
    for lane in drawn:
        assert lane.model is not None
        values = layer(store, lane.model).value(lane.key.removeprefix("sums: "))[:, 0]
        np.testing.assert_array_equal(heat_of(lane).values, values)
        assert heat_of(lane).levels == (-3.0, 5.0)
    (gone,) = [choice for choice in selection.lane_choices(store.state) if choice.key == offered[-1]]
    assert switch(stack, store, gone.words)
    assert {lane.key for lane in lanes_of(stack)} & set(offered) == set(offered[:-1])


def test_a_made_up_lane_comes_when_the_canvas_is_high_enough(opened: Opened, qtbot: QtBot) -> None:
    stack, store = opened(ROOMY)
    shown = resolve(store.state)
    heights = range(300, 2000, 10)
    assert "largest" not in {lane.key for lane in lanes_of(stack)}
    enough = next(height for height in heights if "largest" in fitting(shown, height))
    assert all("largest" in fitting(shown, height) for height in heights if height >= enough)
    stack.resize(900, enough + 20)  # margins above and below
    qtbot.waitUntil(lambda: [lane.model for lane in lanes_of(stack) if lane.key == "largest"] == [0, 1, 2])
    assert store.state.look.hidden_lanes == frozenset()

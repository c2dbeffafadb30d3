"""Which lanes are shown, how height is shared out, and what the shared levels are."""

from dataclasses import replace

import numpy as np
import pytest
from fake_states import TASKS, fake_state
from flat_state import flat_state
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from rnnviz.core.cells import CELLS
from rnnviz.core.magnitude import log10
from rnnviz.core.structure import Structure
from rnnviz.gui.canvas.lanes.heights import fitting, gaps, least_height, share_out
from rnnviz.gui.canvas.lanes.lane import Heights, LaneSlot
from rnnviz.gui.canvas.lanes.lane_table import LANES
from rnnviz.gui.canvas.lanes.selection import exactly, lane_choices, lane_slots, toggled
from rnnviz.gui.canvas.lanes.share import ShareLane
from rnnviz.gui.canvas.lanes.shown import Shown, level, resolve

FIRST_LESSON = [
    ("input", None), ("ruler", None), ("chain", 0), ("hidden", 0), ("prediction", 0), ("chain", 1),
    ("hidden", 1), ("cell", 1), ("gates: f", 1), ("prediction", 1), ("gradient", None),
]  # fmt: skip


def keys(**state: object) -> list[tuple[str, int | None]]:
    return [(place.key, place.model) for place in lane_slots(resolve(fake_state(**state)))]


def test_the_first_lesson_has_the_lanes_of_the_design() -> None:
    assert keys() == FIRST_LESSON


def test_a_task_that_asks_everywhere_shows_prediction_and_loss() -> None:
    assert ("prediction", 0) in keys(kind="characters")
    assert ("loss", None) in keys(kind="characters", fitting_lanes=frozenset({"loss"}))
    assert ("prediction", None) in keys(kind="values")
    assert ("prediction", None) in keys(kind="adding")
    assert not {"prediction", "loss"} & {key for key, _ in keys(kind="none")}


def test_a_gru_shows_its_update_gate() -> None:
    gates = {key for key, _ in keys(structures=(Structure("gru", 8, 5),)) if key.startswith("gates")}
    assert gates == {"gates: z"}


def test_gates_stand_in_the_order_of_their_own_cell_whatever_stands_beside_it() -> None:
    structures = (Structure("mingru", 8, 5), Structure("gru", 8, 5))
    on = frozenset({"+gates: r", "+gates: n"})
    gates = [place for place in keys(structures=structures, hidden_lanes=on) if place[0].startswith("gates")]
    wanted = [[(f"gates: {gate.name}", n) for gate in one.equations.gates] for n, one in enumerate(structures)]
    assert gates == [*wanted[0], ("gates: r", 1), ("gates: z", 1), ("gates: n", 1)]
    assert wanted[1] == gates[len(wanted[0]) :]


def test_every_lane_can_be_switched_both_ways() -> None:
    state = fake_state()
    for choice in lane_choices(state):
        once = fake_state(hidden_lanes=toggled(state.look.hidden_lanes, choice))
        switched = next(other for other in lane_choices(once) if other.key == choice.key)
        assert switched.on != choice.on, choice.key
        twice = fake_state(hidden_lanes=toggled(once.look.hidden_lanes, switched))
        again = next(other for other in lane_choices(twice) if other.key == choice.key)
        assert again.on == choice.on


@pytest.mark.parametrize(("first", "second", "words"), [("gru", "mingru", "New state"), ("mingru", "gru", "Candidate")])
def test_a_gate_of_two_models_is_offered_as_the_first_calls_it(first: str, second: str, words: str) -> None:
    size = len(TASKS["symbols"].input_labels)
    state = fake_state(structures=(Structure(first, size, 5), Structure(second, size, 5)))
    assert [choice.words for choice in lane_choices(state) if choice.key == "gates: n"] == [words]


@pytest.mark.parametrize(
    ("cells", "subtitle"),
    [
        (("vanilla", "lstm"), "of t in ∂L/∂W_hh"),
        (("mingru",), "of t in ∂L/∂W_ih"),
        (("gru", "mingru"), "of t in ∂L/∂W_hh, W_ih"),
    ],
)
def test_every_cell_has_shares_and_the_lane_says_of_what(qtbot: QtBot, cells: tuple[str, ...], subtitle: str) -> None:
    size = len(TASKS["symbols"].input_labels)
    shown = resolve(fake_state(structures=tuple(Structure(cell, size, 5) for cell in cells)))
    lane = ShareLane(shown, LaneSlot("share", ShareLane))
    lane.show(shown)
    assert lane.label.subtitle == subtitle
    assert [name for name, _ in lane.tips] == [model.name for model in shown.models]
    for model, (_, values) in zip(shown.models, lane.tips, strict=True):
        assert model.trace is not None
        shares = model.trace.sample(model.sample).layer("l0").weight_grad_shares
        np.testing.assert_array_equal(values, log10(shares.get("weight_hh", shares["weight_ih"])))


@pytest.mark.parametrize("kind", TASKS)
def test_a_key_belongs_to_one_entry_of_one_kind_of_lane(kind: str) -> None:
    """It switches that entry's lanes and no others."""
    size = len(TASKS[kind].input_labels)
    state = fake_state(kind=kind, structures=tuple(Structure(cell, size, 5) for cell in CELLS))
    shown = resolve(state)
    offered = [offer for kind in LANES for offer in kind.offers(shown)]
    assert len({offer.key for offer in offered}) == len(offered) > 10
    assert [choice.key for choice in lane_choices(state)] == [one.key for one in offered if one.key != "ruler"]
    for choice in lane_choices(state):
        on = lane_slots(resolve(flat_state(state, hidden_lanes=frozenset({f"+{choice.key}"}))))
        off = lane_slots(resolve(flat_state(state, hidden_lanes=frozenset({choice.key}))))
        assert [slot for slot in on if slot.key != choice.key] == list(off)
        assert any(slot.key == choice.key for slot in on)


def test_switching_everything_off_leaves_the_ruler() -> None:
    state = fake_state()
    hidden = frozenset(choice.key for choice in lane_choices(state) if choice.on)
    assert [place.key for place in lane_slots(resolve(fake_state(hidden_lanes=hidden)))] == ["ruler"]


@given(
    st.lists(st.tuples(st.integers(10, 60), st.integers(0, 60), st.integers(0, 300)), min_size=1, max_size=14),
    st.integers(50, 2000),
)
def test_no_lane_is_below_its_minimum_and_no_room_is_exceeded(
    sizes: list[tuple[int, int, int]], available: int
) -> None:
    wishes = [Heights(low, low + more, low + more + most) for low, more, most in sizes]
    heights = share_out(wishes, available)
    total = sum(heights) + sum(wish.gap for wish in wishes)
    for wish, height in zip(wishes, heights, strict=True):
        assert wish.minimum <= height <= wish.maximum
    least = sum(wish.minimum + wish.gap for wish in wishes)
    assert total <= max(available, least)
    if available > sum(wish.maximum + wish.gap for wish in wishes):
        assert heights == [wish.maximum for wish in wishes]


@given(
    st.lists(st.tuples(st.integers(10, 60), st.integers(0, 60), st.integers(4, 11)), min_size=1, max_size=14),
    st.integers(50, 2000),
)
def test_lanes_are_compact_only_where_they_do_not_fit(sizes: list[tuple[int, int, int]], available: int) -> None:
    wishes = [Heights(least + more, 130, 150, gap, least) for least, more, gap in sizes]
    heights, free = share_out(wishes, available), gaps(wishes, available)
    taken = sum(heights) + sum(free) - free[0]
    fits = least_height(wishes, compact=False) <= available
    assert free == [wish.gap if fits else wish.gap // 2 for wish in wishes]
    for wish, height in zip(wishes, heights, strict=True):
        assert height >= (wish.minimum if fits else wish.compact)
    assert taken <= max(available, least_height(wishes, compact=True))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.2], 1.0),
        ([-6.8], 7.0),
        ([7.0], 7.0),
        ([11.0], 12.0),
        ([np.nan, np.inf, 3.5], 4.0),
        ([], 1.0),
        ([np.nan], 1.0),
    ],
)
def test_levels_are_round_and_hold_every_finite_value(values: list[float], wanted: float) -> None:
    assert level([np.array(values), np.array([0.5])]) == wanted


def test_two_models_share_the_level_of_the_larger(qtbot: QtBot) -> None:
    shown = resolve(fake_state(structures=(Structure("vanilla", 8, 6, activation="relu"), Structure("lstm", 8, 6))))
    largest = max(float(np.abs(model.state("h")).max()) for model in shown.models)
    assert shown.state_level("h") >= largest
    assert resolve(fake_state()).state_level("h") == 1.0


def test_a_layer_that_one_model_lacks_shows_its_first() -> None:
    state = fake_state(structures=(Structure("gru", 8, 5, 2), Structure("lstm", 8, 5)))
    shown = resolve(flat_state(state, cursor=replace(state.place.cursor, layer="l1")))
    assert [model.layer_name for model in shown.models] == ["l1", "l0"]


def test_what_a_person_switched_does_not_depend_on_the_room() -> None:
    everything = frozenset({"prediction", "loss"})
    for fits in (frozenset[str](), everything):
        assert ("prediction", 0) in keys(fitting_lanes=fits, hidden_lanes=frozenset({"+prediction"}))
        assert ("prediction", 0) not in keys(fitting_lanes=fits, hidden_lanes=frozenset({"prediction"}))
        wanted = frozenset({"input", "hidden"})
        state = fake_state(kind="characters", fitting_lanes=fits)
        exact = flat_state(state, hidden_lanes=exactly(state, wanted))
        assert {choice.key for choice in lane_choices(exact) if choice.on} == wanted


def test_lanes_come_with_room_and_leave_only_when_there_is_none() -> None:
    shown = resolve(fake_state(kind="characters"))
    assert fitting(shown, 530) == frozenset()
    assert fitting(shown, 900) == {"loss"}
    there = replace(shown, fitting=frozenset({"loss"}))
    between = next(height for height in range(500, 900) if "loss" in fitting(there, height))
    assert fitting(shown, between) == frozenset()  # it would not come for so little room
    assert fitting(there, between - 1) == frozenset()


def test_where_compact_lanes_do_not_fit_gates_fold_first_then_cell_states_then_predictions() -> None:
    three = tuple(Structure(cell, 8, 5) for cell in ("gru", "lstm", "lstm"))
    shown = resolve(fake_state(structures=three))
    every = {slot.key for slot in lane_slots(shown)}
    gone = {height: every - _drawn(shown, height) for height in range(700, 200, -4)}
    turns = list(dict.fromkeys(frozenset(keys) for keys in gone.values()))
    gates = {"gates: f", "gates: z"}
    assert turns == [set(), gates, gates | {"cell"}, gates | {"cell", "prediction"}]
    for height, folded in gone.items():
        wishes = [slot.lane.heights for slot in lane_slots(replace(shown, fitting=fitting(shown, height)))]
        assert least_height(wishes, compact=True) <= height or folded == turns[-1]


def _drawn(shown: Shown, height: int) -> set[str]:
    return {slot.key for slot in lane_slots(replace(shown, fitting=fitting(shown, height)))}


def test_a_lane_that_folded_away_is_in_the_menu_and_stays_once_a_person_asks_for_it() -> None:
    state = fake_state(fitting_lanes=fitting(resolve(fake_state()), 300))
    (gate,) = [choice for choice in lane_choices(state) if choice.key == "gates: f"]
    assert (gate.on, gate.folded) == (False, True)
    asked = flat_state(state, hidden_lanes=toggled(state.look.hidden_lanes, gate))
    assert "gates: f" in {slot.key for slot in lane_slots(resolve(asked))}
    again = flat_state(asked, fitting_lanes=fitting(resolve(asked), 300))
    assert "gates: f" in {slot.key for slot in lane_slots(resolve(again))}
    assert fitting(resolve(again), 300) == frozenset()  # nothing else goes for it: the canvas scrolls


def test_several_columns_have_a_lane_each_and_their_predictions_too() -> None:
    names = ("temperature", "pressure", "humidity")
    fits = frozenset({"prediction: pressure"})
    places = lane_slots(resolve(fake_state(kind="table", fitting_lanes=fits)))
    assert [place.column for place in places if place.key == "input"] == [0, 1, 2]
    assert [(p.key, p.column) for p in places if p.key.startswith("prediction")] == [
        ("prediction", 0),
        ("prediction: pressure", 1),
    ]
    words = [choice.words for choice in lane_choices(fake_state(kind="table")) if choice.key.startswith("prediction")]
    assert words == [f"Prediction of {name}" for name in names]


def test_gradients_of_each_unit_are_lanes_to_switch_on(qapp: object) -> None:
    pinned = frozenset({"+gradients: h", "+gradients: c"})
    places = keys(hidden_lanes=pinned)
    assert [place for place in places if place[0].startswith("gradients")] == [
        ("gradients: h", 0), ("gradients: h", 1), ("gradients: c", 1),
    ]  # fmt: skip
    shown = resolve(fake_state(hidden_lanes=pinned))
    model = shown.models[1]
    assert model.layer is not None
    assert model.layer.cell_grad is not None
    with np.errstate(divide="ignore"):
        wanted = np.log10(np.abs(model.layer.cell_grad[: model.time_steps, 0].astype(np.float64)))
    assert np.allclose(model.gradient("c"), wanted)
    slot = next(slot for slot in lane_slots(shown) if (slot.key, slot.model) == ("gradients: c", 1))
    lane = slot.lane(shown, slot)
    lane.show(shown)
    assert "cell gradient" in lane.label.title
    assert lane.label.subtitle == "log₁₀ |∂L/∂c|"

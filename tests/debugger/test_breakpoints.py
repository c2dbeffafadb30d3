"""Stops within one trace: places, conditions along time, bookmarks; forwards and backwards."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from programs import program_of

from rnnviz.core.expressions.scope import FixedMetrics
from rnnviz.core.network import Network
from rnnviz.core.stopping.breakpoints import Guard, arm
from rnnviz.core.stopping.marks import NOT_FINITE, Bookmark, Breakpoint
from rnnviz.core.stopping.moment import Moment
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.debugger.bookmarks import bookmark_at, bookmarked
from rnnviz.debugger.breakpoints import breakpoint_at, next_stop, placed_at, points_of, stops
from rnnviz.debugger.cursor import Cursor, Phase

T, H = 6, 3
STRUCTURE = Structure("lstm", 2, H, num_layers=2)
PROGRAM = program_of(T, STRUCTURE, loss=("logits", "loss"), update=("gradient", "clip"), loss_time_step=4)
START = Cursor(5, Phase.FORWARD, 1)


@pytest.fixture(scope="module")
def trace() -> Trace:
    draw = np.random.default_rng(0)
    weights = {name: draw.normal(0, 0.7, shape) for name, shape in STRUCTURE.parameter_shapes().items()}
    state = np.zeros((2, 1, H))
    grad = np.zeros((T, 1, H))
    grad[-1] = 1.0
    inputs, initial = draw.normal(size=(T, 1, 2)), {"h": state, "c": state}
    return rebuild(Capture.of_one(weights, structure=STRUCTURE, inputs=inputs, initial=initial, grad_output=grad))


@pytest.fixture
def moment(trace: Trace) -> Moment:
    return Moment(FixedMetrics({"loss": 0.5}), 5, "LSTM", 1, Network.one(STRUCTURE), lambda: trace)


def stopped(moment: Moment, *breakpoints: Breakpoint, bookmarks: tuple[Bookmark, ...] = ()) -> list[Cursor]:
    armed = [arm(one) for one in breakpoints]
    return [stop.cursor for stop in stops(armed, bookmarks, PROGRAM, START, moment)]


def test_a_place_is_where_it_was_set(moment: Moment) -> None:
    for number in range(PROGRAM.fine_length):
        cursor = PROGRAM.fine_at(number, START)
        one = breakpoint_at(cursor)
        found = stopped(moment, one)
        assert [PROGRAM.fine_point(place) for place in found] == [number]


def test_marks_made_before_the_loss_and_the_update_had_operations_find_their_place(moment: Moment) -> None:
    old = [Bookmark(5, "loss", T, "l1"), Bookmark(5, "forward", 3, "l1", "f"), Bookmark(5, "update", 1)]
    assert stopped(moment, bookmarks=tuple(old)) == [
        Cursor(5, Phase.FORWARD, 3, "l1", "f"),
        Cursor(5, Phase.LOSS, T, "l1"),
        Cursor(5, Phase.UPDATE, 1),
    ]
    for one in old:
        place = bookmarked(one)
        assert PROGRAM.fine_at(PROGRAM.fine_point(place), place) == place
    whole = Breakpoint("place", phase="loss")
    assert stopped(moment, whole) == list(points_of(whole, PROGRAM, START)) == [Cursor(5, Phase.LOSS, 4, "l1")]


def test_a_mark_on_an_operation_of_the_loss_stays_away_from_a_model_without_it(moment: Moment) -> None:
    here = Cursor(5, Phase.LOSS, 2, "l1", "logits")
    assert bookmarked(bookmark_at(here)) == here
    one = breakpoint_at(here)
    assert placed_at([one], Cursor(9, Phase.LOSS, 4, "l0", "logits")) is one
    assert points_of(one, PROGRAM, here) == (here,)
    assert points_of(one, replace(PROGRAM, loss=()), here) == ()


def test_training_passes_a_bare_place_and_it_is_found_again_where_it_was_set(moment: Moment) -> None:
    bare = breakpoint_at(Cursor(5, Phase.BACKWARD, 2, "l1", "f"))
    asked = [replace(bare, expression="t == 2"), replace(bare, every=2), replace(bare, message="here")]
    guard = Guard(tuple(arm(one) for one in (bare, *asked)))
    hits, guard = guard.examine(moment)
    again, _ = guard.examine(moment)
    assert [hit.breakpoint for hit in (*hits, *again)] == [asked[0], asked[2], *asked]
    assert placed_at([NOT_FINITE, bare], Cursor(9, Phase.BACKWARD, 2, "l1", "f")) is bare
    assert placed_at([NOT_FINITE, bare], Cursor(5, Phase.BACKWARD, 2, "l1")) is None


@pytest.mark.parametrize("time_step", [*range(1, T + 1), *range(-T, 0)])
def test_training_asks_a_place_at_its_own_time_step(moment: Moment, time_step: int) -> None:
    at = time_step if time_step > 0 else T + 1 + time_step
    asked = [Breakpoint("place", f"t == {t}", time_step=time_step) for t in range(1, T + 1)]
    hits, _ = Guard(tuple(map(arm, asked))).examine(moment)
    assert [(hit.breakpoint, hit.time_step) for hit in hits] == [(asked[at - 1], at)]


@pytest.mark.parametrize("text", ["norm(dh[t]) > 0", "share_hh[t] > 0", "so_far_hh[t] > 0", "da_f[t, 2] < 1"])
def test_what_only_the_backward_sweep_finds_stops_it(moment: Moment, text: str) -> None:
    assert {cursor.phase for cursor in stopped(moment, Breakpoint("condition", text))} == {Phase.BACKWARD}


def test_what_a_guard_looked_at_before_it_was_set_does_not_count(moment: Moment) -> None:
    every = Breakpoint("condition", "k > 0", every=3)
    guard = Guard((arm(every),)).primed(moment).primed(moment)
    found = []
    for _ in range(6):
        hits, guard = guard.examine(moment)
        found.append(bool(hits))
    assert found == [False, False, True] * 2


def test_places_count_from_the_end_and_mean_every_layer_or_time_step(moment: Moment) -> None:
    last = stopped(moment, Breakpoint("place", phase="backward", time_step=-1))
    assert last == [Cursor(5, Phase.BACKWARD, T, layer) for layer in ("l1", "l0")]
    every = stopped(moment, Breakpoint("place", phase="forward", layer="l1", operation="f"))
    assert every == [Cursor(5, Phase.FORWARD, t, "l1", "f") for t in range(1, T + 1)]
    assert stopped(moment, Breakpoint("place", time_step=T + 1)) == []
    assert stopped(moment, Breakpoint("place", time_step=-T - 1)) == []
    assert stopped(moment, Breakpoint("place", operation="r")) == []  # a GRU's
    assert stopped(moment, Breakpoint("place", layer="l2")) == []
    assert stopped(moment, Breakpoint("place", model="GRU")) == []
    assert stopped(moment, Breakpoint("place", enabled=False)) == []


@pytest.mark.parametrize("phase", ["forward", "backward"])
def test_a_mark_stands_where_a_walk_stops(moment: Moment, phase: Literal["forward", "backward"]) -> None:
    for time_step in (*range(1, T + 1), *range(-T, 0)):
        one = Breakpoint("place", phase=phase, time_step=time_step, layer="l1", operation="f")
        at = time_step if time_step > 0 else T + 1 + time_step
        assert points_of(one, PROGRAM, START) == (Cursor(5, Phase(phase), at, "l1", "f"),)
        assert stopped(moment, one) == [*points_of(one, PROGRAM, START)]
    for time_step in (-T - 1, T + 1):
        assert points_of(Breakpoint("place", phase=phase, time_step=time_step), PROGRAM, START) == ()


def test_conditions_stop_where_they_are_met(moment: Moment, trace: Trace) -> None:
    gate = trace.layer("l0").gates["f"][:, 0, 1]
    level = float(np.median(gate))
    met = [t + 1 for t in range(T) if gate[t] > level]
    assert stopped(moment, Breakpoint("condition", f"f[t, 2] > {level!r}")) == [
        Cursor(5, Phase.FORWARD, t) for t in met
    ]
    place = Breakpoint("place", f"f[t, 2] > {level!r}", phase="backward", layer="l0")
    assert stopped(moment, place) == [Cursor(5, Phase.BACKWARD, t) for t in reversed(met)]
    norms = np.linalg.norm(trace.layer("l1").hidden_grad[:, 0], axis=-1)
    crossed = [t + 1 for t in range(1, T) if norms[t - 1] < norms[3] <= norms[t]]
    data = Breakpoint("data", "norm(dh[t])", crosses=float(norms[3]), direction="up", layer="l1")
    assert crossed
    assert stopped(moment, data) == [Cursor(5, Phase.BACKWARD, t, "l1") for t in reversed(crossed)]
    assert stopped(moment, Breakpoint("condition", "loss < 1")) == []  # of the whole training step


def test_the_next_stop_forwards_and_backwards(moment: Moment) -> None:
    armed = [arm(Breakpoint("place", time_step=3, layer="l0")), arm(Breakpoint("place", phase="loss"))]
    bookmarks = (Bookmark(5, "backward", 2, "l1", note="here"), Bookmark(6, note="elsewhere"))
    found = stops(armed, bookmarks, PROGRAM, START, moment)
    walk, cursor = [], START
    while (stop := next_stop(found, PROGRAM, cursor)) is not None:
        walk.append(stop)
        cursor = stop.cursor
    assert tuple(walk) == found
    assert [stop.bookmark for stop in walk] == [None, None, bookmarks[0]]
    assert [stop.breakpoint for stop in walk[:2]] == [one.breakpoint for one in armed]
    back, cursor = [], PROGRAM.at(len(PROGRAM), START)
    while (stop := next_stop(found, PROGRAM, cursor, backwards=True)) is not None:
        back.append(stop)
        cursor = stop.cursor
    assert back == walk[::-1]


def test_a_bookmark_is_of_the_place_it_was_set_at() -> None:
    cursor = Cursor(7, Phase.BACKWARD, 4, "l1", "f")
    assert bookmarked(bookmark_at(cursor, "a note")) == cursor

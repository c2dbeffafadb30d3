"""Places and their transitions: where each leads, what it leaves alone, and that nobody else writes a cursor."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from several_calls import network

import rnnviz
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.network import Network
from rnnviz.core.stopping.marks import Bookmark
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import HeadKind
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger import places
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.places import (
    NO_UNIT,
    Place,
    Walkable,
    arrived,
    asked,
    begun,
    by_layers,
    by_samples,
    followed,
    run_target,
    to_bookmark,
    to_gradient,
    to_layer,
    to_loss,
    to_model,
    to_next_model,
    to_operation,
    to_parameter,
    to_phase,
    to_point,
    to_time_step,
    to_unit,
    walked,
)
from rnnviz.debugger.walking import StepCommand, step

DEEP, FLAT = Structure("lstm", 3, 5, num_layers=2), Structure("vanilla", 3, 5)
WALKABLE = Walkable((Network.one(DEEP), Network.one(FLAT)), (9, 4, 7), (0, 250, 503))
HERE = Place(Cursor(250, Phase.BACKWARD, 8, "l1", "c"), sample=0, model=0, unit=2, following=False)


def test_what_there_is_to_walk_through() -> None:
    assert WALKABLE.layer_names == ("l0", "l1")
    assert [WALKABLE.time_steps(sample) for sample in (0, 1, 2, 9)] == [9, 4, 7, 7]
    program = WALKABLE.program(HERE)
    assert (program.time_steps, program.layers, tuple(program.training_steps)) == (9, ("l0", "l1"), (0, 250, 503))
    assert WALKABLE.program(replace(HERE, model=1, sample=1)).layers == ("l0",)
    assert WALKABLE.program(replace(HERE, model=1, sample=1)).time_steps == 4


def test_the_loss_has_points_where_there_is_a_head_and_the_update_where_it_is_trained() -> None:
    rule, head = TrainingSettings("rmsprop").rule, HeadKind("cross entropy")
    whole = replace(WALKABLE, heads=(head, None), loss_time_steps=(7, 0, 7), rule=rule)
    program = whole.program(HERE)
    assert program.loss == ("logits", "softmax", "loss", "prediction_grad", "weight_grads", "output_grad")
    assert program.update == ("gradient", "clip", "mean square", "delta", "weights")
    assert program.loss_time_step == 7
    for phase in Phase:
        assert program.operations_in(phase) == tuple(one.key for one in whole.operations(HERE, phase))
    headless = whole.program(replace(HERE, model=1))
    assert (headless.loss, len(headless.update)) == ((), 5)
    assert replace(whole, rule=None).program(HERE).update == ()
    assert WALKABLE.program(HERE).loss == WALKABLE.program(HERE).update == ()


def test_the_operation_at_the_cursor_is_that_of_its_phase() -> None:
    whole = replace(WALKABLE, heads=(HeadKind("mean squared error"), None), rule=TrainingSettings("adam").rule)
    clip = to_operation(HERE, WALKABLE, Phase.UPDATE, "l0", "clip")
    found = whole.operation(clip)
    assert (found.key, found.words.partition(":")[0]) == ("clip", "clip")
    assert whole.operation(HERE).symbol == "c_t"
    assert whole.operation(replace(clip, cursor=replace(clip.cursor, phase=Phase.LOSS))) is None
    assert whole.operation(to_operation(HERE, WALKABLE, Phase.UPDATE, "l0", "delta"), "W_{ho}").symbol == "ΔW_{ho}"
    assert to_parameter(clip, "") is clip
    assert to_parameter(clip, "head.weight").parameter == "head.weight"


def test_what_there_is_to_walk_through_is_read_from_the_traces(random_capture) -> None:
    asked = rebuild(random_capture(FLAT, loss="mean squared error"))
    silent = rebuild(random_capture(DEEP).with_call(head=None))
    found = Walkable.of((Network.one(FLAT), Network.one(DEEP)), (asked, silent), (0,), TrainingSettings("sgd").rule)
    assert found.heads == (HeadKind("mean squared error"), None)
    assert found.loss_time_steps == (6, 6)
    capture = random_capture(FLAT)
    weight = np.zeros_like(capture.head.loss_weight)
    weight[2, 1] = 1.0
    early = rebuild(capture.with_call(head=replace(capture.head, loss_weight=weight)))
    assert Walkable.of((Network.one(FLAT),), (early.alone(1),)).loss_time_steps == (0, 3)
    assert Walkable.of((Network.one(DEEP),), (None,)).heads == (None,)


def test_the_backward_sweep_of_a_truncated_trace_ends_at_its_edge(random_capture) -> None:
    capture = random_capture(FLAT)
    grad_output = capture.grad_output.copy()
    grad_output[:4] = 0
    trace = rebuild(capture.with_call(grad_output=grad_output, cut=np.arange(len(grad_output)) == 2))
    found, here = Walkable.of((trace.network,), (trace,)), begun()
    assert found.program(here).edge == 3
    back = to_phase(here, found, Phase.BACKWARD, None)
    assert back.cursor.time_step == to_time_step(back, found, 2).cursor.time_step == 4
    assert run_target(back, found, 2, 1) is None
    assert run_target(back, found, 2, -1) == replace(back.cursor, phase=Phase.FORWARD, time_step=2)
    assert arrived(replace(back, cursor=replace(back.cursor, time_step=1)), found, 5).cursor.time_step == 4
    assert Walkable.of((trace.network,), (trace.alone(1),)).cuts == found.cuts == (Cuts((3,), 3),) * 2


def test_an_encoder_and_a_decoder_are_walked_in_their_own_stretches_of_each_sequence() -> None:
    trace = rebuild(network("gru"))  # of 2 and 4 time steps that are read, 3 and 2 that are written
    found = Walkable.of((trace.network,), (trace,))
    assert Walkable.of((), (trace.alone(1),)).stretches == found.stretches == (((0, 2), (2, 5)), ((0, 4), (4, 6)))
    assert (found.lengths, found.loss_time_steps) == ((5, 6), (5, 6))
    names = ("l0", "l0_reverse", "l1", "l1_reverse")
    assert found.layer_names == (*names, *(f"decoder.{name}" for name in names))
    here = begun(layer="l1")
    there = to_time_step(here, found, 4)
    assert (there.cursor.layer, there.cursor.time_step) == ("decoder.l1", 4)
    assert by_samples(there, found, 1).cursor == replace(here.cursor, time_step=4)  # which is still read there
    assert to_layer(there, found, "l0_reverse").cursor.time_step == 2
    assert by_layers(there, found, -3).cursor == Cursor(0, Phase.FORWARD, 2, "l1_reverse")
    assert run_target(here, found, 4, 1) == there.cursor
    over = step(found.program(here), to_layer(there, found, "l1_reverse").walk, StepCommand.PHASE_END)
    assert over.cursor == Cursor(0, Phase.FORWARD, 3, "decoder.l1_reverse")


def test_before_the_first_trace_there_is_one_time_step_and_no_sequence() -> None:
    early = Walkable((Network.one(DEEP),), (), (0,))
    assert (early.program(HERE).time_steps, early.program(HERE).layers) == (1, ())
    assert by_samples(HERE, early, 1) is HERE
    assert by_layers(begun(), early, 1).cursor.layer == "l1"
    assert by_layers(begun(), Walkable(), 1) == begun()


def test_a_run_just_opened_is_looked_at_from_the_start_of_its_newest_capture() -> None:
    found = begun(503, "l0")
    assert found.cursor == Cursor(503, Phase.FORWARD, 1, "l0")
    assert (found.following, found.wanted, found.sample, found.model, found.unit) == (True, None, 0, 0, NO_UNIT)


def test_503_is_shown_for_500_until_it_is_left() -> None:
    place = asked(replace(HERE, following=True), 500)
    assert (place.following, place.wanted, place.cursor) == (False, 500, HERE.cursor)
    shown = arrived(place, WALKABLE, 503)
    assert shown.cursor == replace(HERE.cursor, training_step=503)
    assert shown.training_step == 500
    assert to_layer(shown, WALKABLE, "l0").training_step == 500  # the same traces
    assert asked(shown, 250).training_step == 250
    assert followed(shown).wanted is None
    assert arrived(followed(shown), WALKABLE, 750).training_step == 750


def test_what_arrives_keeps_the_time_step_as_far_as_the_sequence_goes() -> None:
    assert arrived(replace(HERE, sample=1), WALKABLE, 503).cursor == Cursor(503, Phase.BACKWARD, 4, "l1", "c")
    outside = replace(HERE, cursor=replace(HERE.cursor, time_step=0))
    assert arrived(outside, WALKABLE, 503).cursor.time_step == 1


def test_a_point_begins_a_new_walk_in_the_training_step_shown() -> None:
    program = WALKABLE.program(HERE)
    walk = step(program, HERE.walk, StepCommand.OUT)
    there = walked(HERE, walk)
    assert there.cursor == walk.cursor
    assert there.trail == walk.trail
    assert there.trail
    point = Cursor(503, Phase.FORWARD, 3, "l0")
    assert to_point(there, point).cursor == replace(point, training_step=250)
    assert to_point(there, point).trail == ()
    mark = Bookmark(503, "loss", 9, "l1", "", "here")
    assert to_bookmark(there, mark).cursor == Cursor(250, Phase.LOSS, 9, "l1")


def test_time_steps_and_phases() -> None:
    assert to_time_step(HERE, WALKABLE, 40).cursor == replace(HERE.cursor, time_step=9)
    assert to_time_step(HERE, WALKABLE, -3).cursor.time_step == 1
    assert to_time_step(replace(HERE, sample=1), WALKABLE, 40).cursor.time_step == 4
    loss = replace(HERE, cursor=Cursor(250, Phase.LOSS, 9, "l1"))
    assert to_time_step(loss, WALKABLE, 3).cursor == Cursor(250, Phase.FORWARD, 3, "l1")
    assert to_phase(HERE, WALKABLE, Phase.FORWARD, 3).cursor == Cursor(250, Phase.FORWARD, 3, "l1")
    assert to_phase(HERE, WALKABLE, None, 99).cursor == Cursor(250, Phase.BACKWARD, 9, "l1")
    assert to_phase(HERE, WALKABLE, Phase.LOSS, None).cursor == Cursor(250, Phase.LOSS, 9, "l1")


def test_operations_gradients_and_losses() -> None:
    assert to_operation(HERE, WALKABLE, Phase.FORWARD, "l0", "f").cursor == Cursor(250, Phase.FORWARD, 8, "l0", "f")
    gradient = to_gradient(replace(HERE, cursor=Cursor(250, Phase.FORWARD, 1, "l0", "f")), "l1", 6, 4)
    assert (gradient.cursor, gradient.unit) == (Cursor(250, Phase.BACKWARD, 6, "l1"), 4)
    assert to_loss(HERE, 5).cursor == Cursor(250, Phase.LOSS, 5, "l1")


def test_layers() -> None:
    assert to_layer(HERE, WALKABLE, "l0").cursor == replace(HERE.cursor, layer="l0")
    assert [by_layers(HERE, WALKABLE, by).cursor.layer for by in (-2, -1, 0, 1)] == ["l0", "l0", "l1", "l1"]
    unknown = to_layer(HERE, WALKABLE, "l7")
    assert by_layers(unknown, WALKABLE, 1).cursor.layer == "l1"


def test_another_model_is_entered_on_a_whole_time_step() -> None:
    other = to_model(HERE, 1, 3)
    assert (other.model, other.unit, other.cursor) == (1, 3, replace(HERE.cursor, operation=""))
    assert to_model(HERE, 1).unit == NO_UNIT
    assert to_model(HERE, 0, 3).cursor == HERE.cursor
    assert to_model(HERE, 0, 3).unit == 3
    flat = to_next_model(HERE, WALKABLE)
    assert (flat.model, flat.unit, flat.cursor) == (1, NO_UNIT, replace(HERE.cursor, layer="l0", operation=""))
    assert to_next_model(replace(flat, cursor=replace(flat.cursor, layer="l0")), WALKABLE).model == 0


def test_sequences_go_round_and_hold_the_time_step() -> None:
    assert [by_samples(HERE, WALKABLE, by).sample for by in (1, 2, 3, -1)] == [1, 2, 0, 2]
    assert [by_samples(HERE, WALKABLE, by).cursor.time_step for by in (1, 2, 3)] == [4, 7, 8]


def test_the_nearest_point_of_a_time_step() -> None:
    assert run_target(HERE, WALKABLE, 3, 1) == Cursor(250, Phase.BACKWARD, 3, "l1")
    assert run_target(HERE, WALKABLE, 9, 1) is None
    assert run_target(HERE, WALKABLE, 9, -1) == Cursor(250, Phase.BACKWARD, 9, "l1")
    assert run_target(HERE, WALKABLE, 3, -1) == Cursor(250, Phase.FORWARD, 3, "l1")


@pytest.mark.parametrize(
    "stay",
    [
        asked(asked(HERE, 500), 500),
        to_point(HERE, HERE.cursor),
        to_layer(HERE, WALKABLE, "l1"),
        to_unit(HERE, 2),
        to_model(HERE, 0, 2),
        to_time_step(HERE, WALKABLE, 8),
        to_operation(HERE, WALKABLE, Phase.BACKWARD, "l1", "c"),
        by_layers(HERE, WALKABLE, 1),
        by_samples(HERE, WALKABLE, 3),
        arrived(HERE, WALKABLE, 250),
    ],
)
def test_what_leads_nowhere_is_the_very_same_place(stay: Place) -> None:
    assert replace(stay, wanted=None) == HERE
    assert stay is HERE or stay.wanted == 500


def test_nobody_else_writes_a_place() -> None:
    """A place and the cursor in it are only written by the transitions; positions are made by the debugger alone."""
    root = Path(rnnviz.__file__).parent
    writers = [
        f"{path.relative_to(root)}:{node.lineno}: {ast.unparse(node)}"
        for path in sorted(root.rglob("*.py"))
        if path != Path(places.__file__) and path.relative_to(root).parts[0] != "core"  # which knows no debugger
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and writes_a_place(node, path.parent.name == "debugger")
    ]
    assert writers == []


def writes_a_place(call: ast.Call, in_debugger: bool) -> bool:
    """Makes or replaces a place; outside the debugger a cursor, too, and replacing fields of the place's group."""
    name = ast.unparse(call.func).split(".")[-1]
    keywords = {each.arg for each in call.keywords}
    if name == "Place":
        return True
    if name == "replace" and call.args:
        of = ast.unparse(call.args[0]).split(".")[-1]
        if of == "place" or (of == "state" and "place" in keywords):
            return True
        return not in_debugger and (of == "cursor" or bool(keywords & {"phase", "time_step", "operation"}))
    if name == "setting":
        return bool(keywords & set(Place.__dataclass_fields__))
    return name == "Cursor" and not in_debugger


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("replace(state.place.cursor, layer='l1')", True),
        ("replace(here, phase=phase, time_step=3)", True),
        ("replace(place, unit=3)", True),
        ("replace(state, place=there)", True),
        ("store.change(place=setting(sample=2))", True),
        ("Cursor(0, Phase.FORWARD, 1)", True),
        ("Place(cursor)", True),
        ("replace(state.look, theme='dark')", False),
        ("replace(whatif, training_step=3, sample=1)", False),
    ],
)
def test_the_one_who_looks_for_writers_finds_them(line: str, found: bool) -> None:
    calls = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
    assert any(writes_a_place(call, False) for call in calls) is found

"""The program of a training step: its order, and that every move is undone by its twin."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from programs import in_two_stages, program_of

from rnnviz.core.structure import Structure
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program
from rnnviz.debugger.rows import Row

time_steps = st.integers(1, 40)


def walk(program: Program) -> list[tuple[Phase, int]]:
    start = program.at(0, Cursor(0, Phase.FORWARD, 1))
    return [(here.phase, here.time_step) for here in (program.at(point, start) for point in range(len(program)))]


def test_the_order_is_forward_loss_backward_accumulate_update():
    assert walk(Program(3)) == [
        (Phase.FORWARD, 1),
        (Phase.FORWARD, 2),
        (Phase.FORWARD, 3),
        (Phase.LOSS, 3),
        (Phase.BACKWARD, 3),
        (Phase.BACKWARD, 2),
        (Phase.BACKWARD, 1),
        (Phase.ACCUMULATE, 1),
        (Phase.UPDATE, 1),
    ]


@given(time_steps, st.data())
def test_point_and_at_are_inverse(count, data):
    program = Program(count)
    point = data.draw(st.integers(0, len(program) - 1))
    assert program.point(program.at(point, Cursor(7, Phase.FORWARD, 1))) == point


@given(time_steps, st.data())
def test_after_and_before_undo_each_other_inside_the_program(count, data):
    program = Program(count)
    cursor = program.at(data.draw(st.integers(1, len(program) - 2)), Cursor(7, Phase.FORWARD, 1, "l1_reverse"))
    assert program.before(program.after(cursor)) == cursor
    assert program.after(program.before(cursor)) == cursor


def test_the_ends_hold():
    program = Program(5)
    first, last = program.at(-3, Cursor(0, Phase.FORWARD, 1)), program.at(99, Cursor(0, Phase.FORWARD, 1))
    assert program.before(first) == first == Cursor(0, Phase.FORWARD, 1)
    assert program.after(last) == last == Cursor(0, Phase.UPDATE, 1)


def test_phase_start_and_end_go_to_the_neighbour_phase_when_already_there():
    program = Program(5)
    middle = Cursor(0, Phase.BACKWARD, 3)
    assert program.phase_start(middle) == Cursor(0, Phase.BACKWARD, 5)
    assert program.phase_start(program.phase_start(middle)) == Cursor(0, Phase.LOSS, 5)
    assert program.phase_end(middle) == Cursor(0, Phase.BACKWARD, 1)
    assert program.phase_end(program.phase_end(middle)) == Cursor(0, Phase.ACCUMULATE, 1)


@given(time_steps, st.integers(-5, 60), st.data())
def test_a_chosen_time_step_is_held_inside_and_keeps_the_sweep(count, wanted, data):
    program = Program(count)
    cursor = program.at(data.draw(st.integers(0, len(program) - 1)), Cursor(0, Phase.FORWARD, 1))
    chosen = program.to_time_step(cursor, wanted)
    assert 1 <= chosen.time_step <= count
    assert chosen.phase is (Phase.FORWARD if cursor.phase in (Phase.FORWARD, Phase.LOSS) else Phase.BACKWARD)


structures = st.builds(
    Structure,
    cell=st.sampled_from(["vanilla", "lstm", "gru"]),
    input_size=st.just(2),
    hidden_size=st.just(3),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
)


def test_sweeps_go_layer_by_layer_and_each_direction_its_own_way():
    program = program_of(2, Structure("vanilla", 1, 1, 2, bidirectional=True))
    start = Cursor(3, Phase.FORWARD, 1)
    points = [program.at(point, start) for point in range(len(program))]
    assert [(one.layer, one.time_step) for one in points[:8]] == [
        ("l0", 1),
        ("l0", 2),
        ("l0_reverse", 2),
        ("l0_reverse", 1),
        ("l1", 1),
        ("l1", 2),
        ("l1_reverse", 2),
        ("l1_reverse", 1),
    ]
    assert [(one.layer, one.time_step) for one in points[9:17]] == [
        (one.layer, one.time_step) for one in reversed(points[:8])
    ]
    assert [one.phase for one in (points[8], *points[17:])] == [Phase.LOSS, Phase.ACCUMULATE, Phase.UPDATE]


def test_operations_follow_their_time_step_and_come_in_reverse_in_the_backward_sweep():
    program = program_of(2, Structure("vanilla", 1, 1))
    start = Cursor(3, Phase.FORWARD, 1)
    points = [program.fine_at(number, start) for number in range(program.fine_length)]
    assert [(one.time_step, one.operation) for one in points if one.phase is Phase.FORWARD] == [
        (t, operation) for t in (1, 2) for operation in ("", "W x", "U h", "bias", "h")
    ]
    assert [(one.time_step, one.operation) for one in points if one.phase is Phase.BACKWARD] == [
        (t, operation) for t in (2, 1) for operation in ("", "h", "bias", "U h", "W x")
    ]
    assert points[-2:] == [Cursor(3, Phase.ACCUMULATE, 1, "l0"), Cursor(3, Phase.UPDATE, 1, "l0")]
    assert len(points) == len(set(points)) == 23


keys = st.lists(st.sampled_from("pqrst"), unique=True, max_size=4).map(tuple)


@given(structures, st.integers(1, 30), keys, keys, st.data())
def test_fine_points_are_numbered_without_gaps_and_in_order(structure, count, loss, update, data):
    program = program_of(count, structure, loss=loss, update=update)
    assert len(program) == 2 * count * len(structure.layer_names) + 3
    number = data.draw(st.integers(0, program.fine_length - 1))
    cursor = program.fine_at(number, Cursor(7, Phase.FORWARD, 1))
    assert program.fine_point(cursor) == number
    assert program.at(program.point(cursor), cursor).layer == cursor.layer
    later = program.fine_at(number + 1, cursor)
    assert program.point(later) - program.point(cursor) in (0, 1)


def test_the_loss_and_the_update_have_operations_of_their_own():
    program = program_of(
        3, Structure("vanilla", 1, 1), loss=("logits", "loss"), update=("clip", "delta"), loss_time_step=2
    )
    start = Cursor(3, Phase.FORWARD, 1)
    points = [program.fine_at(number, start) for number in range(program.fine_length)]
    assert len(points) == len(set(points)) == 2 * 3 * 5 + 3 + 4
    for phase, time_step, keys in ((Phase.LOSS, 2, ("", "logits", "loss")), (Phase.UPDATE, 1, ("", "clip", "delta"))):
        assert [one for one in points if one.phase is phase] == [Cursor(3, phase, time_step, "l0", key) for key in keys]
    elsewhere = Cursor(3, Phase.LOSS, 1, "l0", "logits")  # at a time step that a person chose
    assert program.fine_at(program.fine_point(elsewhere) + 1, elsewhere) == Cursor(3, Phase.LOSS, 1, "l0", "loss")
    assert program.to_time_step(elsewhere, 3) == Cursor(3, Phase.LOSS, 3, "l0", "logits")
    assert program.to_time_step(Cursor(3, Phase.UPDATE, 1, "l0", "clip"), 2) == Cursor(3, Phase.BACKWARD, 2)
    foreign = Cursor(3, Phase.LOSS, 2, "l0", "softmax")  # of another model
    assert program.fine_point(foreign) == program.fine_point(Cursor(3, Phase.LOSS, 2))


def test_a_cursor_from_another_model_stands_on_the_time_step_it_names():
    program = program_of(5, Structure("vanilla", 1, 1))
    foreign = Cursor(0, Phase.BACKWARD, 4, "l3", "f")
    assert program.fine_at(program.fine_point(foreign), foreign) == Cursor(0, Phase.BACKWARD, 4, "l0")
    assert program.point(Cursor(0, Phase.FORWARD, 99)) == program.point(Cursor(0, Phase.FORWARD, 5))


def test_a_program_of_a_million_time_steps_is_no_list():
    program = program_of(10**6, Structure("lstm", 1, 1, 2, bidirectional=True), loss=("loss",), update=("clip",))
    cursor = program.fine_at(program.fine_length // 3, Cursor(0, Phase.FORWARD, 1))
    assert program.fine_point(cursor) == program.fine_length // 3


@st.composite
def of_two_stages(draw):
    """An encoder of any depth and directions, and a decoder that goes on."""
    reading, both_ways = draw(structures), draw(st.integers(1, 9))
    decoder = replace(reading, bidirectional=False)
    sizes = both_ways, draw(st.integers(1, 9))
    return in_two_stages(*sizes, reading, decoder, loss=("logits",), update=("clip",)), sizes, reading


@given(of_two_stages(), st.data())
def test_the_encoders_layers_go_before_the_decoders_each_through_its_own_stretch(made, data):
    program, (read, written), encoder = made
    assert len(program) == 2 * (read * len(encoder.layer_names) + written * encoder.num_layers) + 3
    number = data.draw(st.integers(0, program.fine_length - 1))
    cursor = program.fine_at(number, Cursor(7, Phase.FORWARD, 1))
    assert program.fine_point(cursor) == number
    points = [program.at(point, cursor) for point in range(len(program))]
    for one in points:
        if one.phase.swept:
            inside = range(read + 1, read + written + 1) if one.layer.startswith("decoder.") else range(1, read + 1)
            assert one.time_step in inside
    places = {phase: [(one.layer, one.time_step) for one in points if one.phase is phase] for phase in Phase}
    assert places[Phase.BACKWARD] == places[Phase.FORWARD][::-1]
    assert len(set(places[Phase.FORWARD])) == program.first_of(Phase.LOSS)
    for phase in (Phase.FORWARD, Phase.BACKWARD):
        begun = [n for n in range(1, len(points)) if points[n].phase is points[n - 1].phase is phase
                 and points[n].layer != points[n - 1].layer]  # fmt: skip
        assert list(program.borders(phase)) == begun
    assert places[Phase.LOSS] == [(program.layers[-1], read + written)]


@given(of_two_stages(), st.data())
def test_a_time_step_of_the_other_stage_is_looked_at_in_the_corresponding_layer(made, data):
    program, (read, written), encoder = made
    sweep = data.draw(st.sampled_from([Phase.FORWARD, Phase.BACKWARD]))
    layer, depth = data.draw(st.sampled_from([(one.text, one.depth) for one in encoder.layer_ids]))
    here = Cursor(2, sweep, data.draw(st.integers(1, read)), layer)
    there = program.to_time_step(here, read + data.draw(st.integers(1, written)))
    assert there.layer == f"decoder.l{depth}"
    assert program.to_time_step(there, here.time_step) == replace(here, layer=f"l{depth}")
    assert program.to_layer(here, there.layer) == replace(here, layer=there.layer, time_step=read + 1)
    assert program.to_layer(there, layer) == replace(there, layer=layer, time_step=read)


def test_what_begins_the_decoder_comes_once():
    """An operation of the first time step alone, and that the layers of a stage may have operations of their own."""
    rows = Row("l0", 0, 2, ("h",)), Row("decoder.l0", 2, 4, ("h", "y"), ("given",))
    program = Program(4, rows, loss=("loss",))
    points = [program.fine_at(number, Cursor(0, Phase.FORWARD, 1)) for number in range(program.fine_length)]
    forward = [(one.layer, one.time_step, one.operation) for one in points if one.phase is Phase.FORWARD]
    assert forward == [
        *((("l0", 1, ""), ("l0", 1, "h"), ("l0", 2, ""), ("l0", 2, "h"))),
        *(("decoder.l0", 3, key) for key in ("", "given", "h", "y")),
        *(("decoder.l0", 4, key) for key in ("", "h", "y")),
    ]
    backward = [(one.time_step, one.operation) for one in points if one.phase is Phase.BACKWARD]
    assert backward[:7] == [(4, ""), (4, "y"), (4, "h"), (3, ""), (3, "y"), (3, "h"), (3, "given")]
    assert [program.fine_point(one) for one in points] == list(range(len(points)))
    assert program.operations == ("h", "given", "y")
    other = program.to_time_step(Cursor(0, Phase.FORWARD, 3, "decoder.l0", "y"), 2)
    assert other == Cursor(0, Phase.FORWARD, 2, "l0")  # which has no such operation


def test_the_backward_sweep_ends_at_a_cut():
    structure = Structure("gru", 2, 3, num_layers=2, bidirectional=True)
    program = program_of(4, structure, edge=2)
    steps = [
        (here.phase, here.layer, here.time_step)
        for here in (program.at(point, Cursor(0, Phase.FORWARD, 1)) for point in range(len(program)))
    ]
    assert len(program) == 16 + 8 + 3
    assert steps[17:25] == [
        *((Phase.BACKWARD, "l1_reverse", t) for t in (3, 4)),
        *((Phase.BACKWARD, "l1", t) for t in (4, 3)),
        *((Phase.BACKWARD, "l0_reverse", t) for t in (3, 4)),
        *((Phase.BACKWARD, "l0", t) for t in (4, 3)),
    ]  # fmt: skip
    assert steps[25:] == [(Phase.ACCUMULATE, "l0", 3), (Phase.UPDATE, "l0", 3)]
    assert program.to_time_step(Cursor(0, Phase.BACKWARD, 4, "l0"), 1).time_step == 3
    assert program.to_time_step(Cursor(0, Phase.FORWARD, 4, "l0"), 1).time_step == 1
    assert program.point(Cursor(0, Phase.BACKWARD, 1, "l0")) == 24, "one that stands beyond has come to the edge"


@given(edge=st.integers(0, 5), bidirectional=st.booleans(), data=st.data())
def test_points_behind_a_cut_are_numbered_without_gaps(edge, bidirectional, data):
    structure = Structure("lstm", 2, 3, num_layers=2, bidirectional=bidirectional)
    program = program_of(5, structure, (), ("a", "b"), ("c",), edge=edge)
    cursor = Cursor(0, Phase.FORWARD, 1)
    point = data.draw(st.integers(0, len(program) - 1))
    assert program.point(program.at(point, cursor)) == point
    number = data.draw(st.integers(0, program.fine_length - 1))
    found = program.fine_at(number, cursor)
    assert program.fine_point(found) == number
    assert found.phase is not Phase.BACKWARD or found.time_step > min(edge, 4)

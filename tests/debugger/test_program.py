"""The program of a training step: its order, and that every move is undone by its twin."""

from hypothesis import given
from hypothesis import strategies as st

from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program

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

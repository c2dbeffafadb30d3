"""Stepping: what each command means, and that its reverse twin always leads back to the identical cursor."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import in_two_stages, program_of

from rnnviz.core.structure import Structure
from rnnviz.debugger.cursor import Cursor, Granularity, Phase
from rnnviz.debugger.program import Program
from rnnviz.debugger.rows import Row
from rnnviz.debugger.walking import TRAIL, StepCommand, Walk, step

LSTM = Structure("lstm", 3, 4)
PROGRAM = program_of(5, LSTM, range(3))
structures = st.builds(
    Structure,
    cell=st.sampled_from(["vanilla", "lstm", "gru"]),
    input_size=st.just(2),
    hidden_size=st.just(3),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
)
LOSS = ("logits", "softmax", "loss", "prediction_grad", "weight_grads", "output_grad")
UPDATE = ("gradient", "clip", "mean", "delta", "weights")
inside = st.tuples(st.sampled_from([(), LOSS, LOSS[:1]]), st.sampled_from([(), UPDATE, UPDATE[:1]]))
steps_to_walk = st.one_of(st.integers(1, 9).map(range), st.sets(st.integers(0, 99), min_size=1).map(sorted).map(tuple))
granularities = st.sampled_from([None, *Granularity])
simple_commands = [command for command in StepCommand if command is not StepCommand.RUN_TO]


def asked(command, direction=1):
    """One command as a function of the program, the walk and, of OVER, the granularity."""
    return lambda program, walk, granularity=None: step(program, walk, command, direction, granularity=granularity)


over, over_back = asked(StepCommand.OVER), asked(StepCommand.OVER, -1)
into, into_back = asked(StepCommand.INTO), asked(StepCommand.INTO, -1)
out, out_back = asked(StepCommand.OUT), asked(StepCommand.OUT, -1)
to_phase_end, to_phase_end_back = asked(StepCommand.PHASE_END), asked(StepCommand.PHASE_END, -1)
restart_phase, restart_phase_back = asked(StepCommand.RESTART_PHASE), asked(StepCommand.RESTART_PHASE, -1)


def run_to(program, walk, target):
    return step(program, walk, StepCommand.RUN_TO, target=target)


def run_back_to(program, walk, target=None):
    return step(program, walk, StepCommand.RUN_TO, -1, target=target)


def stand(phase, time_step=1, operation="", layer="l0", k=1):
    return Walk(Cursor(k, phase, time_step, layer, operation))


def place(walk):
    return walk.cursor.training_step, walk.cursor.phase, walk.cursor.time_step, walk.cursor.operation


def there_and_back(program, walk, command, granularity=None):
    """After a command and its twin; None where the command found nowhere to go."""
    there = step(program, walk, command, granularity=granularity)
    if not there.moved:
        assert there == walk
        assert there.reason
        return None
    return step(program, there, command, -1, granularity=granularity)


@pytest.mark.parametrize(
    "program",
    [
        *(
            program_of(30, Structure(cell, 2, 3, 2, bidirectional=True), range(3))
            for cell in ("vanilla", "lstm", "gru")
        ),
        *(program_of(3, LSTM, range(3), loss, update, 2) for loss in ((), LOSS) for update in ((), UPDATE)),
        program_of(2, None, range(3), LOSS, UPDATE),
        program_of(4, Structure("gru", 2, 3, 2, True), range(3), LOSS, UPDATE, 4, edge=2),
        in_two_stages(3, 2, Structure("gru", 2, 3, 2, True), Structure("gru", 2, 3, 2), range(3), LOSS, UPDATE, 5),
        Program(3, (Row("l0", 0, 1, ("h",)), Row("decoder.l0", 1, 3, ("h", "y"), ("given",))), range(3), LOSS[:1]),
    ],
)
def test_every_command_is_undone_by_its_twin_from_every_point(program):
    start = Cursor(1, Phase.FORWARD, 1)
    commands = [(command, None) for command in simple_commands]
    commands += [(StepCommand.OVER, granularity) for granularity in Granularity]
    middle = program.fine_at(program.fine_length // 2, start)
    for number in range(program.fine_length):
        walk = Walk(program.fine_at(number, start))
        assert program.fine_point(walk.cursor) == number
        unmoved = []
        for command, granularity in commands:
            back = there_and_back(program, walk, command, granularity)
            if back is None:
                unmoved.append(command)
            else:
                assert back == walk
        assert set(unmoved) <= {StepCommand.PHASE_END, StepCommand.RESTART_PHASE}
        ran = run_to(program, walk, middle)
        assert ran.moved == (number < program.fine_point(middle))
        if ran.moved:
            assert run_back_to(program, ran) == walk
            assert run_back_to(program, ran, walk.cursor).cursor == walk.cursor


@settings(max_examples=60)
@given(structures, st.integers(1, 12), steps_to_walk, inside, st.data())
def test_twins_undo_each_other_in_the_middle_of_any_walk(structure, count, training_steps, keys, data):
    program = program_of(count, structure, training_steps, *keys, data.draw(st.integers(0, count)))
    names = (*structure.layer_names, "l9")
    cursor = Cursor(
        data.draw(st.integers(0, 100)),
        data.draw(st.sampled_from(Phase)),
        data.draw(st.integers(1, count)),
        data.draw(st.sampled_from(names)),
    )
    if cursor.phase.swept and cursor.layer != "l9":
        cursor = program.at(program.point(cursor), cursor)
    elif not cursor.phase.swept:
        operation = data.draw(st.sampled_from(("", *program.operations_in(cursor.phase))))
        cursor = replace(cursor, operation=operation)
    walk = Walk(cursor)
    for _ in range(data.draw(st.integers(1, 12))):
        command, granularity = data.draw(st.sampled_from(simple_commands)), data.draw(granularities)
        granularity = granularity if command is StepCommand.OVER else None
        back = there_and_back(program, walk, command, granularity)
        assert back is None or back == walk
        direction = data.draw(st.sampled_from([1, 1, -1]))
        walk = step(program, walk, command, direction, granularity=granularity)
        assert len(walk.trail) <= TRAIL


@pytest.mark.parametrize("structure", [None, Structure("vanilla", 2, 3), LSTM])
@pytest.mark.parametrize("time_steps", [1, 2])
def test_a_jump_made_twice_is_taken_back_twice(structure, time_steps):
    """The first `out` leaves a jump behind when `over back` takes its step back; the second must not use it up."""
    program = program_of(time_steps, structure, range(3))
    for number in range(program.fine_length):
        walk = over(program, Walk(program.fine_at(number, Cursor(1, Phase.FORWARD, 1))))
        for command in (out, over_back, into):
            walk = command(program, walk)
            back = there_and_back(program, walk, StepCommand.OUT)
            assert back is None or back == walk


@pytest.mark.parametrize("structure", [None, Structure("vanilla", 2, 3, 2), LSTM])
def test_twins_undo_each_other_after_any_two_commands_on_one_time_step(structure):
    program = program_of(1, structure, range(3))
    forward = [(command, None) for command in simple_commands]
    forward += [(StepCommand.OVER, granularity) for granularity in Granularity]
    for number in range(program.fine_length):
        walks = [Walk(program.fine_at(number, Cursor(1, Phase.FORWARD, 1)))]
        for _ in range(2):
            walks = [
                step(program, walk, command, direction, granularity=granularity)
                for walk in walks
                for command, granularity in forward
                for direction in (1, -1)
            ]
        for walk in set(walks):
            for command, granularity in forward:
                back = there_and_back(program, walk, command, granularity)
                assert back is None or back == walk


@given(structures, st.integers(1, 12), inside)
def test_step_into_visits_every_point_once_and_its_twin_in_reverse(structure, count, keys):
    program = program_of(count, structure, range(0), *keys)
    walk = Walk(program.at(0, Cursor(0, Phase.UPDATE, 1)))
    visited = [walk.cursor]
    while (walk := into(program, walk)).moved:
        visited.append(walk.cursor)
    assert len(visited) == len(set(visited)) == program.fine_length
    reverse = [walk.cursor]
    while (walk := into_back(program, walk)).moved:
        reverse.append(walk.cursor)
    assert reverse == visited[::-1]
    assert not walk.trail


def test_step_over_stays_as_deep_as_the_cursor_stands():
    assert place(over(PROGRAM, stand(Phase.FORWARD, 2))) == (1, Phase.FORWARD, 3, "")
    assert place(over(PROGRAM, stand(Phase.FORWARD, 2, "i"))) == (1, Phase.FORWARD, 2, "f")
    assert place(over(PROGRAM, stand(Phase.FORWARD, 2, "h"))) == (1, Phase.FORWARD, 3, "W x")
    assert place(over(PROGRAM, stand(Phase.BACKWARD, 2, "W x"))) == (1, Phase.BACKWARD, 1, "h")
    assert place(over_back(PROGRAM, stand(Phase.BACKWARD, 2, "h"))) == (1, Phase.BACKWARD, 3, "W x")
    assert place(over(PROGRAM, stand(Phase.FORWARD, 5, "h"))) == (1, Phase.LOSS, 5, "")
    assert place(over(PROGRAM, stand(Phase.UPDATE))) == (2, Phase.FORWARD, 1, "")
    assert place(over_back(PROGRAM, stand(Phase.FORWARD))) == (0, Phase.UPDATE, 1, "")


def test_step_over_at_a_chosen_granularity():
    assert place(over(PROGRAM, stand(Phase.FORWARD, 2), Granularity.OPERATION)) == (1, Phase.FORWARD, 2, "W x")
    assert place(over(PROGRAM, stand(Phase.LOSS, 5), Granularity.OPERATION)) == (1, Phase.BACKWARD, 5, "h")
    assert place(over(PROGRAM, stand(Phase.UPDATE), Granularity.OPERATION)) == (2, Phase.FORWARD, 1, "W x")
    assert place(over_back(PROGRAM, stand(Phase.LOSS, 5), Granularity.OPERATION)) == (1, Phase.FORWARD, 5, "h")
    assert place(over(PROGRAM, stand(Phase.FORWARD, 2, "i"), Granularity.TIME_STEP)) == (1, Phase.FORWARD, 3, "")
    same = over(PROGRAM, stand(Phase.BACKWARD, 2, "i"), Granularity.TRAINING_STEP)
    assert place(same) == (2, Phase.BACKWARD, 2, "i")


def test_step_into_goes_to_the_first_operation():
    assert place(into(PROGRAM, stand(Phase.FORWARD, 2))) == (1, Phase.FORWARD, 2, "W x")
    assert place(into(PROGRAM, stand(Phase.BACKWARD, 2))) == (1, Phase.BACKWARD, 2, "h")
    assert place(into(PROGRAM, stand(Phase.FORWARD, 2, "h"))) == (1, Phase.FORWARD, 3, "")


def test_step_out_leaves_what_the_cursor_stands_in():
    assert place(out(PROGRAM, stand(Phase.FORWARD, 2, "i"))) == (1, Phase.FORWARD, 3, "")
    assert place(out(PROGRAM, stand(Phase.FORWARD, 5, "i"))) == (1, Phase.LOSS, 5, "")
    assert place(out(PROGRAM, stand(Phase.FORWARD, 2))) == (1, Phase.LOSS, 5, "")
    assert place(out(PROGRAM, stand(Phase.BACKWARD, 2))) == (1, Phase.ACCUMULATE, 1, "")
    assert place(out(PROGRAM, stand(Phase.LOSS, 5))) == (2, Phase.FORWARD, 1, "")
    assert place(out_back(PROGRAM, stand(Phase.FORWARD, 2, "i"))) == (1, Phase.FORWARD, 2, "")
    assert place(out_back(PROGRAM, stand(Phase.BACKWARD, 2))) == (1, Phase.LOSS, 5, "")
    assert place(out_back(PROGRAM, stand(Phase.FORWARD, 2))) == (0, Phase.UPDATE, 1, "")


def test_into_the_loss_and_into_the_update_and_out_again():
    program = program_of(5, LSTM, range(3), LOSS, UPDATE)
    walk = into(program, stand(Phase.LOSS, 2))  # a person chose the time step
    assert place(walk) == (1, Phase.LOSS, 2, "logits")
    assert place(over(program, walk)) == (1, Phase.LOSS, 2, "softmax")
    assert place(out(program, walk)) == (1, Phase.BACKWARD, 5, "")
    assert place(out_back(program, walk)) == (1, Phase.LOSS, 2, "")
    assert place(to_phase_end(program, walk)) == (1, Phase.LOSS, 2, "output_grad")
    assert place(over(program, stand(Phase.LOSS, 2, "output_grad"))) == (1, Phase.BACKWARD, 5, "h")
    assert place(over(program, stand(Phase.FORWARD, 5, "h"))) == (1, Phase.LOSS, 5, "logits")
    assert place(into(program, stand(Phase.UPDATE))) == (1, Phase.UPDATE, 1, "gradient")
    assert place(restart_phase(program, stand(Phase.UPDATE, 1, "mean"))) == (1, Phase.UPDATE, 1, "gradient")
    assert place(out(program, stand(Phase.UPDATE, 1, "clip"))) == (2, Phase.FORWARD, 1, "")
    assert place(over(program, stand(Phase.UPDATE, 1, "weights"))) == (2, Phase.FORWARD, 1, "W x")
    assert place(over_back(program, stand(Phase.FORWARD, 1, "W x"))) == (0, Phase.UPDATE, 1, "weights")
    last = out(program_of(5, LSTM, (), LOSS, UPDATE), stand(Phase.UPDATE, 1, "clip"))
    assert (last.moved, last.reason) == (False, "There is no later training step to go to.")


def test_the_phase_is_run_to_its_end_and_restarted():
    assert place(to_phase_end(PROGRAM, stand(Phase.BACKWARD, 4))) == (1, Phase.BACKWARD, 1, "")
    assert place(to_phase_end(PROGRAM, stand(Phase.BACKWARD, 4, "c"))) == (1, Phase.BACKWARD, 1, "W x")
    assert place(restart_phase(PROGRAM, stand(Phase.BACKWARD, 4))) == (1, Phase.BACKWARD, 5, "")
    assert place(restart_phase(PROGRAM, stand(Phase.FORWARD, 4, "c"))) == (1, Phase.FORWARD, 1, "W x")
    assert place(to_phase_end_back(PROGRAM, stand(Phase.BACKWARD, 4))) == (1, Phase.BACKWARD, 5, "")
    assert place(restart_phase_back(PROGRAM, stand(Phase.BACKWARD, 4))) == (1, Phase.BACKWARD, 1, "")
    middle = stand(Phase.FORWARD, 3)
    run = to_phase_end(PROGRAM, middle)
    assert restart_phase(PROGRAM, run).cursor.time_step == 1  # although the run began in the middle
    assert to_phase_end_back(PROGRAM, run) == middle
    assert to_phase_end(PROGRAM, to_phase_end_back(PROGRAM, run)) == run


def test_what_cannot_move_says_why():
    alone = program_of(5, LSTM)
    walk = stand(Phase.UPDATE)
    stayed = over(alone, walk)
    assert stayed == walk
    assert not stayed.moved
    assert stayed.reason == "There is no later training step to go to."
    assert over_back(alone, stand(Phase.FORWARD)).reason == "There is no earlier training step to go to."
    assert to_phase_end(alone, walk).reason == "The cursor is at the end of the phase already."
    assert restart_phase(alone, walk).reason == "The cursor is at the start of the phase already."
    behind = run_to(alone, walk, stand(Phase.LOSS, 5).cursor)
    assert behind.reason == "Run to cursor: the chosen point does not lie ahead."
    assert not run_back_to(alone, walk).moved
    assert over(alone, over_back(alone, walk)).moved


def test_steps_between_captures_go_to_the_nearest_one():
    sparse = program_of(5, LSTM, (0, 40, 90))
    assert over(sparse, stand(Phase.UPDATE, k=40)).cursor.training_step == 90
    assert over_back(sparse, stand(Phase.FORWARD, k=41)).cursor.training_step == 40
    live = over(sparse, stand(Phase.UPDATE, k=41))
    assert live.cursor.training_step == 90
    assert over_back(sparse, live) == stand(Phase.UPDATE, k=41)


def test_the_trail_forgets_the_oldest_jumps():
    program = program_of(5, LSTM, range(500))
    walk = stand(Phase.FORWARD, 3, k=0)
    for _ in range(TRAIL + 20):
        walk = out(program, stand_again(walk))
    assert len(walk.trail) == TRAIL


def stand_again(walk):
    """The same trail, from the middle of the forward sweep of the next training step."""
    k = walk.cursor.training_step + 1
    return Walk(Cursor(k, Phase.FORWARD, 3), walk.trail)


def test_a_program_without_a_structure_keeps_the_layer_that_is_looked_at():
    program = Program(5, training_steps=range(3))
    walk = Walk(Cursor(1, Phase.FORWARD, 5, "l1_reverse"))
    assert over(program, walk).cursor == Cursor(1, Phase.LOSS, 5, "l1_reverse")
    assert into(program, walk) == over(program, walk, Granularity.OPERATION) == over(program, walk)

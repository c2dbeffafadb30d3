"""Stepping: over, into and out, to the end of the phase, to the cursor, each forward and in reverse.

The program is traversed as a call tree: a training step calls its two sweeps, a sweep its time steps, a time step the
operations of its cell, the loss those of the head and the update those of the optimiser. A command is a function of the
program and of where the walk is; nothing is remembered but a bounded trail of the jumps that arithmetic cannot take
back.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

from rnnviz.debugger.cursor import Cursor, Granularity, Phase
from rnnviz.debugger.neighbours import edge, fine_neighbour, is_before, neighbour
from rnnviz.debugger.program import Program

TRAIL = 64  # jumps that can be taken back


class StepCommand(Enum):
    """What a person can ask for; each goes forward or, as its reverse twin, backward."""

    OVER = "step over"
    INTO = "step into"
    OUT = "step out"
    PHASE_END = "run to the end of the phase"
    RESTART_PHASE = "restart the phase"
    RUN_TO = "run to cursor"


@dataclass(frozen=True)
class Jump:
    """One move forward that its reverse twin could not take back by arithmetic."""

    command: StepCommand
    granularity: Granularity | None  # as it was asked for
    origin: Cursor
    target: Cursor


@dataclass(frozen=True)
class Walk:
    """Where a person stands and how to get back. To jump elsewhere, begin a new walk there."""

    cursor: Cursor
    trail: tuple[Jump, ...] = ()  # newest last, at most TRAIL
    moved: bool = field(default=True, compare=False)  # whether the last command went anywhere
    reason: str = field(default="", compare=False)  # why it did not, one sentence


def step(
    program: Program,
    walk: Walk,
    command: StepCommand,
    direction: int = 1,
    *,
    granularity: Granularity | None = None,
    target: Cursor | None = None,
) -> Walk:
    """The walk after one command, forward (`direction` 1) or reversed (−1).

    `granularity`: how far OVER goes, by default as far as the cursor stands deep. `target` is where RUN_TO goes;
    without one, its reverse goes back to where the last run began. A command that cannot move gives the same walk, not
    `moved`. A forward command followed by its reverse twin always returns to the identical cursor.
    """
    taken_back = _taken_back(walk, command, granularity) if direction < 0 and target is None else None
    if taken_back is not None:
        return Walk(taken_back, walk.trail[:-1])
    found = _found(program, walk.cursor, command, direction, granularity, target)
    if found is None or found == walk.cursor:
        return replace(walk, moved=False, reason=_reason(command, direction))
    plain = Walk(found, walk.trail)
    # compared with its trail: the same jump may lie there already, of an earlier time that was left another way
    if direction < 0 or step(program, plain, command, -1, granularity=granularity) == walk:
        return plain
    return Walk(found, (*walk.trail, Jump(command, granularity, walk.cursor, found))[-TRAIL:])


def _taken_back(walk: Walk, command: StepCommand, granularity: Granularity | None) -> Cursor | None:
    """Where the newest jump came from, if it was this command that led here."""
    jump = walk.trail[-1] if walk.trail else None
    if jump is None or (jump.command, jump.granularity, jump.target) != (command, granularity, walk.cursor):
        return None
    return jump.origin


def _found(
    program: Program,
    here: Cursor,
    command: StepCommand,
    direction: int,
    granularity: Granularity | None,
    target: Cursor | None,
) -> Cursor | None:
    """Where arithmetic says that the command leads; None: nowhere."""
    match command:
        case StepCommand.OVER:
            return neighbour(program, here, direction, granularity or here.granularity)
        case StepCommand.INTO:
            return fine_neighbour(program, here, direction)
        case StepCommand.OUT:
            return _out(program, here, direction)
        case StepCommand.PHASE_END:
            return _phase_edge(program, here, direction)
        case StepCommand.RESTART_PHASE:
            return _phase_edge(program, here, -direction)
        case StepCommand.RUN_TO:
            return _run(program, here, direction, target)


def _out(program: Program, here: Cursor, direction: int) -> Cursor | None:
    if here.operation:
        point = program.point(here) + (direction > 0)
        return program.at(point, here) if point < len(program) else edge(program, here, direction)
    if not here.phase.swept:
        return edge(program, here, direction)
    if here.phase is Phase.FORWARD and direction < 0:
        return edge(program, here, direction)
    point = program.last_of(here.phase) + 1 if direction > 0 else program.first_of(here.phase) - 1
    return program.at(point, here)


def _phase_edge(program: Program, here: Cursor, direction: int) -> Cursor:
    """The last point of the phase (1) or its first (−1), as deep as the cursor stands."""
    whole = program.at(program.last_of(here.phase) if direction > 0 else program.first_of(here.phase), here)
    if not here.operation:
        return whole
    inside = len(program.operations_at(whole))
    return program.fine_at(program.fine_point(whole) + (inside if direction > 0 else min(inside, 1)), here)


def _run(program: Program, here: Cursor, direction: int, target: Cursor | None) -> Cursor | None:
    if target is None:
        return None
    ahead = is_before(program, here, target) if direction > 0 else is_before(program, target, here)
    return target if ahead else None


def _reason(command: StepCommand, direction: int) -> str:
    if command is StepCommand.RUN_TO:
        return f"Run to cursor: the chosen point does not lie {'ahead' if direction > 0 else 'behind'}."
    if command in (StepCommand.PHASE_END, StepCommand.RESTART_PHASE):
        at_end = (command is StepCommand.PHASE_END) == (direction > 0)
        return f"The cursor is at the {'end' if at_end else 'start'} of the phase already."
    return f"There is no {'later' if direction > 0 else 'earlier'} training step to go to."

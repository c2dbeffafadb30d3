"""The points next to a cursor, at each granularity and across the border between training steps."""

from bisect import bisect_left, bisect_right
from dataclasses import replace

from rnnviz.debugger.cursor import Cursor, Granularity
from rnnviz.debugger.program import Program


def neighbour(program: Program, cursor: Cursor, direction: int, granularity: Granularity) -> Cursor | None:
    """The next point (`direction` 1) or the one before (−1), also in the training step beside; None at the end.

    By training steps the place stays and only the training step changes.
    """
    if granularity is Granularity.TRAINING_STEP:
        return beside(program, cursor, direction)
    if granularity is Granularity.TIME_STEP:
        point = program.point(cursor) + direction
        return program.at(point, cursor) if 0 <= point < len(program) else edge(program, cursor, direction)
    number = program.fine_point(cursor) + direction
    found = program.fine_at(number, cursor)
    if not found.operation and program.operations_at(found):  # a whole time step or phase: pass it by
        number += direction
        found = program.fine_at(number, cursor)
    if 0 <= number < program.fine_length:
        return found
    entered = edge(program, cursor, direction)
    if entered is None:
        return None
    if direction < 0:
        return program.fine_at(program.fine_length - 1, entered)
    return program.fine_at(bool(program.operations_at(program.at(0, entered))), entered)


def fine_neighbour(program: Program, cursor: Cursor, direction: int) -> Cursor | None:
    """The very next point (or the one before), be it a time step or an operation; None at the end."""
    number = program.fine_point(cursor) + direction
    return program.fine_at(number, cursor) if 0 <= number < program.fine_length else edge(program, cursor, direction)


def edge(program: Program, cursor: Cursor, direction: int) -> Cursor | None:
    """The first point of the next training step, or the last one of the training step before; None where none is."""
    entered = beside(program, cursor, direction)
    return None if entered is None else program.at(0 if direction > 0 else len(program) - 1, entered)


def beside(program: Program, cursor: Cursor, direction: int) -> Cursor | None:
    """The same place in the next training step that can be shown, or in the one before; None where there is none."""
    steps, here = program.training_steps, cursor.training_step
    index = bisect_right(steps, here) if direction > 0 else bisect_left(steps, here) - 1
    return replace(cursor, training_step=int(steps[index])) if 0 <= index < len(steps) else None


def is_before(program: Program, one: Cursor, other: Cursor) -> bool:
    """Whether `one` comes earlier than `other`, training step by training step."""
    first = one.training_step, program.fine_point(one)
    return first < (other.training_step, program.fine_point(other))

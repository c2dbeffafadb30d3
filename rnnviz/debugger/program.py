"""The program of one training step: the ordered points a cursor can stand on, as arithmetic and never as a list."""

from dataclasses import dataclass, replace

from rnnviz.debugger.cursor import Cursor, Phase


@dataclass(frozen=True)
class Program:
    """Forward t = 1…T, loss, backward t = T…1, accumulate, update: 2T + 3 points, numbered from 0."""

    time_steps: int  # T ≥ 1

    def __len__(self) -> int:
        return 2 * self.time_steps + 3

    def point(self, cursor: Cursor) -> int:
        """The number of the point `cursor` stands on."""
        last = self.time_steps
        match cursor.phase:
            case Phase.FORWARD:
                return cursor.time_step - 1
            case Phase.LOSS:
                return last
            case Phase.BACKWARD:
                return last + 1 + (last - cursor.time_step)
            case Phase.ACCUMULATE:
                return 2 * last + 1
            case Phase.UPDATE:
                return 2 * last + 2

    def at(self, point: int, cursor: Cursor) -> Cursor:
        """`cursor` moved to the point with this number, held inside the program."""
        last = self.time_steps
        point = min(max(point, 0), len(self) - 1)
        if point < last:
            return replace(cursor, phase=Phase.FORWARD, time_step=point + 1)
        if point == last:
            return replace(cursor, phase=Phase.LOSS, time_step=last)
        if point <= 2 * last:
            return replace(cursor, phase=Phase.BACKWARD, time_step=2 * last + 1 - point)
        return replace(cursor, phase=Phase.ACCUMULATE if point == 2 * last + 1 else Phase.UPDATE, time_step=1)

    def after(self, cursor: Cursor) -> Cursor:
        """One point later; the last point stays."""
        return self.at(self.point(cursor) + 1, cursor)

    def before(self, cursor: Cursor) -> Cursor:
        """One point earlier; the first point stays."""
        return self.at(self.point(cursor) - 1, cursor)

    def phase_start(self, cursor: Cursor) -> Cursor:
        """The first point of the cursor's phase, or of the phase before when it stands there already."""
        first = self._first(cursor.phase)
        if self.point(cursor) > first:
            return self.at(first, cursor)
        return self.at(self._first(self.before(cursor).phase), cursor)

    def phase_end(self, cursor: Cursor) -> Cursor:
        """The last point of the cursor's phase, or of the next phase when it stands there already."""
        last = self._last(cursor.phase)
        if self.point(cursor) < last:
            return self.at(last, cursor)
        return self.at(self._last(self.after(cursor).phase), cursor)

    def to_time_step(self, cursor: Cursor, time_step: int) -> Cursor:
        """The given time step (held in 1…T) in the cursor's phase; from one without time steps, the nearer sweep."""
        time_step = min(max(time_step, 1), self.time_steps)
        phase = Phase.FORWARD if cursor.phase in (Phase.FORWARD, Phase.LOSS) else Phase.BACKWARD
        return replace(cursor, phase=phase, time_step=time_step)

    def _first(self, phase: Phase) -> int:
        last = self.time_steps
        return {
            Phase.FORWARD: 0,
            Phase.LOSS: last,
            Phase.BACKWARD: last + 1,
            Phase.ACCUMULATE: 2 * last + 1,
            Phase.UPDATE: 2 * last + 2,
        }[phase]

    def _last(self, phase: Phase) -> int:
        if phase is Phase.FORWARD:
            return self.time_steps - 1
        if phase is Phase.BACKWARD:
            return 2 * self.time_steps
        return self._first(phase)

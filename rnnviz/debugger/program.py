"""The program of one training step: the ordered points a cursor can stand on, as arithmetic and never as a list."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rnnviz.core.structure import LayerId
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.rows import Row, Rows, corresponding


@dataclass(frozen=True)
class Program:
    """Forward sweep, loss, backward sweep, accumulate, update.

    With `rows` the sweeps go layer after layer, each direction through its whole stretch before the next begins
    (torch's order, and the only one that has every input ready in a bidirectional network), the encoder's layers before
    the decoder's; points are numbered from 0. Within each time step follow the operations of the layer; the backward
    sweep is the forward one in reverse. Without rows there is one row of time steps, and the layer that is looked at
    stays. Where truncation cuts the gradient, the backward sweep ends at its edge.

    The loss and the update are one point each, with operations inside where a model has a head and is trained here. In
    them the cursor keeps its time step and layer: the loss is that of the time step where it stands.
    """

    time_steps: int  # T ≥ 1
    rows: tuple[Row, ...] = ()  # of the layers, in the order of the forward sweep
    training_steps: Sequence[int] = range(0)  # ascending: those a walk can go on to
    loss: tuple[str, ...] = ()  # the keys of the loss's operations, the head's forward ones first
    update: tuple[str, ...] = ()  # the keys of the update's
    loss_time_step: int = 0  # the last one with a loss, where a walk comes to the loss; 0: T
    spoken: tuple[tuple[str, str], ...] = ()  # what the layers' operations are called, and their keys
    edge: int = 0  # the last time step to which the backward sweep does not come; 0: it comes to all

    def __len__(self) -> int:
        return len(self._forward) + len(self._backward) + 3

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The layers in the order of the forward sweep; () where only one row is walked."""
        return tuple(row.layer for row in self.rows)

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """The keys of the operations of all layers in the order of the forward sweep."""
        return tuple(dict.fromkeys(key for row in self.rows for key in (*row.opening, *row.operations)))

    def operations_at(self, cursor: Cursor) -> tuple[str, ...]:
        """The keys of the operations at the cursor's point, in the order its phase goes through them."""
        if not cursor.phase.swept:
            return self.operations_in(cursor.phase)
        row = self._swept(cursor.phase).all[self._row(cursor)]
        keys = row.keys(row.place(cursor.time_step))
        return keys if cursor.phase is Phase.FORWARD else keys[::-1]

    def operations_in(self, phase: Phase) -> tuple[str, ...]:
        """The keys of all operations of a phase, in the order it goes through them."""
        match phase:
            case Phase.FORWARD:
                return self.operations
            case Phase.LOSS:
                return self.loss
            case Phase.BACKWARD:
                return self.operations[::-1]
            case Phase.ACCUMULATE:
                return ()
            case Phase.UPDATE:
                return self.update

    # the points at the granularity of time steps

    def point(self, cursor: Cursor) -> int:
        """The number of the point `cursor` stands on; its operation does not count."""
        match cursor.phase:
            case Phase.FORWARD:
                return self._place(cursor)
            case Phase.BACKWARD:
                return self.last_of(Phase.BACKWARD) - self._place(cursor)
            case phase:
                return self.first_of(phase)

    def at(self, point: int, cursor: Cursor) -> Cursor:
        """`cursor` moved to the point with this number, held inside the program, on no operation."""
        point = min(max(point, 0), len(self) - 1)
        if point < self.first_of(Phase.LOSS):
            return self._stand(cursor, Phase.FORWARD, point)
        if point == self.first_of(Phase.LOSS):
            return self._rest(cursor, Phase.LOSS)
        last = self.last_of(Phase.BACKWARD)
        if point <= last:
            return self._stand(cursor, Phase.BACKWARD, last - point)
        return self._rest(cursor, Phase.ACCUMULATE if point == last + 1 else Phase.UPDATE)

    def after(self, cursor: Cursor) -> Cursor:
        """One point later; the last point stays."""
        return self.at(self.point(cursor) + 1, cursor)

    def before(self, cursor: Cursor) -> Cursor:
        """One point earlier; the first point stays."""
        return self.at(self.point(cursor) - 1, cursor)

    def phase_start(self, cursor: Cursor) -> Cursor:
        """The first point of the cursor's phase, or of the phase before when it stands there already."""
        first = self.first_of(cursor.phase)
        if self.point(cursor) > first:
            return self.at(first, cursor)
        return self.at(self.first_of(self.before(cursor).phase), cursor)

    def phase_end(self, cursor: Cursor) -> Cursor:
        """The last point of the cursor's phase, or of the next phase when it stands there already."""
        last = self.last_of(cursor.phase)
        if self.point(cursor) < last:
            return self.at(last, cursor)
        return self.at(self.last_of(self.after(cursor).phase), cursor)

    def to_time_step(self, cursor: Cursor, time_step: int) -> Cursor:
        """The given time step (held in 1…T, in the backward sweep behind the edge) in the cursor's phase; from one
        without time steps, the nearer sweep.

        Where the cursor's layer does not exist, the corresponding one of the other stage. An operation of the loss
        stays: it is that of the other time step.
        """
        time_step = self._held(time_step)
        if cursor.phase is Phase.LOSS and cursor.operation in self.loss:
            return replace(cursor, time_step=self.answered(time_step))
        if not cursor.phase.swept:
            phase = Phase.FORWARD if cursor.phase is Phase.LOSS else Phase.BACKWARD
            cursor = replace(cursor, phase=phase, operation="")
        if cursor.phase is Phase.BACKWARD:
            time_step = max(time_step, min(self.edge + 1, self.time_steps))
        layer = corresponding(self.rows, cursor.layer, time_step)
        found = replace(cursor, time_step=time_step, layer=layer)
        return found if found.operation in self.operations_at(found) else replace(found, operation="")

    @property
    def several(self) -> bool:
        """Whether there are several stages on the axis."""
        return len({LayerId.read(layer).call for layer in self.layers}) > 1

    def stretch(self, layer: str) -> tuple[int, int]:
        """The first and the last time step of a layer, counted from 1."""
        row = next(row for row in self._forward.all if row.layer in ("", layer))
        return row.start + 1, row.stop

    def answered(self, time_step: int) -> int:
        """The nearest time step at which the head answers: one of the last stage."""
        return self._forward.all[-1].held(time_step)

    def exists(self, layer: str, time_step: int) -> bool:
        """Whether a layer goes through a time step; one of another model where there is any."""
        own = [row for row in self._forward.all if row.layer in ("", layer)]
        return any(row.holds(time_step) for row in own or self._forward.all)

    def to_layer(self, cursor: Cursor, layer: str) -> Cursor:
        """Another layer; in a sweep at the nearest time step at which it exists."""
        row = next((row for row in self.rows if row.layer == layer), None)
        held = cursor.time_step if row is None or not cursor.phase.swept else row.held(cursor.time_step)
        return replace(cursor, layer=layer, time_step=held)

    def first_of(self, phase: Phase) -> int:
        """The number of the phase's first point."""
        forward, both = len(self._forward), len(self._forward) + len(self._backward)
        return {
            Phase.FORWARD: 0,
            Phase.LOSS: forward,
            Phase.BACKWARD: forward + 1,
            Phase.ACCUMULATE: both + 1,
            Phase.UPDATE: both + 2,
        }[phase]

    def last_of(self, phase: Phase) -> int:
        """The number of the phase's last point."""
        return self.first_of(phase) + (len(self._swept(phase)) - 1 if phase.swept else 0)

    def borders(self, phase: Phase) -> tuple[int, ...]:
        """The points of a phase at which another layer begins, but the first one."""
        if not phase.swept:
            return ()
        passed = self._swept(phase).firsts[1:-1]
        if phase is Phase.FORWARD:
            return passed
        return tuple(self.last_of(phase) + 1 - place for place in reversed(passed))

    # the same with operations: each time step as a whole, then its operations one by one

    @property
    def fine_length(self) -> int:
        """How many points there are with the operations."""
        return self._forward.fine_length + self._backward.fine_length + 3 + len(self.loss) + len(self.update)

    def fine_point(self, cursor: Cursor) -> int:
        """The number of the point with its operation, counted through time steps and operations alike."""
        first, keys = self._fine_first(cursor), self.operations_at(cursor)
        return first + 1 + keys.index(cursor.operation) if cursor.operation in keys else first

    def fine_at(self, number: int, cursor: Cursor) -> Cursor:
        """`cursor` moved to the point with this number among time steps and operations, held inside the program."""
        number = min(max(number, 0), self.fine_length - 1)
        loss, backward, accumulate = self._fine_borders
        if number < loss:
            found, inside = self._fine_stand(cursor, Phase.FORWARD, number)
        elif number < backward:
            found, inside = self.at(self.first_of(Phase.LOSS), cursor), number - loss
        elif number < accumulate:
            found, inside = self._fine_stand(cursor, Phase.BACKWARD, number - backward)
        else:
            inside = max(number - accumulate - 1, 0)
            found = self.at(self.first_of(Phase.UPDATE if number > accumulate else Phase.ACCUMULATE), cursor)
        return replace(found, operation=self.operations_at(found)[inside - 1]) if inside else found

    @cached_property
    def _forward(self) -> Rows:
        return Rows(self.rows or (Row("", 0, self.time_steps),))

    @cached_property
    def _backward(self) -> Rows:
        """The same, gone through from the end."""
        return self._forward.behind(min(self.edge, self.time_steps - 1))

    def _swept(self, phase: Phase) -> Rows:
        return self._backward if phase is Phase.BACKWARD else self._forward

    @property
    def _fine_borders(self) -> tuple[int, int, int]:
        """The fine numbers with which the loss, the backward sweep and the accumulation begin."""
        loss = self._forward.fine_length
        backward = loss + 1 + len(self.loss)
        return loss, backward, backward + self._backward.fine_length

    def _fine_first(self, cursor: Cursor) -> int:
        """The fine number of the cursor's point as a whole."""
        loss, backward, accumulate = self._fine_borders
        if not cursor.phase.swept:
            return {Phase.LOSS: loss, Phase.ACCUMULATE: accumulate, Phase.UPDATE: accumulate + 1}[cursor.phase]
        rows, number = self._swept(cursor.phase), self._row(cursor)
        row, first = rows.all[number], rows.fine_firsts[number]
        place = row.place(cursor.time_step)
        if cursor.phase is Phase.FORWARD:
            return first + row.fine(place, back=False)
        return backward + rows.fine_length - first - row.fine_length + row.fine(place, back=True)

    def _fine_stand(self, cursor: Cursor, phase: Phase, number: int) -> tuple[Cursor, int]:
        """The cursor at a fine point of a sweep as a whole, and which of its points that is."""
        back, rows = phase is Phase.BACKWARD, self._swept(phase)
        fine = rows.fine_length
        index = bisect_right(rows.fine_firsts, fine - 1 - number if back else number) - 1
        row, first = rows.all[index], rows.fine_firsts[index]
        place, inside = row.fine_at(number - (fine - first - row.fine_length if back else first), back)
        return self._stand(cursor, phase, rows.firsts[index] + place), inside

    def _held(self, time_step: int) -> int:
        return min(max(time_step, 1), self.time_steps)

    def _row(self, cursor: Cursor) -> int:
        """Which row the cursor stands in: that of its layer; of one of another model the first that has the time
        step."""
        for number, row in enumerate(self._forward.all):
            if row.layer in ("", cursor.layer):
                return number
        return next((number for number, row in enumerate(self._forward.all) if row.holds(cursor.time_step)), 0)

    def _place(self, cursor: Cursor) -> int:
        """Where the cursor's layer and time step come in the forward order of its sweep."""
        row, rows = self._row(cursor), self._swept(cursor.phase)
        return rows.firsts[row] + rows.all[row].place(cursor.time_step)

    def _stand(self, cursor: Cursor, phase: Phase, place: int) -> Cursor:
        """The cursor on a place of the forward order of a sweep."""
        rows = self._swept(phase)
        number = bisect_right(rows.firsts, place) - 1
        row = rows.all[number]
        time_step = row.time_step(place - rows.firsts[number])
        return replace(cursor, phase=phase, time_step=time_step, layer=row.layer or cursor.layer, operation="")

    def _rest(self, cursor: Cursor, phase: Phase) -> Cursor:
        """The cursor in a phase without time steps. One that comes there stands at the last time step with a loss, in
        the phases after the backward sweep at the first one it came to; one that is there already stays."""
        loss = phase is Phase.LOSS
        if cursor.phase is phase:
            time_step = self.answered(cursor.time_step) if loss else self._held(cursor.time_step)
            return replace(cursor, time_step=time_step, operation="")
        layer = (self.layers[-1] if loss else self.layers[0]) if self.layers else cursor.layer
        time_step = self._held(self.loss_time_step or self.time_steps) if loss else self._held(self.edge + 1)
        return replace(cursor, phase=phase, time_step=time_step, layer=layer, operation="")

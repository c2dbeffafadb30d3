"""The program of one training step: the ordered points a cursor can stand on, as arithmetic and never as a list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rnnviz.core.equations.operations import operation_keys
from rnnviz.core.structure import LayerId, Structure
from rnnviz.debugger.cursor import Cursor, Phase


@dataclass(frozen=True)
class Program:
    """Forward sweep, loss, backward sweep, accumulate, update.

    With a `structure` the sweeps go layer after layer, each direction through its whole sequence before the next begins
    (torch's order, and the only one that has every input ready in a bidirectional network): 2·T·layers + 3 points,
    numbered from 0. Within each time step follow the operations of the cell; the backward sweep is the forward one in
    reverse. Without a structure there is one row of time steps, and the layer that is looked at stays.

    The loss and the update are one point each, with operations inside where a model has a head and is trained here. In
    them the cursor keeps its time step and layer: the loss is that of the time step where it stands.
    """

    time_steps: int  # T ≥ 1
    structure: Structure | None = None
    training_steps: Sequence[int] = range(0)  # ascending: those a walk can go on to
    loss: tuple[str, ...] = ()  # the keys of the loss's operations, the head's forward ones first
    update: tuple[str, ...] = ()  # the keys of the update's
    loss_time_step: int = 0  # the last one with a loss, where a walk comes to the loss; 0: T

    def __len__(self) -> int:
        return 2 * self._sweep + 3

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The layers in the order of the forward sweep; () where only one row is walked."""
        return () if self.structure is None else self.structure.layer_names

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """The keys of the cell's operations in the order of the forward sweep."""
        return () if self.structure is None else operation_keys(self.structure)

    def operations_in(self, phase: Phase) -> tuple[str, ...]:
        """The keys of the operations at each point of a phase, in the order it goes through them."""
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
        sweep = self._sweep
        match cursor.phase:
            case Phase.FORWARD:
                return self._place(cursor)
            case Phase.LOSS:
                return sweep
            case Phase.BACKWARD:
                return 2 * sweep - self._place(cursor)
            case Phase.ACCUMULATE:
                return 2 * sweep + 1
            case Phase.UPDATE:
                return 2 * sweep + 2

    def at(self, point: int, cursor: Cursor) -> Cursor:
        """`cursor` moved to the point with this number, held inside the program, on no operation."""
        sweep = self._sweep
        point = min(max(point, 0), len(self) - 1)
        if point < sweep:
            return self._stand(cursor, Phase.FORWARD, point)
        if point == sweep:
            return self._rest(cursor, Phase.LOSS)
        if point <= 2 * sweep:
            return self._stand(cursor, Phase.BACKWARD, 2 * sweep - point)
        return self._rest(cursor, Phase.ACCUMULATE if point == 2 * sweep + 1 else Phase.UPDATE)

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
        """The given time step (held in 1…T) in the cursor's phase; from one without time steps, the nearer sweep.

        An operation of the loss stays: it is that of the other time step.
        """
        time_step = self._held(time_step)
        if cursor.phase.swept or (cursor.phase is Phase.LOSS and cursor.operation in self.loss):
            return replace(cursor, time_step=time_step)
        phase = Phase.FORWARD if cursor.phase is Phase.LOSS else Phase.BACKWARD
        return replace(cursor, phase=phase, time_step=time_step, operation="")

    def first_of(self, phase: Phase) -> int:
        """The number of the phase's first point."""
        sweep = self._sweep
        return {
            Phase.FORWARD: 0,
            Phase.LOSS: sweep,
            Phase.BACKWARD: sweep + 1,
            Phase.ACCUMULATE: 2 * sweep + 1,
            Phase.UPDATE: 2 * sweep + 2,
        }[phase]

    def last_of(self, phase: Phase) -> int:
        """The number of the phase's last point."""
        return self.first_of(phase) + (self._sweep - 1 if phase.swept else 0)

    # the same with operations: each time step as a whole, then its operations one by one

    @property
    def fine_length(self) -> int:
        """How many points there are with the operations."""
        return self._fine_first(len(self))

    def fine_point(self, cursor: Cursor) -> int:
        """The number of the point with its operation, counted through time steps and operations alike."""
        first, keys = self._fine_first(self.point(cursor)), self.operations_in(cursor.phase)
        return first + 1 + keys.index(cursor.operation) if cursor.operation in keys else first

    def fine_at(self, number: int, cursor: Cursor) -> Cursor:
        """`cursor` moved to the point with this number among time steps and operations, held inside the program."""
        sweep, fine = self._sweep, 1 + len(self.operations)
        number = min(max(number, 0), self.fine_length - 1)
        loss, backward, accumulate = (self._fine_first(point) for point in (sweep, sweep + 1, 2 * sweep + 1))
        if number < loss:
            point, inside = divmod(number, fine)
        elif number < backward:
            point, inside = sweep, number - loss
        elif number < accumulate:
            point, inside = divmod(number - backward, fine)
            point += sweep + 1
        else:
            inside = max(number - accumulate - 1, 0)
            point = 2 * sweep + 1 + (number > accumulate)
        found = self.at(point, cursor)
        return replace(found, operation=self.operations_in(found.phase)[inside - 1]) if inside else found

    @cached_property
    def _sweep(self) -> int:
        """The points of one sweep."""
        return max(1, len(self.layers)) * self.time_steps

    def _fine_first(self, point: int) -> int:
        """The fine number of a point of time-step granularity; of one behind the last, how many there are."""
        sweep = self._sweep
        swept = min(point, sweep) + min(max(point - sweep - 1, 0), sweep)
        inside = swept * len(self.operations) + (len(self.loss) if point > sweep else 0)
        return point + inside + (len(self.update) if point > 2 * sweep + 2 else 0)

    def _held(self, time_step: int) -> int:
        return min(max(time_step, 1), self.time_steps)

    def _place(self, cursor: Cursor) -> int:
        """Where the cursor's layer and time step come in the forward sweep."""
        time_step = self._held(cursor.time_step)
        if cursor.layer not in self.layers:  # of another model
            return time_step - 1
        own = self.time_steps - time_step if LayerId.read(cursor.layer).reverse else time_step - 1
        return self.layers.index(cursor.layer) * self.time_steps + own

    def _stand(self, cursor: Cursor, phase: Phase, place: int) -> Cursor:
        """The cursor on a place of the forward sweep's order."""
        row, own = divmod(place, self.time_steps)
        layer = self.layers[row] if self.layers else cursor.layer
        backwards = self.structure is not None and LayerId.read(layer).reverse
        time_step = self.time_steps - own if backwards else own + 1
        return replace(cursor, phase=phase, time_step=time_step, layer=layer, operation="")

    def _rest(self, cursor: Cursor, phase: Phase) -> Cursor:
        """The cursor in a phase without time steps. One that comes there stands at the last time step with a loss, in
        the phases after the backward sweep at the first one; one that is there already stays."""
        if cursor.phase is phase:
            return replace(cursor, time_step=self._held(cursor.time_step), operation="")
        loss = phase is Phase.LOSS
        layer = (self.layers[-1] if loss else self.layers[0]) if self.layers else cursor.layer
        time_step = self._held(self.loss_time_step or self.time_steps) if loss else 1
        return replace(cursor, phase=phase, time_step=time_step, layer=layer, operation="")

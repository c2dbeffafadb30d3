"""Row: one layer and direction as a sweep goes through it, in its own stretch of the time axis."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from rnnviz.core.equations.around import PLAIN, CallForm, around
from rnnviz.core.equations.operations import operation_keys, operations
from rnnviz.core.network import Network
from rnnviz.core.structure import LayerId

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace

Ends = tuple[int, int]  # the time step before the first one, and the last one


@dataclass(frozen=True)
class Row:
    """The time steps `start` + 1 … `stop`, each with its operations; places in it count from 0 in its own direction.

    Forward the places come in order and the operations of each in theirs, backward both in reverse.
    """

    layer: str  # "l0", "decoder.l1"; "": whichever is looked at
    start: int
    stop: int
    operations: tuple[str, ...] = ()  # their keys, at each time step
    opening: tuple[str, ...] = ()  # keys of those that come before them at the first one alone

    def __len__(self) -> int:
        return max(self.stop - self.start, 0)

    @cached_property
    def reverse(self) -> bool:
        """Whether the layer goes through the time steps from their end."""
        return bool(self.layer) and LayerId.read(self.layer).reverse

    def holds(self, time_step: int) -> bool:
        """Whether the layer exists at a time step, counted from 1."""
        return self.start < time_step <= self.stop

    def behind(self, edge: int) -> "Row":
        """The same without the time steps up to `edge`."""
        if edge <= self.start:
            return self
        return replace(self, start=min(edge, self.stop), opening=self.opening if self.reverse else ())

    def held(self, time_step: int) -> int:
        """The nearest time step at which it exists."""
        return min(max(time_step, self.start + 1), self.stop)

    def place(self, time_step: int) -> int:
        """Where a time step comes, held inside."""
        time_step = self.held(time_step)
        return self.stop - time_step if self.reverse else time_step - self.start - 1

    def time_step(self, place: int) -> int:
        """The time step at a place."""
        return self.stop - place if self.reverse else self.start + 1 + place

    def keys(self, place: int) -> tuple[str, ...]:
        """The operations at a place, as the forward sweep goes through them."""
        return self.operations if place else (*self.opening, *self.operations)

    # each time step as a whole, then its operations one by one

    @property
    def fine_length(self) -> int:
        """How many points there are with the operations."""
        return self.fine(len(self), back=False)

    def fine(self, place: int, back: bool) -> int:
        """How many of them come before a place, in the forward or the backward sweep."""
        each = 1 + len(self.operations)
        return (len(self) - 1 - place) * each if back else place * each + (len(self.opening) if place else 0)

    def fine_at(self, number: int, back: bool) -> tuple[int, int]:
        """The place of a fine point, and which of the place's points it is, 0 for the place as a whole."""
        each, opening = 1 + len(self.operations), len(self.opening)
        if back:
            passed = min(number // each, len(self) - 1)
            return len(self) - 1 - passed, number - passed * each
        return (0, number) if number < each + opening else divmod(number - opening, each)


@dataclass(frozen=True)
class Rows:
    """All rows that a sweep goes through, one after the other; its points count from 0."""

    all: tuple[Row, ...]

    @cached_property
    def firsts(self) -> tuple[int, ...]:
        """How many points come before each row, and how many there are."""
        return tuple(accumulate(map(len, self.all), initial=0))

    @cached_property
    def fine_firsts(self) -> tuple[int, ...]:
        """The same with operations."""
        return tuple(accumulate((row.fine_length for row in self.all), initial=0))

    def __len__(self) -> int:
        return self.firsts[-1]

    @property
    def fine_length(self) -> int:
        return self.fine_firsts[-1]

    def behind(self, edge: int) -> "Rows":
        """The same without the time steps up to `edge`."""
        return Rows(tuple(row.behind(edge) for row in self.all)) if edge else self


def corresponding(rows: Iterable[Row], layer: str, time_step: int) -> str:
    """The layer that exists at a time step in place of another: of its depth and direction where there is one; the
    layer itself where none exists there, and one of another model."""
    rows = tuple(rows)
    having = [row for row in rows if row.holds(time_step)]
    if not having or layer not in [row.layer for row in rows] or layer in [row.layer for row in having]:
        return layer
    own = LayerId.read(layer)

    def far(row: Row) -> tuple[int, bool]:
        other = LayerId.read(row.layer)
        return abs(other.depth - own.depth), other.reverse != own.reverse

    return min(having, key=far).layer


@lru_cache(maxsize=256)
def rows_of(
    network: Network, time_steps: int, found: tuple[Ends, ...] = (), forms: tuple[CallForm, ...] = ()
) -> tuple[Row, ...]:
    """The layers of a network, each stage in its stretch; all time steps where that is not known, and nothing around
    the cells where no form is."""
    rows = []
    for number, stage in enumerate(network.stages):
        start, stop = found[number] if number < len(found) else (0, time_steps)
        form = forms[number] if number < len(forms) else PLAIN
        for layer in stage.layer_ids:
            beside = around(stage.structure, layer, form)
            opening, before, after = (tuple(one.key for one in part) for part in beside)
            keys = (*before, *operation_keys(stage.structure), *after)
            rows.append(Row(layer.text, start, stop, keys, opening))
    return tuple(rows)


@lru_cache(maxsize=64)
def spoken(network: Network, forms: tuple[CallForm, ...] = ()) -> tuple[tuple[str, str], ...]:
    """What the operations of a network's layers are called, and their keys."""
    found: dict[str, str] = {}
    for number, stage in enumerate(network.stages):
        form = forms[number] if number < len(forms) else PLAIN
        beside = [one for layer in stage.layer_ids for one in around(stage.structure, layer, form).all]
        found |= {one.words.partition(":")[0]: one.key for one in beside}
        found |= {one.words.partition(":")[0]: one.key for one in operations(stage.structure)}
    return tuple(found.items())


def stretches(trace: "Trace", sample: int) -> tuple[Ends, ...]:
    """Of each call of a trace that of one sequence (0-based) on the axis of that sequence alone."""
    axis = trace.check.capture.axis
    number = sample if trace.sequences > 1 or trace.number is None else trace.number
    places = (axis.place_of(call, number) for call in range(len(trace.calls)))
    return tuple((place.start, place.stop) for place in places)

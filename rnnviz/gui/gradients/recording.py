"""Recording: the captures of a run over its training steps, for cards that draw how a number changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rnnviz.core.arrays import Array
from rnnviz.runs.reading.reader import Run

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace

MOST_STEPS = 48  # training steps a curve is drawn through, evenly spaced among the captures
_MOST_KEPT = 50_000  # numbers that are remembered
_PIECE, _AT_ONCE = 4, 0.1  # training steps read in one go, and seconds; then others have their turn


@dataclass(eq=False)
class Memory:
    """What was found of captures, which do not change; only the worker writes it."""

    known: dict[Any, Any] = field(default_factory=dict)

    def keep(self, key: Any, value: Any) -> None:
        """Remembers a number; the oldest ones go where there are too many."""
        self.known[key] = value
        while len(self.known) > _MOST_KEPT:
            self.known.pop(next(iter(self.known)))


@dataclass(frozen=True, eq=False)
class Recording:
    """The run file and the training steps captured in it."""

    path: Path
    captured: Array  # (C,) ascending
    memory: Memory

    @property
    def chosen(self) -> tuple[int, ...]:
        """At most twice `MOST_STEPS`, and the last: as captures are added those chosen before stay chosen."""
        stride = 1
        while len(self.captured) > 2 * MOST_STEPS * stride:
            stride *= 2
        steps = self.captured[::stride].tolist()
        last = self.captured[-1:].tolist()
        return tuple(int(step) for step in (steps if steps[-1:] == last else steps + last))

    def traces(self, model: int, steps: tuple[int, ...], sample: int) -> Iterator[list[tuple[int, "Trace"]]]:
        """The traces of one sequence at these training steps, a few at a time. Raises RnnvizError."""
        from rnnviz.core.sweeps.trace import Trace, rebuild  # late: the sweeps come after the window

        left = list(steps)
        while left:
            begun, found = perf_counter(), list[tuple[int, Trace]]()
            with Run(self.path) as run:  # a connection stays in the thread and between two pieces nothing is open
                while left and (not found or (len(found) < _PIECE and perf_counter() - begun < _AT_ONCE)):
                    step = left.pop(0)
                    capture = run.capture(step, model)
                    found.append((step, rebuild(capture.sample(min(sample, capture.inputs.shape[1] - 1)))))
            yield found

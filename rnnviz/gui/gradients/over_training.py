"""Over training: the base of cards that draw numbers of a model against the training step."""

from abc import abstractmethod
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import whole
from rnnviz.gui.canvas.items.curve_plot import ValueAxis
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Card, Partial
from rnnviz.gui.gradients.recording import Recording
from rnnviz.gui.state.laboratory import Laboratory

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer
    from rnnviz.core.sweeps.trace import Trace

_TOLD = 0.1  # seconds between two words on how far the work on one training step is


@dataclass(frozen=True, eq=False)
class OverSteps:
    """Numbers of one model by training step."""

    training_steps: Array  # (K,) ascending
    numbers: tuple[Any, ...]  # one record each

    def at(self, training_step: int) -> Any:
        """The record of the nearest training step; None where there is none."""
        if not len(self.training_steps):
            return None
        return self.numbers[int(np.abs(self.training_steps - training_step).argmin())]

    def column(self, name: str) -> Array:
        """(K,) float64 one field of all records."""
        return np.array([float(getattr(one, name)) for one in self.numbers])


class OverTraining(Card):
    """Numbers of each capture, read from the run; what was found once is remembered."""

    over_training: ClassVar[bool] = True

    @abstractmethod
    def of_layer(self, trace: "Trace", layer: "Layer", laboratory: Laboratory) -> Generator[float, None, Any]:
        """The record of one sequence's trace at one training step, in a worker thread; yields the share done."""

    def find_over(
        self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any], recording: Recording
    ) -> Iterator[Partial]:
        """All that is remembered at once, then the rest in parts."""
        steps = recording.chosen
        own = self.key, recording.path, model.number, model.sample, model.layer_name, self.hangs_on(laboratory, options)
        known = recording.memory.known
        missing = tuple(step for step in steps if (*own, step) not in known)
        for part in recording.traces(model.number, _spread(missing), model.sample):
            for step, trace in part:
                found = self._found(known, own, steps)
                work = self.of_layer(trace, trace.layer(model.layer_name), laboratory)
                recording.memory.keep((*own, step), (yield from _told(work, found, len(steps))))
            found = self._found(known, own, steps)
            share = len(found.numbers) / len(steps)
            if share < 1:
                yield Partial(found, min(share, 0.99))
        yield Partial(self._found(known, own, steps))

    @staticmethod
    def _found(known: Mapping[Any, Any], own: tuple[Any, ...], steps: tuple[int, ...]) -> OverSteps:
        there = [step for step in steps if (*own, step) in known]
        return OverSteps(np.array(there, np.int64), tuple(known[*own, step] for step in there))


def _told(work: Generator[float, None, Any], found: OverSteps, of: int) -> Generator[Partial, None, Any]:
    """What work on one more training step returns; where that takes long it yields what was `found` before."""
    last = perf_counter()
    while True:
        try:
            share = next(work)
        except StopIteration as end:
            return end.value
        if perf_counter() - last > _TOLD:
            last = perf_counter()
            yield Partial(found, min((len(found.numbers) + share) / of, 0.99))


def _spread(steps: tuple[int, ...]) -> tuple[int, ...]:
    """The same from coarse to fine, so that a curve is seen whole before it is smooth."""
    order = list[int]()
    stride = 1 << max(len(steps) - 1, 0).bit_length()
    while stride:
        order += [place for place in range(0, len(steps), stride) if place not in order]
        stride //= 2
    return tuple(steps[place] for place in order)


def training_axis(last: int) -> ValueAxis:
    """The training steps from 0 to `last`."""
    last = max(last, 1)
    return ValueAxis(0.0, float(last), ((0.0, "0"), (float(last), whole(last))))

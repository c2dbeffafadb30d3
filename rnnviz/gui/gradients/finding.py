"""Finding: the numbers of the cards, found off the event loop one after another and kept as long as their trace."""

import weakref
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.memory import array_bytes
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Card, Found, Partial, lacking
from rnnviz.gui.gradients.over_training import OverTraining
from rnnviz.gui.gradients.recording import Recording
from rnnviz.gui.live.newest_wish import NewestWish
from rnnviz.gui.state.laboratory import Laboratory

_MOST, _BYTES = 400, 192 * 2**20  # answers that are kept beside those wished for, and what they may take in memory


@dataclass(frozen=True, eq=False)
class Wish:
    """A card's numbers of one model that has a trace; `laboratory.loss` is the loss that is looked at, never 0."""

    card: Card
    model: ShownModel
    laboratory: Laboratory
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    recording: Recording | None = None  # given to cards that draw training steps

    @property
    def of(self) -> Any:
        """What the numbers are of, and end with: a trace, or a recording's memory; None: there is none yet."""
        if not isinstance(self.card, OverTraining):
            return self.model.sequence
        return self.recording.memory if self.recording is not None and len(self.recording.captured) else None

    @property
    def key(self) -> Hashable:
        """Two wishes of one key have one answer."""
        own: Hashable = (
            self.card.hangs_on(self.laboratory, self.options),
            self.card.hangs_on_loss(self.model, self.laboratory) if self.model.layer is not None else 0,
        )
        if self.recording is not None and isinstance(self.card, OverTraining):
            own = own, self.recording.path, self.recording.chosen[-1:], self.model.number, self.model.sample
        return self.card.key, id(self.of), self.model.layer_name, own

    def parts(self) -> Iterator[Partial]:
        """The work, part by part."""
        if isinstance(self.card, OverTraining):
            assert self.recording is not None  # else there is nothing to find
            return self.card.find_over(self.model, self.laboratory, self.options, self.recording)
        return self.card.find(self.model, self.laboratory, self.options)


@dataclass(eq=False)
class _Answer:
    of: "weakref.ref[Any]"  # what the numbers are of
    value: Any
    share: float
    problem: str

    @cached_property
    def bytes(self) -> int:
        """What it takes in memory; asked for once it is whole."""
        return array_bytes([self.value])


class Finding(QObject):
    """`found()` whenever more is known. A part at a time is worked on that wish which took least so far, of several the
    one whose card was whole longest ago, then the first: none waits for one that takes long."""

    found = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._begun: dict[Hashable, Iterator[Partial]] = {}
        self._wishes: tuple[Wish, ...] = ()
        self._at_work = False
        self._spent: dict[Hashable, float] = {}  # seconds, of what is begun
        self._whole_at: dict[tuple[str, int], float] = {}  # when all of a card and model was found last
        self._since = 0.0  # when the part at work began
        self._worker = NewestWish("cards", _next_part, self)
        self._worker.answered.connect(self._take)
        self._worker.failed.connect(self._fail)

    def of(self, wish: Wish) -> Found:
        """What is known by now."""
        if problem := lacking(wish.card, wish.model):
            return Found(wish.model, problem=problem)
        if wish.of is None:
            return Found(wish.model)
        answer = self._known.get(wish.key)
        if answer is None or answer.of() is not wish.of:
            return Found(wish.model)
        self._known.move_to_end(wish.key)
        return Found(wish.model, answer.value, answer.share, answer.problem)

    def want(self, wishes: Iterable[Wish]) -> None:
        """What is to be found, in this order, in place of all that was wished before."""
        self._wishes = tuple(wishes)
        wanted = {wish.key for wish in self._open()}
        self._begun = {key: begun for key, begun in self._begun.items() if key in wanted}
        self._spent = {key: spent for key, spent in self._spent.items() if key in wanted}
        self._go_on()

    def find_all(self, wishes: Iterable[Wish]) -> None:
        """Finds everything now, for a picture."""
        self._wishes = tuple(wishes)
        for wish in self._wishes:
            for part in () if self.done(wish) else wish.parts():
                self._keep(wish, part)

    def stop(self) -> bool:
        """Ends the worker; False if it did not end in time."""
        self._wishes = ()
        return self._worker.stop()

    def _open(self) -> list[Wish]:
        return [wish for wish in self._wishes if not self.done(wish)]

    def done(self, wish: Wish) -> bool:
        """Whether nothing more will be known."""
        found = self.of(wish)
        return wish.of is None or bool(found.problem) or found.share >= 1

    def _go_on(self) -> None:
        wish = min(self._open(), key=self._turn, default=None)
        if wish is None or self._at_work:
            return
        begun = self._begun.get(wish.key)
        if begun is None:
            begun = self._begun[wish.key] = wish.parts()
        self._at_work, self._since = True, perf_counter()
        self._worker.ask((wish, begun))

    def _turn(self, wish: Wish) -> tuple[float, float]:
        """The smaller, the sooner it is worked on. While a training hands on one trace after another, all begin anew
        with each: then it is the turn of the card that was whole longest ago, so that none is left out."""
        return self._spent.get(wish.key, 0.0), self._whole_at.get((wish.card.key, wish.model.number), 0.0)

    def _keep(self, wish: Wish, part: Partial, problem: str = "") -> None:
        self._known[wish.key] = _Answer(weakref.ref(wish.of), part.value, part.share, problem)
        self._known.move_to_end(wish.key)
        if part.share >= 1:
            self._drop()

    def _drop(self) -> None:
        """Lets answers go whose trace has gone, and the oldest ones that nobody wishes for where all are too much."""
        for key in [key for key, answer in self._known.items() if answer.of() is None]:
            del self._known[key]
        wanted = {wish.key for wish in self._wishes}
        others = [key for key in self._known if key not in wanted]
        count, taken = len(others), sum(self._known[key].bytes for key in others)
        for key in others:
            if count <= _MOST and taken <= _BYTES:
                break
            count, taken = count - 1, taken - self._known.pop(key).bytes

    @Slot(object, object)
    def _take(self, asked: tuple[Wish, Iterator[Partial]], part: Partial | None) -> None:
        wish, _ = asked
        self._at_work = False
        self._spent[wish.key] = self._spent.get(wish.key, 0.0) + perf_counter() - self._since
        if part is None or part.share >= 1:
            self._begun.pop(wish.key, None)
            self._whole_at[wish.card.key, wish.model.number] = perf_counter()
        self._keep(wish, part if part is not None else Partial(self.of(wish).value))
        self.found.emit()
        self._go_on()

    @Slot(object, object)
    def _fail(self, asked: tuple[Wish, Iterator[Partial]], error: Exception) -> None:
        wish, _ = asked
        self._at_work = False
        self._begun.pop(wish.key, None)
        told = str(error) if isinstance(error, RnnvizError) else f"These numbers could not be found ({error})."
        self._keep(wish, Partial(None), told)
        self.found.emit()
        self._go_on()


def _next_part(asked: tuple[Wish, Iterator[Partial]]) -> Partial | None:
    return next(asked[1], None)

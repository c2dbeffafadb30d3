"""Finding: the numbers of the cards, found off the event loop one after another and kept as long as their trace."""

import weakref
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Card, Found, Partial
from rnnviz.gui.live.newest_wish import NewestWish
from rnnviz.gui.state.laboratory import Laboratory

_MOST = 400  # answers that are kept


@dataclass(frozen=True, eq=False)
class Wish:
    """A card's numbers of one model that has a trace."""

    card: Card
    model: ShownModel
    laboratory: Laboratory
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def key(self) -> Hashable:
        """Two wishes of one key have one answer."""
        own = self.card.hangs_on(self.laboratory, self.options)
        return self.card.key, id(self.model.sequence), self.model.layer_name, own


@dataclass(eq=False)
class _Answer:
    of: "weakref.ref[Any]"  # the trace
    value: Any
    share: float
    problem: str


class Finding(QObject):
    """`found()` whenever more is known. Of several wishes the first is worked on first, a part at a time, so that what
    is wished for meanwhile need not wait."""

    found = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._begun: dict[Hashable, Iterator[Partial]] = {}
        self._wishes: tuple[Wish, ...] = ()
        self._at_work = False
        self._worker = NewestWish("cards", _next_part, self)
        self._worker.answered.connect(self._take)
        self._worker.failed.connect(self._fail)

    def of(self, wish: Wish) -> Found:
        """What is known by now."""
        if problem := wish.card.lacks(wish.model):
            return Found(wish.model, problem=problem)
        if wish.model.sequence is None:
            return Found(wish.model)
        answer = self._known.get(wish.key)
        if answer is None or answer.of() is not wish.model.sequence:
            return Found(wish.model)
        self._known.move_to_end(wish.key)
        return Found(wish.model, answer.value, answer.share, answer.problem)

    def want(self, wishes: Iterable[Wish]) -> None:
        """What is to be found, in this order, in place of all that was wished before."""
        self._wishes = tuple(wishes)
        wanted = {wish.key for wish in self._open()}
        self._begun = {key: begun for key, begun in self._begun.items() if key in wanted}
        self._go_on()

    def find_all(self, wishes: Iterable[Wish]) -> None:
        """Finds everything now, for a picture."""
        for wish in wishes:
            for part in () if self.done(wish) else wish.card.find(wish.model, wish.laboratory, wish.options):
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
        return wish.model.sequence is None or bool(found.problem) or found.share >= 1

    def _go_on(self) -> None:
        wish = next(iter(self._open()), None)
        if wish is None or self._at_work:
            return
        begun = self._begun.get(wish.key)
        if begun is None:
            begun = self._begun[wish.key] = wish.card.find(wish.model, wish.laboratory, wish.options)
        self._at_work = True
        self._worker.ask((wish, begun))

    def _keep(self, wish: Wish, part: Partial, problem: str = "") -> None:
        assert wish.model.sequence is not None  # else nothing was found
        self._known[wish.key] = _Answer(weakref.ref(wish.model.sequence), part.value, part.share, problem)
        self._known.move_to_end(wish.key)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    @Slot(object, object)
    def _take(self, asked: tuple[Wish, Iterator[Partial]], part: Partial | None) -> None:
        wish, _ = asked
        self._at_work = False
        if part is None or part.share >= 1:
            self._begun.pop(wish.key, None)
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

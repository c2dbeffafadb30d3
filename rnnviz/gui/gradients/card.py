"""Card: one picture of the Gradients view: which numbers it needs of a model, and how it draws them."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter
from typing import Any, ClassVar, TypeVar

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.cells.own import NOT_KNOWN
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.debugger.places import Place
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.row import outside
from rnnviz.gui.canvas.lanes.shown import Shown, ShownModel
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.network.drawing import Drawing
from rnnviz.gui.state.laboratory import CARDS, CardName, Laboratory
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

T = TypeVar("T")
_APART = 0.1  # seconds between two parts of an answer


@dataclass(frozen=True, eq=False)
class Partial:
    """What is known so far, and which share of the work that took."""

    value: Any
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Found:
    """A card's numbers of one model; `value` is None while nothing is known yet, or where `problem` says why not."""

    model: ShownModel
    value: Any = None
    share: float = 0.0
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Sight:
    """What a card draws: its own models, and all models, whose scales it shares."""

    shown: Shown
    models: tuple[Found, ...]
    everyone: tuple[Found, ...]
    laboratory: Laboratory
    loss: int  # time step k of the loss that is looked at, from 1
    options: Mapping[str, Any] = field(default_factory=dict)  # what the controls of the card say
    place: Place = field(default_factory=Place)
    _made: dict[Hashable, Any] = field(default_factory=dict)  # by what is asked `once`, also with the cursor elsewhere

    @property
    def theme(self) -> Theme:
        return self.shown.theme

    @property
    def known(self) -> tuple[Found, ...]:
        """Its models with numbers."""
        return tuple(found for found in self.models if found.value is not None)

    @property
    def values(self) -> tuple[Any, ...]:
        """The numbers of all models that have any: what a scale must hold."""
        return tuple(found.value for found in self.everyone if found.value is not None)

    def at(self, shown: Shown, loss: int, place: Place) -> "Sight":
        """The same numbers with the cursor elsewhere."""
        return replace(self, shown=shown, loss=loss, place=place)

    def in_colors_of(self, other: "Sight") -> "Sight":
        """The same numbers as another sight would paint them: what is held while the theme is switched."""
        models = {found.model.name: found.model for found in other.everyone}

        def painted(found: Found) -> Found:
            model = models.get(found.model.name, found.model)
            return replace(found, model=replace(found.model, color=model.color, dash=model.dash))

        shown = replace(self.shown, theme=other.theme)
        own, everyone = (tuple(map(painted, each)) for each in (self.models, self.everyone))
        return replace(self, shown=shown, models=own, everyone=everyone, _made={})

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is made of the numbers and not of the cursor: made when first asked for."""
        if key not in self._made:
            self._made[key] = make()
        found: T = self._made[key]
        return found

    def unit_of(self, found: Found) -> int | None:
        """The unit of a model that is looked at, 0-based; None: none of it is."""
        return self.place.unit if self.place.unit >= 0 and found.model.number == self.place.model else None


@dataclass(frozen=True)
class Spot:
    """What is under the pointer in words, and where a press leads: what is None stays."""

    words: str
    time_step: int | None = None
    loss: int | None = None
    model: int | None = None  # its number
    unit: int | None = None  # 0-based
    training_step: int | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """The numbers of a card to be copied: columns of one length, by name."""

    columns: Mapping[str, Sequence[Any] | Array]

    def text(self) -> str:
        """Tab-separated, every digit."""
        columns = [list(np.asarray(column).tolist()) for column in self.columns.values()]
        longest = max((len(column) for column in columns), default=0)
        rows = [[str(column[row]) if row < len(column) else "" for column in columns] for row in range(longest)]
        return "\n".join("\t".join(row) for row in [list(self.columns), *rows]) + "\n"


JACOBIANS_ASKED = "Step Jacobians of a user's own cell are asked of the engine, in the window."


class Card:
    """The base of the cards. A card keeps nothing: what it draws is in the sight it is given."""

    key: ClassVar[str]  # of `gui.state.laboratory.CARDS`
    symbol: ClassVar[str] = ""  # markup at the right of the title
    title: ClassVar[str] = ""  # markup, where it is written otherwise than its name
    each_model: ClassVar[bool] = False  # one card a model, side by side
    by_model: ClassVar[bool] = True  # whether such a card is called as its model, else that stands at the right
    over_training: ClassVar[bool] = False  # whether its numbers are of all captures: `over_training.OverTraining`
    of_jacobians: ClassVar[bool] = False  # whether they follow from step Jacobians, which may have to be asked for
    of_operations: ClassVar[bool] = False  # whether they follow from the operations of a cell alone
    columns: ClassVar[int] = 1  # of the page it takes, where there are so many
    controls_beside: ClassVar[int] = 0  # pixels of the design at the left of the picture for its controls; 0: above it
    has_loss: ClassVar[bool] = False  # whether the loss that is looked at can be seen on it
    of_row: ClassVar[bool] = False  # whether its numbers are of the layers of all stages of a depth, not of one
    draws_loss: ClassVar[bool] = False  # whether `draw`, not only `mark`, shows the loss that is looked at

    @cached_property
    def name(self) -> CardName:
        """Its title and tooltip."""
        return next(name for name in CARDS if name.key == self.key)

    def lacks(self, model: ShownModel) -> str:
        """Why there are no such numbers of a model, in a sentence; "" if there are."""
        return ""

    def given(self, state: State) -> Mapping[str, Any]:
        """Options that come from the state."""
        return {}

    def hangs_on(self, laboratory: Laboratory, options: Mapping[str, Any]) -> Hashable:
        """What of the settings its numbers hang on, beside the trace."""
        return ()

    def hangs_on_loss(self, model: ShownModel, laboratory: Laboratory) -> int:
        """The loss that is looked at, `laboratory.loss`, where its numbers are of that one; else 0."""
        return 0

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        """The numbers of a model that has a trace, in a worker thread: parts, the last one whole."""
        raise NotImplementedError

    def cuts(self, sight: Sight) -> Cuts:
        """Where truncation cuts what it draws along the time steps."""
        return sight.shown.cuts

    def aside(self, sight: Sight) -> str:
        """What stands at the right of the title."""
        return self.symbol

    def short_aside(self, sight: Sight) -> str:
        """The same in few letters, for a narrow card; "": nothing has to be said."""
        return ""

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        """Everything but the cursor."""
        raise NotImplementedError

    def mark(self, sight: Sight, area: QRectF) -> Drawing:
        """The cursor on it, drawn anew at each step."""
        return Drawing()

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        """What is under a point; None where nothing is."""
        return None

    def table(self, sight: Sight) -> Table:
        """Its numbers, to be copied."""
        return Table({})

    def controls(self, store: Store, change: Callable[[Mapping[str, Any]], None]) -> QWidget | None:
        """Fields below the title; what is set there goes to `change`, and comes back in `Sight.options`."""
        return None

    def leaves_room(self, sight: Sight) -> bool:
        """Whether there is room for those fields also where they are not shown, since the cards of other models show
        them: so that the same scale looks the same."""
        return False

    def show_controls(self, controls: QWidget, sight: Sight) -> None:
        """What those fields offer and say, and whether they are there at all, once the numbers are known."""


def lacking(card: Card, model: ShownModel) -> str:
    """Why there are no numbers of a model by now, in a sentence; "" if there are, or will be."""
    if not model.structure.equations.recorded:
        return card.lacks(model)
    if card.of_operations:
        return NOT_KNOWN
    waiting = card.of_jacobians and model.layer is not None and model.layer.asked is None
    return (model.asking or JACOBIANS_ASKED) if waiting else card.lacks(model)


def seldom(parts: Iterable[Partial]) -> Iterator[Partial]:
    """No more parts than can be told apart, and the last one."""
    before = perf_counter()
    for part in parts:
        if part.share >= 1 or perf_counter() - before >= _APART:
            yield part
            before = perf_counter()


def carries_nothing(model: ShownModel) -> str:
    """Said of a cell without states; "" of all others."""
    words = model.structure.equations.words
    return "" if model.carries else f"The {words} cell carries no state from one time step to the next."


def rests_of(model: ShownModel, alone: bool = False) -> tuple[Rest, ...]:
    """Where the layers that are looked at have no time step; `alone`: the layer that is chosen, without those of other
    stages."""
    if not alone or model.sequence is None or model.layer is None or len(model.sequence.calls) == 1:
        return model.rests
    return tuple(outside([range(model.layer.start, model.layer.stop)], model.sequence, model.time_steps))


def rest_words(model: ShownModel, time_step: int, alone: bool = False) -> str:
    """Why there is nothing of a model at a time step; "" where there is."""
    return next((rest.words for rest in rests_of(model, alone) if rest.holds(time_step)), "")


def resting(model: ShownModel, steps: Array, alone: bool = False) -> Array:
    """(P,) bool where a model has nothing at time steps (P,), so that a 0 is no finding."""
    found = np.zeros(len(steps), bool)
    for rest in rests_of(model, alone):
        found |= (steps >= rest.first) & (steps <= rest.last)
    return found


def at_once(value: Any) -> Iterator[Partial]:
    """Numbers that take no time worth telling."""
    yield Partial(value)

"""Gradients view: the page of cards a person has chosen, each with the numbers of the training step that is shown."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from time import perf_counter
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.places import to_model, to_time_step
from rnnviz.gui.canvas.lanes.shown import Shown, resolve
from rnnviz.gui.gradients.card import Card, Sight, Spot
from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.gradients.card_table import CARD_OF
from rnnviz.gui.gradients.finding import Finding, Wish
from rnnviz.gui.gradients.head_row import HeadRow
from rnnviz.gui.gradients.recording import Memory, Recording
from rnnviz.gui.gradients.sheet import Sheet
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

_ALL_BUT_LOOK = ("recorded.traces", "recorded.asking", "place", "run.task", "run.models", "trial")
_BUT_LOOK = Fields(*_ALL_BUT_LOOK)
_SHOWN = Fields(*_ALL_BUT_LOOK, "look.theme", "look.scale", "look.laboratory")
_PATIENCE = 0.5  # seconds for which a whole picture stays while there is a part of the next one


class GradientsView(QWidget):
    """As a `picture` it finds all numbers before it draws, and offers nothing that can be pressed."""

    training_step_wanted = Signal(int)

    def __init__(self, store: Store, parent: QWidget | None = None, *, picture: bool = False) -> None:
        super().__init__(parent)
        self._store, self._picture = store, picture
        self._shown: Shown | None = None
        self._options: dict[str, Mapping[str, Any]] = {}
        self._memory = Memory()  # of the captures of the run shown
        self._pointed_at = 0  # the loss under the pointer
        self.frames: list[CardFrame] = []
        self.finding = Finding(self)
        self.finding.found.connect(self._refresh)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(120)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Gradients")
        self.setAccessibleDescription(
            "Cards that tell where gradients come from and where they die; Tab goes through them"
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.head = HeadRow(store)
        column.addWidget(self.head)
        if picture:
            self.head.hide()
        self.cards_area = QScrollArea()
        self.cards_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.cards_area.setWidgetResizable(True)
        self.cards_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        if picture:
            self.cards_area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._sheet = Sheet(store, self.cards_area)
        self.cards_area.setWidget(self._sheet)
        self.cards_area.verticalScrollBar().valueChanged.connect(self._ask)
        column.addWidget(self.cards_area, 1)
        store.changed.connect(self.show_state)
        self._rebuild()
        if picture:
            self._find_all()

    # what is shown

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        """Follows the state; a view that is not seen only remembers that it must be drawn anew."""
        if old.run.path != new.run.path:
            self._memory = Memory()
        if old.run.models is not new.run.models:
            self._drop_frames()
        if old.recorded.history is not new.recorded.history and self.isVisible():
            self._follow_captures()
        if not _SHOWN.changed(old, new):
            return
        if self._shown is not None and _only_loss(old, new):
            self._move_cursor()
            return
        before = self._shown
        here, there = old.place.cursor, new.place.cursor
        same = old.recorded is new.recorded and old.look is new.look and old.trial is new.trial and old.run is new.run
        if before is not None and same and here.layer == there.layer and old.place.sample == new.place.sample:
            self._shown = before.at(there)
            if self.isVisible():
                self._move_cursor()
            return
        self._shown = None
        if self.isVisible() or self._picture:
            self._rebuild()

    @property
    def shown(self) -> Shown:
        if self._shown is None:
            self._shown = resolve(self._store.state)
        return self._shown

    @property
    def cards(self) -> tuple[Card, ...]:
        """Those a person has chosen, in their order."""
        laboratory = self._store.state.look.laboratory
        chosen = tuple(CARD_OF[key] for key in dict.fromkeys(laboratory.cards) if key in CARD_OF)
        large = tuple(card for card in chosen if card.key == laboratory.enlarged)
        return large or chosen

    @property
    def loss(self) -> int:
        """Time step k of the loss looked at, from 1: the one under the pointer, else the one the cursor stands in, else
        the chosen one, else the last."""
        shown, laboratory = self.shown, self._store.state.look.laboratory
        if self._pointed_at:
            return min(self._pointed_at, shown.time_steps)
        if shown.cursor.phase is Phase.LOSS:
            return min(max(shown.cursor.time_step, 1), shown.time_steps)
        if laboratory.loss:
            return min(laboratory.loss, shown.time_steps)
        return shown.time_steps

    def _rebuild(self) -> None:
        """A frame for each card, and for each model of the cards of one that has such numbers."""
        shown = self.shown
        wanted = list[tuple[Card, int | None]]()
        for card in self.cards:
            if card.each_model and shown.ready:
                having = [(card, place) for place, model in enumerate(shown.models) if not card.lacks(model)]
                wanted += having or [(card, None)]
            else:
                wanted.append((card, None))
        kept: dict[tuple[str, int | None], CardFrame] = {(one.card.key, one.number): one for one in self.frames}
        frames = []
        for card, number in wanted:
            key = card.key, number
            frames.append(kept.pop(key) if key in kept else self._made(card, number))
        self.frames = list(kept.values())
        self._drop_frames()
        self.frames = frames
        self._sheet.place(frames)
        for one, other in pairwise(self.stops):
            QWidget.setTabOrder(one, other)
        self._refresh()
        self._ask()

    @property
    def stops(self) -> list[QWidget]:
        """Where Tab stops: the row above, then card by card, also where cards are scrolled away."""
        return [self, *self.head.stops, *(stop for frame in self.frames for stop in frame.stops)]

    @property
    def _recording(self) -> Recording | None:
        state = self._store.state
        if state.run.path is None:
            return None
        return Recording(state.run.path, state.recorded.history.captured, self._memory)

    def _follow_captures(self) -> None:
        """A training that goes on adds to the cards that draw training steps."""
        if any(frame.card.over_training for frame in self.frames):
            self._refresh()
            self._ask()

    def _drop_frames(self) -> None:
        """Other models may have other weights to choose among."""
        if self.frames:
            self._pointed_at = 0
        for frame in self.frames:
            frame.hide()
            frame.setParent(None)
            frame.deleteLater()
        self.frames = []

    def _made(self, card: Card, number: int | None) -> CardFrame:
        frame = CardFrame(card, self._store, number, self._sheet, picture=self._picture)
        frame.spot_pressed.connect(self._go)
        frame.moved.connect(lambda by: self._arrange(lambda lab: lab.stepped(card.key, by)))
        frame.dropped.connect(lambda key: self._arrange(lambda lab: lab.moved(key, card.key)))
        frame.taken_away.connect(lambda: self._arrange(lambda lab: lab.with_card(card.key, False)))
        frame.enlarged.connect(
            lambda: self._arrange(lambda lab: replace(lab, enlarged="" if lab.enlarged == card.key else card.key))
        )
        frame.held.connect(lambda _: self._refresh())
        frame.loss_stepped.connect(self.step_loss)
        frame.loss_pointed_at.connect(self._point_at)
        frame.options_changed.connect(lambda options: self._set_options(card, options))
        frame.show()
        return frame

    def _wishes(self, frame: CardFrame) -> Iterator[Wish]:
        laboratory = replace(self._store.state.look.laboratory, loss=self.loss)
        for model in self.shown.models:
            yield Wish(frame.card, model, laboratory, self._options_of(frame.card), self._recording)

    def _ask(self) -> None:
        """For the cards in sight first; what is not seen at all is not asked for."""
        if not self.isVisible() and not self._picture:
            return
        seen = [frame for frame in self.frames if not frame.visibleRegion().isEmpty()]
        self.finding.want(wish for frame in seen for wish in self._wishes(frame))

    @property
    def waiting(self) -> bool:
        """Whether numbers of a card in sight are still looked for."""
        seen = [frame for frame in self.frames if not frame.visibleRegion().isEmpty()]
        return not all(self.finding.done(wish) for frame in seen for wish in self._wishes(frame))

    def _find_all(self) -> None:
        self.finding.find_all(wish for frame in self.frames for wish in self._wishes(frame))
        self._refresh()

    def _sight(self, frame: CardFrame) -> Sight:
        everyone = tuple(self.finding.of(wish) for wish in self._wishes(frame))
        models = everyone if frame.number is None else everyone[frame.number : frame.number + 1]
        options, state = self._options_of(frame.card), self._store.state
        return Sight(self.shown, models, everyone, state.look.laboratory, self.loss, options, state.place)

    @Slot()
    def _refresh(self) -> None:
        """Draws what is known by now; a card whose numbers are still looked for keeps those of the moment before."""
        for frame in self.frames:
            sight = self._sight(frame)
            if self._keeps(frame, sight):
                frame.show_progress(min(found.share for found in sight.models if not found.problem))
                continue
            frame.show_progress(None)
            if not _same(frame.sight, sight):
                frame.show_sight(sight)
        self.head.show_shown(self.shown)

    def _keeps(self, frame: CardFrame, sight: Sight) -> bool:
        """Whether a card's picture stays while its new numbers are looked for: until there are any, and a whole one a
        moment longer, so that it does not shrink to a part at each training step."""
        old = frame.sight
        if old is None or not old.known or not self._like(old, sight):
            return False
        if any(found.value is None and not found.problem for found in sight.models):
            return True
        whole = [all(found.share >= 1 or found.problem for found in one.models) for one in (old, sight)]
        if whole != [True, False]:
            frame.behind_since = None
            return False
        frame.behind_since = frame.behind_since or perf_counter()
        return perf_counter() - frame.behind_since < _PATIENCE

    @staticmethod
    def _like(old: Sight, new: Sight) -> bool:
        """Whether both are of the same models."""
        return [found.model.name for found in old.models] == [found.model.name for found in new.models]

    def _move_cursor(self) -> None:
        loss, place, asks = self.loss, self._store.state.place, False
        for frame in self.frames:
            if frame.sight is None:
                continue
            sight = self._sight(frame) if loss != frame.sight.loss else frame.sight
            waiting = any(found.value is None and not found.problem for found in sight.everyone)
            if waiting or _same_numbers(frame.sight, sight):
                frame.move_cursor(frame.sight.at(self.shown, loss, place))
            else:
                frame.show_sight(sight)
            asks = asks or waiting
        if asks:
            self._ask()

    @Slot(int)
    def _point_at(self, loss: int) -> None:
        self._pointed_at = loss
        self._move_cursor()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._shown = None
        self._rebuild()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._ask()

    def stop(self) -> bool:
        """Ends what is looked for."""
        return self.finding.stop()

    # what a person does

    def _arrange(self, change: Any) -> None:
        self._store.change(look=lambda look: replace(look, laboratory=change(look.laboratory)))

    def _options_of(self, card: Card) -> Mapping[str, Any]:
        return {**card.given(self._store.state), **self._options.get(card.key, {})}

    def _set_options(self, card: Card, options: Mapping[str, Any]) -> None:
        merged = {**self._options.get(card.key, {}), **options}
        self._options[card.key] = {name: value for name, value in merged.items() if value is not ...}
        self._refresh()
        self._ask()

    def step_loss(self, by: int) -> None:
        """Looks at the loss of a time step farther on, or back."""
        wanted = min(max(self.loss + by, 1), self.shown.time_steps)
        self._arrange(lambda lab: replace(lab, loss=wanted))

    @Slot(object)
    def _go(self, spot: Spot) -> None:
        """Where a press leads."""
        store = self._store
        if spot.model is not None and spot.model != store.state.place.model:
            store.go(to_model, spot.model, store.state.place.unit if spot.unit is None else spot.unit)
        elif spot.unit is not None:
            store.go(to_model, store.state.place.model, spot.unit)
        if spot.loss is not None:
            loss = spot.loss
            self._arrange(lambda lab: replace(lab, loss=loss))
        if spot.training_step is not None:
            self.training_step_wanted.emit(spot.training_step)
        if spot.time_step is not None and spot.time_step != self.shown.cursor.time_step:
            store.go(to_time_step, store.state.walkable, spot.time_step)

    # as a picture

    def needed_height(self) -> int:
        """Pixels of a picture that is as high as is good for it."""
        return self._sheet.usual_height(max(self.width(), 1))

    def picture_height(self) -> int:
        """Pixels below which a picture would not hold everything."""
        return self._sheet.lowest_height(max(self.width(), 1))


def _same(old: Sight | None, new: Sight) -> bool:
    """Whether nothing that is drawn is another."""
    if old is None or old.shown is not new.shown or old.options != new.options:
        return False
    if old.laboratory is not new.laboratory and replace(old.laboratory, loss=new.laboratory.loss) != new.laboratory:
        return False
    return old.loss == new.loss and _same_numbers(old, new)


def _same_numbers(old: Sight, new: Sight) -> bool:
    """Whether all that is told of its models is the same, and what sets their scales."""
    told = all(
        one.share == other.share and one.problem == other.problem
        for one, other in zip(old.models, new.models, strict=False)
    )
    return told and all(one.value is other.value for one, other in zip(old.everyone, new.everyone, strict=False))


def _only_loss(old: State, new: State) -> bool:
    """Whether only the loss that is looked at is another."""
    if old.look is new.look or _BUT_LOOK.changed(old, new):
        return False
    laboratory = replace(old.look.laboratory, loss=new.look.laboratory.loss)
    return replace(old.look, laboratory=laboratory) == new.look

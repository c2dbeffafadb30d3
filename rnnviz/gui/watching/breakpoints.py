"""The breakpoints of the experiment: what they are is in the state; here are their cards, and a field for the next."""

from functools import partial

from PySide6.QtWidgets import QVBoxLayout, QWidget

from rnnviz.core.expressions import Vocabulary
from rnnviz.core.stopping.marks import Breakpoint, with_not_finite
from rnnviz.gui.look.theme import Theme, theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.marks import with_breakpoints
from rnnviz.gui.state.scopes import vocabulary_of
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.watching.breakpoint_card import BreakpointCard, face_of
from rnnviz.gui.watching.breakpoint_words import typed_breakpoint
from rnnviz.gui.widgets.expression_field import ExpressionField
from rnnviz.gui.widgets.expression_problem import ExpressionProblem

_SHOWN = Fields("debugging.marks", "look.theme", "look.scale", "run.models", "recorded.events")


class Breakpoints(QWidget):
    """NaN and infinity first, which are on unless they are switched off."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._vocabulary = vocabulary_of(store.state)
        self.cards: list[BreakpointCard] = []
        self.add = ExpressionField(self._known, self._theme, "", typed_breakpoint)
        self.add.setPlaceholderText("Stop where, for example loss < 0.05")
        self.add.setAccessibleName("Stop training where")
        self.problem = ExpressionProblem(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self._column = QVBoxLayout()
        self._column.setSpacing(6)
        column.addLayout(self._column)
        column.addWidget(self.add)
        column.addWidget(self.problem)
        self.add.entered.connect(self._add)
        self._show(store.state)
        store.changed.connect(self.show_state)

    def show_state(self, old: State, new: State) -> None:
        if new.run.models is not old.run.models or set(new.recorded.history.curves) != set(old.recorded.history.curves):
            self._vocabulary = vocabulary_of(new)
            for field in (self.add, *(card.field for card in self.cards)):
                field.judge()
        if new.run.models is not old.run.models:
            self._clear()
        if _SHOWN.changed(old, new):
            self._show(new)

    @property
    def acting(self) -> tuple[Breakpoint, ...]:
        """Those of the state, the one for NaN and infinity among them."""
        return with_not_finite(self._store.state.debugging.marks.breakpoints)

    def _show(self, state: State) -> None:
        """A card stays at its place as long as it can: somebody may be typing in it."""
        wanted = with_not_finite(state.debugging.marks.breakpoints)
        while len(self.cards) > len(wanted) or any(
            card.face != face_of(one) for card, one in zip(self.cards, wanted, strict=False)
        ):
            card = self.cards.pop()
            card.hide()
            card.deleteLater()
        for index, one in enumerate(wanted):
            if index == len(self.cards):
                card = BreakpointCard(one, self._known, self._theme)
                card.changed.connect(partial(self._change, card))
                card.removed.connect(partial(self._change, card, None))
                self._column.addWidget(card)
                self.cards.append(card)
            self.cards[index].show_breakpoint(one, state.recorded.events, theme(state.look.theme))

    def _clear(self) -> None:
        for card in self.cards:
            card.hide()
            card.deleteLater()
        self.cards = []

    def _change(self, card: BreakpointCard, one: Breakpoint | None) -> None:
        index = self.cards.index(card)
        wanted = list(self.acting)
        wanted[index : index + 1] = [] if one is None else [one]
        if one is None:  # the cards behind it belong to others now
            gone = self.cards.pop(index)
            gone.hide()
            gone.deleteLater()
        self._store.change(debugging=setting(marks=with_breakpoints(self._store.state.debugging.marks, wanted)))

    def _add(self, text: str) -> None:
        self.add.start_anew()
        if not text:
            return
        one = typed_breakpoint(text, self._vocabulary)
        if one not in self.acting:
            self._store.change(
                debugging=setting(marks=with_breakpoints(self._store.state.debugging.marks, (*self.acting, one)))
            )
            self.cards[-1].edit.setChecked(one.kind == "data")  # what the number has to do is still to be said

    def _known(self) -> Vocabulary:
        return self._vocabulary

    def _theme(self) -> Theme:
        return theme(self._store.state.look.theme)

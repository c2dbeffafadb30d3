"""The watches: what they are is in the state; here their cards are kept, and their values are looked up."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from rnnviz.core.expressions import Expression, ExpressionError, Vocabulary, parse
from rnnviz.core.stopping.conditions import Look
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.theme import Theme, model_dashes, theme
from rnnviz.gui.state.debugging import Debugging
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.looked_at import history_of, looked_at
from rnnviz.gui.state.scopes import vocabulary_of
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.watching.watch_card import WatchCard
from rnnviz.gui.watching.watch_rows import WatchRow
from rnnviz.gui.watching.watch_values import Seen, WatchLine, line_of, look_at, same_value, value_words
from rnnviz.gui.widgets.expression_field import ExpressionField
from rnnviz.gui.widgets.expression_problem import ExpressionProblem

EXAMPLES = ("norm(dh[t])", "norm(dh[1]) / norm(dh[T])", "max(h[t])")
_SHOWN = Fields(
    "trial",
    "debugging.watches",
    "recorded.traces",
    "place.cursor",
    "place.sample",
    "recorded.history",
    "look.theme",
    "look.scale",
    "run.models",
    "run.path",
)
_LINES = Fields("recorded.traces", "place.sample", "recorded.history", "trial")  # what the lines are made of
_Key = tuple[str, int]  # text of the expression, number of the model


class Watches(QWidget):
    """A card a watch, then a field for the next one."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._shown: State | None = None  # what the cards show; None: nothing yet
        self._vocabulary = vocabulary_of(store.state)
        self._looks: dict[_Key, Look] = {}
        self._looks_before: dict[_Key, Look] = {}
        self._lines: dict[_Key, WatchLine] = {}
        self._seen = Seen()
        self.cards: list[WatchCard] = []
        self.add = ExpressionField(self._known, self._theme)
        self.add.setPlaceholderText("Watch an expression")
        self.add.setAccessibleName("Watch an expression")
        self.add.setClearButtonEnabled(False)
        self.problem = ExpressionProblem(self.add)
        self.examples = [push_button(text, "Watch this", "link") for text in EXAMPLES]
        self._hint = QLabel("Its value in every model follows the cursor. For example", wordWrap=True)
        self._hint.setProperty("role", "note")
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self.refresh)
        self._build()
        self._show_cards(store.state)
        store.changed.connect(self.show_state)

    def show_state(self, old: State, new: State) -> None:
        """Values are looked up once the lanes are drawn, and only while somebody can see them."""
        if new.run.models is not old.run.models or new.run.path != old.run.path:
            self._seen.clear()
            self._looks.clear()
            self._looks_before.clear()
            self._shown = None
        if new.run.models is not old.run.models or set(new.recorded.history.curves) != set(old.recorded.history.curves):
            self._vocabulary = vocabulary_of(new)
            for field in (self.add, *(card.field for card in self.cards)):
                field.judge()
        if new.debugging.watches != old.debugging.watches:
            self._show_cards(new)
        if new.recorded.traces is not old.recorded.traces:
            self._remember(new)
        if _SHOWN.changed(old, new):
            self._later.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._later.start()

    @Slot()
    def refresh(self) -> None:
        """Looks every watch up in the state as it is now."""
        if not self.isVisible():
            return
        state, shown = self._store.state, self._shown
        if shown is None or (state.place.cursor, state.place.sample) != (shown.place.cursor, shown.place.sample):
            self._looks_before, self._looks = self._looks, {}
        same = shown is not None and not _LINES.changed(shown, state)
        if not same or (shown is not None and shown.place.cursor.layer != state.place.cursor.layer):
            self._lines.clear()
        look = self._theme()
        for card in self.cards:
            expression = card.expression
            card.show_rows([] if expression is None else self._rows(state, expression, look), look)
        self._shown = state

    def _rows(self, state: State, expression: Expression, look: Theme) -> list[WatchRow]:
        cells = [model.structure.cell for model in state.run.models]
        looks = zip(look.model_colors(cells), model_dashes(cells), strict=True)
        live = state.place.following and state.recorded.status is not None and state.recorded.status.state == "running"
        rows = []
        for number, (model, (color, dash)) in enumerate(zip(state.run.models, looks, strict=True)):
            key = expression.text, number
            self._looks[key] = now = look_at(state, expression, number)
            looked = looked_at(state, number)
            if looked.words != "what-if":
                self._seen.add(expression, number, state.place.cursor.training_step, now.value)
            before = self._looks_before.get(key)
            changed = not live and before is not None and not same_value(before, now)
            rows.append(
                WatchRow(
                    model.name,
                    color,
                    now,
                    self._line(state, expression, number),
                    _said(before) if changed and before is not None else "",
                    looked.words,
                    dash,
                )
            )
        return rows

    def _line(self, state: State, expression: Expression, model: int) -> WatchLine:
        """The line as it was drawn last with the cursor moved, where nothing else has changed."""
        key = expression.text, model
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = line_of(state, expression, model, self._seen)
        at = state.place.cursor.time_step if line.over == "time steps" else state.place.cursor.training_step
        return replace(line, marked=float(at))

    def _remember(self, state: State) -> None:
        """New traces: what is one number of a whole trace gets another point of its line."""
        for text in state.debugging.watches:
            try:
                expression = parse(text, self._vocabulary)
            except ExpressionError:
                continue  # its card says why
            if expression.form.single and expression.needs_trace and not expression.follows_cursor:
                for number, trace in enumerate(state.recorded.traces):
                    if trace is not None:
                        value = look_at(history_of(state), expression, number).value
                        self._seen.add(expression, number, state.place.cursor.training_step, value)

    def _show_cards(self, state: State) -> None:
        """Cards of watches that stay, stay: somebody may be typing in one."""
        kept = {card.text: card for card in self.cards}
        self.cards = []
        for index, text in enumerate(state.debugging.watches):
            card = kept.pop(text, None)
            if card is None:
                card = WatchCard(text, self._known, self._theme)
                card.changed.connect(partial(self._change, card))
            self._column.insertWidget(index, card)
            self.cards.append(card)
        for card in kept.values():
            card.hide()
            card.deleteLater()
        for widget in (self._hint, *self.examples):
            widget.setVisible(not state.debugging.watches)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self._column = QVBoxLayout()
        self._column.setSpacing(6)
        column.addLayout(self._column)
        for widget in (self.add, self.problem, self._hint, *self.examples):
            column.addWidget(widget)
        self.add.entered.connect(self._add)
        for button in self.examples:
            button.clicked.connect(partial(self._add_example, button.text()))

    def _change(self, card: WatchCard, text: str) -> None:
        """`text` in place of the card's; "" or one that is watched already takes the card away."""
        watches = self._store.state.debugging.watches
        others = [one for one in watches if one != card.text]
        changed = [text if one == card.text else one for one in watches]
        self._store.change(debugging=_watching(changed if text and text not in others else others))

    def _add_example(self, text: str, *_: object) -> None:
        """The examples go with the first watch; the keyboard stays among the watches."""
        self.add.setFocus()
        self._add(text)

    def _add(self, text: str, *_: object) -> None:
        watches = self._store.state.debugging.watches
        self.add.start_anew()
        if text and text not in watches:
            self._store.change(debugging=_watching((*watches, text)))

    def _known(self) -> Vocabulary:
        return self._vocabulary

    def _theme(self) -> Theme:
        return theme(self._store.state.look.theme)


def _watching(watches: Iterable[str]) -> Callable[[Debugging], Debugging]:
    """These watches; what was taken away and is typed again is the person's own."""
    shown = tuple(watches)
    return lambda now: replace(now, watches=shown, lent=tuple(text for text in now.lent if text in shown))


def _said(look: Look) -> str:
    return "–" if look.value is None else value_words(look.value)

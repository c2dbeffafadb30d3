"""The page "What-if" of the right column: set something by hand, see what it changes, keep it, compare it."""

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from rnnviz.core.numbers import short
from rnnviz.debugger.changes import what_changed
from rnnviz.gui.commands.actions import Actions
from rnnviz.gui.live.train_on_request import can_train_on
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_sheet import FIELD_HEIGHT
from rnnviz.gui.look.form_style import fill_scrolling, push_button
from rnnviz.gui.look.icons import icon
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.trial import Recomputed
from rnnviz.gui.whatif.what_if_commands import WhatIfs
from rnnviz.gui.whatif.what_if_editor import WhatIfEditor
from rnnviz.gui.widgets.column_page import NARROWEST, ColumnPage
from rnnviz.gui.widgets.fields import Choice, Row, section_label


class WhatIfPage(ColumnPage):
    """Editor, what is set, what that changes, and the variants that are kept."""

    shows = Fields("run", "recorded.traces", "place", "trial")
    only_in_front = True

    def __init__(self, store: Store, actions: Actions, whatifs: WhatIfs) -> None:
        super().__init__(store)
        self._whatifs = whatifs
        scale.fit(self, least_width=NARROWEST)
        self.place = _note()
        self.editor = WhatIfEditor()
        self.editor.wanted.connect(whatifs.add)
        self.set_by_hand = QVBoxLayout()
        self.nothing = _note("Nothing is set: the lanes show history.")
        self.undo, self.redo, self.discard = (
            _button(actions, key, words)
            for key, words in (("what_if_undo", "Undo"), ("what_if_redo", "Redo"), ("what_if_discard", "Discard"))
        )
        self.copy = _button(actions, "what_if_copy", "Copy as text")
        self.paste = _button(actions, "what_if_paste", "Paste")
        self.train_on = _button(actions, "train_on", "Train on from here")
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.elsewhere = _note(
            "Values, variables, equations, watches and stops of this model follow it; other models show history."
        )
        self.difference = QCheckBox("Show the difference in the lanes")
        self.difference.setToolTip(actions.explanation("what_if_difference"))
        self.difference.clicked.connect(actions["what_if_difference"].trigger)
        self.against = Choice()
        self.against.chosen.connect(lambda name: whatifs.compare(str(name)))
        self.against_row = Row("Beside it", self.against, "what the lanes show beside the what-if", 148)
        self.name = QLineEdit()
        self.name.setProperty("role", "field")
        self.name.setPlaceholderText("name of the variant")
        self.name.setAccessibleName("Name of the variant")
        self.name.returnPressed.connect(self._keep)
        self.keep = push_button("Keep", "keeps what is set as a variant, to open it or compare with it later")
        self.keep.clicked.connect(self._keep)
        self.variants = QVBoxLayout()
        self._rows: list[QWidget] = []
        self._build()
        self.begin()

    def _build(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 8, 10, 12)
        column.setSpacing(6)
        column.addWidget(section_label("Set by hand, at the cursor"))
        column.addWidget(self.place)
        column.addWidget(self.editor)
        column.addSpacing(8)
        column.addWidget(section_label("What is set"))
        column.addWidget(self.nothing)
        column.addLayout(self.set_by_hand)
        column.addLayout(_line(self.undo, self.redo, self.discard))
        column.addLayout(_line(self.copy, self.paste))
        column.addLayout(_line(self.train_on))
        self.changes = section_label("What it changes")
        self.changes.setContentsMargins(0, 8, 0, 0)  # the space goes with the section
        for widget in (self.changes, self.result, self.elsewhere, self.difference, self.against_row):
            column.addWidget(widget)
        column.addSpacing(8)
        column.addWidget(section_label("Variants"))
        keep = QHBoxLayout()
        keep.addWidget(self.name, 1)
        keep.addWidget(self.keep)
        column.addLayout(keep)
        column.addLayout(self.variants)
        column.addStretch(1)
        fill_scrolling(self, content)

    def draw(self, state: State) -> None:
        self.place.setText(place_words(state))
        self.editor.show_state(state)
        listed = state.trial.whatif.interventions, state.trial.whatif.variants, state.look.theme
        if listed != self._listed:
            self._listed = listed
            self._list(state)
        whatif, found = state.trial.whatif, state.what_if
        self.nothing.setVisible(not whatif.active)
        self.undo.setEnabled(bool(whatif.past))
        self.redo.setEnabled(bool(whatif.future))
        self.train_on.setEnabled(can_train_on(state))
        for field in (self.discard, self.copy, self.keep, self.name):
            field.setEnabled(whatif.active)
        for widget in (self.changes, self.result, self.elsewhere, self.difference):
            widget.setVisible(whatif.active)
        self.difference.setChecked(state.trial.difference)
        self.against_row.setVisible(whatif.active and bool(whatif.variants))
        self.against.set_value(state.trial.against)
        if found is not self._told:
            self._told = found
            self.result.setText(result_words(found))

    _listed: object = None
    _told: object = None

    def _list(self, state: State) -> None:
        """One row for each thing that is set, one for each variant."""
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = []
        muted = theme(state.look.theme).muted
        for number, one in enumerate(state.trial.whatif.interventions):
            label = QLabel(one.words)
            label.setWordWrap(True)
            remove = _icon_button(muted, f"Remove {one.words}")
            remove.clicked.connect(lambda _on=False, number=number: self._whatifs.remove(number))
            self._add_row(self.set_by_hand, label, remove)
        for variant in state.trial.whatif.variants:
            name = variant.name
            link = push_button(name.replace("&", "&&"), " · ".join(one.words for one in variant.interventions), "link")
            link.clicked.connect(lambda _on=False, name=name: self._whatifs.open(name))
            forget = _icon_button(muted, f"Forget the variant {name}")
            forget.clicked.connect(lambda _on=False, name=name: self._whatifs.forget(name))
            self._add_row(self.variants, link, forget)
        self.against.set_options([("", "history"), *((one.name, one.name) for one in state.trial.whatif.variants)])

    def _add_row(self, column: QVBoxLayout, words: QWidget, button: QPushButton) -> None:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(words, 1)
        line.addWidget(button)
        column.addWidget(row)
        self._rows.append(row)

    def _keep(self) -> None:
        if self._whatifs.keep(self.name.text()):
            self.name.clear()


def place_words(state: State) -> str:
    """Where the editor sets: model, layer, sequence and time step."""
    if state.place.model >= len(state.run.models):
        return "There is no model yet."
    model, cursor = state.run.models[state.place.model], state.place.cursor
    words = [model.name]
    if len(model.network.layer_names) > 1:
        words.append(model.network.words(cursor.layer))
    words.append(f"time step {min(cursor.time_step, state.program.time_steps)}")
    return " · ".join(words)


def result_words(found: Recomputed | None) -> str:
    """The loss before and after and the most telling changes."""
    if found is None:
        return "Computing …"
    if found.trouble or found.original is None or found.changed is None:
        return found.trouble
    sentence = what_changed(found.original, found.changed)
    if found.original.head is None or found.changed.head is None:
        return sentence
    before, after = (one.head.own_loss() for one in (found.original, found.changed) if one.head)
    loss = f"Loss {short(before)} → {short(after)}" if short(before) != short(after) else f"Loss stays {short(before)}"
    return f"{loss}. {sentence}"


def _note(words: str = "") -> QLabel:
    label = QLabel(words)
    label.setProperty("role", "note")
    label.setWordWrap(True)
    return label


def _button(actions: Actions, key: str, words: str) -> QPushButton:
    button = push_button(words, actions.explanation(key))
    button.clicked.connect(actions[key].trigger)
    return button


def _icon_button(color: str, words: str) -> QPushButton:
    button = push_button("", words, "icon")
    button.setIcon(icon("close", color))
    button.setAccessibleName(words)
    scale.fit(button, width=FIELD_HEIGHT, height=FIELD_HEIGHT)
    return button


def _line(*widgets: QWidget) -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(6)
    for widget in widgets:
        line.addWidget(widget)
    line.addStretch(1)
    return line

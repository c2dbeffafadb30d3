"""The bar that says, as long as anything is set by hand, that the lanes do not show history."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from rnnviz.gui.commands.actions import Actions
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.elided_label import ElidedLabel

_SHOWN = Fields("trial", "look.theme", "look.scale", "run.models", "place.cursor", "place.sample")


class WhatIfBar(QFrame):
    """Filled with the what-if's colour over the whole width of the lanes; hidden while they show history."""

    def __init__(self, store: Store, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("what_if_bar")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        font = fonts.text()
        bold = QFont(font)
        bold.setBold(True)
        self.words = ElidedLabel(bold, font)
        self.back = QPushButton("Back to history")
        self.back.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.back.setToolTip(actions.explanation("what_if_discard"))
        self.back.clicked.connect(actions["what_if_discard"].trigger)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 5, 8, 5)
        row.setSpacing(12)
        row.addWidget(self.words, 1)
        row.addWidget(self.back)
        self.hide()
        store.changed.connect(self.show_state)
        self._show(store.state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if _SHOWN.changed(old, new):
            self._show(new)

    def _show(self, state: State) -> None:
        self.setVisible(state.trial.whatif.active)
        if not state.trial.whatif.active:
            return
        found = state.what_if
        title = "What-if: not history" if found is None or not found.trouble else "What-if: not computed"
        self.words.set_texts(title, bar_words(state))
        colors = theme(state.look.theme)
        self.words.set_colors(colors.color("on_accent"), colors.color("on_accent"))
        self.setStyleSheet(
            f"#what_if_bar {{ background: {colors.what_if}; border: none; }}"
            f" #what_if_bar QPushButton {{ background: transparent; color: {colors.on_accent};"
            f" border: 1px solid {colors.on_accent}; padding: 2px 10px; }}"
        )


def bar_words(state: State) -> str:
    """Whose what-if it is and what is set, in one line; or why it cannot be computed."""
    found, whatif = state.what_if, state.trial.whatif
    if found is not None and found.trouble:
        return f"The lanes show history: {found.trouble}"
    name = state.run.models[whatif.model].name if whatif.model < len(state.run.models) else ""
    return f"{name}: {whatif.words}"

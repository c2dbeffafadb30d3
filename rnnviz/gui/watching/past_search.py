"""The past of the run: buttons that look for breakpoints in it, how far a search is, and what it found."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from rnnviz.core.numbers import whole
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.state.debugging import Found
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.watching.log_list import LogList


class Past(QWidget):
    """`command_wanted(key)` for a button."""

    command_wanted = Signal(str)

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.buttons = {
            key: push_button(words, tooltip, "link")
            for key, words, tooltip in (
                ("find_hits", "Find all", "Every recorded training step at which a breakpoint is met  (Ctrl+F)"),
                ("previous_hit", "Previous", "Reverse continue: back to the hit before this training step  (Shift+F3)"),
                ("next_hit", "Next", "Continue to the next recorded hit  (F3)"),
            )
        }
        self.cancel = push_button("Cancel", "End the search and keep what it found", "link")
        self.note = QLabel(wordWrap=True)
        self.note.setProperty("role", "note")
        self.hits = LogList(store, "found")
        line = QHBoxLayout()
        line.setSpacing(16)
        for key, button in self.buttons.items():
            line.addWidget(button)
            button.clicked.connect(lambda _=False, key=key: self.command_wanted.emit(key))
        line.addStretch(1)
        line.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(line)
        column.addWidget(self.note)
        column.addWidget(self.hits)
        self.cancel.clicked.connect(lambda: self.command_wanted.emit("cancel_search"))
        self._show(store.state)
        store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.debugging.found is not old.debugging.found or new.recorded.history is not old.recorded.history:
            self._show(new)

    def _show(self, state: State) -> None:
        found = state.debugging.found
        for button in self.buttons.values():
            button.setEnabled(state.run.path is not None and state.recorded.history.last_training_step > 0)
        self.cancel.setHidden(found is None or not found.running)
        self.note.setHidden(found is None)
        self.hits.setHidden(found is None or not found.hits)
        if found is not None:
            self.note.setText(_said(found))


def _said(found: Found) -> str:
    hits = "1 hit" if len(found.hits) == 1 else f"{whole(len(found.hits))} hits"
    if not found.running:
        return f"{hits} in {whole(found.total)} training steps"
    if not found.total:
        return "Searching …"
    return f"{hits} in {whole(found.done)} of {whole(found.total)} training steps …"

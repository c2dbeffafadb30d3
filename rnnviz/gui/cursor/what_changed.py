"""What changed: one plain sentence for every stop, about two training steps or two time steps of one sweep."""

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from rnnviz.debugger.changes import what_changed, what_changed_in_time
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.look.form_style import form_sheet
from rnnviz.gui.state.store import State, Store
from rnnviz.gui.widgets.fields import section_label


class WhatChanged(QWidget):
    """Compares with the stop before; quiet while the lanes follow a training that runs."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._before = store.state  # as it was at the last stop
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 4, 12, 8)
        column.setSpacing(2)
        column.addWidget(section_label("What changed"))
        column.addWidget(self.sentence)
        self.setStyleSheet(form_sheet(store.state.theme))
        self.hide()
        store.changed.connect(self.show_state)

    def show_state(self, old: State, new: State) -> None:
        if new.theme != old.theme:
            self.setStyleSheet(form_sheet(new.theme))
        if running(new) or new.run_path != self._before.run_path:
            self._before = new
            self.hide()
            return
        names = ("traces", "cursor", "sample", "model")
        if all(getattr(self._before, name) is getattr(new, name) for name in names):
            return
        sentence = stop_words(self._before, new)
        self._before = new
        self.sentence.setText(sentence)
        self.setVisible(bool(sentence))


def running(state: State) -> bool:
    """Whether the lanes change by themselves."""
    return state.following and state.status is not None and state.status.state == "running"


def stop_words(before: State, after: State) -> str:
    """How `after` differs from `before` in the model that is looked at; "" where there is nothing to compare."""
    model = after.model
    if model != before.model or model >= min(len(before.traces), len(after.traces)):
        return ""
    old, new = before.traces[model], after.traces[model]
    if old is None or new is None or after.sample != before.sample:
        return ""
    steps = before.cursor.training_step, after.cursor.training_step
    if old is not new and steps[0] != steps[1]:
        sentence = what_changed(old, new, sample=min(after.sample, new.sequences - 1))
        return f"From training step {steps[0]:,} to {steps[1]:,}: {sentence[0].lower()}{sentence[1:]}"
    cursors = before.cursor, after.cursor
    if cursors[0].phase is not cursors[1].phase or cursors[0].layer != cursors[1].layer or not cursors[1].phase.swept:
        return ""
    times = [min(max(cursor.time_step, 1), after.program.time_steps) for cursor in cursors]
    if times[0] == times[1]:
        return ""
    backward = cursors[1].phase is Phase.BACKWARD
    return what_changed_in_time(new.layer(cursors[1].layer), times[0], times[1], backward, after.sample)

"""What changed: one plain sentence for every stop, about two training steps or two time steps of one sweep."""

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from rnnviz.debugger.changes import what_changed, what_changed_in_time
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.fields import section_label

_TOLD = Fields("recorded.traces", "place.cursor", "place.sample", "place.model")


class WhatChanged(QWidget):
    """Compares with the stop before; quiet while the lanes follow a training that runs. Its page dresses it."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._before = store.state  # as it was at the last stop
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 4, 12, 8)
        column.setSpacing(2)
        self.heading = section_label("What changed")
        column.addWidget(self.heading)
        column.addWidget(self.sentence)
        self.hide()
        store.changed.connect(self.show_state)

    def show_state(self, old: State, new: State) -> None:
        if running(new) or new.run.path != self._before.run.path:
            self._before = new
            self.hide()
            return
        if not _TOLD.changed(self._before, new):
            return
        sentence = stop_words(self._before, new)
        self._before = new
        self.heading.setText(f"What changed in {new.run.models[new.place.model].name}" if sentence else "What changed")
        self.sentence.setText(sentence)
        self.setVisible(bool(sentence))


def running(state: State) -> bool:
    """Whether the lanes change by themselves."""
    return state.place.following and state.recorded.status is not None and state.recorded.status.state == "running"


def stop_words(before: State, after: State) -> str:
    """How `after` differs from `before` in the model that is looked at; "" where there is nothing to compare."""
    model = after.place.model
    if model != before.place.model or model >= min(len(before.recorded.traces), len(after.recorded.traces)):
        return ""
    old, new = before.recorded.traces[model], after.recorded.traces[model]
    if (
        old is None
        or new is None
        or not old.holds(min(after.place.sample, old.sequences - 1))
        or (after.place.sample, after.place.kind) != (before.place.sample, before.place.kind)
    ):
        return ""
    first, second = before.place.cursor, after.place.cursor
    if after.place.kind == "batch" and first.training_step != second.training_step:
        return ""  # other sequences
    if old is not new and first.training_step != second.training_step:
        sentence = what_changed(old, new, sample=min(after.place.sample, new.sequences - 1))
        return f"From training step {first.training_step:,} to {second.training_step:,}: {_small(sentence)}"
    if first.phase is not second.phase or first.layer != second.layer or not second.phase.swept:
        return ""
    times = [min(max(cursor.time_step, 1), after.program.time_steps) for cursor in (first, second)]
    looked = looked_at(after)
    if times[0] == times[1] or looked.sequence is None:
        return ""
    layer = looked.sequence.layer(second.layer)
    return what_changed_in_time(layer, times[0], times[1], second.phase is Phase.BACKWARD)


def _small(sentence: str) -> str:
    """Without its capital letter, for the middle of another one."""
    return f"{sentence[0].lower()}{sentence[1:]}"

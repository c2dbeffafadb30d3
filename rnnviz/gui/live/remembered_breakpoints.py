"""Breakpoints of an experiment from one start of the window to the next: a new run of it begins with those it had."""

from dataclasses import replace

from PySide6.QtCore import QObject, Slot

from rnnviz.core.source import Trained
from rnnviz.gui.state.marks import fitting
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting


class RememberedBreakpoints(QObject):
    """Remembers them in the preferences when a person changes them; an experiment that brings its own keeps these."""

    def __init__(self, store: Store, saver: PreferenceSaver, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._saver = store, saver
        store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if not isinstance(new.run.source, Trained) or new.run.path is None:
            return
        now, before = new.debugging.marks.breakpoints, old.debugging.marks.breakpoints
        if new.run.path == old.run.path:
            if now != before:
                preferences = self._saver.preferences
                self._saver.remember(breakpoints=preferences.with_breakpoints(new.run.title, now))
        elif not now and not new.run.kept and new.recorded.history.last_training_step == 0:
            known = fitting(self._saver.preferences.breakpoints_of(new.run.title), new.run.model_names)
            if known:
                self._store.change(debugging=setting(marks=replace(new.debugging.marks, breakpoints=known)))

"""The marks of the state into the run shown: what a person changes is kept there, and acts from the next step on."""

from pathlib import Path

from PySide6.QtCore import QObject, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks import Marks
from rnnviz.gui.state.marks import marks_of
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message
from rnnviz.runs.writing.commands import save_marks


class MarksSaving(QObject):
    """Writes breakpoints, watches and bookmarks when they change, whether the run is trained or finished.

    A run that cannot be written, or is of an older format, keeps them in the window only, which is said once.
    """

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._unsaved: tuple[Path, Marks] | None = None  # of the run that could not be written last
        self._told: Path | None = None  # the run of which that was said
        store.changed.connect(self.show_state)

    def unsaved(self, path: Path) -> Marks | None:
        """The marks of the run at `path` that only the window has; None: the file has them all."""
        return self._unsaved[1] if self._unsaved is not None and self._unsaved[0] == path else None

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        path = new.run.path
        same_run = path == old.run.path and new.run.models is old.run.models
        now, before = new.debugging, old.debugging
        if not same_run or path is None or (now.marks, now.watches) == (before.marks, before.watches):
            return
        marks = marks_of(new, new.run.model_names)
        try:
            save_marks(path, marks)
            self._unsaved = None
        except RnnvizError as error:
            self._unsaved = path, marks
            if self._told != path:
                self._told = path
                kept = "Breakpoints, watches and bookmarks stay in this window; Save run as … keeps them."
                self._store.say(Message("warning", f"{error} {kept}"))

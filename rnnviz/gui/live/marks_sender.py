"""The marks of the state on their way to the engine: what a person changes acts from the next training step on."""

from PySide6.QtCore import QObject, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks_file import marks_toml
from rnnviz.gui.live.session import Session, engine_lives
from rnnviz.gui.state.marks import marks_of
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message


class MarksSender(QObject):
    """Sends breakpoints and watches when they change; a file that cannot be written is said in the bar."""

    def __init__(self, store: Store, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._session = store, session
        store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        same_run = new.run.path == old.run.path and new.run.models is old.run.models
        if (
            not same_run
            or (new.debugging.marks, new.debugging.watches) == (old.debugging.marks, old.debugging.watches)
            or not engine_lives(new)
        ):
            return
        try:
            self._session.send("breakpoints", toml=marks_toml(marks_of(new, new.run.model_names)))
        except RnnvizError as error:
            self._store.say(Message("error", str(error)))

"""Recomputes the sequence looked at with what a person set by hand, off the event loop; the newest wish wins."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.debugger.whatif import WhatIf
from rnnviz.gui.live.newest_wish import NewestWish
from rnnviz.gui.live.rebuilding import prepare
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.trial import Recomputed
from rnnviz.gui.state.window import Message
from rnnviz.runs.reading.reader import Run

if TYPE_CHECKING:
    from rnnviz.core.sweeps.capture import Capture


@dataclass(frozen=True)
class _Wish:
    """What is to be recomputed: `whatif` has the place that is looked at."""

    whatif: WhatIf
    path: Path
    against: str


class _Captures:
    """The capture last read. Lives in the worker thread only: SQLite's connections do not travel."""

    def __init__(self) -> None:
        self._known: tuple[Path, int, int] | None = None
        self._capture: Capture | None = None

    def recompute(self, wish: _Wish) -> Recomputed:
        whatif = wish.whatif
        try:
            capture = self._read(wish.path, whatif.training_step, whatif.model)
            against = replace(whatif, interventions=())
            if wish.against:
                against = replace(whatif, interventions=whatif.variant(wish.against).interventions)
            original = against.trace(capture) if against.active else whatif.original(capture)
            changed = whatif.trace(capture)
            for trace in (original, changed):
                prepare(trace)
            return Recomputed(whatif, wish.path, wish.against, original, changed)
        except RnnvizError as error:
            return Recomputed(whatif, wish.path, wish.against, trouble=str(error))

    def _read(self, path: Path, training_step: int, model: int) -> "Capture":
        key = path, training_step, model
        if self._capture is None or self._known != key:
            with Run(path) as run:
                self._capture = run.capture(training_step, model)
            self._known = key
        return self._capture


class Recomputing(QObject):
    """Keeps what a trial is recomputed to true to what is set by hand and to the place; at most one wish waits."""

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._wishes = NewestWish("recomputing", _Captures().recompute, self)
        self._wishes.answered.connect(self._answered)
        self._wishes.failed.connect(self._failed)
        self._asked: _Wish | None = None  # the newest wish
        store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.run.path != old.run.path:
            self._wishes.forget()
            self._asked = None
        wish = _wish(new)
        if wish is not None and wish != self._asked:
            self._asked = wish
            self._wishes.ask(wish)

    def stop(self) -> bool:
        """Ends the worker; False if it did not end in time."""
        return self._wishes.stop()

    @Slot(object, object)
    def _answered(self, _wish: _Wish, recomputed: Recomputed) -> None:
        self._store.change(trial=setting(recomputed=recomputed))

    @Slot(object, object)
    def _failed(self, _wish: _Wish, error: object) -> None:
        self._store.say(Message("error", f"The what-if could not be computed: {error}."))


def _wish(state: State) -> _Wish | None:
    """What the state needs; None while it is history or nothing can be computed yet."""
    if not state.trial.whatif.active or state.run.path is None or not state.recorded.traces:
        return None
    wished = replace(
        state.trial.whatif,
        training_step=state.place.cursor.training_step,
        sample=state.place.sample,
        past=(),
        future=(),
    )
    return _Wish(wished, state.run.path, state.trial.against)

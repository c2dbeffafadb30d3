"""Recomputes the sequence looked at with what a person set by hand, off the event loop; the newest wish wins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

from PySide6.QtCore import QObject, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.debugger.whatif import WhatIf
from rnnviz.gui.live.newest_wish import NewestWish
from rnnviz.gui.live.rebuilding import WITH_EXACT, prepare
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.trial import Recomputed
from rnnviz.gui.state.window import Message
from rnnviz.runs.reading.reader import Run

if TYPE_CHECKING:
    from rnnviz.core.sweeps.capture import Capture
    from rnnviz.core.sweeps.trace import Trace

MakeRoom = Callable[[int, "tuple[Trace, ...]"], None]


@dataclass(frozen=True)
class _Wish:
    """What is to be recomputed: `whatif` has the place that is looked at."""

    whatif: WhatIf
    path: Path
    against: str


class _Captures:
    """The capture last read, and the trace without what is set by hand. Lives in the worker thread only: SQLite's
    connections do not travel."""

    def __init__(self, make_room: MakeRoom) -> None:
        self._make_room = make_room
        self._known: tuple[object, ...] | None = None  # run, training step, kind and model of it
        self._capture: Capture | None = None
        self._original: tuple[object, ref[Trace]] | None = None  # with what it is the trace of; the screen holds it

    def recompute(self, wish: _Wish) -> Recomputed:
        whatif = wish.whatif
        try:
            capture = self._read(wish.path, whatif)
            against = replace(whatif, interventions=())
            if wish.against:
                against = replace(whatif, interventions=whatif.variant(wish.against).interventions)
            original = self._traced_before(capture, wish.path, against)
            self._make_room_for(capture, whatif.sample, (original,))
            changed = whatif.trace(capture)
            prepare(changed)
            return Recomputed(whatif, wish.path, wish.against, original, changed)
        except RnnvizError as error:
            return Recomputed(whatif, wish.path, wish.against, trouble=str(error))

    def _traced_before(self, capture: "Capture", path: Path, against: WhatIf) -> "Trace":
        """What stands beside the changed trace: made once while only that changes."""
        key = path, against.training_step, against.kind, against.model, against.sample, against.interventions
        known, kept = self._original or (None, None)
        original = kept() if kept is not None and known == key else None
        if original is None:
            self._make_room_for(capture, against.sample, ())
            original = against.trace(capture) if against.active else against.original(capture)
            self._original = key, ref(original)
        prepare(original)
        return original

    def _make_room_for(self, capture: "Capture", sample: int, kept: "tuple[Trace, ...]") -> None:
        from rnnviz.core.sweeps.one_by_one import trace_bytes  # late: the sweeps come after the window

        self._make_room(WITH_EXACT * trace_bytes(capture.sample(sample)), kept)

    def _read(self, path: Path, whatif: WhatIf) -> "Capture":
        key = path, whatif.training_step, whatif.kind, whatif.model
        if self._capture is None or self._known != key:
            with Run(path) as run:
                self._capture = run.capture(whatif.training_step, whatif.model, whatif.kind)
            self._known = key
        return self._capture


class Recomputing(QObject):
    """Keeps what a trial is recomputed to true to what is set by hand and to the place; at most one wish waits."""

    def __init__(self, store: Store, parent: QObject | None = None, make_room: MakeRoom = lambda *_: None) -> None:
        """`make_room` is told, in the worker's thread, of the bytes of a trace that is made next, and of those that it
        is made beside."""
        super().__init__(parent)
        self._store = store
        self._wishes = NewestWish("recomputing", _Captures(make_room).recompute, self)
        self._wishes.answered.connect(self._answered)
        self._wishes.failed.connect(self._failed)
        self._asked: _Wish | None = None  # the newest wish
        store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.run.path != old.run.path:
            self._wishes.forget()
            self._asked = None
        if not new.trial.whatif.active and new.trial.recomputed is not None:
            self._asked = None
            self._store.change(trial=setting(recomputed=None))  # large, and made again where it is undone
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
        kind=state.place.kind,
        sample=state.place.sample,
        past=(),
        future=(),
    )
    return _Wish(wished, state.run.path, state.trial.against)

"""Looks for hits in the recorded past: `rnnviz search` as a child process, whose hits come in as it finds them."""

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import whole
from rnnviz.core.stopping.marks import Bookmark, Marks, with_not_finite
from rnnviz.core.stopping.marks_file import marks_toml, shortened
from rnnviz.debugger.places import to_bookmark
from rnnviz.gui.live.child import Child, Ending
from rnnviz.gui.live.session import Session
from rnnviz.gui.state.debugging import Found
from rnnviz.gui.state.marks import marks_of
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message, Stopped
from rnnviz.runs.file.records import Event

if TYPE_CHECKING:
    from rnnviz.core.child_answers import FoundHit

_MOST = 10_000  # hits of one search


class Searching(QObject):
    """One search at a time; a new one ends the one before. What it found is `State.debugging.found`."""

    def __init__(self, store: Store, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._session = store, session
        self._child: Child | None = None
        self._direction = 0  # 0: all hits are wanted, else the next one there
        self._breakpoints: list[dict[str, Any]] = []
        store.changed.connect(self.show_state)

    def find_all(self) -> None:
        """Every hit of the whole run, from the first training step on."""
        self._start(0, ["--most", str(_MOST)])

    def go(self, direction: int) -> None:
        """To the nearest hit after the training step shown (1), or before it (−1)."""
        step = self._store.state.place.training_step
        where = ["--first", str(step + 1)] if direction > 0 else ["--last", str(step - 1), "--backwards"]
        self._start(direction, [*where, "--most", "1"])

    @Slot()
    def cancel(self) -> None:
        """Ends the search; what it has found stays."""
        child, self._child = self._child, None
        if child is not None:
            child.cancel()
            child.deleteLater()
            self._show(running=False)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.run.path != old.run.path:
            self.cancel()
            self._store.change(debugging=setting(found=None))

    def _start(self, direction: int, arguments: list[str]) -> None:
        self.cancel()
        state = self._store.state
        if state.run.path is None:
            return
        wanted = with_not_finite(marks_of(state, state.run.model_names).breakpoints)
        self._breakpoints = [shortened(one) for one in wanted]
        self._direction = direction
        self._store.change(debugging=setting(found=Found(running=True)))
        command = ["search", str(state.run.path), "--marks", "-", "--json-lines", *arguments]
        self._child = Child(command, self, marks_toml(Marks(breakpoints=wanted)), "lines")
        self._child.lines.connect(self._take)
        self._child.ended.connect(self._ended)
        self._child.start()

    @Slot(object)
    def _take(self, lines: list[bytes]) -> None:
        from rnnviz.core.child_answers import search_line  # late: nobody has searched yet

        found = self._store.state.debugging.found
        if found is None:
            return
        hits, done, total = list(found.hits), found.done, found.total
        try:
            for came in map(search_line, lines):
                if came.hit is not None:
                    hits.append(self._event(came.hit, len(hits) + 1))
                done, total = came.progress or (done, total)
        except RnnvizError as error:
            self.cancel()
            self._store.say(Message("error", f"The search ended unexpectedly: {error}"))
            return
        self._show(hits=tuple(hits), done=done, total=total)

    @Slot(object)
    def _ended(self, ending: Ending) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.deleteLater()
        self._show(running=False)
        if ending.status != 0:
            self._store.say(Message("error", ending.said or "The search ended unexpectedly."))
        elif self._direction:
            self._go_to_found()

    def _go_to_found(self) -> None:
        state = self._store.state
        hit = (
            state.debugging.found.hits[0] if state.debugging.found is not None and state.debugging.found.hits else None
        )
        mark = self._bookmark_beside(state) if state.debugging.stop_at_bookmarks else None
        if mark is not None and (hit is None or self._direction * (mark.training_step - hit.training_step) <= 0):
            self._go_to_bookmark(mark)
        elif hit is None:
            side = "after" if self._direction > 0 else "before"
            sentence = f"No breakpoint is met {side} training step {whole(state.place.training_step)}."
            self._store.change(notices=setting(message=Message("info", sentence)), debugging=setting(found=None))
        else:
            self._store.change(debugging=setting(found=None))
            details = hit.details
            stop = Stopped(hit.training_step, details["model"], details["time_step"], details["breakpoint"])
            further = "next_hit" if self._direction > 0 else "previous_hit"
            commands = ("go_to_stop", further, "disable_stop")
            said = Message("info", hit.sentence, commands, stop)
            self._session.show_training_step(hit.training_step, said, "probe")

    def _bookmark_beside(self, state: State) -> Bookmark | None:
        """The nearest of another training step, in the direction asked for."""
        here, direction = state.place.training_step, self._direction
        bookmarks = marks_of(state, state.run.model_names).bookmarks
        beyond = [one for one in bookmarks if direction * (one.training_step - here) > 0]
        return min(beyond, key=lambda one: direction * one.training_step, default=None)

    def _go_to_bookmark(self, mark: Bookmark) -> None:
        note = f": {mark.note}" if mark.note else ""
        sentence = f"Bookmark at training step {whole(mark.training_step)}{note}"
        self._store.change(debugging=setting(found=None), place=partial(to_bookmark, bookmark=mark))
        self._session.show_training_step(mark.training_step, Message("info", sentence), mark.kind)

    def _show(self, **changes: Any) -> None:
        found = self._store.state.debugging.found
        if found is not None:
            self._store.change(debugging=setting(found=Found(**{**vars(found), **changes})))

    def _event(self, hit: "FoundHit", number: int) -> Event:
        if not 0 <= hit.breakpoint < len(self._breakpoints):
            raise RnnvizError(f"rnnviz search: wanted the place of a breakpoint, got {hit.breakpoint}.")
        one = self._breakpoints[hit.breakpoint]
        values = [list(pair) for pair in hit.values]
        details = {"breakpoint": one, "model": hit.model, "time_step": hit.time_step, "values": values}
        return Event(number, hit.training_step, "log" if "message" in one else "hit", hit.sentence, details)

"""Looks for hits in the recorded past: `rnnviz search` as a child process, whose hits come in as it finds them."""

import json
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QProcess, Slot

from rnnviz.core.stopping.marks import Bookmark, Marks, with_not_finite
from rnnviz.core.stopping.marks_file import marks_toml, shortened
from rnnviz.debugger.bookmarks import bookmarked
from rnnviz.gui.live.child import last_sentence, rnnviz_process
from rnnviz.gui.live.session import Session
from rnnviz.gui.state.marks import marks_of
from rnnviz.gui.state.store import Found, Message, State, Store
from rnnviz.runs.file.records import Event

_MOST = 10_000  # hits of one search


class Searching(QObject):
    """One search at a time; a new one ends the one before. What it found is `State.found`."""

    def __init__(self, store: Store, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._session = store, session
        self._process: QProcess | None = None
        self._direction = 0  # 0: all hits are wanted, else the next one there
        self._breakpoints: list[dict[str, Any]] = []
        store.changed.connect(self.show_state)

    def find_all(self) -> None:
        """Every hit of the whole run, from the first training step on."""
        self._start(0, ["--most", str(_MOST)])

    def go(self, direction: int) -> None:
        """To the nearest hit after the training step shown (1), or before it (−1)."""
        step = self._store.state.cursor.training_step
        where = ["--first", str(step + 1)] if direction > 0 else ["--last", str(step - 1), "--backwards"]
        self._start(direction, [*where, "--most", "1"])

    @Slot()
    def cancel(self) -> None:
        """Ends the search; what it has found stays."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.waitForFinished(2000)
            process.deleteLater()
            self._show(running=False)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.run_path != old.run_path:
            self.cancel()
            self._store.update(found=None)

    def _start(self, direction: int, arguments: list[str]) -> None:
        self.cancel()
        state = self._store.state
        if state.run_path is None:
            return
        wanted = with_not_finite(marks_of(state, state.models).breakpoints)
        self._breakpoints = [shortened(one) for one in wanted]
        self._direction = direction
        self._store.update(found=Found(running=True))
        command = ["search", str(state.run_path), "--marks", "-", "--json-lines", *arguments]
        self._process = process = rnnviz_process(command, self)
        process.readyReadStandardOutput.connect(self._listen)
        process.finished.connect(self._ended)
        process.start()
        process.write(marks_toml(Marks(breakpoints=wanted)).encode())
        process.closeWriteChannel()

    @Slot()
    def _listen(self) -> None:
        process, found = self._process, self._store.state.found
        if process is None or found is None:
            return
        hits, done, total = list(found.hits), found.done, found.total
        while process.canReadLine():
            line = json.loads(bytes(process.readLine().data()))
            if "hit" in line:
                hits.append(self._event(line["hit"], len(hits) + 1))
            elif "progress" in line:
                done, total = line["progress"]
        self._show(hits=tuple(hits), done=done, total=total)

    @Slot()
    def _ended(self) -> None:
        process = self._process
        if process is None:
            return
        self._listen()
        self._process = None
        said = last_sentence(bytes(process.readAllStandardError().data()).decode("utf-8", "replace"))
        right = process.exitStatus() is QProcess.ExitStatus.NormalExit and process.exitCode() == 0
        process.deleteLater()
        self._show(running=False)
        if not right:
            self._store.update(message=Message("error", said or "The search ended unexpectedly."))
        elif self._direction:
            self._go_to_found()

    def _go_to_found(self) -> None:
        state = self._store.state
        hit = state.found.hits[0] if state.found is not None and state.found.hits else None
        mark = self._bookmark_beside(state) if state.stop_at_bookmarks else None
        if mark is not None and (hit is None or self._direction * (mark.training_step - hit.training_step) <= 0):
            self._go_to_bookmark(state, mark)
        elif hit is None:
            side = "after" if self._direction > 0 else "before"
            sentence = f"No breakpoint is met {side} training step {state.cursor.training_step}."
            self._store.update(message=Message("info", sentence), found=None)
        else:
            self._store.update(message=Message("info", hit.sentence), found=None)
            self._session.show_training_step(hit.training_step)

    def _bookmark_beside(self, state: State) -> Bookmark | None:
        """The nearest of another training step, in the direction asked for."""
        here, direction = state.cursor.training_step, self._direction
        bookmarks = marks_of(state, state.models).bookmarks
        beyond = [one for one in bookmarks if direction * (one.training_step - here) > 0]
        return min(beyond, key=lambda one: direction * one.training_step, default=None)

    def _go_to_bookmark(self, state: State, mark: Bookmark) -> None:
        sentence = f"Bookmark at training step {mark.training_step}" + (f": {mark.note}" if mark.note else "")
        # the traces shown stay those of this training step until the others are rebuilt
        cursor = replace(bookmarked(mark), training_step=state.cursor.training_step)
        self._store.update(message=Message("info", sentence), found=None, cursor=cursor)
        self._session.show_training_step(mark.training_step)

    def _show(self, **changes: Any) -> None:
        found = self._store.state.found
        if found is not None:
            self._store.update(found=Found(**{**vars(found), **changes}))

    def _event(self, hit: dict[str, Any], number: int) -> Event:
        one = self._breakpoints[hit["breakpoint"]]
        details = {"breakpoint": one, "model": hit["model"], "time_step": hit["time_step"], "values": hit["values"]}
        return Event(number, hit["training_step"], "log" if "message" in one else "hit", hit["sentence"], details)

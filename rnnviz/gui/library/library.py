"""The library's place in the program: its window, made when first asked for, and what is remembered of runs."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.live.background import Background
from rnnviz.gui.live.session import Session, is_running
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.program_folders import data_folder
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message

if TYPE_CHECKING:
    from rnnviz.gui.library.library_window import LibraryWindow
    from rnnviz.runs.library.cache import SummaryCache
    from rnnviz.runs.library.remembered import Memory
    from rnnviz.runs.library.summary import RunSummary

_DONE = Fields(  # what is other once a person did anything
    *("place.cursor", "place.model", "place.unit", "place.sample", "run.draft", "run.name", "debugging.marks"),
    *("debugging.watches", "trial", "look.page", "look.theme", "look.scale", "look.hidden_lanes", "look.folders"),
)
_CANDIDATES = 8  # newest files that are looked into for the last run


class Library(QObject):
    """`last`: the path of the run the person worked with before this start, once it is known; `found()` then."""

    found = Signal()

    def __init__(self, store: Store, session: Session, open_path: Callable[[Path], None], window: QWidget) -> None:
        super().__init__(window)
        self._store, self._session, self._open_path, self._window = store, session, open_path, window
        self.last: Path | None = None
        self.window: LibraryWindow | None = None
        self._to_offer: RunSummary | None = None  # once the first run of this start is on the screen
        self._offer: Message | None = None
        self._kept: tuple[Memory, SummaryCache] | None = None
        self._background = Background("last run", self)
        self._background.answered.connect(self._take_last)
        session.files.used.connect(self._remember)
        store.changed.connect(self.show_state)

    def show(self) -> None:
        """Opens the window of runs, or brings it to the front."""
        from rnnviz.gui.library.library_window import LibraryWindow  # late: made when somebody wants it

        self._take_offer_back()
        if self.window is None:
            memory, cache = self._memory()
            self.window = LibraryWindow(self._store, memory, cache, self._window)
            self.window.open_wanted.connect(self._open_path)
            self.window.finished.connect(self._forget_window)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def look_for_last(self) -> None:
        """Looks, off the event loop, which run the person worked with before; it is offered in the bar."""
        memory, cache = self._memory()
        self._background.ask(lambda: _last(memory, cache))

    def continue_last(self) -> None:
        """Opens the run that was worked with before this start. RnnvizError where there is none."""
        if self.last is None:
            raise RnnvizError("There is no earlier run yet.")
        self._take_offer_back()
        self._open_path(self.last)

    def stop(self) -> bool:
        """Remembers the run on screen for the next start, and ends what reads. False if that did not end in time."""
        run, recorded = self._store.state.run, self._store.state.recorded
        if run.path is not None and (run.kept or recorded.history.last_training_step > 0):
            path = str(run.path)
            with contextlib.suppress(RnnvizError):
                self._memory()[0].change(lambda known: replace(known, last=path, last_at=time.time()))
        read = self.window is None or self.window.stop()
        return self._background.stop() and read

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        """The last run is offered once there is something on the screen; the offer goes when the person begins."""
        if self._to_offer is not None and new.run.path is not None:
            QTimer.singleShot(0, self, self._make_offer)
        if self._offer is None or old.run.path is None:
            return
        if is_running(new) or new.run.path != old.run.path or _DONE.changed(old, new):
            self._take_offer_back()

    def _take_offer_back(self) -> None:
        offer, self._offer = self._offer, None
        if offer is not None and self._store.state.notices.message is offer:
            self._store.say(None)

    def _memory(self) -> "tuple[Memory, SummaryCache]":
        from rnnviz.runs.library.cache import SummaryCache  # late: nothing of it is wanted before the first picture
        from rnnviz.runs.library.remembered import Memory

        if self._kept is None:
            self._kept = Memory(data_folder()), SummaryCache(data_folder() / "library")
        return self._kept

    @Slot(object)
    def _remember(self, path: Path) -> None:
        """A run that was opened or saved elsewhere is listed from now on."""
        memory = self._memory()[0]
        path = path.absolute()
        with contextlib.suppress(RnnvizError):
            if not memory.ours(path) and self._session.files.kind(path) == "run":
                memory.change(lambda known: known.with_run(path))

    @Slot(int, object)
    def _take_last(self, _ticket: int, answer: object) -> None:
        from rnnviz.runs.library.summary import RunSummary

        if not isinstance(answer, RunSummary) or Path(answer.path) == self._store.state.run.path:
            return
        self.last = Path(answer.path)
        self.found.emit()
        self._to_offer = answer
        if self._store.state.run.path is not None:
            self._make_offer()

    @Slot()
    def _make_offer(self) -> None:
        from rnnviz.gui.library import words

        answer, self._to_offer = self._to_offer, None
        state = self._store.state
        if answer is not None and state.notices.message is None and not is_running(state) and not state.run.kept:
            step = f", training step {answer.training_step:,}" if answer.kind == "trained" else ""
            self._offer = Message(
                "info", f"Last time: {words.quoted(answer)}{step} ({words.when(answer.changed)}).", ("continue_last",)
            )
            self._store.say(self._offer)

    @Slot()
    def _forget_window(self) -> None:
        window, self.window = self.window, None
        if window is not None:
            window.stop()
            window.deleteLater()


def _last(memory: "Memory", cache: "SummaryCache") -> "RunSummary | None":
    """The run that was looked at last, or one that was trained since, of a window that was killed."""
    known = memory.read()
    times = {stamp.path: stamp.nanoseconds / 1e9 for stamp in memory.stamps() if memory.ours(stamp.path)}
    if known.last:
        times[known.last] = max(times.get(known.last, 0.0), known.last_at)
    newest = sorted(times, key=lambda path: -times[path])[:_CANDIDATES]
    stamps = {stamp.path: stamp for stamp in memory.stamps()}
    for path in newest:
        if path not in stamps:
            continue
        run = cache.summary(stamps[path])
        worth = run.kind in ("given", "recorded") or run.training_step > 0
        if worth and not run.live:
            return run
    return None

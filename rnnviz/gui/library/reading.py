"""Library reading: summaries and thumbnails of all runs, a few at a time, in a thread of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from rnnviz.gui.library.thumbnail import thumbnail
from rnnviz.gui.live.background import Background
from rnnviz.gui.look.theme import ThemeName, theme
from rnnviz.runs.library.cache import SummaryCache
from rnnviz.runs.library.remembered import Memory
from rnnviz.runs.library.summary import RunSummary, Stamp

_AT_A_TIME = 8  # runs of one job, so that closing never waits long
_LOOK_AGAIN = 1500  # milliseconds between two looks at what there is


@dataclass(frozen=True)
class Entry:
    """One row of the library; `alive` and `training` as they were when it was read."""

    run: RunSummary
    picture: QImage
    live: bool
    training: bool


class LibraryReading(QObject):
    """`listed(paths)`: all there are now; `came(entries)` for those that are new or other than before; `finished()`
    when all were read once more."""

    listed = Signal(object)
    came = Signal(object)
    finished = Signal()

    def __init__(self, memory: Memory, cache: SummaryCache, theme_name: ThemeName, parent: QObject) -> None:
        super().__init__(parent)
        self._memory, self._cache, self._theme_name = memory, cache, theme_name
        self._known: dict[str, tuple[Stamp, Entry]] = {}
        self._left: list[Stamp] = []  # to be read
        self._all: list[Stamp] = []
        self._busy = False
        self._again = False
        self._tidied = False
        self._stopped = False
        self._background = Background("library", self)
        self._background.answered.connect(self._take)
        self._background.failed.connect(self._give_up)
        self._timer = QTimer(self, interval=_LOOK_AGAIN)
        self._timer.timeout.connect(self.look)

    @property
    def busy(self) -> bool:
        """Whether there is something left to be read."""
        return self._busy

    @property
    def everything(self) -> list[Stamp]:
        """All runs there were at the last look."""
        return list(self._all)

    def start(self) -> None:
        """Looks now, and again and again."""
        self._timer.start()
        self.look()

    def stop(self) -> bool:
        """False if the thread did not end in time."""
        self._stopped = True
        self._timer.stop()
        self._left = []
        return self._background.stop()

    @Slot()
    def look(self) -> None:
        """Lists what there is and reads what was written since."""
        if self._stopped:
            return
        if self._busy:
            self._again = True
            return
        self._busy, self._again = True, False
        self._background.ask(self._memory.stamps)

    def show_theme(self, name: ThemeName) -> None:
        """Draws every picture anew."""
        if name != self._theme_name:
            self._theme_name = name
            self._known.clear()
            self.look()

    @Slot(int, object)
    def _take(self, _ticket: int, answer: object) -> None:
        if self._stopped:
            return
        if answer is None:
            self._end()
            return
        assert isinstance(answer, list)
        if answer and isinstance(answer[0], tuple):
            self._take_entries(answer)
        else:
            self._all = answer
            there = {stamp.path for stamp in answer}
            self._known = {path: known for path, known in self._known.items() if path in there}
            self.listed.emit([stamp.path for stamp in answer])
            self._left = [stamp for stamp in answer if self._stale(stamp)]
        QTimer.singleShot(0, self, self._go_on)  # after the rows were painted, which a thread at work would hold up

    def _stale(self, stamp: Stamp) -> bool:
        """Whether its file was written since, or its engine came to life or ended."""
        known = self._known.get(stamp.path)
        if known is None or known[0] != stamp:
            return True
        return known[1].run.writer[0] > 0 and known[1].live

    def _take_entries(self, came: Sequence[tuple[Stamp, Entry]]) -> None:
        new = []
        for stamp, entry in came:
            known = self._known.get(stamp.path)
            if known is None or _said(known[1]) != _said(entry):
                new.append(entry)
            self._known[stamp.path] = stamp, entry
        if new:
            self.came.emit(new)

    @Slot()
    def _go_on(self) -> None:
        if self._stopped:
            return
        if self._left:
            batch, self._left = self._left[:_AT_A_TIME], self._left[_AT_A_TIME:]
            name, cache = self._theme_name, self._cache
            self._background.ask(lambda: [(stamp, _entry(stamp, cache, name)) for stamp in batch])
        elif self._all and not self._tidied:
            self._tidied, everything = True, self.everything
            self._background.ask(lambda: self._cache.forget_others(everything))
        else:
            self._end()

    def _end(self) -> None:
        self._busy = False
        self.finished.emit()
        if self._again:
            self.look()

    @Slot(int, object)
    def _give_up(self, _ticket: int, _error: object) -> None:
        """A job failed, which the problem log says; the next look tries again."""
        self._left, self._busy = [], False


def _entry(stamp: Stamp, cache: SummaryCache, name: ThemeName) -> Entry:
    run = cache.summary(stamp)
    picture = thumbnail(run, theme(name), cache.folder / f"{cache.key(stamp)}-{name}.png")
    return Entry(run, picture, run.live, run.training_now)


def _said(entry: Entry) -> tuple[RunSummary, bool, bool]:
    return entry.run, entry.live, entry.training

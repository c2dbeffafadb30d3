"""Newest wish: work off the event loop of which only the newest request waits while one is at work."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.gui.live.background import Background


class NewestWish(QObject):
    """`answered(wish, answer)` or `failed(wish, error)` for each wish that was worked on, also when a newer one waits:
    while a slider moves, what lies between is shown. None for wishes made before `forget`: about a run that was left.
    """

    answered = Signal(object, object)
    failed = Signal(object, object)

    def __init__(self, name: str, work: Callable[[Any], Any], parent: QObject | None = None) -> None:
        """`work` makes the answer of a wish, in a thread called `name`."""
        super().__init__(parent)
        self._work = work
        self._background = Background(name, self)
        self._background.answered.connect(self._take)
        self._background.failed.connect(self._fail)
        self._at_work: list[Any] = []  # the wish in the thread, if any
        self._waiting: list[Any] = []  # the newest made meanwhile, if any
        self._wanted = False  # whether the one at work was made after `forget`

    def ask(self, wish: Any) -> None:
        """Works on `wish` now, or after the one at work in place of any that waits."""
        if self._at_work:
            self._waiting = [wish]
        else:
            self._send(wish)

    def forget(self) -> None:
        """Drops what waits, and the answer of what is at work."""
        self._waiting.clear()
        self._wanted = False

    def stop(self, last: Callable[[], Any] | None = None) -> bool:
        """Ends the thread, with `last` as its last job; False if it did not end in time."""
        if last is not None:
            self._background.ask(last)
        return self._background.stop()

    def _send(self, wish: Any) -> None:
        self._at_work, self._wanted = [wish], True
        work = self._work
        self._background.ask(lambda: work(wish))

    def _next(self) -> tuple[Any, bool]:
        """The wish that was at work and whether its answer is wanted; the one that waits goes to work."""
        (done,), wanted = self._at_work, self._wanted
        self._at_work = []
        if self._waiting:
            self._send(self._waiting.pop())
        return done, wanted

    @Slot(int, object)
    def _take(self, _ticket: int, answer: object) -> None:
        if self._at_work:
            wish, wanted = self._next()
            if wanted:
                self.answered.emit(wish, answer)

    @Slot(int, object)
    def _fail(self, _ticket: int, error: object) -> None:
        if self._at_work:
            wish, wanted = self._next()
            if wanted:
                self.failed.emit(wish, error)

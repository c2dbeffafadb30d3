"""One worker thread for what would make the window wait; jobs are plain functions, answers arrive in the GUI thread."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal, Slot

from rnnviz.core.errors import RnnvizError

Job = Callable[[], Any]
_PATIENCE = 1.0  # seconds a window that closes waits for all its jobs that nobody needs any more
_leaving_by: list[float] = []  # while a window closes: the monotonic time when that is over


@contextmanager
def leaving() -> Iterator[None]:
    """Within it the waits of `stop` share one patience: several stuck jobs do not add up."""
    _leaving_by.append(time.monotonic() + _PATIENCE)
    try:
        yield
    finally:
        _leaving_by.pop()


class _Worker(QObject):
    answered = Signal(int, object, object)  # ticket, answer, error

    @Slot(int, object)
    def work(self, ticket: int, job: Job) -> None:
        try:
            self.answered.emit(ticket, job(), None)
        except Exception as error:  # handed over, not swallowed: the GUI thread says it
            if not isinstance(error, RnnvizError):
                traceback.print_exc()
            self.answered.emit(ticket, None, error)


class Background(QObject):
    """Runs one job at a time, in the order asked. `answered(ticket, answer)` or `failed(ticket, error)` follow each."""

    answered = Signal(int, object)
    failed = Signal(int, object)
    _asked = Signal(int, object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._thread: QThread | None = None
        self._worker: _Worker | None = None
        self._tickets = 0

    def ask(self, job: Job) -> int:
        """Queues `job` and returns its ticket. The thread starts with the first one."""
        if self._thread is None:
            self._start()
        self._tickets += 1
        self._asked.emit(self._tickets, job)
        return self._tickets

    def stop(self, milliseconds: int | None = None) -> bool:
        """Waits for the jobs that were asked for; False if they did not end in time, which is that of all jobs where a
        window closes and nothing is said."""
        if self._thread is None:
            return True
        if milliseconds is None:
            left = _leaving_by[-1] - time.monotonic() if _leaving_by else _PATIENCE
            milliseconds = round(1000 * max(left, 0.0))
        self._asked.emit(0, self._thread.quit)  # as the last job, so that those before it are done
        if not self._thread.wait(milliseconds):
            return False
        self._thread = self._worker = None
        return True

    def _start(self) -> None:
        self._thread = QThread()
        self._thread.setObjectName(self._name)
        self._worker = _Worker()
        self._worker.moveToThread(self._thread)
        self._asked.connect(self._worker.work)
        self._worker.answered.connect(self._hand_over)  # a bound method of this thread's object: queued
        self._thread.start()

    @Slot(int, object, object)
    def _hand_over(self, ticket: int, answer: object, error: object) -> None:
        if self._thread is None:
            return
        if error is not None:
            self.failed.emit(ticket, error)
        else:
            self.answered.emit(ticket, answer)

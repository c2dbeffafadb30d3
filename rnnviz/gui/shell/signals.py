"""Signals that end the window: SIGTERM, SIGINT and SIGHUP, heard at once, also while nothing happens in it."""

import contextlib
import signal
import socket
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Slot

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))


class Signals(QObject):
    """Calls `leave` from the event loop. Where none turns, `leave_now` decides: it returns if one does."""

    def __init__(self, leave: Callable[[], None], leave_now: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._leave, self._leave_now = leave, leave_now
        self._reading, self._writing = socket.socketpair()
        for end in (self._reading, self._writing):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._reading.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._hear)
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` wishes it
                signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        """What Python calls between two of its instructions; Qt's loop has heard already, if it turns."""
        self._leave_now()

    @Slot()
    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._reading.recv(64)
        self._leave()
